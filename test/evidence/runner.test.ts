/** Tests how a command is run: what is kept of it, how it ends, what is cleaned up, and in which environment. */
import { afterEach, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanEnvironment, sandboxed } from "../../components/evidence/environment.ts";
import { type FinishedRun, type RunOptions, runCommand } from "../../components/evidence/runner.ts";
import type { Command } from "../../components/evidence/types.ts";
import { removeFoldersAfterwards, tempFolder } from "./repo.ts";

removeFoldersAfterwards();

const open: FinishedRun[] = [];

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const run of open.splice(0)) await run.dispose();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function run(command: Command, options: Partial<RunOptions> = {}): Promise<FinishedRun> {
  const finished = await runCommand(command, { cwd: tempFolder(), timeoutMs: 10_000, ...options });
  open.push(finished);
  return finished;
}

function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("exit status, signal and both streams are kept, with the digest of the whole", async () => {
  const done = await run("printf out; printf err >&2; exit 3");
  expect(done).toMatchObject({
    exit: 3,
    signal: null,
    timedOut: false,
    flooded: false,
    spawnError: null,
    ended: [],
    alive: [],
  });
  expect(done.stdout).toEqual({
    sha256: createHash("sha256").update("out").digest("hex"),
    size: 3,
    head: "out",
    tail: "",
  });
  expect(done.stderr.head).toBe("err");
  expect((await run("kill -9 $$")).signal).toBe("SIGKILL");
});

test("of a long output head and tail are kept, and the whole is hashed", async () => {
  const done = await run("seq 1 20000");
  const whole = Array.from({ length: 20000 }, (_, n) => `${n + 1}\n`).join("");
  expect(done.stdout.sha256).toBe(createHash("sha256").update(whole).digest("hex"));
  expect(done.stdout.size).toBe(whole.length);
  expect(done.stdout.head).toStartWith("1\n2\n");
  expect(done.stdout.tail).toEndWith("20000\n");
  expect(readFileSync(done.stdoutPath, "utf8")).toBe(whole);
  await done.dispose();
  expect(existsSync(done.stdoutPath)).toBe(false);
});

test("a list goes to the program as it is, without a shell", async () => {
  expect((await run(["printf", "%s|", "a b", "$HOME", "*"])).stdout.head).toBe("a b|$HOME|*|");
});

test("a program or folder that is not there is told apart from a failure", async () => {
  expect(await run(["no-such-program-here"])).toMatchObject({ exit: null, spawnError: "ENOENT" });
  expect((await run("true", { cwd: "/nonexistent/folder" })).spawnError).toBe("ENOENT");
});

test("there is no standard input to wait for, and /dev/stdout can be written", async () => {
  expect((await run("cat; echo done")).stdout.head).toBe("done\n");
  const done = await run(
    `echo one | tee -a /dev/stderr; node -e "require('fs').appendFileSync('/dev/stdout','two')"; echo three > /dev/stderr`,
  );
  expect([done.exit, done.stdout.head, done.stderr.head]).toEqual([0, "one\ntwo", "three\n"]);
});

test("what ignores the request to end is ended by force at the timeout", async () => {
  const done = await run("trap '' TERM; while :; do sleep 0.2; done", { timeoutMs: 150 });
  expect(done).toMatchObject({ timedOut: true, signal: "SIGKILL", alive: [] });
  expect(done.durationMs).toBeLessThan(4000);
});

test("a flood of output is ended", async () => {
  const done = await run("yes", { maxOutput: 2000000 });
  expect(done).toMatchObject({ flooded: true, timedOut: false });
  expect((await run("truncate -s 40G /dev/stdout", { maxOutput: 2000000 })).flooded).toBe(true);
});

test.if(process.platform === "linux")(
  "a run ends with its main process; what it left in other sessions is ended and named",
  async () => {
    const began = performance.now();
    const done = await run("setsid sh -c 'setsid sleep 301 & echo $!' & sleep 0.1; (sleep 302 &); echo main");
    expect(performance.now() - began).toBeLessThan(3000);
    expect(done.exit).toBe(0);
    expect([...done.ended].sort()).toEqual(["sleep 301", "sleep 302"]);
    const pid = Number(/^\d+$/m.exec(done.stdout.head)?.[0]);
    expect(alive(pid)).toBe(false);
  },
);

test.if(process.platform === "linux")(
  "leftovers that ignore the request are killed; what forks on is caught",
  async () => {
    const done = await run(`setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' & sleep 0.1`);
    expect(done.ended.length).toBeGreaterThan(0);
    expect(done.alive).toEqual([]);
  },
);

test("a process of the user's own is never touched", async () => {
  const mine = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
  children.push(mine);
  const done = await run("setsid sleep 61 & echo x");
  expect(done.ended).toEqual(["sleep 61"]);
  expect(alive(mine.pid ?? -1)).toBe(true);
});

test("a run inside a run belongs to the outer one as well", async () => {
  const done = await run('setsid env PROOFGATE_RUN="$PROOFGATE_RUN:inner" sleep 62 & echo "$PROOFGATE_RUN"', {
    env: { ...process.env, PROOFGATE_RUN: "outer" },
  });
  expect(done.stdout.head).toMatch(/^outer:[0-9a-f]{24}\n$/);
  expect(done.ended).toEqual(["sleep 62"]);
});

