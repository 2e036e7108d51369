/** The course of one optimisation: what is drawn, the scale that it is drawn on, and how its numbers are written. */

import { WALL } from "../measure/metric.ts";
import { cut, shown } from "./text.ts";

export interface PlotPoint {
  /** ISO time. */
  readonly at: string;
  /** Short: what it was. */
  readonly label: string;
  readonly kind: "evaluated" | "kept" | "reverted" | "passed" | "failed" | "invalid";
  /** The metric's median there, and its interval; null where nothing was measured. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** An agent's words; may be empty. */
  readonly note: string;
}

export interface Plot {
  /** Somebody's words. */
  readonly title: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly baseline: { readonly value: number } | null;
  readonly target: number | null;
  readonly points: readonly PlotPoint[];
}

export const NOTHING_YET = "Nothing is measured yet: run proofgate performance-goal evaluate.";

export interface Reading {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  /** Decimals that tell the values apart; negative where not even the ones matter. */
  readonly decimals: number;
  /** 0 is the low end, 1 the high end; what is far away lies outside. */
  readonly at: (value: number) => number;
}

/** From this ratio on a linear scale would show nothing of what happens at its low end. */
const LOG_FROM = 20;
/** A scale spans at least this part of its values, lest noise of a thousandth look like a change. */
const LEAST_SPAN = 0.02;

export const isGood = ({ kind }: PlotPoint): boolean => kind === "kept" || kind === "passed";

/** @returns null where nothing was measured. An interval may be open: its ends may be infinite. */
export function readingOf({ value, low, high }: PlotPoint): Reading | null {
  if (value === null || !Number.isFinite(value)) return null;
  const end = (given: number | null): number => (given === null || Number.isNaN(given) ? value : given);
  return { value, low: Math.min(value, end(low)), high: Math.max(value, end(high)) };
}

const finite = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && Number.isFinite(value) ? value : null;
export const baselineOf = (plot: Plot): number | null => finite(plot.baseline?.value);
export const targetOf = (plot: Plot): number | null => finite(plot.target);

/**
 * Baseline, target and what was kept are always on the scale, and the middle half of what was measured; the rest as far as
 * it lies near. A single run of ten times the others would else press them all into one column.
 * @returns null where there is no number at all
 */
export function scaleOf(plot: Plot): Scale | null {
  const found = plot.points.map((point) => ({ reading: readingOf(point), good: isGood(point) }));
  const readings = found.flatMap(({ reading }) => (reading === null ? [] : [reading]));
  const present = (values: readonly (number | null)[]): number[] => values.filter((v) => v !== null);
  const target = present([targetOf(plot)]);
  const kept = found.flatMap(({ reading, good }) => (good && reading !== null ? [reading.value] : []));
  const reached = [...present([baselineOf(plot)]), ...kept, ...middle(readings.map(({ value }) => value))];
  const core = [...reached, ...target];
  if (core.length === 0) return null;

  // A target near 0 does not make the scale logarithmic: linear, it is just the left end.
  const least = smallest(reached.length === 0 ? core : reached);
  const log = smallest(core) > 0 && largest(core) / least >= LOG_FROM;
  const [to, back] = log ? [Math.log10, (v: number) => 10 ** v] : [(v: number) => v, (v: number) => v];
  const [from, until] = [to(smallest(core)), to(largest(core))];
  const near = Math.max(until - from, log ? 1 : Math.max(Math.abs(from), Math.abs(until)) / 10);
  const inside = (value: number): number =>
    Math.min(until + near, Math.max(from - near, log && value <= 0 ? -Infinity : to(value)));
  // Clipped values stretch the scale to their limit only where an interval does so: a far point would waste half of it.
  const ends = readings.flatMap(({ value, low, high }) =>
    inside(value) === to(value) ? [inside(low), inside(high)] : [],
  );
  let [low, high] = [smallest([from, ...ends]), largest([until, ...ends])];
  const short = LEAST_SPAN * (Math.max(Math.abs(low), Math.abs(high)) || 50) - (high - low);
  if (!log && short > 0) [low, high] = [low - short / 2, high + short / 2];
  const whole = readings.every(({ value }) => Number.isInteger(value)) && core.every(Number.isInteger);
  return {
    low: back(low),
    high: back(high),
    log,
    decimals: whole ? 0 : -decade(Math.min((high - low) / 50, (least > 0 ? least : high - low) / 100)),
    at: (value) => ((log && value <= 0 ? -Infinity : to(value)) - low) / (high - low),
  };
}

