/** A checkpoint with everything it has to look at: the tree before and after, artifacts, the whole ledger, the witness. */

import { Refusal } from "../errors.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import type { Loaded } from "../journal/types.ts";
import { unwitnessed } from "./approve.ts";
import { checkpoint, type HostSnapshot, isLast } from "./checkpoint.ts";
import { findGoal } from "./ids.ts";
import { policyInForce } from "./judge.ts";
import type { Plan } from "./model.ts";
import { presentOf } from "./present.ts";
import { reviewOf } from "./reviewed.ts";
import { requireNotCancelled } from "./take-up.ts";
import { anchorHolds, changePlan, readConfig, requirePlan, type Workspace } from "./workspace.ts";

/** @throws Refusal as `checkpoint` does; `state_damaged` and `state_missing` when the ledger does not hold */
export async function checkpointGoal(
  ws: Workspace,
  input: {
    goalId: string | undefined;
    status: "complete" | "failed" | "blocked";
    evidence: string;
    host: HostSnapshot | undefined;
  },
): Promise<{ loaded: Loaded<Plan>; goal: string }> {
  const before = requirePlan(ws);
  const plan = before.state;
  requireNotCancelled(plan);
  const tree = await fingerprint(ws.place.root);
  const present = {
    ...presentOf(ws.place, tree, { thorough: true }),
    ...reviewOf(ws, plan, tree.id),
  };
  const policy = policyInForce(plan, await readConfig(ws.place.root));
  if (input.status === "complete") {
    requireWholeLedger(ws, before);
    if (isLast(plan, findGoal(plan, input.goalId))) requireWitnessed(ws, plan);
    const again = await fingerprint(ws.place.root);
    if (again.id !== tree.id)
      throw new Refusal("check_inconclusive", "The tree changed while the goal was being judged.", {
        expected: `tree ${tree.id.slice(0, 12)}`,
        found: `tree ${again.id.slice(0, 12)}`,
        next: ["let parallel work finish, then run the same command again"],
      });
  }
  const { loaded, result } = changePlan(ws, "checkpoint", (now) => {
    const goal = findGoal(now, input.goalId);
    return { events: checkpoint(now, goal, { ...input, present, policy }), result: goal.id };
  });
  return { loaded, goal: result };
}

/** At a gate the whole chain is walked and replayed. @throws Refusal `state_damaged`, `state_missing` */
export function requireWholeLedger(ws: Workspace, loaded: Loaded<Plan>): void {
  const report = ws.journal.verify();
  if (!report.valid)
    throw new Refusal("state_damaged", "The ledger does not hold.", {
      expected: "an unbroken chain that folds to goals.json",
      found: report.problems.map((p) => `${p.where}: ${p.message}`).join("; "),
      problems: report.problems,
      next: ["proofgate ulw-loop repair"],
    });
  if (!anchorHolds(ws, loaded))
    throw new Refusal(
      "state_missing",
      "The ledger was rewritten: the line that the witness store knows is another one.",
      {
        expected: "the anchored line",
        found: "another hash",
        next: [
          "put the ledger back from a backup",
          "proofgate ulw-loop repair  (goes on with what is there; the user must approve)",
        ],
      },
    );
}

/** @throws Refusal `approval_needed` */
export function requireWitnessed(ws: Workspace, plan: Plan): void {
  const unknown = unwitnessed(ws, plan);
  if (unknown.length === 0) return;
  throw new Refusal(
    "approval_needed",
    "The ledger holds an approval that this machine's witness store does not know.",
    {
      expected: "approvals given here by the user",
      found: `unknown: ${unknown.join(", ")}`,
      next: ["proofgate approve  (the user, at a terminal)"],
    },
  );
}
