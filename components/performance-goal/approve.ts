/** The user's approval of an exchanged contract: stored outside the repository, and told in the ledger. */

import { Refusal } from "../errors.ts";
import type { Loaded } from "../journal/types.ts";
import type { PerformanceGoal, Weakening } from "./model.ts";
import { changeGoal, type Workspace } from "./workspace.ts";

/** What waits for the user, and what this machine's store knows nothing of. */
export function openWeakenings(ws: Workspace, goal: PerformanceGoal): readonly Weakening[] {
  const unknown = new Set(unwitnessed(ws, goal));
  return goal.weakenings.filter((one) => !one.approved || unknown.has(one.id));
}

/** Approves exactly what was shown. @throws Refusal `approval_not_user` */
export function approveGoal(
  ws: Workspace,
  goal: PerformanceGoal,
  shown: readonly Weakening[],
): Loaded<PerformanceGoal> {
  if (ws.writer.kind !== "user")
    throw new Refusal("approval_not_user", "Only the user can approve, in their own terminal.", {
      expected: "an interactive terminal outside any agent",
      found: ws.writer.host,
      next: ["ask the user to run: proofgate approve"],
    });
  const weakenings = shown.map(({ id }) => id);
  const id = ws.witness.approve(goal.goalId, subjectOf(weakenings), ws.now().toISOString());
  return changeGoal(ws, "approve", () => ({
    events: [{ type: "goal_approved", approval: { id, weakenings } }],
    result: null,
  })).loaded;
}

const subjectOf = (weakenings: readonly string[]): string => JSON.stringify([...weakenings].sort());

/** Approved weakenings that nothing in this machine's witness store stands behind. */
export function unwitnessed(ws: Workspace, goal: PerformanceGoal): readonly string[] {
  const approved = goal.weakenings.filter((one) => one.approved).map(({ id }) => id);
  if (approved.length === 0) return [];
  const known = new Set<string>();
  for (const { events } of ws.journal.lines())
    for (const event of events)
      if (
        event.type === "goal_approved" &&
        ws.witness.approved(event.approval.id, goal.goalId, subjectOf(event.approval.weakenings))
      )
        for (const id of event.approval.weakenings) known.add(id);
  return approved.filter((id) => !known.has(id));
}
