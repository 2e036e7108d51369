/** Tests the slow-down that can be planted: that it slows, and leaves nothing stopped behind. */
import { afterEach, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FinishedRun, type RunOptions, runCommand } from "../../components/evidence/runner.ts";
import type { Command } from "../../components/evidence/types.ts";
import { removeFoldersAfterwards, tempFolder } from "./repo.ts";

removeFoldersAfterwards();

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

/** State of each process that has this text among its arguments. */
function states(text: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text)) return [];
      return [/^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? ""];
    } catch {
      return [];
    }
  });
}

describe.if(process.platform === "linux")("a slow-down that is planted", () => {
  test("half of the time stopped takes about twice as long, and no more CPU time", async () => {
    const plain: number[] = [];
    const slowed: number[] = [];
    // In turns, and by the CPU time that each took itself: a machine that is busy only makes both take longer.
    for (let at = 0; at < 3; at++)
      for (const [into, slow] of [
        [plain, 0],
        [slowed, 0.5],
      ] as const) {
        const done = await run(["node", "-e", BURN(500)], { slow });
        expect(done.exit).toBe(0);
        expect(cpuOf(done)).toBeLessThan(2000);
        into.push(done.wallMs / cpuOf(done));
      }
    expect(Math.min(...slowed)).toBeGreaterThan(1.4);
    expect(Math.min(...slowed)).toBeLessThan(4 * Math.max(...plain));
  });

  test("a process in a session of its own is stopped as well", async () => {
    const done = await run(["setsid", "-w", "node", "-e", BURN(500)], { slow: 0.7 });
    expect(done.exit).toBe(0);
    expect(done.wallMs).toBeGreaterThan(1.4 * cpuOf(done));
  });

  test("how it ends is unchanged, and the time limit counts on", async () => {
    expect(await run("exit 3", { slow: 0.5 })).toMatchObject({ exit: 3, signal: null });
    expect((await run("kill -9 $$", { slow: 0.5 })).signal).toBe("SIGKILL");
    const late = await run("setsid sleep 331 & sleep 332", { slow: 0.9, timeoutMs: 300 });
    expect(late).toMatchObject({ timedOut: true, alive: [], ended: ["sleep 331"] });
    expect(late.durationMs).toBeGreaterThanOrEqual(300);
    expect([...states("sleep\x00331"), ...states("sleep\x00332")]).toEqual([]);
  });

  test("what it leaves behind is ended, not stopped", async () => {
    const done = await run("(sleep 333 &); sleep 0.2", { slow: 0.8, usage: false });
    expect(done).toMatchObject({ exit: 0, ended: ["sleep 333"], alive: [] });
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const)
    test(`our own death by ${signal} leaves nothing stopped`, async () => {
      const folder = tempFolder();
      const script = join(folder, "outer.ts");
      const runner = join(import.meta.dir, "../../components/evidence/runner.ts");
      // Node names itself by its arguments: this text is found in the list of processes.
      const mark = `burner-${process.pid}-${signal}`;
      writeFileSync(
        script,
        `import { runCommand } from ${JSON.stringify(runner)};
await runCommand(["setsid", "-w", "node", "-e", "setInterval(() => {}, 5); setTimeout(() => process.exit(), 20000)", "${mark}"],
  { cwd: ${JSON.stringify(folder)}, timeoutMs: 60000, slow: 0.9 });`,
      );
      const outer = spawn(process.execPath, [script], {
        env: { ...process.env, TMPDIR: folder },
        stdio: "ignore",
      });
      const ended = new Promise<unknown>((settle) => outer.once("exit", settle));
      const stopped = (): boolean => states(mark).includes("T");
      for (let n = 0; n < 2000 && !stopped(); n++) await Bun.sleep(5);
      expect(stopped()).toBe(true);
      outer.kill(signal);
      await ended;
      for (let n = 0; n < 600 && stopped(); n++) await Bun.sleep(20);
      expect(stopped()).toBe(false);
      if (signal === "SIGTERM") expect(states(mark).filter((state) => state !== "Z")).toEqual([]);
      // Killed by force we end nothing, as ever; what went on is ended here.
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
        try {
          if (readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(mark))
            process.kill(Number(pid), "SIGKILL");
        } catch {
          // Gone by itself.
        }
    });

  test("a share that is none is refused", async () => {
    for (const slow of [-0.1, 0.95, Number.NaN]) expect(run("true", { slow })).rejects.toThrow(RangeError);
  });
});
