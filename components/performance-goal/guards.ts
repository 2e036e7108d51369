/** The commands that have to pass before a speed means anything, run in a clean copy of the working tree. */

import { makeCheck } from "../evidence/check.ts";
import { checkFiles } from "../evidence/check-files.ts";
import { isTestFile } from "../evidence/conventions.ts";
import type { Tree } from "../evidence/types.ts";
import { type Bench, faultOf, runOn, type Side, withSides } from "../measure/sides.ts";
import type { Contract, GuardRun } from "./model.ts";

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
      const run = await runOn({ ...bench, command }, place);
      found.push({ command, failed: faultOf(run, bench.runMs)?.slice(0, 300) ?? null });
      await run.dispose();
    }
    return found;
  });
}

/**
 * A guard is worth what its own files ask for. New tests are welcome; whether the changed ones still ask for the same is for
 * the user to see.
 * @param changed paths of the base that are another today, or gone
 */
export function softenedGuards(
  { guards, cwd }: Pick<Contract, "guards" | "cwd">,
  today: Tree,
  changed: readonly string[],
): readonly string[] {
  const own = new Set(
    guards.flatMap((run) => {
      const files = checkFiles({ ...makeCheck({ run }), cwd }, today, null);
      return [...files.own, ...files.scripts];
    }),
  );
  const soft = guards.length === 0 ? [] : changed.filter((path) => own.has(path) || isTestFile(path));
  return soft.length === 0
    ? []
    : [
        `the guards' own files are not those of the base: ${soft.slice(0, 3).join(", ")}${soft.length > 3 ? ` and ${soft.length - 3} more` : ""}`,
      ];
}
