/** The working tree measured against a commit, without a goal: what `proofgate compare` does. */

import { withTreeObjects } from "../evidence/fingerprint.ts";
import type { Command } from "../evidence/types.ts";
import type { Rule } from "./decide.ts";
import { needsUsage } from "./metric.ts";
import { measurePairs, type Progress, type Verdict } from "./pairs.ts";
import { type Bench, withSides } from "./sides.ts";

export interface Comparison {
  readonly root: string;
  /** Commit that today's tree is compared with. */
  readonly base: string;
  readonly command: Command;
  /** Folder to run in, from the root. */
  readonly cwd: string;
  /** Null: the one metric that the command prints, else the time it takes. */
  readonly metric: string | null;
  readonly rule: Rule;
  /** For the pairs; set-up and warm-up not counted. */
  readonly budgetMs: number;
  readonly setup: readonly Command[];
  readonly share: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** A run that takes longer than this is ended, in milliseconds. */
const RUN_MS = 10 * 60_000;

/** @throws Refusal `measurement_invalid`, and what exporting throws */
export function compare(options: Comparison, onPair: (progress: Progress) => void): Promise<Verdict> {
  return withTreeObjects(options.root, (today) => {
    const bench: Bench = {
      ...options,
      today,
      head: options.base,
      overlay: [],
      runMs: RUN_MS,
      usage: needsUsage(options.metric),
    };
    const sides = [
      { name: "the base", source: { commit: options.base } },
      { name: "the working tree", source: { tree: today } },
    ];
    return withSides(bench, sides, async ([from, to]) => {
      if (from === undefined || to === undefined) throw new Error("two sides were made");
      return measurePairs(bench, [from, to], { ...options, target: null, warmUp: null }, onPair);
    });
  });
}
