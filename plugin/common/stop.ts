/** When the agent stops with proof open. */

import { readConfig } from "../../components/ulw-loop/workspace.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { onStop, parseStopMemory } from "../../hooks/continuation.ts";
import { type Payload, threadOf } from "./call.ts";
import { mayHaveGoals } from "./goals-seen.ts";
import type { HostSide } from "./host.ts";
import { notify } from "./notify.ts";
import { ownWork } from "./own-plan.ts";

const STATUSES = ["active", "paused", "blocked", "usageLimited", "budgetLimited", "complete"] as const;

/** @returns the hook's answer; null lets the agent stop */
export async function answerStop(
  payload: Payload,
  store: SessionStore,
  host: HostSide,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (payload.agent !== null) return null;
  const own = await ownWork(payload, host, mayHaveGoals(payload, null, store));
  // A plan that nobody took up is not this session's to finish.
  const mine = own !== null && store.bindings(payload.session).some((one) => one.plan === own.facts.planId);
  const thread = threadOf(payload);
  const hostGoal = STATUSES.find((one) => one === store.hostGoal(thread)?.goal?.status) ?? null;
  const prompted = store.note("prompts", payload.session);
  const used = host.tokens(payload);
  const decision = onStop({
    thread,
    plan: mine ? own.facts : null,
    memory: parseStopMemory(store.note("stops", thread)),
    now: Date.now(),
    promptedAt: figure(prompted, "at"),
    tokens: used === null ? null : used - (figure(prompted, "tokens") ?? 0),
    budget: mine ? await budgetOf(own.root) : null,
    hostContinues: host.continues(payload, hostGoal),
    hostGoal,
    ended: "finished",
    openQuestion: false,
    subagent: false,
  });
  if (decision.next !== null) store.setNote("stops", thread, decision.next);
  switch (decision.kind) {
    case "hold":
      return { decision: "block", reason: decision.reason };
    case "let_go":
      if (own !== null) await notify(payload, host, "let_go", decision.tellUser);
      return { decision: "block", reason: decision.tellAgent, systemMessage: decision.tellUser };
    case "quiet":
      return null;
  }
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
