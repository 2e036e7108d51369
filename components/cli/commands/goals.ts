/** `complete-goals`, `record-review-blockers`: which goal is worked on next. */

import { cut, shown } from "../../report/text.ts";
import { unseen } from "../../ulw-loop/assess.ts";
import { reviewBlocked } from "../../ulw-loop/checkpoint.ts";
import { handoff, stepFor } from "../../ulw-loop/handoff.ts";
import { findGoal } from "../../ulw-loop/ids.ts";
import { requireNotCancelled, takeUp } from "../../ulw-loop/take-up.ts";
import { changePlan } from "../../ulw-loop/workspace.ts";
import { requireEvidence } from "../../words/evidence-text.ts";
import type { Context, Output } from "../context.ts";
import { hostSnapshot } from "../host-argument.ts";

export async function completeGoals(context: Context): Promise<Output> {
  const ws = context.workspace();
  const { loaded, result } = changePlan(ws, "complete-goals", (plan) => {
    const taken = takeUp(plan, {
      retryFailed: context.has("retry-failed"),
      writer: context.writer,
      now: ws.now().getTime(),
    });
    return { events: taken.kind === "started" ? taken.events : [], result: taken };
  });
  const plan = loaded.state;
  const next = stepFor(plan, unseen);
  if (result.kind === "done")
    return {
      text: `All ${plan.goals.length} goals are complete.\nnext: proofgate check      (is it still proven?)`,
      json: { done: true, ledger: loaded.head, next },
    };
  if (result.kind === "blocked") {
    const lines = result.goals.map(
      (g) => `  ${g.id} ${g.status.replace("_", " ")}: ${cut(shown(g.reason), 160)}`,
    );
    return {
      text: [
        "NOT complete. No goal can be taken up:",
        ...lines,
        "next: proofgate ulw-loop complete-goals --retry-failed  (a fresh allowance, the user's to give)",
      ].join("\n"),
      json: {
        blocked: result.goals,
        ledger: loaded.head,
        next: {
          why: "every open goal is blocked or failed",
          command: "proofgate ulw-loop complete-goals --retry-failed",
        },
      },
    };
  }
  const goal = findGoal(plan, result.goal);
  const hand = handoff(plan, goal);
  const attached = result.attached ? "This session took the plan over; its former owner was silent.\n" : "";
  return {
    text: `${attached}${hand.text
      .split("\n")
      .map((line) => shown(line))
      .join("\n")}\nnext: ${next.command}`,
    json: {
      goal: { id: goal.id, title: goal.title, objective: goal.objective, status: goal.status },
      criteria: goal.successCriteria.map((c) => ({
        id: c.id,
        scenario: c.scenario,
        classes: c.classes,
        channel: c.channel,
        expectedEvidence: c.expectedEvidence,
        status: c.status,
      })),
      handoff: hand,
      attached: result.attached,
      ledger: loaded.head,
      next,
    },
  };
}

export async function reviewBlockers(context: Context): Promise<Output> {
  const ws = context.workspace();
  const input = {
    title: context.need("title"),
    objective: context.need("objective"),
    evidence: requireEvidence(context.need("evidence")),
    host: hostSnapshot(context),
  };
  const { loaded, result } = changePlan(ws, "record-review-blockers", (plan) => {
    requireNotCancelled(plan);
    const { events, followUp } = reviewBlocked(plan, findGoal(plan, context.value("goal-id")), input);
    return { events, result: followUp };
  });
  const next = stepFor(loaded.state, unseen);
  return {
    text: `Review blockers recorded; ${result.id} ${shown(result.title)} comes first, with ${result.successCriteria.length} drafts to revise.\nnext: proofgate ulw-loop complete-goals`,
    json: { followUp: { id: result.id, title: result.title }, ledger: loaded.head, next },
  };
}
