/** Two sides run in turns until the pairs decide what is asked of them, or the budget ends. */

import { median } from "simple-statistics";
import {
  decide,
  FEWEST_PAIRS,
  intervalOf,
  isLook,
  MOST_PAIRS,
  noise,
  type Rule,
  type Word,
} from "./decide.ts";
import type { Interval } from "./interval.ts";
import { invalid, metricNames, needsUsage, outputText, type Reading, readReading, WALL } from "./metric.ts";
import { type Bench, faultOf, type Place, runOn } from "./sides.ts";
import { judgeExactly, judgeTarget, type Target, type TargetFinding } from "./target.ts";

export interface Question {
  /** Null: the one metric that the command prints, else the time it takes. */
  readonly metric: string | null;
  readonly rule: Rule;
  readonly target: Target | null;
  /** For the pairs, in milliseconds; set-up and warm-up not counted. */
  readonly budgetMs: number;
  /** Pairs that are run and not counted; null: two, or one where a pair takes long. */
  readonly warmUp: number | null;
}

export interface Progress {
  readonly pairs: number;
  readonly interval: Interval | null;
  readonly leftMs: number;
}

export interface Verdict {
  /** `same`: the difference, whatever it is, is below the least effect. */
  readonly word: Word | "inconclusive";
  /** Null where none was asked for. */
  readonly target: TargetFinding | null;
  readonly metric: string;
  readonly unit: string;
  readonly base: number;
  readonly now: number;
  /** Of the log ratio; null where there were too few pairs for an interval. */
  readonly interval: Interval | null;
  /** Of the new value, in the metric's unit. */
  readonly nowInterval: { readonly low: number; readonly high: number } | null;
  /** A metric that never varies is compared as it is. */
  readonly exact: boolean;
  readonly pairs: number;
  readonly noise: number;
  readonly tookMs: number;
  /** What one pair took, in milliseconds. */
  readonly pairMs: number;
  /** Pairs that were thrown away because the machine slept meanwhile. */
  readonly slept: number;
  /** Every value, in the order of measuring. */
  readonly values: { readonly base: readonly number[]; readonly now: readonly number[] };
}

/** What tells the time: one that stands still while the machine sleeps, and one that does not. Milliseconds. */
export interface Clocks {
  readonly running: () => number;
  readonly wall: () => number;
}

const CLOCKS: Clocks = { running: () => performance.now(), wall: () => Date.now() };

/** Pairs that are run and not counted: caches fill, clocks speed up. Where a run takes long, one has to do. */
const WARM_UP = 2;
const LONG_RUN_MS = 5000;
/**
 * So many equal pairs say that a metric has no noise: one that is thrown like a coin falls on one side so often with less than
 * the chance that a measurement may be wrong with.
 */
const exactPairs = (alpha: number): number => Math.ceil(Math.log2(2 / alpha));
/** The clocks differing by more than this during a pair, in milliseconds, means that the machine slept, or its clock was set. */
const SLEPT_MS = 2000;
/** A machine that falls asleep this often has no time for measuring. */
const MOST_SLEPT = 20;

/**
 * @param from the version that is compared with
 * @param to the version in question
 * @param onPair told after each pair
 * @throws Refusal `measurement_invalid` for a run that failed or did not say its metric
 */
