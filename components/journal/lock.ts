/**
 * The lock that makes commands take turns.
 *
 * Own code because no package has both a random token with a heartbeat and no race when a dead holder's lock is taken
 * over: those that delete a stale lock file and make it anew can delete the lock of the one who was faster. Process
 * ids say nothing here, since each host has its own pid space.
 *
 * The folder `lock/` holds files with rising numbers, the generations. The highest one is the lock: free when its content
 * begins with `free`, otherwise held. Whoever wants it creates the next number exclusively, which only one can do; this
 * is allowed when the highest is free, or when neither its content nor its time changed for `staleMs` on the waiting
 * process's own monotonic clock. Nothing is deleted to take a lock over, so there is nothing to race for.
 */

import * as fs from "node:fs";
import { join } from "node:path";
import { errno, fromSystem, Refusal } from "../errors.ts";
import { monotonicMs, pauseSync } from "./clock.ts";
import { ensureDir, removeFile } from "./safe-fs.ts";
import { token } from "./token.ts";

export interface LockTimes {
  /** A holder that gives no sign for this long, in milliseconds, is taken for dead. */
  readonly staleMs: number;
  /** How long to wait for the lock, in milliseconds. */
  readonly waitMs: number;
}

export const LOCK_TIMES: LockTimes = { staleMs: 3000, waitMs: 30_000 };

const NAME = /^[1-9]\d{0,14}$/;
const BEAT_MS = 200;
/**
 * Generations that stay below the holder's own. A process that lists the folder while numbers come and go may miss the
 * newest; with some left it still sees that its own is not the highest.
 */
const KEPT = 3;

export class Lock {
  private beaten = monotonicMs();

  private constructor(
    private readonly dir: string,
    private readonly generation: number,
    private readonly fd: number,
    /** True when the former holder died, so that its leavings may lie around. */
    readonly tookOver: boolean,
  ) {}

  /**
   * Waits for the lock and takes it.
   * @param dir the state folder, which exists
   * @throws Refusal `lock_timeout`, and what the file system refuses
   */
  static acquire(dir: string, times: LockTimes = LOCK_TIMES): Lock {
    const folder = join(dir, "lock");
    ensureDir(folder);
    const start = monotonicMs();
    let seen = { sign: "", since: start };
    for (;;) {
      const top = highest(folder);
      const sign = top === 0 ? "free" : look(folder, top);
      if (sign === "gone") continue; // A newer one is there already.
      const now = monotonicMs();
      if (sign !== seen.sign) seen = { sign, since: now };
      const stale = now - seen.since >= times.staleMs;
      if (sign === "free" || stale) {
        const fd = create(folder, top + 1);
        if (fd === null) continue;
        const lock = new Lock(folder, top + 1, fd, stale);
        if (lock.held()) {
          lock.sweep();
          return lock;
        }
        lock.abandon();
      } else if (now - start > times.waitMs) throw timeout(times.waitMs);
      else pauseSync(1 + Math.random() * 7);
    }
  }

  /** Tells the waiting ones that the holder lives. Cheap enough to be called often. */
  beat(): void {
    const now = monotonicMs();
    if (now - this.beaten < BEAT_MS) return;
    this.beaten = now;
    fs.futimesSync(this.fd, new Date(), new Date());
  }

  /**
   * Makes sure that nobody took the lock over while this process stood still.
   * @throws Refusal `lock_timeout`
   */
  assertHeld(): void {
    if (!this.held())
      throw new Refusal(
        "lock_timeout",
        "This command stood still, and another one took the lock; nothing was changed.",
        {
          expected: `lock generation ${this.generation}`,
          found: `generation ${highest(this.dir)}`,
          next: ["run the same command again"],
        },
      );
  }

  /** Gives the lock back. Never throws: a lock that cannot be given back goes stale. */
  release(): void {
    try {
      // Four bytes over the token: one write, and no free block is needed on a full disk.
      fs.writeSync(this.fd, "free", 0);
    } catch {
    } finally {
      fs.closeSync(this.fd);
    }
  }

  private held(): boolean {
    return highest(this.dir) === this.generation;
  }

  private abandon(): void {
    fs.closeSync(this.fd);
    removeFile(join(this.dir, String(this.generation)));
  }

  private sweep(): void {
    for (const old of generations(this.dir))
      if (old < this.generation - KEPT) removeFile(join(this.dir, String(old)));
  }
}

function generations(folder: string): number[] {
  try {
    return fs
      .readdirSync(folder)
      .filter((name) => NAME.test(name))
      .map(Number);
  } catch (error) {
    throw fromSystem(error, "read the lock folder");
  }
}

function highest(folder: string): number {
  return generations(folder).reduce((top, generation) => Math.max(top, generation), 0);
}

/** `free`, `gone`, or whatever changes when the holder beats. */
function look(folder: string, generation: number): string {
  try {
    const path = join(folder, String(generation));
    const content = fs.readFileSync(path, "utf8");
    return content.startsWith("free") ? "free" : `${generation} ${content} ${fs.statSync(path).mtimeMs}`;
  } catch (error) {
    if (errno(error) === "ENOENT") return "gone";
    throw fromSystem(error, "read the lock");
  }
}

/** Creates a generation, or returns null when another process was faster. */
function create(folder: string, generation: number): number | null {
  const path = join(folder, String(generation));
  let fd: number;
  try {
    fd = fs.openSync(path, "wx");
  } catch (error) {
    if (errno(error) === "EEXIST") return null;
    throw fromSystem(error, "take the lock");
  }
  try {
    fs.writeSync(fd, token(), 0);
    return fd;
  } catch (error) {
    // A full disk. Going back to the former generation is safe: no lower one was swept yet.
    fs.closeSync(fd);
    removeFile(path);
    throw fromSystem(error, "take the lock");
  }
}

function timeout(waitMs: number): Refusal {
  return new Refusal("lock_timeout", "Another command keeps the state locked.", {
    expected: `the lock within ${Math.round(waitMs / 1000)} s`,
    found: "a holder that is alive",
    next: ["run the same command again when the other one has ended"],
  });
}
