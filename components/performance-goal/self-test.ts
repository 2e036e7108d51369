/** Does the evaluator see the code? It is run with the code held up on purpose, and with the code taken away. */

import { Refusal } from "../errors.ts";
import { withTreeObjects } from "../evidence/fingerprint.ts";
import { readReading } from "../measure/metric.ts";
import { type Bench, faultOf, type Place, runOn, type Side, withSides } from "../measure/sides.ts";
import { convert, isTimeUnit } from "../measure/units.ts";
import { benchOf, SLOWED, sidesOf } from "./bench.ts";
import { alone } from "./measuring.ts";
import type { PerformanceGoal } from "./model.ts";
import type { Tell } from "./verdict.ts";
import type { Workspace } from "./workspace.ts";

export interface SelfTest {
  /** Nothing speaks against the evaluator. */
  readonly sound: boolean;
  /** What was tried and seen, a sentence each. */
  readonly lines: readonly string[];
}

/** Runs of each kind, in turns; the median of five is not moved by two that were disturbed. */
const RUNS = 5;
/** A run that stands still for most of the time takes about two and a half times as long. Less than this is no clear sign. */
const CLEAR = 1.3;
/** A time shorter than this may lie between two stops, in milliseconds: the brake stops and goes every few dozen. */
const SHORT_MS = 250;

/** @throws Refusal `measurement_invalid` where the evaluator does not run as things are */
export function selfTest(ws: Workspace, goal: PerformanceGoal, tell: Tell): Promise<SelfTest> {
  return alone(ws.place, () =>
    withTreeObjects(ws.place.root, async (today) => {
      const bench = await benchOf(ws, goal, today);
      const { now } = await sidesOf(ws, goal, today);
      const own = new Set(Object.keys(goal.evaluator.files));
      const product = [...today.files.keys()].filter(
        (path) => !own.has(path) && !/(^|\/)package\.json$/.test(path),
      );
      const without: Side = { ...now, name: "the tree without the product", remove: product };
      const metric = goal.contract.measure?.metric ?? null;
      if (metric === null) {
        tell("without the code", null);
        const found = await aboutExit(bench, without);
        return { sound: found.sound, lines: [found.line] };
      }
      tell("as it is and held up, in turns", null);
      const { plain, slow } = await both(bench, now, metric);
      const findings = [aboutSlow(metric, plain, slow)];
      tell("without the code", null);
      findings.push(await aboutWithout(bench, without, metric, plain));
      return { sound: findings.every(({ sound }) => sound), lines: findings.map(({ line }) => line) };
    }),
  );
}

interface Finding {
  readonly sound: boolean;
  readonly line: string;
}

/** Medians of several runs: of the metric, and of the time that a whole run took. */
interface Values {
  readonly value: number;
  readonly unit: string;
  readonly exact: boolean;
  readonly wallMs: number;
}

function both(bench: Bench, side: Side, metric: string): Promise<{ plain: Values; slow: Values }> {
  return withSides(bench, [side, { ...side, slow: SLOWED }], async ([one, two]) => {
    if (one === undefined || two === undefined) throw new Error("two sides were made");
    const plain: Run[] = [];
    const slow: Run[] = [];
    for (let at = 0; at < RUNS; at++) {
      plain.push(await once(bench, one, metric));
      slow.push(await once(bench, two, metric));
    }
    return { plain: valuesOf(plain), slow: valuesOf(slow) };
  });
}

interface Run {
  readonly value: number;
  readonly unit: string;
  readonly wallMs: number;
}

async function once(bench: Bench, place: Place, metric: string): Promise<Run> {
  const run = await runOn(bench, place);
  try {
    const fault = faultOf(run, bench.runMs);
    if (fault !== null)
      throw new Refusal("measurement_invalid", "The evaluator does not run as things are.", {
        expected: `exit 0 on ${place.side.name}`,
        found: fault,
        next: ["mend the evaluator or the code, then run the same command again"],
      });
    return { ...readReading(run, metric), wallMs: run.wallMs };
  } finally {
    await run.dispose();
  }
}

function valuesOf(runs: readonly Run[]): Values {
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return {
    value: median(runs.map(({ value }) => value)),
    unit: runs[0]?.unit ?? "",
    exact: runs.every(({ value }) => value === runs[0]?.value),
    wallMs: median(runs.map(({ wallMs }) => wallMs)),
  };
}

function aboutSlow(metric: string, plain: Values, slow: Values): Finding {
  const ratio = Math.max(slow.value / plain.value, plain.value / slow.value);
  const unit = plain.unit === "" ? "" : ` ${plain.unit}`;
  const change = `${digits(plain.value)} → ${digits(slow.value)}${unit}`;
  const held = `a run took ${digits(plain.wallMs)} → ${digits(slow.wallMs)} ms`;
  if (ratio >= CLEAR)
    return { sound: true, line: `ok: ${metric} moves when the run is held up: ${change} (${held})` };
  if (metric === "cpu" || metric === "memory" || (!isTimeUnit(plain.unit) && plain.exact))
    return {
      sound: true,
      line: `ok: ${metric} is no time, and holding the run up leaves it as it is: ${change}`,
    };
  if (slow.wallMs < CLEAR * plain.wallMs)
    return {
      sound: true,
      line: `unclear: the run could not be held up (${held}), so this says nothing of ${metric}`,
    };
  // The fastest of many short iterations hardly meets a stop, however honestly it is measured.
  const inMs = convert(plain.value, plain.unit, "ms");
  if (!plain.exact && isTimeUnit(plain.unit) && (inMs === null || inMs < SHORT_MS))
    return {
      sound: true,
      line: `unclear: ${held}, and ${metric} hardly moved: ${change}; so short a time may pass between two stops`,
    };
  return {
    sound: false,
    line: `BAD: ${held}, and ${metric} did not move: ${change}. It does not measure the time that passes`,
  };
}

const digits = (value: number): string => String(Number(value.toPrecision(4)));

function aboutWithout(bench: Bench, side: Side, metric: string, plain: Values): Promise<Finding> {
  return gone(bench, side, async (place) => {
    const { value } = await once(bench, place, metric);
    const ratio = Math.max(value / plain.value, plain.value / value);
    return ratio < CLEAR
      ? {
          sound: false,
          line: `BAD: without the code it still says ${metric} = ${digits(value)}: it does not look at the code`,
        }
      : { sound: true, line: `ok: without the code ${metric} is another one: ${digits(value)}` };
  });
}

const aboutExit = (bench: Bench, side: Side): Promise<Finding> =>
  gone(bench, side, async (place) => {
    const run = await runOn(bench, place);
    const fault = faultOf(run, bench.runMs);
    await run.dispose();
    return fault === null
      ? { sound: false, line: "BAD: without the code it still exits 0" }
      : { sound: true, line: "ok: without the code it fails" };
  });

/** Without the code nothing need work: a set-up or a run that fails is the best answer. */
async function gone(bench: Bench, side: Side, look: (place: Place) => Promise<Finding>): Promise<Finding> {
  try {
    return await withSides(bench, [side], ([place]) => {
      if (place === undefined) throw new Error("one side was made");
      return look(place);
    });
  } catch (error) {
    if (error instanceof Refusal && error.code === "measurement_invalid")
      return { sound: true, line: "ok: without the code nothing is measured" };
    throw error;
  }
}
