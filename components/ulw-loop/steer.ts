/** Steering: the seven validated changes of a plan. Nothing that was promised disappears without the user. */

import { Refusal } from "../errors.ts";
import type { Channel } from "../evidence/channels/names.ts";
import { checkVersion } from "../evidence/check.ts";
import type { Check } from "../evidence/types.ts";
import { addGoal, makeGoal, proseGoal } from "./create.ts";
import type { PlanEvent } from "./events.ts";
import { criterionId, findCriterion, findGoal, nextGoalId } from "./ids.ts";
import { type Author, type Criterion, criterionRef, type Goal, type Plan } from "./model.ts";
import { leaves } from "./place.ts";
import { requireOpenGoal } from "./record.ts";
import { vagueReason } from "./vague.ts";
import { revisionWeakens, supersedingWeakens, weaken } from "./weakening.ts";

export const STEERING_KINDS = [
  "add_subgoal",
  "split_subgoal",
  "reorder_pending",
  "revise_pending_wording",
  "revise_criterion",
  "annotate_ledger",
  "mark_blocked_superseded",
] as const;
export type SteeringKind = (typeof STEERING_KINDS)[number];

interface Child {
  readonly title: string;
  readonly objective: string;
  /** Criteria of the parent that move here; those that no child names go to the last one. */
  readonly criteria?: readonly string[];
}

export type Steering =
  | { readonly kind: "add_subgoal"; readonly title: string; readonly objective: string }
  | { readonly kind: "split_subgoal"; readonly goalId: string; readonly children: readonly Child[] }
  | { readonly kind: "reorder_pending"; readonly order: readonly string[] }
  | {
      readonly kind: "revise_pending_wording";
      readonly goalId: string;
      readonly title?: string;
      readonly objective?: string;
    }
  | {
      readonly kind: "revise_criterion";
      readonly goalId: string | undefined;
      readonly criterionId: string;
      readonly scenario?: string;
      readonly expectedEvidence?: string;
      readonly channel?: Channel;
      readonly check?: Check;
    }
  | { readonly kind: "annotate_ledger" }
  | {
      readonly kind: "mark_blocked_superseded";
      readonly goalId: string;
      readonly replacements: readonly string[];
    };

export interface Grounds {
  readonly evidence: string;
  readonly rationale: string;
  readonly author: Author;
}

/** @returns the events and one line for people. @throws Refusal `steer_refused`, `unknown_goal`, `unknown_criterion`, `criterion_vague` */
export function steer(
  plan: Plan,
  change: Steering,
  grounds: Grounds,
): { events: readonly PlanEvent[]; said: string } {
  const { evidence, rationale } = grounds;
  const why = { evidence, rationale };
  switch (change.kind) {
    case "add_subgoal": {
      const { event, goal } = addGoal(plan, proseGoal(change.title, change.objective), grounds.author);
      return {
        events: [{ ...event, ...why }],
        said: `${goal.id} added, with ${goal.successCriteria.length} drafts to revise`,
      };
    }
    case "split_subgoal":
      return split(plan, change.goalId, change.children, grounds);
    case "reorder_pending":
      return reorder(plan, change.order, why);
    case "revise_pending_wording": {
      const goal = findGoal(plan, change.goalId);
      requireOpenGoal(goal);
      if (change.title === undefined && change.objective === undefined)
        throw refused("Nothing to revise.", "--title or --objective", "neither");
      const { title, objective } = change;
      return {
        events: [{ type: "goal_revised", goal: goal.id, title, objective, ...why }],
        said: `${goal.id} reworded`,
      };
    }
    case "revise_criterion":
      return reviseCriterion(plan, change, grounds);
    case "annotate_ledger":
      return { events: [{ type: "ledger_annotated", ...why }], said: "noted in the ledger" };
    case "mark_blocked_superseded": {
      const goal = findGoal(plan, change.goalId);
      requireOpenGoal(goal);
      const replacements = change.replacements.map((id) => findGoal(plan, id));
      const wrong = replacements.find((r) => r.id === goal.id || r.status === "superseded");
      if (wrong !== undefined)
        throw refused(`${wrong.id} cannot replace ${goal.id}.`, "another goal that still counts", wrong.id);
      const weakens = supersedingWeakens(plan, goal, replacements);
      const events: PlanEvent[] = [
        { type: "goal_superseded", goal: goal.id, replacements: replacements.map((r) => r.id), ...why },
      ];
      if (weakens !== null) events.push(weaken(plan.weakenings.length, "superseded", weakens));
      return {
        events,
        said: `${goal.id} superseded${weakens === null ? "" : "; the user must approve it before the plan can be complete"}`,
      };
    }
  }
}

/** Every criterion of the parent moves to a child, checks and receipts' versions included: a split lets nothing go. */
function split(
  plan: Plan,
  goalId: string,
  children: readonly Child[],
  grounds: Grounds,
): { events: readonly PlanEvent[]; said: string } {
  const goal = findGoal(plan, goalId);
  requireOpenGoal(goal);
  if (children.length < 2)
    throw refused("A split needs two children or more.", "two or more", String(children.length));
  const taken = new Map<string, number>();
  children.forEach((child, index) => {
    for (const id of child.criteria ?? []) {
      const { criterion } = findCriterion(plan, goal.id, id);
      if (taken.has(criterion.id))
        throw refused(`${criterion.id} is named by two children.`, "each criterion once", criterion.id);
      taken.set(criterion.id, index);
    }
  });
  const made = children.map((child, index) => {
    const moved = goal.successCriteria.filter((c) => (taken.get(c.id) ?? children.length - 1) === index);
    const fresh = makeGoal(proseGoal(child.title, child.objective), nextGoalId(plan, index), grounds.author);
    if (moved.length === 0) return fresh;
    return {
      ...fresh,
      author: goal.author,
      without: goal.without,
      successCriteria: moved.map((c, at) => movedTo(fresh.id, c, at)),
    };
  });
  return {
    events: [
      {
        type: "goal_split",
        goal: goal.id,
        children: made,
        evidence: grounds.evidence,
        rationale: grounds.rationale,
      },
    ],
    said: `${goal.id} split into ${made.map((g) => g.id).join(", ")}; its ${goal.successCriteria.length} criteria moved along`,
  };
}

