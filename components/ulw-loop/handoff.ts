/** The text that hands a goal to the agent, and the one next step of a plan. */

import { storyObjective } from "../goal-mode/snapshot.ts";
import { type Assessed, assessGoal, assessPlan, type Present } from "./assess.ts";
import { currentGoal } from "./ids.ts";
import { gateDefects, unapprovedPins } from "./judge.ts";
import { type Goal, isClosed, isComplete, type Plan } from "./model.ts";

export interface Next {
  readonly why: string;
  readonly command: string;
}

const RECORD_GATE =
  'proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR --review "…" --cleaner "…"';

/** The next step as seen in `present`. Only what it depends on is assessed: of a large plan, that is one goal. */
export function stepFor(plan: Plan, present: Present): Next {
  const goal = currentGoal(plan);
  const alone = goal !== undefined && plan.goals.some((g) => g.id !== goal.id && !isClosed(g));
  return nextStep(plan, alone ? assessGoal(plan, goal, present) : assessPlan(plan, present), present);
}

/**
 * What proves a goal. The last one's work makes earlier passes stale, and the last checkpoint asks for all of them, so one
 * command proves both; what is still fresh is not run again.
 */
const proveCommand = (plan: Plan, goal: Goal): string =>
  plan.goals.length > 1 && plan.goals.every((g) => g.id === goal.id || isClosed(g))
    ? "proofgate prove --all"
    : "proofgate prove";

/** What to do now. One step, never a list. */
export function nextStep(plan: Plan, assessed: readonly Assessed[], present: Present): Next {
  if (plan.cancelled !== null) return { why: "the plan was cancelled", command: "proofgate ulw-loop attach" };
  if (isComplete(plan)) {
    const stale = assessed.filter((a) => a.word !== "proven" && a.word !== "claimed" && a.word !== "waived");
    if (stale.length > 0)
      return { why: `complete, but no longer proven: ${refs(stale)}`, command: "proofgate prove --all" };
    if (gateDefects(plan, present).length > 0)
      return { why: "complete and proven; the quality gate is of another tree", command: RECORD_GATE };
    return { why: "all goals are complete and proven", command: "proofgate check" };
  }
  const goal = currentGoal(plan);
  if (goal === undefined)
    return { why: "the plan has no goal", command: "proofgate ulw-loop add-goal --title … --objective …" };
  if (goal.status !== "in_progress")
    return {
      why: `${goal.id} is ${goal.status.replace("_", " ")}`,
      command: "proofgate ulw-loop complete-goals",
    };
  const own = assessed.filter((a) => a.goal.id === goal.id);
  const drafts = own.filter((a) => a.word === "draft");
  if (drafts[0] !== undefined)
    return {
      why: `drafts without a check: ${refs(drafts)}`,
      command: `proofgate ulw-loop steer --kind revise_criterion --criterion-id ${drafts[0].ref} --scenario "…" --check "…" --evidence "…" --rationale "…"`,
    };
  const open = own.filter((a) => a.word !== "proven" && a.word !== "claimed" && a.word !== "waived");
  if (open.length > 0) return { why: refs(open), command: proveCommand(plan, goal) };
  if (unapprovedPins(goal, own).length > 0)
    return {
      why: `${goal.id}: no happy criterion failed before the work. Add a test that fails on the base, or the user approves`,
      command: "proofgate approve",
    };
  const rest = assessed.filter(
    (a) => a.goal.id !== goal.id && a.goal.status === "complete" && a.word === "stale",
  );
  if (plan.goals.every((g) => g.id === goal.id || g.status === "complete" || g.status === "superseded")) {
    if (rest.length > 0)
      return { why: `earlier goals went stale: ${refs(rest)}`, command: "proofgate prove --all" };
    if (gateDefects(plan, present).length > 0)
      return {
        why: `${goal.id} is proven; the quality gate comes before the last checkpoint`,
        command: RECORD_GATE,
      };
  }
  return {
    why: `${goal.id} is proven`,
    command: `proofgate ulw-loop checkpoint --goal-id ${goal.id} --status complete --evidence "…"`,
  };
}

const refs = (list: readonly Assessed[]): string => {
  const names = list.slice(0, 6).map((a) => a.ref);
  return list.length > 6 ? `${names.join(" ")} and ${list.length - 6} more` : names.join(" ");
};

export interface Handoff {
  readonly text: string;
  readonly create_goal: { readonly objective: string };
}

/** What `complete-goals` prints: the goal, its criteria, the constraints, and which goal tool to call. */
export function handoff(plan: Plan, goal: Goal): Handoff {
  const objective = plan.mode === "per-story" ? storyObjective(goal) : plan.objective;
  const lines = [
    `${goal.id} ${goal.title}`,
    ...(goal.objective.trim() === goal.title.trim() ? [] : [shortened(goal.objective, 500)]),
    ...goal.successCriteria.map(
      (c) =>
        `  ${c.id} [${c.classes.join(" ")}] ${shortened(c.scenario, 140)}${c.check === null ? "  (draft: no check)" : ""}`,
    ),
    ...(plan.constraints.length > 0 ? [`Constraints: ${shortened(plan.constraints.join(" · "), 400)}`] : []),
    `Host goal: get_goal; none: create_goal with the objective below; this one active: go on; another one: checkpoint blocked and tell the user.`,
    `Then work; ${proveCommand(plan, goal)} runs the checks; when all pass: proofgate ulw-loop checkpoint --goal-id ${goal.id} --status complete --evidence "…"`,
    `objective: ${objective}`,
  ];
  return { text: lines.join("\n"), create_goal: { objective } };
}

const shortened = (text: string, length: number): string => {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length <= length ? flat : `${flat.slice(0, length - 1).trimEnd()}…`;
};
