/** Taking over a plan whose ledger cannot speak for it: another tool's files, or our own snapshot without its ledger. */

import { randomBytes } from "node:crypto";
import { Refusal } from "../errors.ts";
import { CHANNELS } from "../evidence/channels/names.ts";
import { checkVersion, makeCheck } from "../evidence/check.ts";
import type { Check } from "../evidence/types.ts";
import { vacuous } from "../evidence/vacuity.ts";
import { aggregateObjective } from "../goal-mode/snapshot.ts";
import { DEFAULT_POLICY } from "./config.ts";
import { ADVERSARIAL_CLASSES, CRITERION_CLASSES, draftCriteria } from "./draft.ts";
import type { PlanEvent } from "./events.ts";
import { criterionId } from "./ids.ts";
import type { Criterion, Goal, Plan } from "./model.ts";
import { weaken } from "./weakening.ts";

export interface Adoption {
  readonly at: string;
  readonly base: Plan["base"];
  readonly paths: { readonly goals: string; readonly ledger: string };
  readonly from: "snapshot" | "import";
}

/**
 * A plan made of whatever goals and criteria the content holds. Titles, scenarios and checks are kept; every pass is
 * reset, because nothing here was seen by the tool.
 * @throws Refusal `json_invalid` when no goal can be read
 */
export function adopt(content: unknown, adoption: Adoption): { plan: Plan; events: readonly PlanEvent[] } {
  const source = record(content);
  const listed = list(source.goals);
  const goals = listed.map((goal, index) =>
    adoptGoal(record(goal), `G${String(index + 1).padStart(3, "0")}`),
  );
  if (goals.length === 0)
    throw new Refusal("json_invalid", "There are no goals in the file to take over.", {
      expected: '{"goals":[{"title":…,"successCriteria":[…]}]}',
      found: `keys: ${Object.keys(source).slice(0, 8).join(", ") || "none"}`,
      next: ["proofgate ulw-loop create-goals --plan .proofgate/plan.yaml"],
    });
  const plan: Plan = {
    planId: randomBytes(8).toString("hex"),
    title: text(source.title) || text(source.name) || goals[0]?.title || "Imported plan",
    deliverable: text(source.deliverable),
    constraints: list(source.constraints).map(text).filter(Boolean),
    createdAt: adoption.at,
    mode: source.mode === "per-story" || source.codexGoalMode === "per_story" ? "per-story" : "aggregate",
    objective: aggregateObjective(adoption.paths),
    base: adoption.base,
    verify: list(source.verify).map(text).filter(Boolean),
    share: list(source.share).map(text).filter(Boolean),
    setup: list(source.setup).map(text).filter(Boolean),
    policy: DEFAULT_POLICY,
    owner: { session: null, host: "none", at: "" },
    cancelled: null,
    goals,
    weakenings: [],
    amended: 0,
    begunWith: goals.length,
    gate: null,
    approvals: [],
  };
  const recovered: PlanEvent = { type: "plan_recovered", plan, from: adoption.from };
  if (adoption.from === "import") return { plan, events: [recovered] };
  return {
    plan,
    events: [
      recovered,
      weaken(0, "rolled_back", "the ledger was lost; plan taken from goals.json, every pass reset"),
    ],
  };
}

function adoptGoal(source: Record<string, unknown>, id: string): Goal {
  const title = (text(source.title) || text(source.name) || text(source.objective) || id).slice(0, 80);
  const objective = text(source.objective) || text(source.description) || title;
  const criteria = list(source.successCriteria ?? source.criteria).map((c, index) =>
    adoptCriterion(record(c), id, criterionId(index)),
  );
  return {
    id,
    title,
    objective,
    author: "agent",
    without: {},
    cycles: 0,
    status: "pending",
    successCriteria:
      criteria.length > 0
        ? criteria
        : draftCriteria(title, objective).map((d, index) => ({
            ...emptyCriterion(id, criterionId(index)),
            ...d,
            stop: d.stop ?? "",
            expectedEvidence: `evidence/${id}-${criterionId(index)}.txt`,
          })),
  };
}

function adoptCriterion(source: Record<string, unknown>, goalId: string, id: string): Criterion {
  const check = adoptCheck(source.check);
  const classes = [source.class, ...list(source.classes)].flatMap((c) =>
    CRITERION_CLASSES.filter((known) => known === c),
  );
  const channel = CHANNELS.find((c) => c === source.channel) ?? "cli";
  return {
    ...emptyCriterion(goalId, id),
    classes: classes.length > 0 ? classes : ["happy"],
    scenario:
      text(source.scenario) ||
      text(source.description) ||
      text(source.title) ||
      `Draft: say what ${goalId}-${id} has to show`,
    channel,
    adversarial: list(source.adversarial).flatMap((a) => ADVERSARIAL_CLASSES.filter((known) => known === a)),
    check,
    version: check === null ? null : checkVersion(check),
  };
}

const emptyCriterion = (goalId: string, id: string): Criterion => ({
  id,
  classes: ["happy"],
  scenario: "",
  channel: "cli",
  adversarial: [],
  stop: "three identical failures, or five cycles of the goal",
  expectedEvidence: `evidence/${goalId}-${id}.txt`,
  check: null,
  version: null,
  author: "agent",
  approved: false,
  tried: false,
  failure: null,
  before: null,
  failedOn: null,
  waived: null,
  status: "open",
  note: "",
});

/** Only a check of our own form that can fail is taken over; anything else stays a draft that a person fills in. */
function adoptCheck(value: unknown): Check | null {
  const source = record(value);
  const run = source.run;
  const usable =
    typeof run === "string"
      ? run.trim() !== ""
      : Array.isArray(run) && run.length > 0 && run.every((w) => typeof w === "string");
  if (!usable) return null;
  const expect = record(source.expect);
  const strings = (v: unknown): readonly string[] | null =>
    Array.isArray(v) && v.every((g) => typeof g === "string") ? v : null;
  try {
    const check = makeCheck({
      channel: source.channel === "data" ? "data" : "cli",
      run: typeof run === "string" ? run : list(run).map(text),
      cwd: text(source.cwd),
      timeoutMs: typeof source.timeoutMs === "number" ? source.timeoutMs : 120_000,
      files: strings(source.files),
      covers: strings(source.covers),
      expect: {
        exit: typeof expect.exit === "number" ? expect.exit : 0,
        ...(typeof expect.stdout === "string" ? { stdout: expect.stdout } : {}),
        ...(typeof expect.stderr === "string" ? { stderr: expect.stderr } : {}),
        ...(Object.keys(record(expect.json)).length > 0 ? { json: record(expect.json) } : {}),
        ...(Object.keys(record(expect.produces)).length > 0
          ? {
              produces: Object.fromEntries(
                Object.entries(record(expect.produces)).map(([k, v]) => [k, text(v)]),
              ),
            }
          : {}),
      },
    });
    return vacuous(check) === null ? check : null;
  } catch {
    return null;
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
