/** Asks a program something: runs it to its end, within a time limit, and returns what it printed. */

import { spawn } from "node:child_process";

export interface Answer {
  /** Exit status; -1 when it did not start, did not end in time, or was ended by a signal. */
  readonly exit: number;
  /** Standard output and standard error, as they came. */
  readonly text: string;
}

/**
 * Never rejects: what went wrong is the answer's text.
 * @param timeoutMs milliseconds, after which the program and all of its group are ended
 */
export function ask(
  program: string,
  args: readonly string[],
  cwd: string,
  timeoutMs: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child.pid);
    }, timeoutMs);
    const settle = (exit: number, more = ""): void => {
      clearTimeout(timer);
      resolve({ exit, text: Buffer.concat(chunks).toString("utf8") + more });
    };
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => settle(-1, error.message));
    child.on("close", (exit) => {
      if (late) settle(-1, `\n${program} did not end within ${timeoutMs / 1000} s`);
      else settle(exit ?? -1);
    });
  });
}

/** The last line that holds something, which is where programs say what went wrong. */
export function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.findLast((line) => line !== "") ?? "no output";
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
