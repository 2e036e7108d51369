/** When enough was measured: looks at the pairs at fixed numbers of them, and says what they say. Pure. */

import { medianAbsoluteDeviation } from "simple-statistics";
import { type Interval, medianInterval } from "./interval.ts";

/** Smaller is better (times, sizes) or larger (rates). */
export type Better = "lower" | "higher";

export interface Rule {
  readonly better: Better;
  /** Share of change below which nothing is called a change, 0.01 for 1 %. */
  readonly minEffect: number;
  /** Chance that identical code is called changed in one evaluation, both directions and all looks together. */
  readonly alpha: number;
}

/** 99 % confidence, 1 % least effect: loops try often, so one evaluation in two hundred that is wrong is one too many. */
export const DEFAULT_RULE: Rule = { better: "lower", minEffect: 0.01, alpha: 0.01 };

export type Word = "improved" | "regressed" | "same";

export interface Finding {
  /** Null: the pairs do not decide it yet. `same`: whatever the difference is, it is below the least effect. */
  readonly word: Word | null;
  /** Null where there are too few pairs for one. */
  readonly interval: Interval | null;
}

/**
 * Numbers of pairs at which a decision may fall. Looking after every pair would find a difference that is not there sooner
 * or later; each of these looks may err by its share of `alpha` (Bonferroni), so all of them together keep it.
 */
const LOOKS = [12, 15, 19, 24, 30, 38, 48, 60, 75, 95, 120, 150] as const;

/** More pairs than this decide nothing that these did not. */
export const MOST_PAIRS = LOOKS[LOOKS.length - 1] ?? 150;
/** Fewer decide nothing. */
export const FEWEST_PAIRS = LOOKS[0];

export const isLook = (pairs: number): boolean => LOOKS.some((look) => look === pairs);

/**
 * @param differences log ratio of new to base, a pair each, in the order of measuring
 * @param rule what counts as a change
 */
export function decide(differences: readonly number[], rule: Rule): Finding {
  const interval = intervalOf(differences, rule);
  if (interval === null) return { word: null, interval };
  if (!isLook(differences.length)) return { word: null, interval };
  const least = -Math.log1p(-rule.minEffect);
  const { estimate, low, high } = interval;
  const down = high < 0 && estimate <= -least;
  const up = low > 0 && estimate >= least;
  if (down || up) return { word: down === (rule.better === "lower") ? "improved" : "regressed", interval };
  return { word: low > -least && high < least ? "same" : null, interval };
}

/** The interval that all looks together keep to. @param values logarithms, in the order of measuring */
export const intervalOf = (values: readonly number[], rule: Rule): Interval | null =>
  medianInterval(values, rule.alpha / LOOKS.length);

/**
 * How much one run differs from the next by itself, as a share: from the spread of the pairs, of which each has two runs.
 * 1.4826 makes the median deviation comparable with a standard deviation.
 */
export function noise(differences: readonly number[]): number {
  if (differences.length < 2) return 0;
  return (1.4826 * medianAbsoluteDeviation([...differences])) / Math.SQRT2;
}
