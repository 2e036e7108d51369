/** Which goal comes next, and who may take it up. */

import { Refusal } from "../errors.ts";
import type { Writer } from "../journal/types.ts";
import type { PlanEvent } from "./events.ts";
import { type Goal, isClosed, isComplete, type Plan } from "./model.ts";

/** A session that wrote nothing for this long is gone, and another may go on in its place. */
const OWNER_SILENT_MS = 15 * 60_000;

export type TakenUp =
  | {
      readonly kind: "started";
      readonly goal: string;
      readonly events: readonly PlanEvent[];
      readonly attached: boolean;
    }
  | { readonly kind: "done" }
  | { readonly kind: "blocked"; readonly goals: readonly { id: string; status: string; reason: string }[] };

/** @throws Refusal `plan_cancelled`, `session_taken` */
export function takeUp(plan: Plan, input: { retryFailed: boolean; writer: Writer; now: number }): TakenUp {
  requireNotCancelled(plan);
  const attach = attachIfOwnerIsGone(plan, input.writer, input.now);
  if (isComplete(plan)) return { kind: "done" };
  const goal = eligible(plan, input.retryFailed);
  if (goal === undefined)
    return {
      kind: "blocked",
      goals: plan.goals
        .filter((g) => !isClosed(g))
        .map((g) => ({ id: g.id, status: g.status, reason: "reason" in g ? g.reason : "" })),
    };
  const start: readonly PlanEvent[] =
    goal.status === "in_progress"
      ? []
      : [{ type: "goal_started", goal: goal.id, fresh: input.retryFailed && goal.status !== "pending" }];
  return { kind: "started", goal: goal.id, events: [...attach, ...start], attached: attach.length > 0 };
}

/**
 * In progress first, then pending, then goals whose blocking follow-up is done, then failed ones that have cycles left.
 * Blocked ones and those past their cycles wait for `--retry-failed`.
 */
function eligible(plan: Plan, retryFailed: boolean): Goal | undefined {
  const done = (id: string): boolean => plan.goals.some((g) => g.id === id && isClosed(g));
  const order: ((goal: Goal) => boolean)[] = [
    (g) => g.status === "in_progress",
    (g) => g.status === "pending",
    (g) => g.status === "review_blocked" && done(g.followUp),
    (g) => g.status === "failed" && !isCapped(plan, g),
    (g) => retryFailed && (g.status === "failed" || g.status === "blocked" || g.status === "review_blocked"),
  ];
  for (const fits of order) {
    const goal = plan.goals.find(fits);
    if (goal !== undefined) return goal;
  }
  return undefined;
}

/** The goal used up its cycles, or one of its criteria failed the same way too often (contract: caps). */
const isCapped = (plan: Plan, goal: Goal): boolean =>
  goal.cycles >= plan.policy.caps.cycles ||
  goal.successCriteria.some((c) => c.failure !== null && c.failure.count >= plan.policy.caps.failures);

/** @throws Refusal `plan_cancelled` */
export function requireNotCancelled(plan: Plan): void {
  if (plan.cancelled === null) return;
  throw new Refusal("plan_cancelled", "The plan was cancelled and does not resume by itself.", {
    expected: "a plan that is going on",
    found: `cancelled ${plan.cancelled.at}: ${plan.cancelled.why}`,
    next: ["proofgate ulw-loop attach  (takes it up again)"],
  });
}

/** Subagents carry their root's session, so they are never strangers; no session at all is a person or a plain shell. */
function attachIfOwnerIsGone(plan: Plan, writer: Writer, now: number): readonly PlanEvent[] {
  const owner = plan.owner.session;
  if (writer.session === null || writer.session === owner) return [];
  const silent = owner === null || plan.owner.at === "" || now - Date.parse(plan.owner.at) > OWNER_SILENT_MS;
  if (silent)
    return [{ type: "session_attached", session: writer.session, host: writer.host, previous: owner }];
  throw new Refusal("session_taken", "Another session is working on this plan.", {
    expected: `session ${owner}`,
    found: `session ${writer.session}`,
    next: [
      "proofgate ulw-loop attach  (take it over)",
      "proofgate ulw-loop create-goals --session-id NAME …  (a plan of your own)",
    ],
  });
}
