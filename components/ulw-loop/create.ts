/** How a plan begins and grows: drafts become goals and criteria with ids, authors and fixed checks. */

import { randomBytes } from "node:crypto";
import { Refusal } from "../errors.ts";
import { checkVersion } from "../evidence/check.ts";
import { aggregateObjective } from "../goal-mode/snapshot.ts";
import type { Writer } from "../journal/types.ts";
import type { Policy } from "./config.ts";
import { type CriterionDraft, draftCriteria, type GoalDraft, type PlanDraft } from "./draft.ts";
import type { PlanEvent } from "./events.ts";
import { criterionId, nextGoalId } from "./ids.ts";
import {
  type Author,
  type Criterion,
  countedGoals,
  type Goal,
  type GoalMode,
  isComplete,
  type Plan,
} from "./model.ts";
import { weaken } from "./weakening.ts";

export interface CreateInput {
  readonly draft: PlanDraft;
  readonly mode: GoalMode;
  readonly force: boolean;
  readonly writer: Writer;
  readonly policy: Policy;
  readonly base: { readonly commit: string | null; readonly tree: string };
  /** Paths as the host goal's objective names them, relative to the root. */
  readonly paths: { readonly goals: string; readonly ledger: string };
  /** Folder that holds the copy of what is replaced; null when nothing is. */
  readonly copies: string | null;
  /** An earlier ledger of this folder, known to the witness, that is gone unfinished. */
  readonly lost: string | null;
}

/**
 * The events that start a plan. A plan that is still open is replaced only with `force`, which the user has to approve.
 * @throws Refusal `plan_exists`
 */
export function createPlan(existing: Plan | null, input: CreateInput): readonly PlanEvent[] {
  const open = existing !== null && existing.planId !== "" && !isComplete(existing);
  if (open && !input.force)
    throw new Refusal("plan_exists", `There is an open plan here: ${existing.title}.`, {
      expected: "no open plan, or --force",
      found: `${countedGoals(existing).length} goals, ledger kept`,
      next: [
        "proofgate status",
        "proofgate ulw-loop add-goal --title … --objective …",
        "proofgate ulw-loop create-goals … --force  (the user must approve it)",
      ],
    });
  const author = authorOf(input.writer);
  const planId = randomBytes(8).toString("hex");
  const goals = input.draft.goals.map((goal, index) =>
    makeGoal(goal, `G${String(index + 1).padStart(3, "0")}`, author),
  );
  const created: PlanEvent = {
    type: "plan_created",
    replaces: input.copies,
    plan: {
      planId,
      title: input.draft.title,
      deliverable: input.draft.deliverable,
      constraints: input.draft.constraints,
      mode: input.mode,
      objective: aggregateObjective(input.paths),
      base: input.base,
      verify: input.draft.verify,
      share: input.draft.share,
      setup: input.draft.setup,
      policy: input.policy,
      owner: { session: input.writer.session, host: input.writer.host, at: "" },
      goals,
    },
  };
  const weakenings: PlanEvent[] = [];
  if (open)
    weakenings.push(
      weaken(
        weakenings.length,
        "forced",
        `the open plan "${existing.title.slice(0, 80)}" was replaced (${input.copies ?? "no copy"})`,
      ),
    );
  if (!open && input.lost !== null) weakenings.push(weaken(weakenings.length, "lost_state", input.lost));
  return [created, ...weakenings];
}

export const authorOf = (writer: Writer): Author => (writer.kind === "user" ? "user" : "agent");

/** One goal more. @returns the event and the goal's id */
export function addGoal(plan: Plan, draft: GoalDraft, author: Author): { event: PlanEvent; goal: Goal } {
  const goal = makeGoal(draft, nextGoalId(plan), author);
  return { event: { type: "goal_added", goal }, goal };
}

/** A goal from prose: its criteria are drafts, which cannot pass until they are revised. */
export const proseGoal = (title: string, objective: string): GoalDraft => ({
  title,
  objective,
  criteria: draftCriteria(title, objective),
  without: {},
});

export function makeGoal(draft: GoalDraft, id: string, author: Author): Goal {
  return {
    id,
    title: draft.title,
    objective: draft.objective,
    author,
    without: draft.without,
    cycles: 0,
    status: "pending",
    successCriteria: draft.criteria.map((criterion, index) =>
      makeCriterion(criterion, id, criterionId(index), author),
    ),
  };
}

function makeCriterion(draft: CriterionDraft, goalId: string, id: string, author: Author): Criterion {
  return {
    id,
    classes: draft.classes,
    scenario: draft.scenario,
    channel: draft.channel,
    adversarial: draft.adversarial,
    stop: draft.stop ?? "three identical failures, or five cycles of the goal",
    expectedEvidence: draft.expectedEvidence ?? `evidence/${goalId}-${id}.${defaultExtension(draft.channel)}`,
    check: draft.check,
    ...(draft.parallel === undefined ? {} : { parallel: draft.parallel }),
    version: draft.check === null ? null : checkVersion(draft.check),
    author,
    approved: author === "user",
    tried: false,
    failure: null,
    before: null,
    failedOn: null,
    waived: null,
    status: "open",
    note: "",
  };
}

const defaultExtension = (channel: CriterionDraft["channel"]): string =>
  channel === "browser" || channel === "computer" ? "png" : "txt";
