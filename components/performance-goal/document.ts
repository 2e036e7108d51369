/** `evaluator.md`: the contract as people read it. The ledger is what counts; a hand edit here changes nothing, and is told. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256, writeFileAtomic } from "../journal/safe-fs.ts";
import { WALL } from "../measure/metric.ts";
import type { Contract, Evaluator, PerformanceGoal } from "./model.ts";
import type { Place } from "./place.ts";

const NAME = "evaluator.md";

/** Front matter for programs, text for people. */
export async function documentText(
  objective: string,
  contract: Contract,
  evaluator: Evaluator,
  base: string,
): Promise<string> {
  const { stringify } = await import("yaml");
  const { measure } = contract;
  const front = {
    command: contract.command,
    ...(contract.cwd === "" ? {} : { folder: contract.cwd }),
    base,
    ...(measure === null
      ? { verdict: "exit status" }
      : {
          metric: measure.metric,
          ...(measure.unit === "" ? {} : { unit: measure.unit }),
          better: measure.better,
          target: measure.target?.text ?? "any improvement",
          minEffect: `${100 * measure.minEffect}%`,
          confidence: `${100 * (1 - measure.alpha)}%`,
          budget: `${Math.round(measure.budgetMs / 1000)}s`,
        }),
    ...(contract.guards.length === 0 ? {} : { guards: [...contract.guards] }),
    protected: Object.keys(evaluator.files),
    ...(Object.keys(evaluator.scripts).length === 0 ? {} : { scripts: { ...evaluator.scripts } }),
  };
  const how =
    measure === null
      ? "No metric is judged: the command has to fail on the base commit and to exit 0 on the working tree."
      : `Proofgate runs the command on the base commit and on the working tree in turns, reads ${measure.metric === WALL ? "the time it takes" : `\`${measure.metric}\``}, and decides by the interval of the pairs.`;
  return [
    "---",
    stringify(front).trimEnd(),
    "---",
    "",
    `# ${objective.split("\n")[0] ?? ""}`,
    "",
    contract.text.trim(),
    "",
    `${how} The files above are protected: where one of them changes, nothing that was measured counts.`,
    "",
    "Made by `proofgate performance-goal create`. An edit of this file changes nothing.",
    "",
  ].join("\n");
}

export function writeDocument(place: Place, text: string): void {
  writeFileAtomic(join(place.dir, NAME), text);
}

/** @returns what became of the document since it was written; null while it is as it was */
export function documentChange(place: Place, goal: PerformanceGoal): string | null {
  try {
    return sha256(readFileSync(join(place.dir, NAME))) === goal.document
      ? null
      : `${NAME} was edited by hand, which changes nothing: the contract is in the ledger`;
  } catch {
    return `${NAME} is gone; the contract is in the ledger`;
  }
}
