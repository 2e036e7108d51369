/** How the verdict comes about, once the guards hold: by the pairs, or by the exit status. */

import type { LiveTree } from "../evidence/fingerprint.ts";
import { intervalOf, type Rule } from "../measure/decide.ts";
import { WALL } from "../measure/metric.ts";
import { measurePairs, type Progress, type Question, type Verdict } from "../measure/pairs.ts";
import { type Bench, type Place as Copy, type Side, withSides } from "../measure/sides.ts";
import { judgeExactly, judgeTarget } from "../measure/target.ts";
import { isTimeUnit } from "../measure/units.ts";
import { exitOn, requireSameEvaluator, SLOWED } from "./bench.ts";
import type { Evaluation, Evaluator, Measure, Measured, PerformanceGoal } from "./model.ts";
import { keptTree } from "./trees.ts";
import type { Workspace } from "./workspace.ts";

/** What is told while it goes on. */
export type Tell = (what: string, progress: Progress | null) => void;

/** Where it happens. */
export interface Stage {
  readonly bench: Bench;
  readonly sides: { readonly base: Side; readonly now: Side };
  readonly today: LiveTree;
  readonly tell: Tell;
}

/** Every value of a measurement, for the evidence file. */
export interface Values {
  readonly what: string;
  readonly verdict: Verdict;
}

type Found = Pick<Evaluation, "word" | "reason" | "met" | "kept"> & Partial<Evaluation>;

/**
 * The base against the working tree, good news a second time, and what is kept against the working tree.
 * @param values gets every measurement
 * @throws Refusal `measurement_invalid`
 */
export function byMeasure(
  ws: Workspace,
  goal: PerformanceGoal,
  measure: Measure,
  budgetMs: number | null,
  { bench, sides, today, tell }: Stage,
  values: Values[],
): Promise<Found> {
  return withSides(bench, [sides.base, sides.now], async ([from, to]) => {
    if (from === undefined || to === undefined) throw new Error("two sides were made");
    requireSameEvaluator([from, to], goal.evaluator);
    const question = questionOf(measure, budgetMs);
    const run = async (what: string, pair: readonly [Copy, Copy], asked: Question): Promise<Measured> => {
      const verdict = await measurePairs(bench, pair, asked, (progress) => tell(what, progress));
      values.push({ what, verdict });
      return measuredOf(verdict);
    };
    const first = await run("base and working tree", [from, to], question);
    const plain: Found = { word: first.word, reason: null, first, met: false, kept: false };
    const doubt = await doubtOf(bench, sides.now, measure, first, values[0]?.verdict);
    if (doubt !== null) return { ...plain, word: "invalid", reason: doubt };
    const already = values[0] === undefined ? null : metAlready(measure, values[0].verdict);
    if (already !== null) return { ...plain, reason: already };
    const isGood = ({ word, target }: Measured): boolean =>
      measure.target === null ? word === "improved" : target === "met";
    const good = isGood(first);
    // Only good news is asked for twice: the best of many tries is lucky, and a second try is not.
    const again =
      good || (first.word === "improved" && goal.kept === null)
        ? await run("confirmation", [from, to], question)
        : null;
    const met = good && again !== null && isGood(again);
    const versusKept = await versus(ws, goal, bench, today, first, met, (what, best) =>
      run(what, [best, to], { ...question, target: null }),
    );
    requireSameEvaluator([from, to], goal.evaluator);
    const kept =
      versusKept === null
        ? met || (first.word === "improved" && again?.word === "improved")
        : met
          ? versusKept.length > 0 && versusKept.every(({ word }) => word !== "regressed")
          : versusKept.length === 2 && versusKept.every(({ word }) => word === "improved");
    return { ...plain, again, versusKept: versusKept ?? [], met, kept, doubts: doubts(first, again, good) };
  });
}

/**
 * The working tree against what is kept. Better than the best so far has to be seen twice: in a long loop one of many tries
 * that changed nothing would look better once.
 * @returns null where nothing is kept; empty where there is nothing to ask: the very tree is kept, or it is no better than the base
 */
