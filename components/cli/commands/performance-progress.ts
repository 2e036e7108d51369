/** What a measurement tells a person at a terminal while it goes on. */

import type { Progress } from "../../measure/pairs.ts";
import type { Tell } from "../../performance-goal/verdict.ts";
import { duration } from "../../report/text.ts";
import type { Context } from "../context.ts";

export const progressTeller =
  (context: Context): Tell =>
  (what, progress) =>
    context.progress(progress === null ? what : `${what}: ${progressLine(progress)}`);

/** Pairs so far, the interval, and the time that is left. */
export function progressLine({ pairs, interval, leftMs }: Progress): string {
  const percent = (log: number): string => `${(100 * Math.expm1(log)).toFixed(1)} %`;
  const span = interval === null ? "" : `  ${percent(interval.low)} to ${percent(interval.high)}`;
  return `pair ${pairs}${span}  ${duration(leftMs)} left`;
}
