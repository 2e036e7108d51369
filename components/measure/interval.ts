/**
 * The median of paired differences with an interval that outliers and heavy tails do not move: the order statistics that
 * invert the sign test (Conover, Practical Nonparametric Statistics, 3.2 and 3.4). It is exact at any number of pairs, and
 * asks only that a pair of identical code comes out up as often as down, which interleaving sees to. Against Wilcoxon's
 * interval it takes a tenth more pairs on a quiet machine and half as many where every tenth run is an outlier
 * (`npm run simulate`).
 */

import { median } from "simple-statistics";

export interface Interval {
  /** Natural logarithms of the ratio new to base. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * @param differences log ratio of each pair
 * @param alpha chance, both sides together, that the interval misses the truth
 * @returns null where so few pairs cannot give an interval of that kind
 */
export function medianInterval(differences: readonly number[], alpha: number): Interval | null {
  const rank = rankOf(differences.length, alpha);
  const sorted = [...differences].sort((a, b) => a - b);
  const low = sorted[rank - 1];
  const high = sorted[sorted.length - rank];
  if (rank < 1 || low === undefined || high === undefined) return null;
  return { estimate: median(sorted), low, high };
}

/** Which value from either end bounds the interval: the largest k with P(fewer than k heads of n fair coins) ≤ alpha / 2. */
function rankOf(n: number, alpha: number): number {
  const allowed = (alpha / 2) * 2 ** n;
  let ways = 1;
  let below = 0;
  for (let heads = 0; heads <= n; heads++) {
    below += ways;
    if (below > allowed) return heads;
    ways = (ways * (n - heads)) / (heads + 1);
  }
  return 0;
}