async function versus(
  ws: Workspace,
  goal: PerformanceGoal,
  bench: Bench,
  today: LiveTree,
  first: Measured,
  met: boolean,
  run: (what: string, best: Copy) => Promise<Measured>,
): Promise<readonly Measured[] | null> {
  const { kept } = goal;
  if (kept === null) return null;
  if (kept.tree === today.id || first.word !== "improved") return [];
  const best: Side = { name: "what is kept", source: { tree: keptTree(ws.place, kept) } };
  return withSides(bench, [best], async ([place]) => {
    if (place === undefined) throw new Error("one side was made");
    const one = await run("kept and working tree", place);
    return met || one.word !== "improved" ? [one] : [one, await run("confirmation", place)];
  });
}

const questionOf = (measure: Measure, budgetMs: number | null): Question => {
  const { metric, better, minEffect, alpha, target, warmUp } = measure;
  const rule: Rule = { better, minEffect, alpha };
  return { metric, rule, target, warmUp, budgetMs: budgetMs ?? measure.budgetMs };
};

export function measuredOf(verdict: Verdict): Measured {
  const { values: _values, slept: _slept, ...rest } = verdict;
  return { ...rest, tookMs: Math.round(rest.tookMs), pairMs: Math.round(rest.pairMs) };
}

/** The exit status is the verdict: it has to fail on the base, and to pass here, twice. */
export async function byExit(
  { bench, sides: { base, now }, tell }: Stage,
  evaluator: Evaluator,
): Promise<Found> {
  const once = (side: Side): Promise<string | null> => exitOn(bench, side, evaluator);
  tell("base", null);
  const before = await once(base);
  if (before === null)
    return {
      word: "invalid",
      reason: "the evaluator passes on the base as well: it says nothing about the work",
      met: false,
      kept: false,
    };
  tell("working tree", null);
  for (let at = 0; at < 2; at++) {
    const fault = await once(now);
    if (fault !== null)
      return {
        word: "fails",
        reason: at === 0 ? fault : `passed once, then ${fault}`,
        met: false,
        kept: false,
      };
  }
  return { word: "holds", reason: `base: ${before}`, met: true, kept: true };
}

/** A time that does not change when the run is made to wait is not measured. @returns why; null when all is well */
async function doubtOf(
  bench: Bench,
  now: Side,
  measure: Measure,
  first: Measured,
  verdict: Verdict | undefined,
): Promise<string | null> {
  if (!first.exact || first.metric === WALL || !isTimeUnit(first.unit) || verdict === undefined) return null;
  const slowed = await withSides(
    bench,
    [{ ...now, name: "the slowed working tree", slow: SLOWED }],
    async ([place]) => {
      if (place === undefined) return null;
      const [one] = [
        await measurePairs(bench, [place, place], { ...questionOf(measure, 1), warmUp: 1 }, () => {}),
      ];
      return one;
    },
  );
  const same = slowed?.values.now[0] === verdict.values.now[0];
  return same
    ? `${first.metric} is a time and never varies, not even when the run is made to wait: it is not measured (a time that is computed: print it without a unit)`
    : null;
}

/** An absolute target that the base meets says nothing about the work. */
function metAlready({ target, better, alpha, minEffect }: Measure, verdict: Verdict): string | null {
  if (target?.kind !== "absolute") return null;
  const { base } = verdict.values;
  const finding = verdict.exact
    ? judgeExactly(target, better, base[0] ?? 0, base[0] ?? 0)
    : judgeTarget(target, better, null, intervalOf(base.map(Math.log), { better, alpha, minEffect }));
  return finding === "met" ? `the base meets ${target.text} already: there is nothing to show` : null;
}

function doubts(first: Measured, again: Measured | null, good: boolean): readonly string[] {
  const found: string[] = [];
  if (good && again !== null && (again.word !== first.word || again.target !== first.target))
    found.push("the first measurement was not confirmed by the second");
  if (first.noise > 0.2)
    found.push(
      `one run differs from the next by ${Math.round(first.noise * 100)} %: a quieter machine would tell more`,
    );
  return found;
}
