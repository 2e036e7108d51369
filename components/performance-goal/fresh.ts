/** Whether what was found still holds: the same tree, evaluator, command and machine. Asked by status, the gate and `complete`. */

import { coveredDigest, fingerprint } from "../evidence/fingerprint.ts";
import type { Tree } from "../evidence/types.ts";
import { evaluatorChanges, evaluatorOf } from "./evaluator.ts";
import { thisMachine } from "./machine.ts";
import type { Contract, Evaluation, Evaluator, PerformanceGoal } from "./model.ts";

/** The surroundings as they are now. */
export interface Present {
  readonly tree: Tree;
  readonly evaluator: Evaluator;
  readonly machine: string;
}

export async function lookAt(root: string, contract: Contract): Promise<Present> {
  const tree = await fingerprint(root);
  return presentOf(root, contract, tree);
}

export const presentOf = (root: string, contract: Contract, tree: Tree): Present => ({
  tree,
  evaluator: evaluatorOf(root, contract, tree),
  machine: thisMachine().id,
});

/** Digest of what the contract covers, the evaluator's own files always. */
export const coveredOf = (contract: Contract, { tree, evaluator }: Present): string =>
  coveredDigest(tree, contract.covers, Object.keys(evaluator.files));

/** @returns why it does not hold any more; null while it does */
export function staleness(
  goal: PerformanceGoal,
  evaluation: Pick<Evaluation, "covered" | "evaluator" | "machine">,
  present: Present,
): string | null {
  const changes = evaluatorChanges(goal.evaluator, present.evaluator);
  if (changes.length > 0) return `the evaluator changed: ${some(changes)}`;
  if (evaluation.evaluator !== present.evaluator.version) return "it was measured with another evaluator";
  if (evaluation.machine !== present.machine) return "it was measured on another machine";
  if (evaluation.covered !== coveredOf(goal.contract, present))
    return "the code changed after it was measured";
  return null;
}

const some = (list: readonly string[]): string =>
  list.length <= 3 ? list.join(", ") : `${list.slice(0, 3).join(", ")} and ${list.length - 3} more`;
