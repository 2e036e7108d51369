/** Two versions of a repository measured against each other: both exported, run in turns, until the pairs decide it. */

import { median } from "simple-statistics";
import { type Export, exportTree } from "../evidence/base-tree.ts";
import { withTreeObjects } from "../evidence/fingerprint.ts";
import { runThere } from "../evidence/run-in-export.ts";
import type { Command } from "../evidence/types.ts";
import { decide, FEWEST_PAIRS, MOST_PAIRS, noise, type Rule } from "./decide.ts";
import type { Interval } from "./interval.ts";
import { invalid, metricNames, type Reading, readMetric, WALL } from "./metric.ts";

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

export interface Progress {
  readonly pairs: number;
  readonly interval: Interval | null;
  readonly leftMs: number;
}

export interface Verdict {
  /** `same`: the difference, whatever it is, is below the least effect. */
  readonly word: "improved" | "regressed" | "same" | "inconclusive";
  readonly metric: string;
  readonly unit: string;
  readonly base: number;
  readonly now: number;
  /** Null where there were too few pairs for an interval. */
  readonly interval: Interval | null;
  /** A metric that never varies is compared as it is. */
  readonly exact: boolean;
  readonly pairs: number;
  readonly noise: number;
  readonly tookMs: number;
  /** What one pair took, in milliseconds. */
  readonly pairMs: number;
  /** Every value, in the order of measuring. */
  readonly values: { readonly base: readonly number[]; readonly now: readonly number[] };
}

/** A run that takes longer than this is ended, in milliseconds. */
const RUN_MS = 10 * 60_000;
/** Pairs that are run and not counted: caches fill, clocks speed up. Where a run takes long, one has to do. */
const WARM_UP = 2;
const LONG_RUN_MS = 5000;
/** So many equal pairs say that a metric has no noise. */
const EXACT_PAIRS = 3;

/**
 * Both trees lie in folders of their own, made the same way: whatever a place does to a program, it does to both.
 * @throws Refusal `measurement_invalid`, and what exporting throws
 */
export function compare(options: Comparison, onPair: (progress: Progress) => void): Promise<Verdict> {
  return withTreeObjects(options.root, async (today) => {
    const how = { overlay: [], share: options.share, setup: options.setup, today, head: options.base };
    const made: Export[] = [];
    try {
      for (const source of [{ commit: options.base }, { tree: today }]) {
        const place = await exportTree(options.root, source, how);
        made.push(place);
        if (place.setupFault !== null)
          throw invalid("a set-up that works on both versions", place.setupFault);
      }
      const [base, now] = made;
      if (base === undefined || now === undefined) throw new Error("two exports were made");
      return await measure(base, now, options, onPair);
    } finally {
      for (const place of made) await place.dispose();
    }
  });
}

async function measure(
  basePlace: Export,
  nowPlace: Export,
  options: Comparison,
  onPair: (progress: Progress) => void,
): Promise<Verdict> {
  const { rule } = options;
  let { metric } = options;
  const read = async (place: Export, which: string): Promise<Reading> => {
    const { run } = await runThere(place, options.command, { cwd: options.cwd, timeoutMs: RUN_MS }, options);
    try {
      if (run.exit !== 0) throw invalid(`exit 0 of the command on ${which}`, failure(run));
      const text = `${run.stdout.head}\n${run.stdout.tail}`;
      metric ??= onlyMetric(text);
      return metric === WALL ? { value: run.wallMs, unit: "ms" } : readMetric(text, metric);
    } finally {
      await run.dispose();
    }
  };
  const pair = async (first: "base" | "now"): Promise<{ base: Reading; now: Reading }> => {
    const ofBase = (): Promise<Reading> => read(basePlace, "the base");
    const ofNow = (): Promise<Reading> => read(nowPlace, "the working tree");
    if (first === "base") {
      const base = await ofBase();
      return { base, now: await ofNow() };
    }
    const now = await ofNow();
    return { base: await ofBase(), now };
  };

  const warmedAt = performance.now();
  let warm = await pair("base");
  if (performance.now() - warmedAt < LONG_RUN_MS)
    for (let at = 1; at < WARM_UP; at++) warm = await pair("now");

  const began = performance.now();
  const base: number[] = [];
  const now: number[] = [];
  const differences: number[] = [];
  let finding = decide(differences, rule);
  let exact = false;
  while (differences.length < MOST_PAIRS && finding.word === null && !exact) {
    const spent = performance.now() - began;
    const each = differences.length === 0 ? 0 : spent / differences.length;
    if (differences.length > 0 && spent + each > options.budgetMs) break;
    // Whoever runs second may find a warmer machine: they take turns in that too.
    const seen = await pair(differences.length % 2 === 0 ? "base" : "now");
    base.push(seen.base.value);
    now.push(seen.now.value);
    differences.push(Math.log(seen.now.value / seen.base.value));
    finding = decide(differences, rule);
    exact = metric !== WALL && isConstant(base) && isConstant(now);
    onPair({
      pairs: differences.length,
      interval: finding.interval,
      leftMs: Math.max(0, options.budgetMs - (performance.now() - began)),
    });
  }
  const tookMs = performance.now() - began;
  return {
    word: exact ? exactWord(base, now, rule) : (finding.word ?? "inconclusive"),
    metric: metric ?? WALL,
    unit: warm.base.unit,
    base: median(base),
    now: median(now),
    interval: finding.interval,
    exact,
    pairs: differences.length,
    noise: noise(differences),
    tookMs,
    pairMs: tookMs / Math.max(1, differences.length),
    values: { base, now },
  };
}

const isConstant = (values: readonly number[]): boolean =>
  values.length >= EXACT_PAIRS && values.every((value) => value === values[0]);

/** Without noise there is nothing to doubt, and no effect is too small. */
function exactWord(base: readonly number[], now: readonly number[], rule: Rule): Verdict["word"] {
  const [from = 0] = base;
  const [to = 0] = now;
  if (from === to) return "same";
  return to < from === (rule.better === "lower") ? "improved" : "regressed";
}

function onlyMetric(text: string): string {
  const names = metricNames(text);
  if (names.length > 1) throw invalid("one metric, or --metric NAME", names.join(", "));
  return names[0] ?? WALL;
}

function failure(run: {
  readonly exit: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly spawnError: string | null;
  readonly stderr: { readonly head: string; readonly tail: string };
}): string {
  const how = run.timedOut
    ? `no end within ${RUN_MS / 60_000} min`
    : run.exit === null
      ? (run.signal ?? run.spawnError ?? "no exit status")
      : `exit ${run.exit}`;
  const said = (run.stderr.tail || run.stderr.head).trim().split("\n").at(-1) ?? "";
  return said === "" ? how : `${how}: ${said}`;
}

/** How long the fewest pairs that can decide anything would take, in milliseconds. */
export const neededMs = (pairMs: number): number => pairMs * (FEWEST_PAIRS + 1);
