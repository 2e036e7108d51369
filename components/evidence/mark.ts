/** How what a run starts is known: by a mark in its environment, and on Linux by a limit that every child has from its parent. */
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { type Owner, owner } from "./owner.ts";
import { systemFile } from "./system-file.ts";

/** Name of the variable that carries the mark. A run inside a run keeps the outer mark in front of its own. */
export const MARK = "PROOFGATE_RUN";

/** What belongs to a run. */
export interface RunMark {
  /** 24 hex digits. */
  readonly mark: string;
  /** Values of the limit that are the run's, both ends included; null where it could not be set. */
  readonly locks: { readonly from: number; readonly to: number } | null;
  /** When the process that made the run started, as Linux counts: what is older is not the run's. 0 where that is not known. */
  readonly since: number;
  /** Pid of the run's main process, which leads its session and group; null when it never started. */
  readonly leader: number | null;
}

export const sinceOf = ({ started }: Owner): number => Number(started ?? 0) || 0;

/** Fixed places: a program that a repository brings along is not asked. */
const PRLIMIT = ["/usr/bin/prlimit", "/bin/prlimit"];
/** Values that a run shares with the runs inside of it. */
const BLOCK = 2 ** 20;
const BLOCKS = 2 ** 28;

/** A mark that nothing else has. */
export async function newMark(): Promise<Omit<RunMark, "leader">> {
  works ??= tryOut();
  return {
    mark: randomBytes(12).toString("hex"),
    locks: (await works) ? newLocks() : null,
    since: sinceOf(owner()),
  };
}

/**
 * The limit on file locks has meant nothing to Linux since 2.4.25 (setrlimit(2)), is as good as never set, and can be
 * lowered by anybody and raised again by nobody. Unlike the environment it outlives `env -i`, a changed title and a program
 * that writes over its own environment, and unlike parents and sessions it outlives a double fork.
 */
function newLocks(): RunMark["locks"] {
  const now = locksIn(readLimits("self"));
  if (now === null) {
    const from = randomInt(1, BLOCKS) * BLOCK;
    return { from, to: from + BLOCK - 1 };
  }
  // Inside of another run: a value of that one's block, which is this run's alone.
  const room = now % BLOCK;
  if (now < BLOCK || room < 2) return null;
  const own = now - randomInt(1, room);
  return { from: own, to: own };
}

/** The argument list that starts a program with the run's limit, as the same process. */
export function limited(argv: readonly string[], { locks }: Pick<RunMark, "locks">): readonly string[] {
  const program = prlimit();
  return locks === null || program === null
    ? argv
    : [program, `--locks=${locks.to}:${locks.to}`, "--", ...argv];
}

/** Whether a process of Linux carries the mark. */
export function carries(pid: number, { mark, locks }: RunMark): boolean {
  if (systemFile(`/proc/${pid}/environ`).includes(mark)) return true;
  if (locks === null) return false;
  const own = locksIn(readLimits(pid));
  return own !== null && own >= locks.from && own <= locks.to;
}

const readLimits = (pid: number | "self"): string => systemFile(`/proc/${pid}/limits`);

/** Null: unlimited, or nobody is there. */
function locksIn(limits: string): number | null {
  const [, hard] = /^Max file locks\s+\S+\s+(\d+)\s/m.exec(limits) ?? [];
  return hard === undefined ? null : Number(hard);
}

const prlimit = (): string | null => PRLIMIT.find((path) => existsSync(path)) ?? null;

let works: Promise<boolean> | undefined;

/** Some sandboxes forbid it, and then a program that is started by it would not run at all. */
function tryOut(): Promise<boolean> {
  const locks = newLocks();
  const [program = "", ...args] = limited(["/bin/sh", "-c", ":"], { locks });
  if (process.platform !== "linux" || prlimit() === null || locks === null) return Promise.resolve(false);
  return new Promise((settle) => {
    const child = spawn(program, args, { stdio: "ignore" });
    child.once("error", () => settle(false));
    child.once("exit", (exit) => settle(exit === 0));
  });
}
