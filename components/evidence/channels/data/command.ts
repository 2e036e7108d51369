/** Runs a command of the scenario to its end, with both streams kept apart. */
import { spawn } from "node:child_process";
import { closeSync, fstatSync, mkdtempSync, openSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../../errors.ts";
import { describeCommand } from "../../check.ts";
import { judgeCommand } from "../../judge.ts";
import { shellFor } from "../../launch.ts";
import type { Command, Run } from "../../types.ts";
import { NO_RUN, type Stage, Stop } from "../stage.ts";

export interface Ran extends Run {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** By the clock that file times are taken from. */
  readonly startedAtMs: number;
}

export async function run(
  stage: Stage,
  command: Command,
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const folder = mkdtempSync(join(stage.job.out, "ran-"));
  const [stdoutPath, stderrPath] = [join(folder, "stdout"), join(folder, "stderr")];
  const [out, err] = [openSync(stdoutPath, "a", 0o600), openSync(stderrPath, "a", 0o600)];
  const startedAtMs = fstatSync(out).mtimeMs;
  const began = performance.now();
  const [program = "", ...args] =
    typeof command === "string"
      ? shellFor(command)
      : // No shell sees a list of words.
        command.map((word) => word.replace(/\$(?:DATA\b|\{DATA\})/g, () => env.DATA ?? ""));
  let end: Pick<Run, "exit" | "signal" | "spawnError"> | null = null;
  try {
    const child = spawn(program, args, {
      cwd: stage.job.cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", out, err],
      windowsHide: true,
    });
    child.once("exit", (exit, signal) => {
      end ??= { exit, signal, spawnError: null };
    });
    child.once("error", (error) => {
      end ??= { exit: null, signal: null, spawnError: errno(error) ?? error.message };
    });
  } catch (error) {
    end = { exit: null, signal: null, spawnError: errno(error) ?? String(error) };
  } finally {
    closeSync(out);
    closeSync(err);
  }
  const ended = await stage.until(() => end, stage.left);
  const durationMs = Math.round(performance.now() - began);
  return {
    ...NO_RUN,
    ...(ended ?? { exit: null, signal: null, spawnError: null }),
    timedOut: ended === null,
    durationMs,
    stdoutPath,
    stderrPath,
    startedAtMs,
  };
}

/** Stops where a command that has to succeed did not. @param name what it was for, in messages */
export async function requireRan(stage: Stage, command: Command, ran: Ran, name: string): Promise<void> {
  const verdict = await judgeCommand({ ...stage.job.check, run: command, expect: { exit: 0 } }, ran, {
    runDir: stage.job.cwd,
    ...ran,
    sandboxed: stage.sandboxed,
    ownFiles: [],
  });
  if (verdict.kind === "met") return;
  stage.log(`${name} failed: ${describeCommand({ run: command })}`);
  throw new Stop(
    verdict.kind === "unmet" ? { ...verdict, expectation: `${name}: ${verdict.expectation}` } : verdict,
  );
}
