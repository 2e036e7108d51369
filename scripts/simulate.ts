/**
 * `npm run simulate`: how often the rule of `components/measure` is wrong, on noise that is known. The very functions that
 * judge real runs judge these; only the runs are drawn. A seed makes every run of this print the same.
 */

import { DEFAULT_RULE, decide, isLook, MOST_PAIRS } from "../components/measure/decide.ts";

/** What one run takes: log-normal noise, now and then a gross outlier (a collector, a backup, another user). */
interface Machine {
  /** Standard deviation of a run's logarithm. */
  readonly noise: number;
  /** Share of runs that take 1.5 to 6 times as long. */
  readonly outliers: number;
}

/** Mulberry32, a small generator of known quality: uniform in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const random = generator(20_260_101);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const run = ({ noise, outliers }: Machine): number =>
  noise * normal() + (random() < outliers ? Math.log(1.5 + 4.5 * random()) : 0);

interface Outcome {
  readonly word: "improved" | "regressed" | "same" | "undecided";
  readonly pairs: number;
}

/** @param gain true change of the new code, 0.05 for 5 % faster; @param most pairs that the budget allows */
function evaluate(machine: Machine, gain: number, most: number): Outcome {
  const differences: number[] = [];
  const shift = Math.log(1 - gain);
  while (differences.length < most) {
    differences.push(shift + run(machine) - run(machine));
    if (!isLook(differences.length)) continue;
    const { word } = decide(differences, DEFAULT_RULE);
    if (word !== null) return { word, pairs: differences.length };
  }
  return { word: "undecided", pairs: differences.length };
}

/** A loop keeps a try only when a fresh evaluation says the same. @returns whether identical code was kept */
function loopKeepsNothingReal(machine: Machine, tries: number, most: number): boolean {
  for (let at = 0; at < tries; at++)
    if (evaluate(machine, 0, most).word === "improved" && evaluate(machine, 0, most).word === "improved")
      return true;
  return false;
}

const QUIET: Machine = { noise: 0.02, outliers: 0 };
const ROUGH: Machine = { noise: 0.02, outliers: 0.1 };
const LOOPS = 200;
const TRIES = 20;
const EVALUATIONS = 1000;
/** Pairs within the default budget of a minute where a run takes a second. */
const IN_BUDGET = 30;

const share = (count: number, of: number): string =>
  `${count} of ${of} (${((100 * count) / of).toFixed(1)} %)`;
let good = true;
/** @param holds null: said, and nothing asked of it */
const line = (what: string, value: string, holds: boolean | null): void => {
  good &&= holds !== false;
  console.log(`${holds === null ? "    " : holds ? "ok  " : "MISS"}  ${what.padEnd(62)}  ${value}`);
};

for (const { name, machine, asked } of [
  { name: "2 % noise", machine: QUIET, asked: true },
  { name: "2 % noise, 10 % gross outliers", machine: ROUGH, asked: false },
]) {
  console.log(name);
  const times = <T>(count: number, act: () => T): T[] => Array.from({ length: count }, act);
  const wrong = times(LOOPS, () => loopKeepsNothingReal(machine, TRIES, MOST_PAIRS)).filter(Boolean).length;
  line(`loops of ${TRIES} tries of identical code that keep a false gain`, share(wrong, LOOPS), wrong <= 1);
  const same = times(EVALUATIONS, () => evaluate(machine, 0, MOST_PAIRS));
  const changed = same.filter(({ word }) => word === "improved" || word === "regressed").length;
  const allowed = EVALUATIONS * DEFAULT_RULE.alpha;
  line("evaluations of identical code that call it changed", share(changed, EVALUATIONS), changed <= allowed);
  for (const most of [IN_BUDGET, MOST_PAIRS]) {
    const gains = times(EVALUATIONS, () => evaluate(machine, 0.05, most));
    const found = gains.filter(({ word }) => word === "improved").length;
    const pairs = gains.reduce((sum, one) => sum + one.pairs, 0) / EVALUATIONS;
    const enough = asked || most === MOST_PAIRS ? found >= EVALUATIONS * 0.9 : null;
    line(
      `a true gain of 5 % found within ${most} pairs`,
      `${share(found, EVALUATIONS)}, ${pairs.toFixed(1)} pairs on average`,
      enough,
    );
    line(
      "the same called a loss",
      share(gains.filter(({ word }) => word === "regressed").length, EVALUATIONS),
      gains.every(({ word }) => word !== "regressed"),
    );
  }
}
process.exit(good ? 0 : 1);
