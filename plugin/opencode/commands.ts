/** `/goal` and `/cancel`: words of the user's own, so they do at once what an agent may only propose. */

import type { Writer } from "../../components/journal/types.ts";
import { isClosed } from "../../components/performance-goal/model.ts";
import { abandonEvents } from "../../components/performance-goal/steps.ts";
import { changeGoal } from "../../components/performance-goal/workspace.ts";
import { isComplete } from "../../components/ulw-loop/model.ts";
import { changePlan } from "../../components/ulw-loop/workspace.ts";
import type { Payload } from "../common/call.ts";
import type { HostSide } from "../common/host.ts";
import { readableGoals } from "../common/performance.ts";
import { owns, plansAt } from "../common/sight.ts";
import { type Goal, readGoal, writeGoal } from "./goal-store.ts";
import { counted, type GoalRules, makeGoal, withStatus } from "./goal-tools.ts";

/** What the model is to do with an answer of ours. */
const JUST_SAY = "Tell the user this in your own words, in a line or two, and do nothing else:";

/**
 * @param words what stands behind the command
 * @returns what the model is told in the user's place
 */
export async function goalCommand(session: string, words: string, rules: GoalRules): Promise<string> {
  const text = words
    .trim()
    .replace(/^"([\s\S]*)"$/, "$1")
    .trim();
  const change = async (goal: Goal): Promise<void> => {
    writeGoal(session, goal);
    await rules.changed(session, goal, "");
  };
  if (text === "clear") {
    // Also a damaged one: this is how it is got rid of.
    writeGoal(session, null);
    rules.cleared(session);
    return `${JUST_SAY} the goal of this session is cleared. Nothing of the work is lost.`;
  }
  const kept = readGoal(session);
  // Until the user spoke, nobody worked.
  const known = kept === null ? null : counted(kept, rules.tokens(session), true);
  if (text === "" || text === "show" || text === "status")
    return `${JUST_SAY} ${known === null ? "this session has no goal; /goal OBJECTIVE sets one." : shown(known)}`;
  if (text === "pause" || text === "resume") {
    if (known === null) return `${JUST_SAY} this session has no goal; /goal OBJECTIVE sets one.`;
    const status = text === "pause" ? "paused" : "active";
    await change(withStatus(known, status));
    return text === "pause"
      ? `${JUST_SAY} the goal is paused; /goal resume goes on with it.`
      : `The user resumed the goal. Go on with it: ${known.objective}`;
  }
  await change(makeGoal(session, text, null, rules.tokens(session) ?? 0));
  return `The user set the goal of this session. Work on it until it is reached, then update_goal complete: ${text}`;
}

const shown = ({ objective, status, tokensUsed, timeUsedSeconds, tokenBudget }: Goal): string =>
  `goal (${status}, ${tokensUsed} ${tokenBudget === null ? "" : `of ${tokenBudget} `}tokens, ${Math.floor(timeUsedSeconds)} s): ${objective}`;

/** Releases what the session works on: plans, performance goals, its own goal. It does not resume by itself. */
export async function cancelCommand(
  payload: Payload,
  words: string,
  host: HostSide,
  rules: GoalRules,
): Promise<string> {
  const why = words.trim() === "" ? "the user cancelled" : `the user cancelled: ${words.trim()}`;
  const writer: Writer = { kind: "user", host: host.name, session: payload.session };
  const done: string[] = [];
  for (const seen of plansAt(payload.cwd, payload.session, process.env, host)) {
    const plan = seen.loaded?.state;
    if (plan === undefined || !owns(seen, payload.session) || isComplete(plan) || plan.cancelled !== null)
      continue;
    changePlan(seen.ws.as(writer), "cancel", () => ({
      events: [{ type: "plan_cancelled", why }],
      result: null,
    }));
    done.push(`plan "${plan.title}" (proofgate ulw-loop attach takes it up again)`);
  }
  for (const { ws, goal } of readableGoals(payload, host)) {
    if (goal.owner.session !== payload.session || isClosed(goal)) continue;
    changeGoal(ws.as(writer), "abandon", (now) => ({
      events: abandonEvents(now, why, "user"),
      result: null,
    }));
    done.push(`performance goal ${goal.slug} (proofgate performance-goal start takes it up again)`);
  }
  // What was released is released, also where this goal cannot be read.
  const trouble = await pauseGoal(payload.session, rules).then(
    (paused) => {
      if (paused) done.push("the session's goal is paused (/goal clear takes it away)");
      return "";
    },
    (error: unknown) => ` But: ${error instanceof Error ? error.message : String(error)}`,
  );
  return done.length === 0
    ? `${JUST_SAY} there was nothing to cancel in this session.${trouble}`
    : `The user cancelled. Stop this work now, end what you started, and ${JUST_SAY.charAt(0).toLowerCase()}${JUST_SAY.slice(1)} released: ${done.join("; ")}.${trouble}`;
}

/** @returns whether there was one to pause. @throws Error when it cannot be read */
async function pauseGoal(session: string, rules: GoalRules): Promise<boolean> {
  const goal = readGoal(session);
  if (goal === null || goal.status === "complete") return false;
  const paused = withStatus(counted(goal, rules.tokens(session), true), "paused");
  writeGoal(session, paused);
  await rules.changed(session, paused, "");
  return true;
}
