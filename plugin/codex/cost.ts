/** Notes what the session's open plan has cost so far, in tokens by the host's own count and in time at work. */

import { currentGoal } from "../../components/ulw-loop/ids.ts";
import { isComplete } from "../../components/ulw-loop/model.ts";
import { spend, type Usage } from "../../components/ulw-loop/usage.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { type Payload, threadOf } from "./payload.ts";
import { owns, type Seen } from "./sight.ts";
import { newest } from "./transcript.ts";

/**
 * Never fails: a figure is not worth a hook.
 * @param plans those of the folder
 * @param idle nobody worked until now
 */
export function noteCost(payload: Payload, store: SessionStore, plans: readonly Seen[], idle = false): void {
  try {
    const { session, agent } = payload;
    const own = plans.find((seen) => owns(seen, session));
    const plan = own?.loaded?.state;
    if (plan === undefined) return;
    const known = store.note("usage", plan.planId) as Usage | null;
    if (isComplete(plan) && known?.goal === "") return;
    const goal = isComplete(plan) ? "" : (currentGoal(plan)?.id ?? "");
    const record = agent === null ? payload.transcript : payload.agentTranscript;
    const seen = {
      at: Date.now(),
      goal,
      thread: threadOf(payload),
      tokens: tokensIn(record),
      subagent: agent !== null,
      idle,
    };
    store.setNote("usage", plan.planId, spend(known, seen));
  } catch {
    // See above.
  }
}

/** Everything that a thread used, as of its last answer; null where the record does not say. */
export function tokensIn(record: string | null): number | null {
  const info = newest(record, "event_msg", "token_count")?.info;
  const usage = member(info, "total_token_usage");
  const tokens = member(usage, "total_tokens");
  return typeof tokens === "number" && Number.isFinite(tokens) ? tokens : null;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
