/** From the engine's plan to what the policies know of it. Pure: the caller has read the state and looked at the tree. */

import type { Writer } from "../components/journal/types.ts";
import type { Assessed } from "../components/ulw-loop/assess.ts";
import type { Next } from "../components/ulw-loop/handoff.ts";
import { isComplete, type Plan } from "../components/ulw-loop/model.ts";
import { takeUp } from "../components/ulw-loop/take-up.ts";
import type { PlanFacts } from "./types.ts";

/** More would not fit into any text. */
const MOST_OPEN = 12;

export interface Seen {
  readonly plan: Plan;
  /** Of every goal that counts. */
  readonly assessed: readonly Assessed[];
  readonly next: Next;
  readonly ledger: string;
  readonly tree: string | null;
}

export function planFacts({ plan, assessed, next, ledger, tree }: Seen): PlanFacts {
  const proven = assessed.filter(holds).length;
  const takenUp = plan.cancelled === null && !isComplete(plan) ? whatComesNext(plan) : null;
  const goal =
    takenUp?.kind === "started"
      ? plan.goals.find((one) => one.id === takenUp.goal)
      : plan.goals.find((one) => one.status === "blocked" || one.status === "failed");
  const own = assessed.filter((a) => a.goal.id === goal?.id);
  return {
    planId: plan.planId,
    title: plan.title,
    state: stateOf(plan, proven === assessed.length),
    stuck: takenUp?.kind === "blocked",
    waitsForUser: next.command === "proofgate approve",
    total: assessed.length,
    proven,
    goal:
      goal === undefined
        ? null
        : { id: goal.id, title: goal.title, total: own.length, proven: own.filter(holds).length },
    open: own
      .filter((a) => !holds(a))
      .slice(0, MOST_OPEN)
      .map((a) => ({ ref: a.ref, what: a.why === "" ? a.word : `${a.word}: ${a.why}` })),
    next,
    ledger,
    tree,
  };
}

const holds = (a: Assessed): boolean => a.word === "proven" || a.word === "claimed" || a.word === "waived";

function stateOf(plan: Plan, allHold: boolean): PlanFacts["state"] {
  if (plan.cancelled !== null) return "cancelled";
  if (!isComplete(plan)) return "open";
  return allHold ? "complete" : "stale";
}

/** What `complete-goals` would do. Asked without a session: whose plan it is, the caller has settled. */
function whatComesNext(plan: Plan): ReturnType<typeof takeUp> {
  const writer: Writer = { kind: "agent", host: "none", session: null };
  return takeUp(plan, { retryFailed: false, writer, now: 0 });
}