export async function measurePairs(
  bench: Bench,
  [from, to]: readonly [Place, Place],
  question: Question,
  onPair: (progress: Progress) => void,
  clocks: Clocks = CLOCKS,
): Promise<Verdict> {
  const { rule, target } = question;
  let { metric } = question;
  let done = 0;
  const read = async (place: Place): Promise<Reading> => {
    const run = await runOn(bench, place);
    try {
      const fault = faultOf(run, bench.runMs);
      if (fault !== null)
        throw invalid(
          `exit 0 of the command on ${place.side.name}`,
          `${fault}${done === 0 ? "" : ` (after ${done} ${done === 1 ? "pair" : "pairs"} that went well)`}`,
        );
      metric ??= onlyMetric(outputText(run));
      return readReading(run, metric);
    } finally {
      await run.dispose();
    }
  };
  const pair = async (fromFirst: boolean): Promise<{ base: Reading; now: Reading }> => {
    if (fromFirst) {
      const base = await read(from);
      return { base, now: await read(to) };
    }
    const now = await read(to);
    return { base: await read(from), now };
  };

  let unit: string | null = null;
  /** Those of the warm-up as well. */
  const all: { readonly base: Reading; readonly now: Reading }[] = [];
  const measured = async (fromFirst: boolean): Promise<{ base: Reading; now: Reading }> => {
    const seen = await pair(fromFirst);
    unit ??= seen.base.unit;
    if (seen.base.unit !== unit || seen.now.unit !== unit)
      throw invalid(
        "one unit in all runs",
        `${unit || "none"} and ${[seen.base.unit, seen.now.unit].find((one) => one !== unit) || "none"}`,
      );
    return seen;
  };
  const warmedAt = clocks.running();
  const asked = question.warmUp ?? WARM_UP;
  for (let at = 0; at < asked; at++) {
    all.push(await measured(at % 2 === 0));
    if (question.warmUp === null && clocks.running() - warmedAt >= LONG_RUN_MS) break;
  }

  const began = clocks.running();
  const base: number[] = [];
  const now: number[] = [];
  const differences: number[] = [];
  let slept = 0;
  let interval: Interval | null = null;
  let nowInterval: Interval | null = null;
  // What a look has decided stays decided: the interval of all looks together holds the truth, or none of this is true.
  let word: Word | null = null;
  let met: TargetFinding | null = target === null ? null : "open";
  let exact = false;
  const isSettled = (): boolean =>
    word !== null && (met !== "open" || (target?.kind === "relative" && word !== "improved"));
  while (differences.length < MOST_PAIRS && !isSettled() && !exact) {
    const spent = clocks.running() - began;
    const each = differences.length === 0 ? 0 : spent / differences.length;
    if (differences.length > 0 && spent + each > question.budgetMs) break;
    const before = { running: clocks.running(), wall: clocks.wall() };
    // Whoever runs second may find a warmer machine: they take turns in that too.
    const seen = await measured(differences.length % 2 === 0);
    const apart = clocks.wall() - before.wall - (clocks.running() - before.running);
    if (Math.abs(apart) > SLEPT_MS) {
      slept++;
      if (slept > MOST_SLEPT) throw invalid("a machine that stays awake", `asleep in ${slept} pairs`);
      continue;
    }
    all.push(seen);
    base.push(seen.base.value);
    now.push(seen.now.value);
    differences.push(Math.log(seen.now.value / seen.base.value));
    done = differences.length;
    const finding = decide(differences, rule);
    interval = finding.interval;
    nowInterval = intervalOf(now.map(Math.log), rule);
    word = finding.word ?? word;
    if (target !== null && met === "open" && isLook(done))
      met = judgeTarget(target, rule.better, interval, nowInterval);
    exact = !isRead(metric) && all.length >= exactPairs(rule.alpha) && isConstant(all);
    onPair({
      pairs: done,
      interval,
      leftMs: Math.max(0, question.budgetMs - (clocks.running() - began)),
    });
  }
  const tookMs = clocks.running() - began;
  if (exact && target !== null) met = judgeExactly(target, rule.better, base[0] ?? 0, now[0] ?? 0);
  return {
    word: exact ? exactWord(base, now, rule) : (word ?? "inconclusive"),
    target: met,
    metric: metric ?? WALL,
    unit: unit ?? "",
    base: median(base),
    now: median(now),
    interval,
    nowInterval:
      nowInterval === null ? null : { low: Math.exp(nowInterval.low), high: Math.exp(nowInterval.high) },
    exact,
    pairs: done,
    noise: noise(differences),
    tookMs,
    pairMs: tookMs / Math.max(1, done),
    slept,
    values: { base, now },
  };
}

const isConstant = ([first, ...more]: readonly {
  readonly base: Reading;
  readonly now: Reading;
}[]): boolean =>
  more.every(({ base, now }) => base.value === first?.base.value && now.value === first?.now.value);

/** Without noise there is nothing to doubt, and no effect is too small. */
function exactWord(base: readonly number[], now: readonly number[], rule: Rule): Word {
  const [from = 0] = base;
  const [to = 0] = now;
  if (from === to) return "same";
  return to < from === (rule.better === "lower") ? "improved" : "regressed";
}

/** Read of the process and not of what it prints: equal readings only say that the clock is coarse. */
const isRead = (metric: string | null): boolean => metric === WALL || needsUsage(metric);

function onlyMetric(text: string): string {
  const names = metricNames(text);
  const taken = names.find(isRead);
  if (taken !== undefined)
    throw invalid("a metric of another name: this one means what the tool measures itself", taken);
  if (names.length > 1) throw invalid("one metric, or --metric NAME", names.join(", "));
  return names[0] ?? WALL;
}

/** How long the fewest pairs that can decide anything would take, in milliseconds. */
export const neededMs = (pairMs: number): number => pairMs * (FEWEST_PAIRS + 1);
