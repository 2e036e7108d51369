/** The commands that have to pass before a speed means anything, run in a clean copy of the working tree. */

import { type Bench, faultOf, runOn, type Side, withSides } from "../measure/sides.ts";
import type { GuardRun } from "./model.ts";

/**
 * Runs every guard in a copy of its own making: what one leaves behind must not be measured afterwards.
 * @throws what exporting throws, and Refusal `measurement_invalid` for a set-up that fails
 */
export function runGuards(bench: Bench, side: Side, guards: readonly string[]): Promise<readonly GuardRun[]> {
  if (guards.length === 0) return Promise.resolve([]);
  return withSides(bench, [side], async ([place]) => {
    const found: GuardRun[] = [];
    for (const command of place === undefined ? [] : guards) {
      if (place === undefined) break;
      const run = await runOn({ ...bench, command, cwd: "" }, place);
      found.push({ command, failed: faultOf(run, bench.runMs)?.slice(0, 300) ?? null });
      await run.dispose();
    }
    return found;
  });
}
