/** What makes a plan easier to finish, and why it then waits for the user (design: weakening needs the user). */

import { isDeepStrictEqual } from "node:util";
import type { Check } from "../evidence/types.ts";
import type { PlanEvent } from "./events.ts";
import { type Criterion, criterionRef, type Goal, type Plan, type WeakeningKind } from "./model.ts";

/** The event; `known` is how many weakenings there are already, so that ids go on from there. */
export const weaken = (known: number, kind: WeakeningKind, what: string): PlanEvent => ({
  type: "plan_weakened",
  id: `W${String(known + 1).padStart(3, "0")}`,
  kind,
  what,
});

/** The new check asks for everything that the old one asked for, and perhaps more: no one is let off anything. */
export function isStronger(old: Check, next: Check): boolean {
  const { expect: oldExpect, ...oldRest } = old;
  const { expect: nextExpect, ...nextRest } = next;
  return (
    isDeepStrictEqual(oldRest, nextRest) &&
    Object.entries(oldExpect).every(([key, value]) => isDeepStrictEqual(Reflect.get(nextExpect, key), value))
  );
}

/** Why a revision of this criterion needs the user, or null when it is free. */
export function revisionWeakens(
  goal: Goal,
  criterion: Criterion,
  change: { scenario?: string; channel?: string; check?: Check },
): string | null {
  const ref = criterionRef(goal, criterion);
  const promised = criterion.approved || criterion.author === "user";
  if (change.channel !== undefined && change.channel !== criterion.channel && (promised || criterion.tried))
    return `${ref}: channel ${criterion.channel} became ${change.channel}`;
  if (change.check !== undefined && criterion.check !== null) {
    if (isStronger(criterion.check, change.check)) return null;
    if (criterion.tried)
      return `${ref}: check changed after it ${criterion.status === "pass" ? "passed" : "failed"}`;
    if (promised) return `${ref}: a check that the user had agreed to was changed`;
    return null;
  }
  if (change.scenario !== undefined && promised)
    return `${ref}: a scenario that the user had agreed to was reworded`;
  return null;
}

/**
 * Why superseding this goal needs the user, or null. A goal that nobody but the agent promised may be replaced by goals
 * that were added since; one that the user wrote or approved, or one replaced by what was to be done anyway, may not.
 */
export function supersedingWeakens(plan: Plan, goal: Goal, replacements: readonly Goal[]): string | null {
  if (replacements.length === 0) return `${goal.id} superseded without a replacement`;
  if (goal.successCriteria.some((c) => c.approved || c.author === "user"))
    return `${goal.id} superseded, with criteria that the user had agreed to`;
  const used = new Set(plan.goals.flatMap((g) => (g.status === "superseded" ? g.by : [])));
  if (replacements.some((r) => !used.has(r.id) && goalNumber(r) > plan.begunWith)) return null;
  return `${goal.id} superseded by ${replacements.map((r) => r.id).join(", ")}, which had to be done anyway`;
}

/** Ids above the number of goals that the plan began with belong to goals that were added for a reason. */
const goalNumber = (goal: Goal): number => Number(/^G(\d+)/.exec(goal.id)?.[1] ?? 0);
