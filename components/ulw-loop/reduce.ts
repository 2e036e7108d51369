/** The fold: what each event makes of the plan. Total, pure, no clock and no disk. */

import type { LineMeta, Workflow } from "../journal/types.ts";
import { DEFAULT_POLICY } from "./config.ts";
import { failureWords, type PlanEvent, type Receipt, type RunOutcome } from "./events.ts";
import type { Criterion, CriterionState, Goal, GoalState, Plan } from "./model.ts";
import { peekGoal } from "./peek.ts";

const EMPTY_PLAN: Plan = {
  planId: "",
  title: "",
  deliverable: "",
  constraints: [],
  createdAt: "",
  mode: "aggregate",
  objective: "",
  base: { commit: null, tree: "" },
  verify: [],
  share: [],
  setup: [],
  policy: DEFAULT_POLICY,
  owner: { session: null, host: "none", at: "" },
  cancelled: null,
  goals: [],
  weakenings: [],
  amended: 0,
  begunWith: 0,
  gate: null,
  approvals: [],
};

/** ulw-loop as the journal wants it. */
export const ulwLoop: Workflow<Plan, PlanEvent> = {
  format: "proofgate-ulw-loop",
  snapshotName: "goals.json",
  initial: EMPTY_PLAN,
  lazy: { member: "goals", mark: '{"id":"G', peek: peekGoal },
  reduce,
};

/** Each line that the owner's session writes is a sign of life, so that nobody takes its plan over meanwhile. */
function reduce(before: Plan, event: PlanEvent, meta: LineMeta): Plan {
  const plan = changed(before, event, meta);
  const { owner } = plan;
  if (owner.session === null || owner.session !== meta.by.session) return plan;
  return { ...plan, owner: { ...owner, at: meta.at } };
}

