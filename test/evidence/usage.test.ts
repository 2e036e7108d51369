/** Tests what a run's processes took, and that measuring it changes nothing else. */
import { afterEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FinishedRun, type RunOptions, runCommand } from "../../components/evidence/runner.ts";
import type { Command } from "../../components/evidence/types.ts";
import { makeMeter } from "../../components/evidence/usage.ts";
import { removeFoldersAfterwards, tempFolder } from "./repo.ts";

removeFoldersAfterwards();

const linux = process.platform === "linux";
const open: FinishedRun[] = [];
afterEach(async () => {
  for (const run of open.splice(0)) await run.dispose();
});

async function run(command: Command, options: Partial<RunOptions> = {}): Promise<FinishedRun> {
  const done = await runCommand(command, {
    cwd: tempFolder(),
    timeoutMs: 60_000,
    usage: true,
    ...options,
  });
  open.push(done);
  return done;
}

const cpuOf = ({ usage }: FinishedRun): number => usage?.cpuMs ?? -1;

/** A program that computes until it has taken so much CPU time itself, whatever else the machine does. */
const BURN = (ms: number): string =>
  `const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
   while (used() < ${ms});`;

test("nothing is measured that was not asked for", async () => {
  expect((await run("true", { usage: false })).usage).toBeNull();
});

describe("CPU time", () => {
  test("a program that computes has taken what it computed", async () => {
    const cpu = cpuOf(await run(["node", "-e", BURN(400)]));
    expect(cpu).toBeGreaterThan(390);
    expect(cpu).toBeLessThan(2000);
  });

  test("two children at once and a grandchild are all counted", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "burn.js"), BURN(400));
    const two = await run("node burn.js & node burn.js & wait", { cwd: folder });
    expect(cpuOf(two)).toBeGreaterThan(780);
    const nested = "sh -c 'sh -c \"node burn.js; true\"; true'; true";
    expect(cpuOf(await run(nested, { cwd: folder }))).toBeGreaterThan(390);
  });

  test("a program that waits takes hardly any", async () => {
    const done = await run(["sleep", "1"]);
    expect(cpuOf(done)).toBeGreaterThanOrEqual(0);
    expect(cpuOf(done)).toBeLessThan(done.wallMs / 4);
  });

  test("a program that is over at once has a time, and one above nothing where it is told finely", async () => {
    const done = await run(["true"]);
    if (existsSync("/usr/bin/perl")) expect(cpuOf(done)).toBeGreaterThan(0);
    expect(done.wallMs).toBeGreaterThan(0);
  });
});

