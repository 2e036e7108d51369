/** What a measurement has to reach: `-20%`, `+30%`, `2x`, `<=150ms`, `>=10k/s`. Parsed once, judged by intervals. */

import { Refusal } from "../errors.ts";
import type { Better } from "./decide.ts";
import type { Interval } from "./interval.ts";
import { convert, isRate } from "./units.ts";

export type Target =
  /** `ratio`: new value to the base's, at most where lower is better, else at least. */
  | { readonly kind: "relative"; readonly text: string; readonly ratio: number }
  /** In the unit of the metric. */
  | { readonly kind: "absolute"; readonly text: string; readonly value: number };

/** `missed`: the whole interval lies on the wrong side. `open`: the target lies inside of it. */
export type TargetFinding = "met" | "missed" | "open";

/** What the user wrote, before the metric's unit is known. */
interface Wanted {
  readonly text: string;
  /** Null where the words do not tell: `2x` is twice as good, whatever that means for the metric. */
  readonly better: Better | null;
  readonly relative: { readonly change: number } | { readonly factor: number } | null;
  readonly absolute: { readonly value: number; readonly unit: string } | null;
}

const CHANGE = /^([+-])\s*(\d+(?:\.\d+)?)\s*%$/;
const FACTOR = /^(\d+(?:\.\d+)?)\s*[x×]$/i;
const BOUND = /^(<=|>=|≤|≥)\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([A-Za-z%µ/]*)$/i;

/** @throws Refusal `usage_bad_value` */
export function parseTarget(given: string): Wanted {
  // A true minus is what people paste from a report.
  const text = given.trim().replace("−", "-");
  const change = CHANGE.exec(text);
  if (change !== null) {
    const share = Number(change[2]) / 100;
    const down = change[1] === "-";
    if (share > 0 && (!down || share < 1))
      return {
        text,
        better: down ? "lower" : "higher",
        relative: { change: down ? -share : share },
        absolute: null,
      };
  }
  const factor = FACTOR.exec(text);
  if (factor !== null && Number(factor[1]) > 1)
    return { text, better: null, relative: { factor: Number(factor[1]) }, absolute: null };
  const bound = BOUND.exec(text);
  if (bound !== null && Number(bound[2]) > 0)
    return {
      text,
      better: bound[1] === "<=" || bound[1] === "≤" ? "lower" : "higher",
      relative: null,
      absolute: { value: Number(bound[2]), unit: bound[3] ?? "" },
    };
  throw new Refusal("usage_bad_value", "--target does not take that value.", {
    expected: "-20%, +30%, 2x, <=150ms or >=10k/s",
    found: JSON.stringify(given),
    next: ["proofgate help performance-goal create"],
  });
}

/**
 * The target in the metric's own unit, and which direction is better.
 * @param unit of the metric, as a first run printed it; may be empty
 * @param better what the user said; null: the target or the unit tells
 * @throws Refusal `usage_bad_value` where target, unit and direction do not go together
 */
export function settleTarget(
  wanted: Wanted | null,
  unit: string,
  better: Better | null,
): { readonly target: Target | null; readonly better: Better } {
  const way = wanted?.better ?? better ?? (isRate(unit) ? "higher" : "lower");
  if (better !== null && better !== way)
    throw new Refusal("usage_bad_value", "--target and --better contradict each other.", {
      expected: `--better ${way}, which ${wanted?.text ?? ""} means, or none`,
      found: `--better ${better}`,
      next: ["leave --better away"],
    });
  if (wanted === null) return { target: null, better: way };
  const { text, relative, absolute } = wanted;
  if (relative !== null) {
    const ratio =
      "change" in relative ? 1 + relative.change : way === "lower" ? 1 / relative.factor : relative.factor;
    return { target: { kind: "relative", text, ratio }, better: way };
  }
  const value = absolute === null ? null : inUnit(absolute.value, absolute.unit, unit);
  if (value === null)
    throw new Refusal("usage_bad_value", "The target's unit is not the metric's.", {
      expected:
        unit === "" ? "a target without a unit: the metric is printed without one" : `a target in ${unit}`,
      found: text,
      next: ["proofgate help performance-goal create"],
    });
  return { target: { kind: "absolute", text, value }, better: way };
}

/** A number alone is in the metric's unit, and `10k` is ten thousand of it. */
function inUnit(value: number, from: string, to: string): number | null {
  if (from === "") return value;
  const factor = { k: 1e3, M: 1e6, G: 1e9 }[from];
  return factor === undefined ? convert(value, from, to) : value * factor;
}

/**
 * Whether the target is reached beyond the doubt of the measurement.
 * @param change interval of the log ratio new to base
 * @param value interval of the logarithm of the new value
 */
export function judgeTarget(
  target: Target,
  better: Better,
  change: Interval | null,
  value: Interval | null,
): TargetFinding {
  const [interval, bound] =
    target.kind === "relative" ? [change, Math.log(target.ratio)] : [value, Math.log(target.value)];
  if (interval === null) return "open";
  if (better === "lower") return interval.high <= bound ? "met" : interval.low > bound ? "missed" : "open";
  return interval.low >= bound ? "met" : interval.high < bound ? "missed" : "open";
}

/** The same for a metric without noise. */
export function judgeExactly(target: Target, better: Better, base: number, now: number): TargetFinding {
  const bound = target.kind === "relative" ? base * target.ratio : target.value;
  // What a percentage of a decimal fraction leaves behind the fifteenth digit decides nothing.
  const tolerance = Math.abs(bound) * 1e-12;
  return (better === "lower" ? now <= bound + tolerance : now >= bound - tolerance) ? "met" : "missed";
}
