/** Starts a program as the leader of its own session and group, and asks such a group to end. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { errno } from "../errors.ts";
import { readText } from "./capture.ts";
import { resolveProgram } from "./environment.ts";
import type { RunMark } from "./mark.ts";
import { send } from "./sweep.ts";

/** How a program came to its end. */
export interface Ended {
  readonly exit: number | null;
  readonly signal: string | null;
  readonly spawnError: string | null;
}

interface Launched {
  /** Null when nothing was started; `ended` then tells why. */
  readonly pid: number | null;
  readonly ended: Promise<Ended>;
}

/** Starts a program without standard input. Never throws: what cannot be started ends with a `spawnError`. */
export function launch(
  [program = "", ...args]: readonly string[],
  cwd: string,
  env: Record<string, string>,
  out: number,
  err: number,
): Launched {
  const failed = (error: unknown): Ended => ({
    exit: null,
    signal: null,
    spawnError: errno(error) ?? String(error),
  });
  try {
    const child = spawn(program, args, {
      cwd,
      env,
      detached: process.platform !== "win32",
      stdio: ["ignore", out, err],
      windowsHide: true,
    });
    const ended = new Promise<Ended>((settle) => {
      child.once("exit", (exit, signal) => settle({ exit, signal, spawnError: null }));
      child.once("error", (error) => settle(failed(error)));
    });
    return { pid: child.pid ?? null, ended };
  } catch (error) {
    // Some failures (too long an argument list, a missing program under Bun) are thrown rather than reported.
    return { pid: null, ended: Promise.resolve(failed(error)) };
  }
}

/** Whether a program is there, and what its first line names to run it. */
export function canStart(name: string, path: string, cwd: string): boolean {
  const program = resolveProgram(name, path, cwd);
  if (program === null) return false;
  const [, interpreter] = /^#! *(\S+)/.exec(beginningOf(program)) ?? [];
  return interpreter === undefined || resolveProgram(interpreter, "", cwd) !== null;
}

function beginningOf(path: string): string {
  try {
    return readText(path, 256);
  } catch {
    return "";
  }
}

/** The argument list that runs a line in the system's shell. */
export function shellFor(line: string): readonly string[] {
  return process.platform === "win32"
    ? [process.env.ComSpec ?? "cmd.exe", "/d", "/s", "/c", line]
    : ["/bin/sh", "-c", line];
}

/** Asks the whole group to end, waits, and ends it by force. */
export async function end({ leader }: RunMark, ended: Promise<Ended>, graceMs: number): Promise<void> {
  if (leader === null) return;
  if (graceMs > 0) {
    send(-leader, "SIGTERM");
    send(-leader, "SIGCONT");
    await Promise.race([ended, pause(graceMs)]);
  }
  send(-leader, "SIGKILL");
}

/** Does not hold the process: what is waited for does. */
export function pause(ms: number): Promise<void> {
  return sleep(ms, undefined, { ref: false });
}