describe.if(linux)("memory", () => {
  const MB = 1e6;

  test("what a child allocates is seen, in bytes", async () => {
    const child = "Buffer.alloc(200e6, 1); setTimeout(() => {}, 400)";
    const parent = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}])`;
    const peak = (await run(["node", "-e", parent])).usage?.peakBytes ?? 0;
    expect(peak).toBeGreaterThan(200 * MB);
    expect(peak).toBeLessThan(600 * MB);
  });

  test("what is allocated for a moment only is not missed", async () => {
    const peak = (await run(["node", "-e", "Buffer.alloc(200e6, 1)"])).usage?.peakBytes ?? 0;
    expect(peak).toBeGreaterThan(200 * MB);
  });

  test("processes that live at the same time count together", async () => {
    const one = "const b = Buffer.alloc(100e6, 1); setTimeout(() => b, 1500)";
    const done = await run(`node -e '${one}' & node -e '${one}' & wait`);
    expect(done.usage?.peakBytes ?? 0).toBeGreaterThan(200 * MB);
  });

  test("the meter itself is not counted", async () => {
    expect((await run(["sleep", "0.3"])).usage?.peakBytes ?? 0).toBeLessThan(5 * MB);
  });
});

describe("measuring changes nothing of", () => {
  const commands: readonly Command[] = [
    "printf out; printf err >&2; exit 3",
    "exit 137",
    "exit 255",
    "kill -9 $$",
    "kill -TERM $$",
    "kill -INT $$",
    ["sh", "-c", "kill -HUP $$"],
    "no-such-program-here",
    ["no-such-program-here"],
    ["/"],
    ["./unexecutable"],
    ["./without-interpreter"],
    ["printf", "%s|", "a b", "$HOME", "*", "-e", "--", ""],
    "echo $1 $#; cat",
  ];
  for (const command of commands)
    test(`how it ends and what it prints: ${JSON.stringify(command)}`, async () => {
      const cwd = tempFolder();
      writeFileSync(join(cwd, "unexecutable"), "");
      writeFileSync(join(cwd, "without-interpreter"), "#!/no/such/interpreter\n");
      chmodSync(join(cwd, "without-interpreter"), 0o755);
      const seen = async (usage: boolean): Promise<unknown> => {
        const { exit, signal, spawnError, stdout, stderr, programs, dropped, ended, alive } = await run(
          command,
          { cwd, usage },
        );
        return { exit, signal, spawnError, stdout, stderr, programs, dropped, ended, alive };
      };
      expect(await seen(true)).toEqual(await seen(false));
    });

  test("its environment, also where the locale is none", async () => {
    const cwd = tempFolder();
    const env = { PATH: process.env.PATH, LC_ALL: "xx_YY", "a-b": "1" };
    const names = async (usage: boolean): Promise<unknown> => {
      const { stdout, stderr } = await run(["node", "-p", "Object.keys(process.env).sort().join()"], {
        cwd,
        env,
        usage,
      });
      return [stdout.head, stderr.head];
    };
    expect(await names(true)).toEqual(await names(false));
  });

  test("its temporary folder, which is empty", async () => {
    expect((await run('ls -A "$TMPDIR"')).stdout.size).toBe(0);
  });

  test("the end at the time limit: a program may end in its own way, and is ended by force otherwise", async () => {
    const polite = await run("trap 'exit 5' TERM; while :; do sleep 0.05; done", { timeoutMs: 1500 });
    expect(polite).toMatchObject({ timedOut: true, exit: 5, signal: null, alive: [] });
    const deaf = await run("trap '' TERM; while :; do sleep 0.05; done", { timeoutMs: 300 });
    expect(deaf).toMatchObject({ timedOut: true, exit: null, signal: "SIGKILL", alive: [] });
    expect(deaf.usage?.cpuMs).toBeNull();
  });

  test.if(linux)("what is left behind: it is ended and named", async () => {
    const done = await run("setsid sleep 321 & (sleep 322 &); sleep 0.1; echo main");
    expect([...done.ended].sort()).toEqual(["sleep 321", "sleep 322"]);
  });
});

test("in a sandbox the meter is inside, and may write where it has to", async () => {
  let open: readonly string[] = [];
  const done = await run(["node", "-e", BURN(300)], {
    confine: (argv, _cwd, writable) => {
      open = writable;
      return ["/bin/sh", "-c", 'ulimit -c 0; "$@"', "sandbox", ...argv];
    },
  });
  expect(open).toHaveLength(2);
  expect(done.exit).toBe(0);
  expect(cpuOf(done)).toBeGreaterThan(290);
  if (linux) expect(done.usage?.peakBytes ?? 0).toBeGreaterThan(10e6);
});

describe("without Perl a shell measures", () => {
  const measured = async (
    argv: readonly string[],
  ): Promise<ReturnType<ReturnType<typeof makeMeter>["finish"]>> => {
    const cwd = tempFolder();
    const env = { PATH: process.env.PATH ?? "" };
    const meter = makeMeter(argv, env, cwd, tempFolder(), "/nowhere/perl");
    const [program = "", ...args] = meter.argv;
    const exit = await new Promise<number | null>((settle) =>
      spawn(program, args, { cwd, env, stdio: "ignore" }).once("exit", settle),
    );
    return meter.finish({ exit, signal: null, spawnError: null });
  };

  test("the same CPU time, less finely", async () => {
    const { ended, usage } = await measured(["node", "-e", `${BURN(400)} process.exitCode = 3;`]);
    expect(ended).toEqual({ exit: 3, signal: null, spawnError: null });
    expect(usage.cpuMs ?? 0).toBeGreaterThan(370);
  });

  test("a death by a signal is one", async () => {
    expect((await measured(["sh", "-c", "kill -9 $$"])).ended).toMatchObject({
      exit: null,
      signal: "SIGKILL",
    });
  });

  test("a program is not taken for one of the shell's own commands", async () => {
    expect((await measured(["false"])).ended.exit).toBe(1);
  });

  test("what is not there is started as it is, and told as ever", () => {
    const argv = ["no-such-program-here"];
    expect(makeMeter(argv, { PATH: "/usr/bin" }, tempFolder(), tempFolder(), "/nowhere/perl").argv).toEqual(
      argv,
    );
  });
});
