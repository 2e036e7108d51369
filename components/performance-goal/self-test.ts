/** Does the evaluator see the code? It is run with the code made slow on purpose, and with the code taken away. */

import { Refusal } from "../errors.ts";
import { withTreeObjects } from "../evidence/fingerprint.ts";
import { readReading } from "../measure/metric.ts";
import { type Bench, faultOf, runOn, type Side, withSides } from "../measure/sides.ts";
import { isTimeUnit } from "../measure/units.ts";
import { benchOf, SLOWED, sidesOf, type Tell } from "./evaluate.ts";
import { alone } from "./measuring.ts";
import type { PerformanceGoal } from "./model.ts";
import type { Workspace } from "./workspace.ts";

export interface SelfTest {
  /** Nothing speaks against the evaluator. */
  readonly sound: boolean;
  /** What was tried and seen, a sentence each. */
  readonly lines: readonly string[];
}

/** Runs of each kind; the median of three is not moved by one that was disturbed. */
const RUNS = 3;
/** A run that stands still for most of the time takes more than twice as long; half of that is a clear sign. */
const CLEAR = 1.3;

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
      tell("as it is", null);
      const plain = await values(bench, now, metric);
      const findings: { sound: boolean; line: string }[] = [];
      if (metric !== null) {
        tell("slowed down", null);
        findings.push(aboutSlow(metric, plain, await values(bench, { ...now, slow: SLOWED }, metric)));
      }
      tell("without the code", null);
      findings.push(await aboutWithout(bench, without, metric, plain));
      return { sound: findings.every(({ sound }) => sound), lines: findings.map(({ line }) => line) };
    }),
  );
}

interface Values {
  readonly median: number;
  readonly unit: string;
  readonly exact: boolean;
}

function values(bench: Bench, side: Side, metric: string | null): Promise<Values> {
  return withSides(bench, [side], async ([place]) => {
    if (place === undefined) throw new Error("one side was made");
    const found: number[] = [];
    let unit = "";
    for (let at = 0; at < (metric === null ? 1 : RUNS); at++) {
      const run = await runOn(bench, place);
      const fault = faultOf(run, bench.runMs);
      try {
        if (metric === null) continue;
        if (fault !== null)
          throw new Refusal("measurement_invalid", "The evaluator does not run as things are.", {
            expected: `exit 0 on ${side.name}`,
            found: fault,
            next: ["mend the evaluator or the code, then run the same command again"],
          });
        const reading = readReading(run, metric);
        found.push(reading.value);
        unit = reading.unit;
      } finally {
        await run.dispose();
      }
    }
    const sorted = [...found].sort((a, b) => a - b);
    return {
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
      unit,
      exact: found.every((one) => one === found[0]),
    };
  });
}

function aboutSlow(metric: string, plain: Values, slow: Values): { sound: boolean; line: string } {
  const ratio = Math.max(slow.median / plain.median, plain.median / slow.median);
  const change = `${plain.median} → ${slow.median}${plain.unit === "" ? "" : ` ${plain.unit}`}`;
  if (ratio >= CLEAR)
    return { sound: true, line: `ok: ${metric} moves when the run is slowed down: ${change}` };
  if (metric === "cpu" || metric === "memory" || (!isTimeUnit(plain.unit) && plain.exact))
    return {
      sound: true,
      line: `ok: ${metric} is no time, and slowing the run down leaves it as it is: ${change}`,
    };
  return {
    sound: false,
    line: `BAD: the run took more than twice as long, and ${metric} did not move: ${change}. It does not measure the time that passes`,
  };
}

async function aboutWithout(
  bench: Bench,
  side: Side,
  metric: string | null,
  plain: Values,
): Promise<{ sound: boolean; line: string }> {
  return withSides(bench, [side], async ([place]) => {
    if (place === undefined) throw new Error("one side was made");
    const run = await runOn(bench, place);
    try {
      const fault = faultOf(run, bench.runMs);
      if (fault !== null) return { sound: true, line: "ok: without the code it fails" };
      if (metric === null) return { sound: false, line: "BAD: without the code it still exits 0" };
      const { value } = readReading(run, metric);
      const ratio = Math.max(value / plain.median, plain.median / value);
      return ratio < CLEAR
        ? {
            sound: false,
            line: `BAD: without the code it still says ${metric} = ${value}: it does not look at the code`,
          }
        : { sound: true, line: `ok: without the code ${metric} is another one: ${value}` };
    } catch (error) {
      if (error instanceof Refusal) return { sound: true, line: "ok: without the code it says no metric" };
      throw error;
    } finally {
      await run.dispose();
    }
  }).catch((error: unknown) => {
    // A set-up that fails without the code is the best answer.
    if (error instanceof Refusal && error.code === "measurement_invalid")
      return { sound: true, line: "ok: without the code its set-up fails" };
    throw error;
  });
}