/** Below the scale, on it, above it. A hair's breadth is what rounding leaves behind. */
export function sideOf(scale: Scale, value: number): -1 | 0 | 1 {
  const at = scale.at(value);
  return at < -1e-9 ? -1 : at > 1 + 1e-9 ? 1 : 0;
}

const smallest = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
/** The exponent of its first digit; a little above a power of ten counts as one, for what division leaves behind. */
const decade = (size: number): number => Math.floor(Math.log10(size) + 1e-9);

/** The quartiles, rounded towards the median: one of four is not among them. */
function middle(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  const last = sorted.length - 1;
  return last < 0 ? [] : sorted.slice(Math.ceil(last / 4), Math.floor((last * 3) / 4) + 1);
}

/** Round numbers on the scale, at most so many, from the finest step that allows it: at least 2, for 5 at least 3. */
export function ticks(scale: Scale, most: number): readonly number[] {
  const { low, high, log } = scale;
  for (const candidate of log ? logTicks(low, high) : linearTicks(low, high)) {
    const inside = candidate.filter((tick) => sideOf(scale, tick) === 0);
    if (inside.length <= most) return inside;
  }
  return [];
}

function* linearTicks(low: number, high: number): Generator<readonly number[]> {
  const first = decade(high - low) - 1;
  for (const power of [first, first + 1])
    for (const factor of [1, 2, 2.5, 5]) {
      const step = factor * 10 ** power;
      const from = Math.ceil(low / step);
      const count = Math.floor(high / step) - from + 1;
      // 3 × 0.1 is not 0.3 before it is rounded.
      yield Array.from({ length: count }, (_, index) => Number(((from + index) * step).toPrecision(12)));
    }
}

function* logTicks(low: number, high: number): Generator<readonly number[]> {
  const [from, until] = [decade(low), decade(high)];
  const powers = Array.from({ length: until - from + 1 }, (_, index) => from + index);
  for (const digits of [[1, 2, 5], [1, 3], [1]])
    yield powers.flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)));
  for (const step of [2, 3, 5, 10, 20, 50, 100])
    yield powers.filter((power) => power % step === 0).map((power) => Number(`1e${power}`));
}

/** So large or small that zeros would have to be counted. */
const needsExponent = (value: number): boolean =>
  value !== 0 && (decade(Math.abs(value)) >= 7 || decade(Math.abs(value)) < -4);
/** With a true minus. */
const signed = (text: string): string => text.replace("e+", "e").replaceAll("-", "−");

export const tickText = (tick: number): string =>
  signed(needsExponent(tick) ? tick.toExponential() : String(tick));

/** With the decimals of its scale; what is far smaller, or on a logarithmic one, with three digits of its own. */
export function figure(scale: Scale, value: number): string {
  if (value === 0) return "0";
  const own = 2 - decade(Math.abs(value));
  const decimals =
    (scale.log && !Number.isInteger(value)) || own - scale.decimals > 2
      ? own
      : scale.log
        ? 0
        : Math.min(scale.decimals, own + 3);
  if (!needsExponent(value)) return signed(value.toFixed(Math.max(0, decimals)));
  return signed(value.toExponential(Math.min(6, Math.max(2, 2 - own + decimals))));
}

/** `p95 in ms`. */
export function metricText(plot: Plot): string {
  const name = plot.metric === WALL ? "wall time" : cut(shown(plot.metric), 40);
  return plot.unit === "" ? name : `${name} in ${unitText(plot)}`;
}
export const unitText = (plot: Plot): string => cut(shown(plot.unit), 12);
export const labelText = (point: PlotPoint): string => cut(shown(point.label || point.kind), 14);

/** `12:03` in UTC, with the day where there are several. */
export function times(points: readonly PlotPoint[]): readonly string[] {
  const stamps = points.map(({ at }) => {
    const time = new Date(at);
    return Number.isNaN(time.getTime()) ? "" : time.toISOString();
  });
  const days = new Set(stamps.filter((stamp) => stamp !== "").map((stamp) => stamp.slice(0, 10)));
  return stamps.map((stamp) =>
    stamp === "" ? "?" : `${days.size > 1 ? `${stamp.slice(5, 10)} ` : ""}${stamp.slice(11, 16)}`,
  );
}