function changed(plan: Plan, event: PlanEvent, meta: LineMeta): Plan {
  switch (event.type) {
    case "plan_created":
      return { ...EMPTY_PLAN, ...event.plan, createdAt: meta.at, begunWith: event.plan.goals.length };
    case "plan_recovered":
      return event.plan;
    case "goal_added":
      return { ...plan, goals: [...plan.goals, event.goal] };
    case "goal_started":
      return onGoal(plan, event.goal, (goal) => ({
        ...bare(goal),
        status: "in_progress",
        since: meta.at,
        cycles: event.fresh ? 0 : goal.cycles,
        successCriteria: event.fresh
          ? goal.successCriteria.map((c) => ({ ...c, failure: null }))
          : goal.successCriteria,
      }));
    case "criterion_ran":
      return onCriterion(plan, event.goal, event.criterion, (criterion) =>
        criterion.version === event.version
          ? afterRun(criterion, event.outcome, event.receipt, meta)
          : criterion,
      );
    case "criterion_interrupted":
      return onCriterion(plan, event.goal, event.criterion, (criterion) =>
        criterion.status === "open"
          ? {
              ...criterion,
              note: `interrupted by ${event.signal} after ${duration(event.afterMs)}; nothing was learned`,
            }
          : criterion,
      );
    case "criterion_claimed":
      return onCriterion(plan, event.goal, event.criterion, (criterion) => ({
        ...stateless(criterion),
        failure: null,
        tried: true,
        status: "pass",
        proof: {
          kind: "claimed",
          seq: meta.seq,
          at: meta.at,
          tree: event.tree,
          covered: event.covered,
          artifact: event.artifact,
        },
      }));
    case "criterion_reported":
      return onCriterion(plan, event.goal, event.criterion, (criterion) => ({
        ...stateless(criterion),
        tried: true,
        failure: event.status === "fail" ? counted(criterion.failure, event.key) : criterion.failure,
        ...(event.status === "fail"
          ? { status: "fail" as const, what: event.evidence.slice(0, 200), tree: null }
          : { status: "blocked" as const, what: event.evidence.slice(0, 200) }),
      }));
    case "goal_checkpointed":
      return onGoal(plan, event.goal, (goal) => ({
        ...bare(goal),
        cycles: event.status === "failed" ? goal.cycles + 1 : goal.cycles,
        ...checkpointed(event.status, event.evidence, meta),
      }));
    case "goal_review_blocked": {
      const marked = onGoal(plan, event.goal, (goal) => ({
        ...bare(goal),
        status: "review_blocked",
        followUp: event.followUp.id,
        reason: event.evidence.slice(0, 200),
      }));
      return { ...marked, goals: insertAfter(marked.goals, event.goal, [event.followUp]), gate: null };
    }
    case "goal_revised":
      return onGoal(plan, event.goal, (goal) => ({
        ...goal,
        title: event.title ?? goal.title,
        objective: event.objective ?? goal.objective,
      }));
    case "criterion_revised":
      return {
        ...onCriterion(plan, event.goal, event.criterion, (criterion) => {
          const revised = {
            ...criterion,
            scenario: event.scenario ?? criterion.scenario,
            expectedEvidence: event.expectedEvidence ?? criterion.expectedEvidence,
            channel: event.channel ?? criterion.channel,
            approved: event.by === "user",
          };
          if (event.check === undefined) return revised;
          return {
            ...stateless(revised),
            status: "open",
            note: "",
            check: event.check,
            version: event.version ?? null,
            author: event.by,
            tried: false,
            failedOn: null,
            before: null,
          };
        }),
        amended: plan.amended + 1,
      };
    case "goals_reordered":
      return { ...plan, goals: reorder(plan.goals, event.order) };
    case "goal_split": {
      const marked = onGoal(plan, event.goal, (goal) => ({
        ...bare(goal),
        status: "superseded",
        by: event.children.map((child) => child.id),
        successCriteria: [],
      }));
      return { ...marked, goals: insertAfter(marked.goals, event.goal, event.children) };
    }
    case "goal_superseded":
      return onGoal(plan, event.goal, (goal) => ({
        ...bare(goal),
        status: "superseded",
        by: event.replacements,
      }));
    case "criterion_waived":
      return onCriterion(plan, event.goal, event.criterion, (criterion) => ({
        ...criterion,
        waived: { why: event.rationale, by: event.weakening },
      }));
    case "plan_weakened":
      return {
        ...plan,
        weakenings: [
          ...plan.weakenings,
          { id: event.id, kind: event.kind, what: event.what, seq: meta.seq, approved: false },
        ],
      };
    case "plan_approved":
      return {
        ...plan,
        approvals: [...plan.approvals, { id: event.approval.id, at: meta.at }],
        weakenings: plan.weakenings.map((w) =>
          event.approval.weakenings.includes(w.id) ? { ...w, approved: true } : w,
        ),
        goals: plan.goals.map((goal) => ({
          ...goal,
          successCriteria: goal.successCriteria.map((criterion) =>
            event.approval.criteria[`${goal.id}-${criterion.id}`] === (criterion.version ?? "draft")
              ? { ...criterion, approved: true }
              : criterion,
          ),
        })),
      };
    case "gate_recorded":
      return {
        ...plan,
        gate: {
          seq: meta.seq,
          tree: event.tree,
          commands: event.commands,
          review: event.review,
          cleaner: event.cleaner,
          artifact: event.artifact,
        },
      };
    case "session_attached":
      return { ...plan, owner: { session: event.session, host: event.host, at: meta.at }, cancelled: null };
    case "plan_cancelled":
      return {
        ...plan,
        cancelled: { at: meta.at, why: event.why, by: meta.by.kind },
        goals: plan.goals.map((goal) =>
          goal.status === "in_progress" ? { ...bare(goal), status: "pending" } : goal,
        ),
      };
    case "ledger_annotated":
      return plan;
  }
}