function movedTo(goalId: string, criterion: Criterion, index: number): Criterion {
  const id = criterionId(index);
  const moved = {
    ...criterion,
    id,
    expectedEvidence: criterion.expectedEvidence.replace(/G\d+[^/]*-C\d+/, `${goalId}-${id}`),
  };
  // A receipt names the old criterion, so the pass is taken anew under the new name.
  return criterion.status === "pass" ? { ...moved, status: "open", note: "", tried: true } : moved;
}

function reorder(
  plan: Plan,
  order: readonly string[],
  why: { evidence: string; rationale: string },
): { events: readonly PlanEvent[]; said: string } {
  const goals = order.map((id) => findGoal(plan, id));
  const ids = goals.map((g) => g.id);
  if (new Set(ids).size !== ids.length || ids.length < 2)
    throw refused(
      "The order names a goal twice, or fewer than two.",
      "two or more different goals",
      ids.join(", ") || "none",
    );
  const busy = goals.find((g) => g.status !== "pending");
  if (busy !== undefined)
    throw refused(
      `${busy.id} is ${busy.status}, only pending goals change places.`,
      "pending goals",
      `${busy.id}: ${busy.status}`,
    );
  return { events: [{ type: "goals_reordered", order: ids, ...why }], said: `order now: ${ids.join(", ")}` };
}

function reviseCriterion(
  plan: Plan,
  change: Extract<Steering, { kind: "revise_criterion" }>,
  grounds: Grounds,
): { events: readonly PlanEvent[]; said: string } {
  const { goal, criterion } = findCriterion(plan, change.goalId, change.criterionId);
  requireRevisable(goal);
  const { scenario, expectedEvidence, check } = change;
  // A check is of one channel, and so is its criterion.
  const channel = change.channel ?? (check?.channel === criterion.channel ? undefined : check?.channel);
  if (
    scenario === undefined &&
    expectedEvidence === undefined &&
    channel === undefined &&
    check === undefined
  )
    throw refused(
      "Nothing to revise.",
      "--scenario, --expected-evidence, --channel or --check",
      "none of them",
    );
  const vague = scenario === undefined ? null : vagueReason(scenario);
  if (vague !== null)
    throw new Refusal("criterion_vague", `The scenario is too vague: ${vague}.`, {
      expected: "exact tool, exact steps and inputs, and what is seen when it passes",
      found: scenario ?? "",
      next: ["say it again with the command, the input and the observable result"],
    });
  if (expectedEvidence !== undefined && leaves(expectedEvidence))
    throw refused("The evidence must stay inside the state folder.", "evidence/NAME", expectedEvidence);
  const weakens = revisionWeakens(goal, criterion, { scenario, channel, check });
  const version = check === undefined ? undefined : checkVersion(check);
  const same = version !== undefined && version === criterion.version;
  const revised: PlanEvent = {
    type: "criterion_revised",
    goal: goal.id,
    criterion: criterion.id,
    scenario,
    expectedEvidence,
    channel,
    ...(same ? {} : { check, version }),
    by: grounds.author,
    evidence: grounds.evidence,
    rationale: grounds.rationale,
  };
  const ref = criterionRef(goal, criterion);
  if (weakens === null || same) return { events: [revised], said: `${ref} revised` };
  return {
    events: [revised, weaken(plan.weakenings.length, "amended", weakens)],
    said: `${ref} revised; it was promised or tried before, so the user must approve it before the plan can be complete`,
  };
}

/** A complete goal's criteria may be revised too: it goes stale and has to be proven again. A superseded one's may not. */
function requireRevisable(goal: Goal): void {
  if (goal.status === "superseded") requireOpenGoal(goal);
}

/** A waiver proposed: the criterion stops counting once the user approves. */
export function waive(
  plan: Plan,
  goalId: string | undefined,
  id: string,
  grounds: Grounds,
): { events: readonly PlanEvent[]; said: string } {
  const { goal, criterion } = findCriterion(plan, goalId, id);
  const ref = criterionRef(goal, criterion);
  const weakening = weaken(plan.weakenings.length, "waived", `${ref}: ${grounds.rationale.slice(0, 160)}`);
  const weakeningId = weakening.type === "plan_weakened" ? weakening.id : "";
  return {
    events: [
      {
        type: "criterion_waived",
        goal: goal.id,
        criterion: criterion.id,
        weakening: weakeningId,
        evidence: grounds.evidence,
        rationale: grounds.rationale,
      },
      weakening,
    ],
    said: `${ref}: waiver proposed; it counts once the user approves`,
  };
}

const refused = (message: string, expected: string, found: string): Refusal =>
  new Refusal("steer_refused", message, {
    expected,
    found,
    next: ["proofgate status", "proofgate ulw-loop help steer"],
  });
