/** Child processes of the crash tests: started, listened to, and ended without fail. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export interface Run {
  readonly child: ChildProcess;
  /** Settles with the first printed line, or with the end of a process that prints none. */
  readonly first: Promise<void>;
  /** The exit code once all output was read; null after a signal, or when the program could not be started. */
  readonly ended: Promise<number | null>;
  /** The whole lines printed so far: a line that a kill cut short was never said. */
  printed(): string[];
}

/** Starts a program without a shell. */
export function start(program: string, args: readonly string[]): Run {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  const first = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number | null>();
  const finish = (code: number | null) => {
    first.resolve();
    ended.resolve(code);
  };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes("\n")) first.resolve();
  });
  child.on("error", () => finish(null));
  child.on("close", finish);
  return { child, first: first.promise, ended: ended.promise, printed: () => text.split("\n").slice(0, -1) };
}

const writers = new Set<Run>();

/**
 * Starts `writer.ts` on the box below `root`.
 * @param mode `times`: commits `amount` times; `forever`: commits until it is killed; `hold`: holds the lock for `amount` ms
 * @param name begins the notes of its commits
 */
export function startWriter(mode: "times" | "forever" | "hold", root: string, name: string, amount = 0): Run {
  const run = start(process.execPath, [join(import.meta.dir, "writer.ts"), mode, root, name, String(amount)]);
  writers.add(run);
  run.ended.then(() => writers.delete(run));
  return run;
}

/** Kills the writers that a failed test left running. */
export async function endWriters(): Promise<void> {
  for (const run of writers) run.child.kill("SIGKILL");
  await Promise.all([...writers].map((run) => run.ended));
}
