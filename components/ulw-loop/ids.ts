/** Finding goals and criteria by what people type: `G002`, `g002`, `G002-C004`, or `C004` of the current goal. */

import { Refusal } from "../errors.ts";
import { type Criterion, criterionRef, type Goal, isClosed, type Plan } from "./model.ts";

/** The next free goal id, `G001` first. Ids are never used twice, so that the ledger stays unambiguous. */
export function nextGoalId(plan: Plan, ahead = 0): string {
  const highest = plan.goals.reduce(
    (max, goal) => Math.max(max, Number(/^G(\d+)/.exec(goal.id)?.[1] ?? 0)),
    0,
  );
  return `G${String(highest + 1 + ahead).padStart(3, "0")}`;
}

/** `C001`, `C002`, … for the criterion at `index` (from 0). */
export const criterionId = (index: number): string => `C${String(index + 1).padStart(3, "0")}`;

/** The goal in progress; else the first that is still to do; else the last one. */
export function currentGoal(plan: Plan): Goal | undefined {
  return (
    plan.goals.find((goal) => goal.status === "in_progress") ??
    plan.goals.find((goal) => !isClosed(goal)) ??
    plan.goals.at(-1)
  );
}

/** @throws Refusal `unknown_goal` */
export function findGoal(plan: Plan, id: string | undefined): Goal {
  const goal =
    id === undefined ? currentGoal(plan) : plan.goals.find((g) => g.id.toLowerCase() === id.toLowerCase());
  if (goal) return goal;
  throw new Refusal("unknown_goal", `There is no goal ${quoted(id ?? "")}.`, {
    expected: `one of ${listed(plan.goals.map((g) => g.id))}`,
    found: quoted(id ?? "nothing"),
    next: ["proofgate status"],
  });
}

/** @throws Refusal `unknown_goal`, `unknown_criterion` */
export function findCriterion(
  plan: Plan,
  goalId: string | undefined,
  id: string,
): { goal: Goal; criterion: Criterion } {
  const full = /^(.+)-(C\d+)$/i.exec(id);
  const goal = findGoal(plan, full?.[1] ?? goalId);
  const wanted = (full?.[2] ?? id).toLowerCase();
  const criterion = goal.successCriteria.find((c) => c.id.toLowerCase() === wanted);
  if (criterion) return { goal, criterion };
  throw new Refusal("unknown_criterion", `Goal ${goal.id} has no criterion ${quoted(id)}.`, {
    expected: `one of ${listed(goal.successCriteria.map((c) => criterionRef(goal, c)))}`,
    found: quoted(id),
    next: [`proofgate ulw-loop criteria --goal-id ${goal.id}`],
  });
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

function listed(ids: readonly string[]): string {
  if (ids.length === 0) return "none yet";
  return ids.length > 8 ? `${ids.slice(0, 8).join(", ")}, … (${ids.length})` : ids.join(", ");
}
