/**
 * Looks at ledger lines that nobody but a sandboxed agent saw being written. Their hashes say that they belong together, not
 * that a command of ours wrote them: what a command would have refused, or told as a weakening, is looked for here.
 */

import type { Problem } from "../errors.ts";
import { openSessions } from "../witness/sessions.ts";
import type { PlanEvent } from "./events.ts";
import { type Criterion, isComplete, type Plan, type Weakening, type WeakeningKind } from "./model.ts";
import { ulwLoop } from "./reduce.ts";
import { revisionWeakens, supersedingWeakens } from "./weakening.ts";
import type { Workspace } from "./workspace.ts";

/** @returns what unseen lines weaken without saying so, and the user did not approve; named after the line, `L12` */
export function silentWeakenings(ws: Workspace): readonly Weakening[] {
  const seen = ws.witness.lines(ws.place.dir);
  let plan = ulwLoop.initial;
  let found: Weakening[] = [];
  for (const line of ws.journal.lines()) {
    const known = seen.has(line.hash);
    for (const event of line.events) {
      const what = known ? null : (silent(plan, event, line.events) ?? otherBase(ws, event));
      if (what !== null)
        found.push({ id: `L${line.seq}`, kind: "amended", what, seq: line.seq, approved: false });
      if (known && event.type === "plan_approved")
        found = found.filter(({ id }) => !event.approval.weakenings.includes(id));
      plan = ulwLoop.reduce(plan, event, line);
    }
  }
  return found;
}

/** The same as defects. */
export function silentProblems(ws: Workspace): readonly Problem[] {
  return silentWeakenings(ws).map(({ id, what }) => ({
    where: id,
    code: "approval_needed",
    message: `${what}; not approved by the user`,
  }));
}

/** Why the event needs a weakening that its line does not have; null when all is well. */
function silent(plan: Plan, event: PlanEvent, line: readonly PlanEvent[]): string | null {
  const told = (kind: WeakeningKind): boolean =>
    line.some((one) => one.type === "plan_weakened" && one.kind === kind);
  switch (event.type) {
    case "plan_created":
      return plan.planId !== "" && !isComplete(plan) && !told("forced") ? "an open plan was replaced" : null;
    case "plan_recovered":
      return plan.planId !== "" && !told("rolled_back") ? "the plan was rewritten" : null;
    case "goal_superseded": {
      const goal = plan.goals.find((one) => one.id === event.goal);
      const replacements = plan.goals.filter((one) => event.replacements.includes(one.id));
      return goal === undefined || told("superseded") ? null : supersedingWeakens(plan, goal, replacements);
    }
    case "goal_split": {
      const kept = event.children.flatMap((child) => child.successCriteria);
      const parent = plan.goals.find((one) => one.id === event.goal)?.successCriteria ?? [];
      const lost = parent.find((criterion) => !kept.some((one) => isSame(one, criterion)));
      return lost === undefined ? null : `a split lost ${event.goal}-${lost.id}`;
    }
    case "criterion_revised": {
      const goal = plan.goals.find((one) => one.id === event.goal);
      const criterion = goal?.successCriteria.find((one) => one.id === event.criterion);
      if (goal === undefined || criterion === undefined || told("amended")) return null;
      if (event.version !== undefined && event.version === criterion.version) return null;
      return revisionWeakens(goal, criterion, event);
    }
    default:
      return null;
  }
}

/**
 * A plan that came to be while hooks watched has the commit as its base at which they saw the repository. An older one would
 * make every check fail before.
 */
function otherBase(ws: Workspace, event: PlanEvent): string | null {
  if (event.type !== "plan_created" && event.type !== "plan_recovered") return null;
  const { planId, base } = event.plan;
  const first = openSessions(ws.env).note("plans", planId) as FirstSight | null;
  if (first === null || first.head === null || first.head === base.commit) return null;
  const short = (commit: string | null): string => commit?.slice(0, 12) ?? "none";
  return `the plan's base is ${short(base.commit)}, and the repository stood at ${short(first.head)} when it was made`;
}

/** What a hook keeps of a plan that it sees for the first time. */
export interface FirstSight {
  /** Commit that the repository stood at; null where the plan was there before anybody watched. */
  readonly head: string | null;
}

/** What a moved criterion asks for; its id and its state may be others. */
const isSame = (a: Criterion, b: Criterion): boolean =>
  a.version === b.version &&
  a.scenario === b.scenario &&
  a.channel === b.channel &&
  a.waived?.by === b.waived?.by;
