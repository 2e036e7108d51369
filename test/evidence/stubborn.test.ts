/** What a run leaves behind, with programs that do everything to stay: they are ended, and the user's own are not. */
import { afterAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endLeftovers } from "../../components/evidence/leftovers.ts";
import { owner } from "../../components/evidence/owner.ts";
import { runCommand } from "../../components/evidence/runner.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import { removeFoldersAfterwards, tempFolder } from "./repo.ts";
import { NAMES, stubborn, thereIn } from "./stubborn.ts";

removeFoldersAfterwards();

const PROGRAM = process.env.PROOFGATE_PROGRAM ?? join(import.meta.dir, "../../dist/proofgate.js");
const linux = process.platform === "linux";

const own: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of own.splice(0)) await end();
});

/** What the user has running: the same programs, and one with a mark of another run. @returns whether all of it is still there */
async function usersOwn(): Promise<() => boolean> {
  const folder = mkdtempSync(join(tmpdir(), "own-"));
  const children: ChildProcess[] = [];
  const start = (argv: readonly string[], env: Record<string, string> = {}): void => {
    const child = spawn(argv[0] ?? "", argv.slice(1), {
      cwd: folder,
      stdio: "ignore",
      detached: true,
      env: { ...process.env, ...env },
    });
    children.push(child);
  };
  const socket = join(folder, "s");
  const tmux = (...args: string[]): Promise<number> => Bun.spawn(["tmux", "-S", socket, ...args]).exited;
  start(["sleep", "1000"]);
  start(["sleep", "1004"], { PROOFGATE_RUN: "0123456789abcdef01234567" });
  start([
    "perl",
    "-MIO::Socket::INET",
    "-e",
    '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1"); 1 while $s->accept',
  ]);
  expect(await tmux("-f", "/dev/null", "new-session", "-d", "sleep 1004")).toBe(0);
  own.push(async () => {
    await tmux("kill-server");
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const sessions = (): boolean => thereIn(socket).length > 0;
  return () =>
    children.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null) && sessions();
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !what(); tries++) await sleep(50);
  if (!what()) throw new Error("it never came");
}

/** Whatever a failing test leaves. */
function endAfterwards(folder: string): void {
  own.push(() => {
    for (const line of thereIn(folder))
      try {
        process.kill(Number.parseInt(line, 10), "SIGKILL");
      } catch {
        // Gone.
      }
  });
}

const up = (folder: string): number =>
  existsSync(join(folder, "up")) ? readdirSync(join(folder, "up")).length : 0;

test.if(linux)(
  "twenty stubborn programs of one run are ended and named; the user's own go on",
  async () => {
    expect(NAMES.length).toBe(20);
    const untouched = await usersOwn();
    const folder = tempFolder();
    endAfterwards(folder);
    const run = await runCommand(stubborn(folder), { cwd: folder, timeoutMs: 60_000 });
    expect(run.stdout.head.trim()).toBe("20");
    expect(thereIn(folder)).toEqual([]);
    expect(run.alive).toEqual([]);
    const ended = run.ended.join("\n");
    for (const word of [
      "daemon.pl ghost",
      "daemon.pl doublefork",
      "xxxx",
      "sleep 1003",
      "tmux",
      "sleep 1005",
      "sleep 1006",
      "stubborn.cjs",
      "stubborn.py",
      "pair.pl",
      "sleep 1009",
      "cat",
    ])
      expect(ended).toContain(word);
    expect(untouched()).toBe(true);
    await run.dispose();
  },
  90_000,
);