function afterRun(
  criterion: Criterion,
  outcome: RunOutcome,
  { artifact, captured }: Pick<Receipt, "artifact" | "captured">,
  meta: LineMeta,
): Criterion {
  const base = stateless(criterion);
  switch (outcome.kind) {
    case "pass":
      return {
        ...base,
        tried: true,
        failure: null,
        failedOn: null,
        before: outcome.before,
        status: "pass",
        proof: {
          kind: "captured",
          seq: meta.seq,
          at: meta.at,
          tree: outcome.tree,
          covered: outcome.covered,
          whole: outcome.whole,
          own: outcome.own,
          ignored: outcome.ignored,
          artifact,
          ...(captured === undefined ? {} : { captured }),
        },
      };
    case "fail": {
      const before = criterion.failedOn?.tree === outcome.tree ? criterion.failedOn.count : 0;
      return {
        ...base,
        tried: true,
        failedOn: { tree: outcome.tree, count: before + 1 },
        status: "fail",
        what: failureWords(outcome.expectation, outcome.wanted, outcome.got),
        tree: outcome.tree,
      };
    }
    case "flaky": {
      const before = criterion.failedOn?.tree === outcome.tree ? criterion.failedOn.count : 0;
      return {
        ...base,
        tried: true,
        failedOn: { tree: outcome.tree, count: before + 1 },
        status: "fail",
        what: `flaky: ${outcome.what}`,
        tree: outcome.tree,
      };
    }
    // Nothing was learned about the tree, so what was known stays known.
    case "inconclusive":
    case "not_run":
      return criterion.status === "open"
        ? {
            ...base,
            status: "open",
            note: `${outcome.kind === "not_run" ? "not run" : "inconclusive"}: ${outcome.what}`.slice(0, 300),
          }
        : criterion;
    case "moved":
      return criterion;
    case "blocked":
      return { ...base, status: "blocked", what: outcome.what };
  }
}

const duration = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

function counted(failure: Criterion["failure"], key: string): Criterion["failure"] {
  return failure?.key === key ? { key, count: failure.count + 1 } : { key, count: 1 };
}

function checkpointed(
  status: "complete" | "failed" | "blocked",
  evidence: string,
  meta: LineMeta,
): GoalState {
  if (status === "complete") return { status, at: meta.at, note: evidence.slice(0, 400) };
  return { status, reason: evidence.slice(0, 400) };
}

/** A goal without what belongs to its present status, so that nothing of an old state hangs on. */
function bare(goal: Goal): Omit<Goal, keyof GoalState> & { cycles: number } {
  const { id, title, objective, author, without, successCriteria, cycles } = goal;
  return { id, title, objective, author, without, successCriteria, cycles };
}

function stateless(criterion: Criterion): Omit<Criterion, keyof CriterionState> {
  const { id, classes, scenario, channel, adversarial, stop, expectedEvidence, check, version } = criterion;
  const { author, approved, tried, failure, before, failedOn, waived, parallel } = criterion;
  return {
    id,
    classes,
    scenario,
    channel,
    adversarial,
    stop,
    expectedEvidence,
    check,
    ...(parallel === undefined ? {} : { parallel }),
    version,
    author,
    approved,
    tried,
    failure,
    before,
    failedOn,
    waived,
  };
}

function onGoal(plan: Plan, id: string, change: (goal: Goal) => Goal): Plan {
  return { ...plan, goals: plan.goals.map((goal) => (goal.id === id ? change(goal) : goal)) };
}

function onCriterion(
  plan: Plan,
  goalId: string,
  id: string,
  change: (criterion: Criterion) => Criterion,
): Plan {
  return onGoal(plan, goalId, (goal) => ({
    ...goal,
    successCriteria: goal.successCriteria.map((criterion) =>
      criterion.id === id ? change(criterion) : criterion,
    ),
  }));
}

function insertAfter(goals: readonly Goal[], id: string, added: readonly Goal[]): readonly Goal[] {
  return goals.flatMap((goal) => (goal.id === id ? [goal, ...added] : [goal]));
}

/** The named goals take the places that they hold together, in the new order; the others stay where they are. */
function reorder(goals: readonly Goal[], order: readonly string[]): readonly Goal[] {
  const named = order.flatMap((id) => goals.filter((goal) => goal.id === id));
  let taken = 0;
  return goals.map((goal) => (order.includes(goal.id) ? (named[taken++] ?? goal) : goal));
}
