/** The most memory that a run's processes held together, by looking at them again and again. Linux only. */
import { argumentsOf, memoryOf, openTree } from "./process-tree.ts";

/** The first looks come sooner after each other: what lives only some milliseconds is to be seen as well. */
const FIRST_LOOKS_MS = [1, 2, 4, 8] as const;
const LOOK_MS = 20;
/** A look that took long is followed by a pause so many times as long, wherever many processes make it so. */
const PAUSE_PER_LOOK = 100;

export interface Watch {
  /** Begins to look. Called as soon as the run's first process is there. */
  begin(leader: number): void;
  /** Ends looking. Bytes, or null where nothing was seen. */
  end(): number | null;
}

/**
 * Gets ready to watch a run that is about to be started. The peak is the largest of: what all processes held together at
 * one look; what the largest of them ever held, by the system's own count.
 * @param apparatus text in the arguments of processes that are ours and not the run's (the one that measures)
 * @returns null where the system does not tell
 */
export function watchPeak(apparatus: string): Watch | null {
  const tree = openTree();
  if (tree === null) return null;
  let peak = 0;
  let looks = 0;
  let timer: NodeJS.Timeout | undefined;
  const own = new Set<number>();
  /** Whether anybody was there. */
  const look = (): boolean => {
    let sum = 0;
    const there = tree.list();
    for (const pid of there) {
      // Ours becomes the run's when it starts the program in its place; the other way round never.
      if (!own.has(pid)) {
        const words = argumentsOf(pid);
        // None are told of a process that is just being made another program: it may be ours still.
        if (words === "" || words.includes(apparatus)) continue;
        own.add(pid);
      }
      const memory = memoryOf(pid);
      if (memory === null) continue;
      sum += memory.now;
      peak = Math.max(peak, memory.most);
    }
    peak = Math.max(peak, sum);
    return there.length > 0;
  };
  const next = (tookMs: number): void => {
    const pause = Math.max(FIRST_LOOKS_MS[looks] ?? LOOK_MS, tookMs * PAUSE_PER_LOOK);
    looks++;
    timer = setTimeout(() => {
      const began = performance.now();
      if (look()) next(performance.now() - began);
    }, pause);
    timer.unref();
  };
  return {
    begin(leader) {
      tree.lead(leader);
      next(0);
    },
    end() {
      clearTimeout(timer);
      return peak > 0 ? peak : null;
    },
  };
}
