/**
 * Looks at ledger lines that nobody but a sandboxed agent saw being written. Their hashes say that they belong together, not
 * that a command of ours wrote them: what a command would have refused, or told as a weakening, is looked for here.
 */

import type { Problem } from "../errors.ts";
import type { Line } from "../journal/types.ts";
import { openSessions } from "../witness/sessions.ts";
import type { PlanEvent } from "./events.ts";
import {
  type Criterion,
  countedGoals,
  isComplete,
  type Plan,
  type Weakening,
  type WeakeningKind,
} from "./model.ts";
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
      const what = known ? null : (silent(ws, plan, event, line.events) ?? otherOrigin(ws, event, line));
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
function silent(ws: Workspace, plan: Plan, event: PlanEvent, line: readonly PlanEvent[]): string | null {
  // Told before the event it would be lost: a new plan begins without weakenings.
  const after = line.slice(line.indexOf(event) + 1);
  const told = (kind: WeakeningKind, id?: string): boolean =>
    after.some(
      (one) => one.type === "plan_weakened" && one.kind === kind && (id === undefined || one.id === id),
    );
  switch (event.type) {
    case "plan_created":
      if (plan.planId === "" || told("forced")) return null;
      if (!isComplete(plan)) return "an open plan was replaced";
      return firstSightOf(ws, plan.planId) !== null && isSetAside(ws, plan)
        ? "a plan was replaced that nobody but the agent saw complete"
        : null;
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
    // Under the name of one that the user approved it would be approved as well.
    case "plan_weakened":
      return plan.weakenings.some(({ id }) => id === event.id) ? `there is another ${event.id}` : null;
    case "criterion_waived":
      return told("waived", event.weakening)
        ? null
        : `${event.goal}-${event.criterion} waived under ${event.weakening}, which is about something else`;
    default:
      return null;
  }
}

/**
 * The plan counts as complete by lines that nobody but a sandboxed agent saw, and by no gate's judgement: one line for each
 * goal would set it aside. Where the user has spoken since it was seen so, they have gone on from it.
 */
export function isSetAside(ws: Workspace, plan: Plan): boolean {
  if (!isComplete(plan) || userSpokeSince(ws, plan)) return false;
  const seen = ws.witness.lines(ws.place.dir);
  const known = new Set((openSessions(ws.env).note("done", plan.planId) as readonly string[] | null) ?? []);
  // Goals of every plan of the folder have the same names.
  let current = "";
  for (const line of ws.journal.lines())
    for (const event of line.events) {
      if (event.type === "plan_created" || event.type === "plan_recovered") current = event.plan.planId;
      if (event.type !== "goal_checkpointed" || event.status !== "complete") continue;
      if (current === plan.planId && seen.has(line.hash)) known.add(event.goal);
    }
  return countedGoals(plan).some(({ id }) => !known.has(id));
}

/** The user called the plan off, by a command that reached the store: a line alone may say so of anybody. */
export function isUsersCancel(ws: Workspace): boolean {
  const seen = ws.witness.lines(ws.place.dir);
  let users = false;
  for (const line of ws.journal.lines())
    if (line.events.some(({ type }) => type === "plan_cancelled"))
      users = line.by.kind === "user" && seen.has(line.hash);
  return users;
}

/** Hooks note both: when they first saw the plan closed, and each prompt of the session. */
function userSpokeSince(ws: Workspace, plan: Plan): boolean {
  // A look from outside any session takes the plan's own.
  const session = ws.writer.session ?? plan.owner.session;
  const store = openSessions(ws.env);
  const closed = timeOf(store.note("closed", plan.planId));
  const spoke = session === null ? null : timeOf(store.note("prompts", session));
  return closed !== null && spoke !== null && spoke >= closed;
}

function timeOf(note: unknown): number | null {
  const at = typeof note === "object" && note !== null ? Reflect.get(note, "at") : null;
  return typeof at === "number" ? at : null;
}

/**
 * A plan that came to be while hooks watched has the commit as its base at which they saw the repository. An older one would
 * make every check fail before. What is known of a plan, approvals too, goes by its id, which no other one may borrow.
 */
function otherOrigin(ws: Workspace, event: PlanEvent, { hash }: Line<PlanEvent>): string | null {
  if (event.type !== "plan_created" && event.type !== "plan_recovered") return null;
  const { planId, base } = event.plan;
  const first = firstSightOf(ws, planId);
  if (first === null) return null;
  if (typeof first.line === "string" && first.line !== hash) return "the plan has the id of another one";
  if (first.head === null || first.head === base.commit) return null;
  const short = (commit: string | null): string => commit?.slice(0, 12) ?? "none";
  return `the plan's base is ${short(base.commit)}, and the repository stood at ${short(first.head)} when it was made`;
}

/** What a hook keeps of a plan that it sees for the first time. */
export interface FirstSight {
  /** Commit that the repository stood at; null where the plan was there before anybody watched. */
  readonly head: string | null;
  /** Hash of the line that the plan began with. */
  readonly line: string | null;
}

const firstSightOf = (ws: Workspace, planId: string): FirstSight | null =>
  openSessions(ws.env).note("plans", planId) as FirstSight | null;

/** Hash of the line that a plan began with; null when it is not there. */
export function originOf(ws: Workspace, planId: string): string | null {
  for (const { events, hash } of ws.journal.lines())
    for (const event of events)
      if ((event.type === "plan_created" || event.type === "plan_recovered") && event.plan.planId === planId)
        return hash;
  return null;
}

/** What a moved criterion asks for; its id and its state may be others. */
const isSame = (a: Criterion, b: Criterion): boolean =>
  a.version === b.version &&
  a.scenario === b.scenario &&
  a.channel === b.channel &&
  a.waived?.by === b.waived?.by;
