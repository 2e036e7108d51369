/** The commands that have to pass before a speed means anything, run in a clean copy of the working tree. */

import { type Bench, faultOf, runOn, type Side, withSides } from "../measure/sides.ts";
import type { GuardRun } from "./model.ts";

/**
 * Runs every guard in a copy of its own making: what one leaves behind must not be measured afterwards.
 * @param lay puts what the guards are made of into the copy
 * @throws what exporting throws, and Refusal `measurement_invalid` for a set-up that fails
 */
export function runGuards(
  bench: Bench,
  side: Side,
  guards: readonly string[],
  lay: (dir: string) => void = () => {},
): Promise<readonly GuardRun[]> {
  if (guards.length === 0) return Promise.resolve([]);
  return withSides(bench, [side], async ([place]) => {
    if (place === undefined) throw new Error("one side was made");
    lay(place.made.dir);
    const found: GuardRun[] = [];
    for (const command of guards) {
      const run = await runOn({ ...bench, command }, place);
      found.push({ command, failed: faultOf(run, bench.runMs)?.slice(0, 300) ?? null });
      await run.dispose();
    }
    return found;
  });
}
