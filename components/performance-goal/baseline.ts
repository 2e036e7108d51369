/** The base against itself: what it is worth, and which differences this machine's noise hides. */

import { Refusal } from "../errors.ts";
import { withTreeObjects } from "../evidence/fingerprint.ts";
import { measurePairs } from "../measure/pairs.ts";
import { withSides } from "../measure/sides.ts";
import { benchOf, requireSameEvaluator, sidesOf } from "./bench.ts";
import { thisMachine } from "./machine.ts";
import { alone } from "./measuring.ts";
import type { Baseline, PerformanceGoal } from "./model.ts";
import { measuredOf, type Tell } from "./verdict.ts";
import type { Workspace } from "./workspace.ts";

/**
 * An A/A measurement: two copies of the base, run in turns like any two versions.
 * @throws Refusal `usage_bad_value` for a contract without a metric; `measurement_invalid` for runs that measure nothing, and
 * where the two copies of the same code come out different: something else than the code decides then
 */
export async function measureBaseline(
  ws: Workspace,
  goal: PerformanceGoal,
  budgetMs: number | null,
  tell: Tell,
): Promise<Omit<Baseline, "at">> {
  const { measure } = goal.contract;
  if (measure === null)
    throw new Refusal("usage_bad_value", "The contract judges no metric, so there is no baseline.", {
      expected: "a contract with --metric or --target",
      found: "prose only",
      next: [`proofgate performance-goal evaluate --slug ${goal.slug}`],
    });
  const { metric, better, minEffect, alpha, warmUp } = measure;
  const verdict = await alone(ws.place, () =>
    withTreeObjects(ws.place.root, async (today) => {
      const bench = await benchOf(ws, goal, today);
      const { base } = await sidesOf(ws, goal, today);
      return withSides(bench, [base, { ...base, name: "the base once more" }], ([one, two]) => {
        if (one === undefined || two === undefined) throw new Error("two sides were made");
        requireSameEvaluator([one, two], goal.evaluator);
        // Half of a verdict's budget by itself: it says how far the noise goes, and decides nothing.
        const question = {
          metric,
          target: null,
          warmUp,
          rule: { better, minEffect, alpha },
          budgetMs: budgetMs ?? measure.budgetMs / 2,
        };
        return measurePairs(bench, [one, two], question, (progress) => tell("base and base", progress));
      });
    }),
  );
  if (verdict.word === "improved" || verdict.word === "regressed")
    throw new Refusal("measurement_invalid", "Two copies of the same code come out different.", {
      expected: "no difference between the base and itself",
      found: `${verdict.word}: ${verdict.base} and ${verdict.now}`,
      next: [
        "look for what the evaluator takes from its surroundings (caches, absolute paths, the network), then run the same command again",
      ],
    });
  return { measured: measuredOf(verdict), machine: thisMachine().id };
}
