/** Notes what the session's open plan has cost so far, in tokens by the host's own count and in time at work. */

import { currentGoal } from "../../components/ulw-loop/ids.ts";
import { isComplete } from "../../components/ulw-loop/model.ts";
import { spend, type Usage } from "../../components/ulw-loop/usage.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { type Payload, threadOf } from "./call.ts";
import type { HostSide } from "./host.ts";
import { owns, type Seen } from "./sight.ts";

/**
 * Never fails: a figure is not worth a hook.
 * @param plans those of the folder
 * @param idle nobody worked until now
 */
export function noteCost(
  payload: Payload,
  store: SessionStore,
  host: HostSide,
  plans: readonly Seen[],
  idle = false,
): void {
  try {
    const { session, agent } = payload;
    const own = plans.find((seen) => owns(seen, session));
    const plan = own?.loaded?.state;
    if (plan === undefined) return;
    const known = store.note("usage", plan.planId) as Usage | null;
    if (isComplete(plan) && known?.goal === "") return;
    const goal = isComplete(plan) ? "" : (currentGoal(plan)?.id ?? "");
    const seen = {
      at: Date.now(),
      goal,
      thread: threadOf(payload),
      tokens: host.tokens(payload),
      subagent: agent !== null,
      idle,
    };
    store.setNote("usage", plan.planId, spend(known, seen));
  } catch {
    // See above.
  }
}
