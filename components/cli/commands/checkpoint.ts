/** `checkpoint`, `record-quality-gate`: the gated transitions of a goal. */

import { Refusal } from "../../errors.ts";
import { plural, shown } from "../../report/text.ts";
import { unseen } from "../../ulw-loop/assess.ts";
import { isLast } from "../../ulw-loop/checkpoint.ts";
import { checkpointGoal } from "../../ulw-loop/complete.ts";
import { stepFor } from "../../ulw-loop/handoff.ts";
import { findGoal } from "../../ulw-loop/ids.ts";
import { isComplete } from "../../ulw-loop/model.ts";
import { type Reviews, recordQualityGate, reviewsFrom } from "../../ulw-loop/quality-gate.ts";
import { requirePlan } from "../../ulw-loop/workspace.ts";
import { requireEvidence } from "../../words/evidence-text.ts";
import type { Context, Output } from "../context.ts";
import { hostSnapshot } from "../host-argument.ts";
import { readJsonArgument } from "../input.ts";

export async function checkpointCommand(context: Context): Promise<Output> {
  const ws = context.workspace();
  const status = checkpointStatus(context.need("status"));
  const evidence = requireEvidence(context.need("evidence"));
  const gate = context.value("quality-gate-json");
  if (gate === "-" && context.value("codex-goal-json") === "-")
    throw new Refusal("usage_conflict", "Standard input can be only one of the two.", {
      expected: "- for --codex-goal-json or for --quality-gate-json",
      found: "- for both",
      next: ["give one of them inline or as a path"],
    });
  const host = hostSnapshot(context);
  if (gate !== undefined && status === "complete") {
    const reviews = reviewsFrom(readJsonArgument("quality-gate-json", gate, context.cwd));
    const plan = requirePlan(ws).state;
    // Only the last goal has a gate; earlier ones may carry the JSON without harm.
    if (isLast(plan, findGoal(plan, context.value("goal-id"))))
      await recordQualityGate(ws, reviews, (what) => context.progress(`verify: ${what}`));
  }
  const { loaded, goal } = await checkpointGoal(ws, {
    goalId: context.value("goal-id"),
    status,
    evidence,
    host,
  });
  const plan = loaded.state;
  const next = stepFor(plan, unseen);
  const done = isComplete(plan);
  return {
    text: `${goal} ${status}.${done ? ` The plan is complete: ${plural(plan.goals.length, "goal")}.` : ""}\nnext: ${next.command}`,
    json: { goal, status: findGoal(plan, goal).status, complete: done, ledger: loaded.head, next },
  };
}

export async function qualityGate(context: Context): Promise<Output> {
  const ws = context.workspace();
  const given = context.value("quality-gate-json");
  const reviews: Reviews =
    given !== undefined
      ? reviewsFrom(readJsonArgument("quality-gate-json", given, context.cwd))
      : {
          review: {
            recommendation: context.need("recommendation"),
            architectStatus: context.need("architect-status"),
            evidence: context.need("review"),
          },
          cleaner: context.need("cleaner"),
        };
  requireEvidence(reviews.review.evidence, "--review");
  requireEvidence(reviews.cleaner, "--cleaner");
  const { loaded, form } = await recordQualityGate(ws, reviews, (what) =>
    context.progress(`verify: ${what}`),
  );
  const next = stepFor(loaded.state, unseen);
  const { passCount, totalCriteria } = form.criteriaCoverage;
  return {
    text: `Quality gate recorded: ${plural(form.verification.commands.length, "verify command")} passed, ${passCount} of ${totalCriteria} criteria proven, review ${shown(form.codeReview.recommendation)} (self-reviewed).\nnext: ${next.command}`,
    json: { qualityGate: form, review: "self", ledger: loaded.head, next },
  };
}

function checkpointStatus(value: string): "complete" | "failed" | "blocked" {
  if (value === "complete" || value === "failed" || value === "blocked") return value;
  throw new Refusal("usage_bad_value", "--status takes complete, failed or blocked.", {
    expected: "complete, failed or blocked",
    found: JSON.stringify(value.slice(0, 40)),
    next: ["proofgate help checkpoint"],
  });
}
