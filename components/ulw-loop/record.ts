/** Results that are told and not run: a failure, a blocker, or a claim about a browser or desktop criterion. */

import { Refusal } from "../errors.ts";
import type { PlanEvent } from "./events.ts";
import {
  type Artifact,
  type Criterion,
  criterionRef,
  type Goal,
  isClaimable,
  isClosed,
  type Plan,
} from "./model.ts";

/** @throws Refusal `goal_not_open` */
export function requireOpenGoal(goal: Goal): void {
  if (!isClosed(goal)) return;
  throw new Refusal("goal_not_open", `Goal ${goal.id} is ${goal.status}.`, {
    expected: "a goal that is still open",
    found: goal.status,
    next: ["proofgate status", "proofgate next"],
  });
}

export interface Report {
  readonly status: "fail" | "blocked";
  readonly evidence: string;
  readonly notes?: string;
}

/**
 * A failure or blocker in words. The third identical failure ends the goal as failed, in the same line of the ledger.
 * Identical: same check version and same failed expectation; without a run, the same text.
 */
export function reportCriterion(
  plan: Plan,
  goal: Goal,
  criterion: Criterion,
  report: Report,
): readonly PlanEvent[] {
  requireOpenGoal(goal);
  const key = `${criterion.version ?? "draft"}:${criterion.status === "fail" && criterion.tree !== null ? criterion.what : normalised(report.evidence)}`;
  const reported: PlanEvent = {
    type: "criterion_reported",
    goal: goal.id,
    criterion: criterion.id,
    key,
    ...report,
  };
  const count = criterion.failure?.key === key ? criterion.failure.count + 1 : 1;
  if (report.status !== "fail" || count < plan.policy.caps.failures) return [reported];
  return [
    reported,
    {
      type: "goal_checkpointed",
      goal: goal.id,
      status: "failed",
      evidence: `${criterionRef(goal, criterion)} failed ${count} times the same way: ${report.evidence.slice(0, 300)}`,
      host: { seen: "none" },
      tree: null,
    },
  ];
}

const normalised = (text: string): string =>
  text.normalize("NFC").toLowerCase().replace(/\s+/g, " ").replace(/\d+/g, "#").trim().slice(0, 200);

/** @throws Refusal `criterion_draft` for a criterion that a check has to prove and that has none. */
export function requireClaimable(goal: Goal, criterion: Criterion): void {
  if (isClaimable(criterion)) return;
  const ref = criterionRef(goal, criterion);
  throw new Refusal("criterion_draft", `${ref} has no check, so nothing can prove it yet.`, {
    expected: "a check that the tool runs",
    found: `a draft on channel ${criterion.channel}`,
    next: [
      `proofgate ulw-loop steer --kind revise_criterion --goal-id ${goal.id} --criterion-id ${criterion.id} --scenario "…" --check "COMMAND" --expect-stdout "…" --evidence "…" --rationale "…"`,
    ],
  });
}

/** The clean-up receipt that a claim must carry (contract: criteria). @throws Refusal `evidence_insufficient` */
export function requireCleanup(ref: string, evidence: string): void {
  if (/\bclean-?up\s*:/i.test(evidence)) return;
  throw new Refusal("evidence_insufficient", `${ref}: the evidence has no clean-up receipt.`, {
    expected: "… | cleanup: what was torn down, or none",
    found: "no cleanup: part",
    next: [
      "tear down what the scenario started, then add `| cleanup: …` to the evidence",
      "--status blocked if something is still alive",
    ],
  });
}

export const claimEvent = (
  goal: Goal,
  criterion: Criterion,
  claim: { tree: string; covered: string; artifact: Artifact; evidence: string; notes?: string },
): PlanEvent => ({
  type: "criterion_claimed",
  goal: goal.id,
  criterion: criterion.id,
  ...claim,
});
