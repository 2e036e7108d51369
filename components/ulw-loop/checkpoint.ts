/** Gated transitions of a goal: complete, failed, blocked, review-blocked. */

import { type Problem, Refusal } from "../errors.ts";
import { type HostGoal, reconcile, sameObjective, storyObjective } from "../goal-mode/snapshot.ts";
import type { Present } from "./assess.ts";
import type { Policy } from "./config.ts";
import { makeGoal, proseGoal } from "./create.ts";
import type { HostNote, PlanEvent } from "./events.ts";
import { nextGoalId } from "./ids.ts";
import { gateDefects, goalDefects, planDefects } from "./judge.ts";
import { criterionRef, type Goal, isClosed, type Plan } from "./model.ts";
import { requireOpenGoal } from "./record.ts";

/** A snapshot that was given, or `undefined` for none. `null` inside: the host says that there is no goal. */
export interface HostSnapshot {
  readonly goal: HostGoal | null;
}

export interface CheckpointInput {
  readonly status: "complete" | "failed" | "blocked";
  readonly evidence: string;
  readonly host: HostSnapshot | undefined;
  readonly present: Present;
  readonly policy: Policy;
}

/** The goal is the last one that is still open. */
export const isLast = (plan: Plan, goal: Goal): boolean =>
  plan.goals.every((g) => g.id === goal.id || isClosed(g));

/**
 * @throws Refusal `goal_not_open`, `snapshot_mismatch`, `not_proven`, `quality_gate_open`, `approval_needed`; every defect is listed.
 */
export function checkpoint(plan: Plan, goal: Goal, input: CheckpointInput): readonly PlanEvent[] {
  if (goal.status === "complete" && input.status === "complete") return [];
  requireOpenGoal(goal);
  const event = (host: HostNote): PlanEvent => ({
    type: "goal_checkpointed",
    goal: goal.id,
    status: input.status,
    evidence: input.evidence,
    host,
    tree: input.present.tree?.id ?? null,
  });
  // Failed and blocked always pass: a gate must not trap an agent that says it cannot go on.
  if (input.status !== "complete") return [event(hostNote(plan, goal, input.host, "any"))];

  const last = isLast(plan, goal);
  const defects = last
    ? [...planDefects(plan, input.present, input.policy, goal.id), ...gateDefects(plan, input.present)]
    : goalDefects(plan, goal, input.present, input.policy);
  if (defects.length > 0) throw notComplete(plan, goal, defects, last);
  return [event(hostNote(plan, goal, input.host, hostNeed(plan, last)))];
}

/** Aggregate: not complete before the last goal, complete at the last. Per story: each goal's own host goal is complete. */
const hostNeed = (plan: Plan, last: boolean): "complete" | "not_complete" =>
  plan.mode === "per-story" || last ? "complete" : "not_complete";

/** @throws Refusal `snapshot_mismatch` */
function hostNote(
  plan: Plan,
  goal: Goal,
  host: HostSnapshot | undefined,
  need: "complete" | "not_complete" | "any",
): HostNote {
  if (host === undefined) return { seen: "none" };
  if (host.goal === null) return { seen: "absent", note: "the host has no goal" };
  const expectedObjective = plan.mode === "per-story" ? storyObjective(goal) : plan.objective;
  if (need === "any")
    return sameObjective(expectedObjective, host.goal.objective)
      ? { seen: "matched", note: `host goal ${host.goal.status}` }
      : { seen: "other", note: `another host goal, ${host.goal.status}` };
  const answer = reconcile({ expectedObjective, need, goal: host.goal });
  if (!answer.ok) throw answer.refusal;
  return { seen: "matched", note: answer.note };
}

/** One refusal that names every defect and the one command that deals with most of them. */
function notComplete(plan: Plan, goal: Goal, defects: readonly Problem[], last: boolean): Refusal {
  const counted = plan.goals
    .filter((g) => (last ? g.status !== "superseded" : g.id === goal.id))
    .flatMap((g) => g.successCriteria);
  const refs = new Set(plan.goals.flatMap((g) => g.successCriteria.map((c) => criterionRef(g, c))));
  const broken = defects.filter((d) => refs.has(d.where)).length;
  const onlyUser = defects.every(
    (d) => d.code === "approval_needed" || d.code === "not_red" || d.code === "hollowed",
  );
  const code = defects.every((d) => d.code === "quality_gate_open" || d.code === "review_open")
    ? "quality_gate_open"
    : onlyUser
      ? "approval_needed"
      : "not_proven";
  return new Refusal(
    code,
    broken === 0
      ? `Not complete, although all ${counted.length} are proven.`
      : `Not complete: ${counted.length - broken} of ${counted.length} proven.`,
    {
      expected: "every criterion proven on the tree as it is now",
      found: `${defects.length} ${defects.length === 1 ? "defect" : "defects"}`,
      problems: defects,
      next: nextFor(goal, defects, last),
    },
  );
}

/** What deals with the defects, the first thing first. */
export function nextFor(
  goal: Pick<Goal, "id">,
  defects: readonly Problem[],
  last: boolean,
): readonly string[] {
  const has = (...codes: string[]): boolean => defects.some((d) => codes.includes(d.code));
  const next: string[] = [];
  if (has("draft"))
    next.push(
      `proofgate ulw-loop steer --kind revise_criterion --goal-id ${goal.id} --criterion-id … --check "…" --evidence "…" --rationale "…"`,
    );
  if (has("open", "stale", "failing", "blocked"))
    next.push(last ? "proofgate prove --all" : `proofgate prove --goal-id ${goal.id}`);
  if (has("not_red", "hollowed", "approval_needed"))
    next.push("proofgate approve  (the user, at a terminal)");
  // A goal that failed or is blocked has to be asked for by name; one that simply waits has not.
  const stuck = defects.some((d) => d.code === "open_goal" && /^(failed|blocked|review)/.test(d.message));
  if (has("open_goal")) next.push(`proofgate ulw-loop complete-goals${stuck ? " --retry-failed" : ""}`);
  if (has("quality_gate_open") && next.length === 0)
    next.push(
      'proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR --review "…" --cleaner "…"',
    );
  if (has("review_open") && next.length === 0)
    next.push("a review by the role codex-ultrawork-reviewer, which ends with its verdict line");
  if (next.length === 0) next.push("proofgate status");
  return next;
}

export interface ReviewBlockers {
  readonly title: string;
  readonly objective: string;
  readonly evidence: string;
  readonly host: HostSnapshot | undefined;
}

/** A review that was not clean: the goal waits, and a follow-up goal for the findings stands right behind it. */
export function reviewBlocked(
  plan: Plan,
  goal: Goal,
  input: ReviewBlockers,
): { events: readonly PlanEvent[]; followUp: Goal } {
  requireOpenGoal(goal);
  const followUp = makeGoal(proseGoal(input.title, input.objective), nextGoalId(plan), "agent");
  const host = hostNote(plan, goal, input.host, "any");
  return {
    followUp,
    events: [{ type: "goal_review_blocked", goal: goal.id, followUp, evidence: input.evidence, host }],
  };
}