/** A plan whose check starts all of them and then waits; `prove` is in the middle of it. */
async function middle(): Promise<{ world: World; prove: ReturnType<typeof Bun.spawn>; temp: string }> {
  const world = await makeWorld({ "a.txt": "a\n", ".gitignore": "*\n" });
  endAfterwards(world.root);
  const line = stubborn(world.root);
  const temp = mkdtempSync(join(tmpdir(), "st-"));
  own.push(() => rmSync(temp, { recursive: true, force: true }));
  world.env.TMPDIR = temp;
  world.write(
    ".proofgate/plan.yaml",
    `goals: [{ title: T, without: { edge: "has none of it", regression: "is all new", adversarial: "takes no input" }, criteria: [{ class: happy, scenario: The command prints done and exits 0., check: { run: "${line}; sleep 1000", stdout: done } }] }]\n`,
  );
  const said = await world.run(["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"]);
  expect([said.exit, said.err]).toEqual([0, ""]);
  const prove = Bun.spawn(["node", PROGRAM, "prove"], {
    cwd: world.root,
    env: world.env,
    stdout: "ignore",
    stderr: "ignore",
  });
  await until(() => up(world.root) === NAMES.length);
  expect(thereIn(world.root).length).toBeGreaterThan(15);
  return { world, prove, temp };
}

const ours = (temp: string): readonly string[] => readdirSync(temp).filter((name) => name.startsWith("pg-"));

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test.if(linux)(
    `${signal} in the middle of them ends them all with it`,
    async () => {
      const untouched = await usersOwn();
      const { world, prove, temp } = await middle();
      prove.kill(signal);
      await prove.exited;
      expect(prove.signalCode).toBe(signal);
      await until(() => thereIn(world.root).length === 0);
      expect(ours(temp)).toEqual([]);
      expect(untouched()).toBe(true);
    },
    90_000,
  );

test.if(linux)(
  "killed in the middle of them, the next command that runs checks ends what was left, and says so",
  async () => {
    const untouched = await usersOwn();
    const { world, prove, temp } = await middle();
    prove.kill("SIGKILL");
    await prove.exited;
    await sleep(300);
    expect(thereIn(world.root).length).toBeGreaterThan(15);
    const said = await world.run(["check"], { json: true });
    expect(said.json.leftovers.alive).toEqual([]);
    expect(said.json.leftovers.ended.join("\n")).toContain("daemon.pl ghost");
    expect(said.err).toMatch(/^ended, left by a command that was killed: /);
    expect(thereIn(world.root)).toEqual([]);
    expect(ours(temp)).toEqual([]);
    expect(untouched()).toBe(true);
    // Said once.
    expect((await world.run(["check"], { json: true })).json.leftovers).toBeUndefined();
  },
  90_000,
);

test("only what a process left that is certainly gone is looked at, and only by a real mark", async () => {
  const temp = tempFolder();
  const nap = spawn("sleep", ["1010"], {
    stdio: "ignore",
    env: { PATH: process.env.PATH, PROOFGATE_RUN: "ab".repeat(12) },
  });
  own.push(() => nap.kill("SIGKILL"));
  const me = owner();
  const gone = spawn("true");
  await new Promise((ended) => gone.once("exit", ended));
  const run = { mark: "ab".repeat(12) };
  const cases: readonly (readonly [string, object, object])[] = [
    ["pg-alive1", me, run],
    // From a sandbox with pids of its own: nobody here can tell.
    ["pg-space2", { ...me, pid: gone.pid, space: "another" }, run],
    ["pg-empty3", { ...me, pid: gone.pid }, { mark: "" }],
    ["pg-world-abcdef", { ...me, pid: gone.pid }, run],
    ["pg-nobody", {}, run],
  ];
  for (const [name, owned, marked] of cases) {
    mkdirSync(join(temp, name), { mode: 0o700 });
    writeFileSync(join(temp, name, ".owner"), JSON.stringify(owned));
    writeFileSync(join(temp, name, ".run"), JSON.stringify(marked));
  }
  expect(await endLeftovers(temp)).toEqual({ ended: [], alive: [] });
  expect(nap.signalCode).toBeNull();
  expect(readdirSync(temp).sort()).toEqual(["pg-alive1", "pg-nobody", "pg-space2", "pg-world-abcdef"]);
  if (!linux) return;
  // The same pid, but somebody else's by now: our own, which started at another time.
  writeFileSync(join(temp, "pg-alive1", ".owner"), JSON.stringify({ ...me, started: "1" }));
  expect(await endLeftovers(temp)).toEqual({ ended: ["sleep 1010"], alive: [] });
});
