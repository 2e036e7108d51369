/** Writes what was measured into the ledger, as a line of its own. */

import { Refusal } from "../errors.ts";
import type { Loaded } from "../journal/types.ts";
import { type Evaluated, evaluate } from "./evaluate.ts";
import type { GoalEvent } from "./events.ts";
import type { PerformanceGoal } from "./model.ts";
import { requireOpen } from "./steps.ts";
import type { Tell } from "./verdict.ts";
import { changeGoal, type Workspace } from "./workspace.ts";

/**
 * Evaluates and records. The measuring itself holds no lock of the ledger; where the contract was exchanged meanwhile, what
 * was measured belongs to nothing.
 * @throws Refusal `goal_not_open`, and what evaluating throws
 */
export async function evaluateAndRecord(
  ws: Workspace,
  goal: PerformanceGoal,
  budgetMs: number | null,
  tell: Tell,
): Promise<{ loaded: Loaded<PerformanceGoal>; evaluated: Evaluated }> {
  requireMeasurable(goal);
  const evaluated = await evaluate(ws, goal, budgetMs, tell);
  const { evaluation, keep, spentMs } = evaluated;
  const { loaded } = changeGoal(ws, "evaluate", (now) => {
    requireSameGoal(goal, now);
    requireMeasurable(now);
    const events: GoalEvent[] = [{ type: "evaluated", evaluation, spentMs }];
    if (keep !== null) events.push({ type: "kept", kept: keep });
    return { events, result: null };
  });
  return { loaded, evaluated };
}

/** What was measured for one contract says nothing of another one. @throws Refusal `goal_not_open` */
export function requireSameGoal(then: PerformanceGoal, now: PerformanceGoal): void {
  if (now.goalId === then.goalId) return;
  throw new Refusal("goal_not_open", "The goal was replaced while it was measured.", {
    expected: `goal ${then.goalId}`,
    found: `goal ${now.goalId}`,
    next: [`proofgate performance-goal status --slug ${then.slug}`],
  });
}

/** A complete goal may be looked at again: it may have gone stale. */
function requireMeasurable(goal: PerformanceGoal): void {
  if (goal.status === "abandoned") requireOpen(goal);
}
