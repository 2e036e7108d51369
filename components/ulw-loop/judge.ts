/** The rules that stand between a goal and "complete". Each returns every defect at once, never only the first. */

import type { Problem } from "../errors.ts";
import { describeCheck } from "../evidence/channels/words.ts";
import type { Before } from "../evidence/types.ts";
import { type Assessed, assessGoal, assessPlan, isRed, type Present } from "./assess.ts";
import { type Policy, raisePolicy } from "./config.ts";
import { type Criterion, countedGoals, criterionRef, type Goal, isClosed, type Plan } from "./model.ts";

/**
 * What keeps one goal from being complete.
 * Rules: every criterion proven and fresh (design: proof, fresh); a happy criterion red, or the user's approval of every pin;
 * and the user's approval of a pin that was hollowed out, whatever else is red.
 */
export function goalDefects(plan: Plan, goal: Goal, present: Present, policy: Policy): readonly Problem[] {
  const assessed = assessGoal(plan, goal, present);
  const defects = assessed.flatMap((a) => [...criterionDefect(a, policy), ...hollowDefect(a)]);
  if (defects.length > 0) return defects;
  const pins = unapprovedPins(goal, assessed);
  if (pins.length === 0) return [];
  const reason = pins.some((a) => a.word === "claimed") ? "only claimed" : pins[0]?.why;
  return [
    {
      where: goal.id,
      code: "not_red",
      message: `no happy criterion failed before the work (${pins.map((a) => a.criterion.id).join(" ")}: ${reason}); add a test that fails on the base, or the user approves`,
    },
  ];
}

/** Defects of one assessed criterion under the policy; empty when it counts. */
function criterionDefect(a: Assessed, policy: Policy): readonly Problem[] {
  switch (a.word) {
    case "waived":
      return [];
    case "proven":
      return policy.minimum === "reproduced"
        ? [{ where: a.ref, code: "captured", message: "captured only; the policy asks for reproduced" }]
        : [];
    case "claimed":
      return policy.minimum === "attested"
        ? []
        : [{ where: a.ref, code: "claimed", message: `claimed only; the policy asks for ${policy.minimum}` }];
    case "draft":
      return [{ where: a.ref, code: "draft", message: "draft: it has no check yet" }];
    default:
      return [{ where: a.ref, code: a.word, message: a.why === "" ? a.word : `${a.word}: ${a.why}` }];
  }
}

/**
 * Why a pass says nothing about what worked before; null when it does. A test that was changed and is red for it shows new
 * behaviour, which is what a happy criterion is there for; where old behaviour is to be kept, it is the loss of it.
 */
export function hollowed(before: Before | null, criterion: Pick<Criterion, "classes">): string | null {
  if (before?.outcome === "hollowed") return before.saw;
  const keeps = criterion.classes.includes("regression") && !criterion.classes.includes("happy");
  return keeps && before?.lost !== undefined
    ? `its own test was changed: the base's version fails here (${before.lost})`
    : null;
}

/** A pin whose check says nothing as it is now counts only when the user looked at it. */
function hollowDefect(a: Assessed): readonly Problem[] {
  const why = a.word === "proven" && !a.criterion.approved ? hollowed(a.criterion.before, a.criterion) : null;
  if (why === null) return [];
  const message = `${why}; put the check back, or the user approves it: proofgate approve`;
  return [{ where: a.ref, code: "hollowed", message }];
}

/** Happy criteria that were not red, when none of the goal was and the user approved not all of them. */
export function unapprovedPins(goal: Goal, assessed: readonly Assessed[]): readonly Assessed[] {
  if (goal.successCriteria.some((c) => c.classes.includes("happy") && isRed(c))) return [];
  const counting = assessed.filter((a) => a.word !== "waived");
  if (counting.length === 0 || counting.every((a) => a.criterion.approved)) return [];
  const happy = counting.filter((a) => a.criterion.classes.includes("happy"));
  return happy.length > 0 ? happy : counting;
}

/** What keeps the whole plan from being complete, the quality gate and open weakenings included. */
export function planDefects(
  plan: Plan,
  present: Present,
  policy: Policy,
  ending: string | null = null,
): readonly Problem[] {
  const goals = countedGoals(plan).flatMap((goal) => {
    const open =
      !isClosed(goal) && goal.id !== ending
        ? [{ where: goal.id, code: "open_goal", message: `${goal.status.replace("_", " ")}` }]
        : [];
    return open.length > 0 ? open : goalDefects(plan, goal, present, policy);
  });
  const independent =
    policy.review === "independent" && present.reviewed !== true
      ? [
          {
            where: "review",
            code: "review_open",
            message: `the policy asks for an independent review of this very tree: ${present.reviewNote ?? "have codex-ultrawork-reviewer look at it"}`,
          },
        ]
      : [];
  return [...goals, ...weakeningDefects(plan), ...independent];
}

/** Weakenings that wait for the user. */
function weakeningDefects(plan: Plan): readonly Problem[] {
  return plan.weakenings
    .filter((w) => !w.approved)
    .map((w) => ({
      where: w.id,
      code: "approval_needed",
      message: `${w.kind.replace("_", " ")}, not approved by the user: ${w.what}`,
    }));
}

/** The gate is there, clean, and of the present tree. */
export function gateDefects(plan: Plan, present: Present): readonly Problem[] {
  if (plan.gate === null)
    return [
      {
        where: "quality gate",
        code: "quality_gate_open",
        message: "not recorded: proofgate ulw-loop record-quality-gate",
      },
    ];
  if (!present.intact(plan.gate.artifact))
    return [
      {
        where: "quality gate",
        code: "quality_gate_open",
        message: `${plan.gate.artifact.path} changed or is gone`,
      },
    ];
  if (present.tree !== null && plan.gate.tree !== present.tree.id)
    return [
      { where: "quality gate", code: "quality_gate_open", message: "the tree changed after it was recorded" },
    ];
  return [];
}

/** Counts that the quality gate reports, recomputed and never taken from the agent. */
export function coverage(
  plan: Plan,
  present: Present,
): { totalCriteria: number; passCount: number; adversarialClassesCovered: readonly string[] } {
  const assessed = assessPlan(plan, present).filter((a) => a.word !== "waived");
  const passing = assessed.filter((a) => a.word === "proven" || a.word === "claimed");
  return {
    totalCriteria: assessed.length,
    passCount: passing.length,
    adversarialClassesCovered: [...new Set(passing.flatMap((a) => a.criterion.adversarial))].sort(),
  };
}

/** Policy in force: what the ledger fixed, raised by what the file says today. */
export function policyInForce(plan: Plan, file: Policy | null): Policy {
  return file === null ? plan.policy : raisePolicy(plan.policy, file).effective;
}

/** What the user is asked to approve: criteria they have not seen, and open weakenings. */
export function openApprovals(plan: Plan): {
  criteria: readonly { ref: string; version: string; scenario: string; run: string }[];
  weakenings: Plan["weakenings"];
} {
  const criteria = countedGoals(plan).flatMap((goal) =>
    goal.successCriteria
      .filter((c) => !c.approved)
      .map((c) => ({
        ref: criterionRef(goal, c),
        version: c.version ?? "draft",
        scenario: c.scenario,
        run: c.check === null ? "(no check)" : describeCheck(c.check),
      })),
  );
  return { criteria, weakenings: plan.weakenings.filter((w) => !w.approved) };
}