test("each run has a temporary folder of its own, which is gone afterwards", async () => {
  const done = await run('echo "$TMPDIR"; echo "$TMUX_TMPDIR"; touch "$TMPDIR/x"');
  const [folder = ""] = done.stdout.head.split("\n");
  expect(folder).not.toBe("");
  expect(existsSync(folder)).toBe(false);
});

test.if(process.platform === "linux")("when this process is ended, its run ends with it", async () => {
  const folder = tempFolder();
  const script = join(folder, "outer.ts");
  writeFileSync(
    script,
    `import { runCommand } from ${JSON.stringify(join(import.meta.dir, "../../components/evidence/runner.ts"))};\nawait runCommand("setsid sleep 63 & echo $! > ${folder}/pid; sleep 64", { cwd: ${JSON.stringify(folder)}, timeoutMs: 60000 });`,
  );
  const outer = spawn(process.execPath, [script], {
    env: { ...process.env, TMPDIR: folder },
    stdio: "ignore",
  });
  children.push(outer);
  const ended = new Promise<NodeJS.Signals | null>((settle) =>
    outer.once("exit", (_code, signal) => settle(signal)),
  );
  for (let n = 0; n < 200 && !existsSync(join(folder, "pid")); n++) await Bun.sleep(20);
  await Bun.sleep(100);
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  expect(alive(pid)).toBe(true);
  outer.kill("SIGTERM");
  expect(await ended).toBe("SIGTERM");
  await Bun.sleep(50);
  expect(readdirSync(folder).filter((name) => name.startsWith("pg-"))).toEqual([]);
  expect(alive(pid)).toBe(false);
});

test("variables that load other code are taken out and named; harmless ones stay", async () => {
  const { env, dropped } = cleanEnvironment(
    {
      LD_PRELOAD: "x",
      BASH_ENV: "x",
      GIT_DIR: "x",
      NODE_OPTIONS: "--require ./evil.js",
      PATH: "/usr/bin",
      HOME: "/h",
      "BASH_FUNC_npm%%": "() { true; }",
    },
    null,
  );
  expect(env).toEqual({ PATH: "/usr/bin", HOME: "/h" });
  expect(dropped).toEqual(["BASH_ENV", "BASH_FUNC_npm%%", "GIT_DIR", "LD_PRELOAD", "NODE_OPTIONS"]);
  expect(cleanEnvironment({ NODE_OPTIONS: "--max-old-space-size=4096" }, null).dropped).toEqual([]);
});

test("no check is told who is asking, nor finds on PATH what a host's plugin put there", () => {
  const asking = { OPENCODE: "1", OPENCODE_SESSION_ID: "ses_1", CODEX_CI: "1", BUN_BE_BUN: "1" };
  const programs = { PROOFGATE_PROGRAMS: "/plugin/path", PROOFGATE_HOST: "/bin/host" };
  const { env, dropped } = cleanEnvironment(
    { ...asking, ...programs, PATH: "/usr/bin:/plugin/path", HOME: "/h" },
    null,
  );
  expect(env).toEqual({ PATH: "/usr/bin", HOME: "/h" });
  expect(dropped).toEqual([]);
});

test("nobody takes the system's programs off PATH by calling them a plugin's, so that a fake is the only one", () => {
  const PATH = "/usr/bin:/bin";
  expect(cleanEnvironment({ PATH, PROOFGATE_PROGRAMS: "/usr/bin" }, null).env).toEqual({ PATH });
});

test("a fake program put first on PATH does not shadow the real one; a tool found only there still works", async () => {
  const folder = tempFolder();
  const fake = join(folder, "fake");
  mkdirSync(fake);
  for (const [name, text] of [
    ["git", "echo fake"],
    ["only-here", "echo found"],
  ] as const) {
    writeFileSync(join(fake, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(fake, name), 0o755);
  }
  const done = await run("git --version; only-here", {
    env: { ...process.env, PATH: `${fake}:${process.env.PATH}` },
  });
  expect(done.stdout.head).toMatch(/^git version .*\nfound\n$/);
  expect(done.programs).toContainEqual({ name: "only-here", path: join(fake, "only-here") });
  expect(done.programs.find(({ name }) => name === "git")?.path).not.toStartWith(fake);
});

test("installed tools of the repository keep their place on PATH", () => {
  const root = tempFolder();
  for (const folder of ["node_modules/.bin", "venv/bin", "bin"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "venv/pyvenv.cfg"), "");
  const bin = (name: string): string => join(root, name);
  const { env } = cleanEnvironment(
    { PATH: [bin("node_modules/.bin"), bin("bin"), bin("venv/bin"), "/usr/bin"].join(":") },
    root,
  );
  expect(env.PATH).toBe([bin("node_modules/.bin"), bin("venv/bin"), "/usr/bin", bin("bin")].join(":"));
});

test("Codex's sandbox is known by its variable", () => {
  expect(sandboxed({ CODEX_SANDBOX_NETWORK_DISABLED: "1" })).toBe(true);
  expect(sandboxed({})).toBe(false);
});
