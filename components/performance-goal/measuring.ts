/** One evaluation of a goal at a time: two side by side would measure each other. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { MARK } from "../evidence/mark.ts";
import { sweep } from "../evidence/sweep.ts";
import { Lock } from "../journal/lock.ts";
import { checkDir, ensureDir } from "../journal/safe-fs.ts";
import type { Place } from "./place.ts";

/** A holder silent for this long is gone; a new evaluation waits hardly longer. Milliseconds. */
const TIMES = { staleMs: 5000, waitMs: 6000 };
const BEAT_MS = 1000;

/** In the environment of every run of a goal's evaluations. */
const markOf = ({ dir }: Place): string =>
  `goal-${createHash("sha256").update(dir).digest("hex").slice(0, 24)}`;

/** The environment for such runs. */
export function markedEnvironment(place: Place, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const outer = env[MARK];
  return { ...env, [MARK]: outer === undefined ? markOf(place) : `${outer}:${markOf(place)}` };
}

/** @throws Refusal `lock_timeout` while another evaluation of the goal runs */
export async function alone<Result>(place: Place, act: () => Promise<Result>): Promise<Result> {
  const folder = join(place.dir, "measuring");
  checkDir(place.root, folder);
  ensureDir(folder);
  const lock = take(folder);
  const timer = setInterval(() => lock.beat(), BEAT_MS);
  timer.unref();
  try {
    // Whoever was killed in the middle could not end its runs, and they would be measured along with the new ones.
    await sweep({ mark: markOf(place), locks: null, since: 0, leader: null });
    return await act();
  } finally {
    clearInterval(timer);
    lock.release();
  }
}

function take(folder: string): Lock {
  try {
    return Lock.acquire(folder, TIMES);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "lock_timeout") throw error;
    throw new Refusal("lock_timeout", "Another evaluation of this goal is running.", {
      expected: "one evaluation at a time: two would disturb each other",
      found: "one that is at work",
      next: ["wait for it, then run the same command again", "proofgate performance-goal status"],
    });
  }
}
