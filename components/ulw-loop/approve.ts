/** The user's approval: stored outside the repository, and told in the ledger. */

import { Refusal } from "../errors.ts";
import type { Loaded, Writer } from "../journal/types.ts";
import { silentWeakenings } from "./audit.ts";
import type { Approval, PlanEvent } from "./events.ts";
import { openApprovals } from "./judge.ts";
import { criterionRef, type Goal, type Plan } from "./model.ts";
import { ulwLoop } from "./reduce.ts";
import { changePlan, type Workspace } from "./workspace.ts";

/** @throws Refusal `approval_not_user` unless a person sits at the terminal */
export function requireUser(writer: Writer): void {
  if (writer.kind === "user") return;
  throw new Refusal("approval_not_user", "Only the user can approve, in their own terminal.", {
    expected: "an interactive terminal outside any agent",
    found:
      writer.host === "none" || writer.host === "terminal"
        ? "no interactive terminal"
        : `a command run by ${writer.host}`,
    next: ["ask the user to run: proofgate approve", "go on with what needs no approval: proofgate next"],
  });
}

/** What is put before the user: what nobody approved yet, and what this machine's store knows nothing of. */
export function subjects(ws: Workspace, plan: Plan): ReturnType<typeof openApprovals> {
  const told = openApprovals(plan);
  const open = { ...told, weakenings: [...told.weakenings, ...silentWeakenings(ws)] };
  const lost = unwitnessed(ws, plan);
  if (lost.length === 0) return open;
  const all = openApprovals({
    ...plan,
    weakenings: plan.weakenings.map((w) => ({ ...w, approved: false })),
    goals: plan.goals.map(withoutApproval),
  });
  return {
    weakenings: [
      ...open.weakenings,
      ...all.weakenings.filter((w) => lost.includes(w.id) && !open.weakenings.some((o) => o.id === w.id)),
    ],
    criteria: all.criteria.filter((c) => lost.includes(c.ref) || open.criteria.some((o) => o.ref === c.ref)),
  };
}

const withoutApproval = (goal: Goal): Goal => ({
  ...goal,
  successCriteria: goal.successCriteria.map((c) => ({ ...c, approved: false })),
});

/** Approves exactly what was shown. Call only after the user said yes to it. */
export function approve(ws: Workspace, plan: Plan, shown: ReturnType<typeof openApprovals>): Loaded<Plan> {
  requireUser(ws.writer);
  const subject = {
    weakenings: shown.weakenings.map((w) => w.id),
    criteria: Object.fromEntries(shown.criteria.map((c) => [c.ref, c.version])),
  };
  const id = ws.witness.approve(plan.planId, subjectText(subject), ws.now().toISOString());
  const approval: Approval = { id, ...subject };
  return changePlan(ws, "approve", () => ({ events: [{ type: "plan_approved", approval }], result: null }))
    .loaded;
}

const subjectText = (subject: Pick<Approval, "weakenings" | "criteria">): string =>
  JSON.stringify([[...subject.weakenings].sort(), Object.entries(subject.criteria).sort()]);

/**
 * Approved things, and criteria of the user's own, that nothing in this machine's witness store stands behind: the line in
 * the ledger was written by hand, or it was written on another machine.
 * @returns ids of weakenings and names of criteria
 */
export function unwitnessed(ws: Workspace, plan: Plan): readonly string[] {
  const approvedCriteria = plan.goals.flatMap((g) =>
    g.successCriteria
      .filter((c) => c.approved || c.author === "user")
      .map((c) => ({ ref: criterionRef(g, c), version: c.version ?? "draft" })),
  );
  const approvedWeakenings = plan.weakenings.filter((w) => w.approved).map((w) => w.id);
  if (approvedCriteria.length === 0 && approvedWeakenings.length === 0) return [];
  const known = new Set<string>();
  const seen = ws.witness.lines(ws.place.dir);
  let then = ulwLoop.initial;
  for (const line of ws.journal.lines())
    for (const event of line.events) {
      then = ulwLoop.reduce(then, event, line);
      if (line.by.kind === "user" && seen.has(line.hash))
        for (const one of written(then, event)) known.add(one);
      if (event.type === "goal_split") for (const one of moved(event, known)) known.add(one);
      if (event.type !== "plan_approved") continue;
      const { approval } = event;
      if (!ws.witness.approved(approval.id, plan.planId, subjectText(approval))) continue;
      for (const id of approval.weakenings) known.add(id);
      for (const [ref, version] of Object.entries(approval.criteria)) known.add(`${ref}@${version}`);
    }
  return [
    ...approvedWeakenings.filter((id) => !known.has(id)),
    ...approvedCriteria.filter((c) => !known.has(`${c.ref}@${c.version}`)).map((c) => c.ref),
  ];
}

/** What the user writes is agreed to by that: criteria by name and version, as they are after the event. */
function written(plan: Plan, event: PlanEvent): readonly string[] {
  const names = (goals: readonly Goal[]): string[] =>
    goals.flatMap((goal) =>
      goal.successCriteria.map((c) => `${criterionRef(goal, c)}@${c.version ?? "draft"}`),
    );
  switch (event.type) {
    case "plan_created":
      return names(plan.goals);
    case "goal_added":
      return names([event.goal]);
    case "goal_split":
      return names(event.children);
    case "criterion_revised":
      return names(plan.goals.filter((goal) => goal.id === event.goal)).filter((name) =>
        name.startsWith(`${event.goal}-${event.criterion}@`),
      );
    default:
      return [];
  }
}

/** Where a split takes a criterion, what was agreed to of it goes along. */
const moved = (event: Extract<PlanEvent, { type: "goal_split" }>, known: ReadonlySet<string>): string[] =>
  event.children.flatMap((goal) =>
    goal.successCriteria.flatMap((c) => {
      const version = `@${c.version ?? "draft"}`;
      const agreed = [...known].some((one) => one.startsWith(`${event.goal}-`) && one.endsWith(version));
      return agreed ? [`${criterionRef(goal, c)}${version}`] : [];
    }),
  );
