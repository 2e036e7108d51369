/** When the agent stops with proof open. */

import { findRootFast } from "../../components/evidence/git-folders.ts";
import { readConfig } from "../../components/ulw-loop/workspace.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { onStop, parseStopMemory, type StopDecision, type StopFacts } from "../../hooks/continuation.ts";
import type { PlanFacts } from "../../hooks/types.ts";
import { type Payload, threadOf } from "./call.ts";
import { mayHaveGoals } from "./goals-seen.ts";
import type { HostSide } from "./host.ts";
import { notify } from "./notify.ts";
import { ownWork } from "./own-plan.ts";

const STATUSES = ["active", "paused", "blocked", "usageLimited", "budgetLimited", "complete"] as const;

/** How a turn ended, as far as a host tells. */
export type Ending = Pick<StopFacts, "ended" | "openQuestion">;

/** @returns the hook's answer; null lets the agent stop */
export async function answerStop(
  payload: Payload,
  store: SessionStore,
  host: HostSide,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (payload.agent !== null) return null;
  const decision = (await stopOf(payload, store, host))({ ended: "finished", openQuestion: false });
  switch (decision.kind) {
    case "hold":
      return { decision: "block", reason: decision.reason };
    case "let_go":
      await notify(payload, host, "let_go", decision.tellUser);
      return { decision: "block", reason: decision.tellAgent, systemMessage: decision.tellUser };
    case "quiet":
      return null;
  }
}

/**
 * Looks at what is open, which takes a moment; the decision itself is made when the turn has ended, and takes none.
 * @param instead what the session works on where it is neither a plan nor a performance goal; null: nothing
 */
export async function stopOf(
  payload: Payload,
  store: SessionStore,
  host: HostSide,
  instead: PlanFacts | null = null,
): Promise<(ending: Ending) => StopDecision> {
  const own = await ownWork(payload, host, mayHaveGoals(payload, null, store));
  // A plan that nobody took up is not this session's to finish.
  const mine = own !== null && store.bindings(payload.session).some((one) => one.plan === own.facts.planId);
  const thread = threadOf(payload);
  const hostGoal = STATUSES.find((one) => one === store.hostGoal(thread)?.goal?.status) ?? null;
  const prompted = store.note("prompts", payload.session);
  const used = host.tokens(payload);
  const budget = await budgetOf(own?.root ?? findRootFast(payload.cwd).root);
  return (ending) => {
    const decision = onStop({
      thread,
      plan: mine ? own.facts : instead,
      memory: parseStopMemory(store.note("stops", thread)),
      now: Date.now(),
      promptedAt: figure(prompted, "at"),
      tokens: used === null ? null : used - (figure(prompted, "tokens") ?? 0),
      budget,
      hostContinues: host.continues(payload, hostGoal),
      hostGoal,
      subagent: false,
      ...ending,
    });
    if (decision.next !== null) store.setNote("stops", thread, decision.next);
    return decision;
  };
}

function figure(note: unknown, name: "at" | "tokens"): number | null {
  const value = typeof note === "object" && note !== null ? Reflect.get(note, name) : null;
  return typeof value === "number" ? value : null;
}

async function budgetOf(root: string) {
  try {
    return (await readConfig(root))?.budget ?? null;
  } catch {
    return null;
  }
}
