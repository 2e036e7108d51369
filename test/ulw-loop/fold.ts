/** Plans in memory for the tests of the rules: made and changed by events alone, without disk or Git. */

import { makeCheck } from "../../components/evidence/check.ts";
import type { Before, Check } from "../../components/evidence/types.ts";
import type { LineMeta, Writer } from "../../components/journal/types.ts";
import type { Present } from "../../components/ulw-loop/assess.ts";
import { DEFAULT_POLICY } from "../../components/ulw-loop/config.ts";
import { createPlan } from "../../components/ulw-loop/create.ts";
import type { CriterionDraft, GoalDraft, PlanDraft } from "../../components/ulw-loop/draft.ts";
import type { PlanEvent, Receipt, RunOutcome } from "../../components/ulw-loop/events.ts";
import type { Plan } from "../../components/ulw-loop/model.ts";
import { ulwLoop } from "../../components/ulw-loop/reduce.ts";

export const agent: Writer = { kind: "agent", host: "none", session: null };

export const user: Writer = { kind: "user", host: "terminal", session: null };

/** Applies events one after another, as the ledger would; `meta` says who wrote them, and when. */
export const fold = (plan: Plan, events: readonly PlanEvent[], meta: Partial<LineMeta> = {}): Plan =>
  events.reduce(
    (state, event) =>
      ulwLoop.reduce(state, event, { seq: 1, at: "2026-01-01T00:00:00.000Z", by: agent, ...meta }),
    plan,
  );
/** A check in full from its command. */
export const check = (run: string, more: Partial<Check> = {}): Check => ({ ...makeCheck({ run }), ...more });

/** A draft of a criterion; without a command it has no check. */
export const criterion = (run: string | null, more: Partial<CriterionDraft> = {}): CriterionDraft => ({
  classes: ["happy"],
  scenario: `${run ?? "something"} exits 0`,
  channel: "cli",
  adversarial: [],
  stop: null,
  expectedEvidence: null,
  check: run === null ? null : check(run),
  ...more,
});

export const goal = (title: string, criteria: readonly CriterionDraft[]): GoalDraft => ({
  title,
  objective: title,
  criteria,
  without: {},
});

interface PlanOptions {
  /** What the folder holds already. */
  readonly existing?: Plan;
  readonly force?: boolean;
  readonly writer?: Writer;
  readonly lost?: string;
}

/** The plan that a create command makes of these goals. */
export function plan(goals: readonly GoalDraft[], options: PlanOptions = {}): Plan {
  const draft: PlanDraft = {
    title: "Plan",
    deliverable: "",
    constraints: [],
    brief: "Plan",
    verify: [],
    share: [],
    setup: [],
    goals,
  };
  const events = createPlan(options.existing ?? null, {
    draft,
    mode: "aggregate",
    force: options.force ?? false,
    writer: options.writer ?? agent,
    policy: DEFAULT_POLICY,
    base: { commit: "c0ffee", tree: "t0" },
    paths: { goals: ".omo/ulw-loop/goals.json", ledger: ".omo/ulw-loop/ledger.jsonl" },
    copies: null,
    lost: options.lost ?? null,
  });
  return fold(ulwLoop.initial, events);
}

const before = (outcome: Before["outcome"]): Before => ({
  outcome,
  saw: "exit 1",
  base: "c0ffee",
  checkFiles: "f",
  durationMs: 1,
});

const receipt: Receipt = {
  command: "x",
  cwd: "",
  exit: 0,
  signal: null,
  timedOut: false,
  flooded: false,
  spawnError: null,
  durationMs: 1,
  stdout: { sha256: "", size: 0 },
  stderr: { sha256: "", size: 0 },
  programs: [],
  dropped: [],
  ended: [],
  alive: [],
  treeBefore: "t1",
  treeAfter: "t1",
  artifact: { path: "evidence/x.txt", sha256: "a" },
};

/** One run of a criterion's present check; `ref` as `G001-C002`. */
export const ran = (plan: Plan, ref: string, outcome: RunOutcome): PlanEvent => {
  const [goalId = "", id = ""] = ref.split("-");
  const version =
    plan.goals.find((g) => g.id === goalId)?.successCriteria.find((c) => c.id === id)?.version ?? "";
  return { type: "criterion_ran", goal: goalId, criterion: id, version, outcome, receipt };
};

type Passed = Extract<RunOutcome, { kind: "pass" }>;

export const passed = (outcome: Before["outcome"] = "red", tree = "t1"): Passed => ({
  kind: "pass",
  tree,
  covered: tree,
  whole: tree,
  before: before(outcome),
  own: [],
  ignored: {},
  repeats: 0,
});

export const failed = (got = "1", tree = "t1"): RunOutcome => ({
  kind: "fail",
  expectation: "exit",
  wanted: "0",
  got,
  tree,
});

/** The repository as it is when judged; everything is covered, nothing is ignored. */
export const now = (tree = "t1"): Present => ({
  tree: { id: tree, files: new Map() },
  covered: () => tree,
  changedSince: () => ["src/a.ts"],
  ignored: () => null,
  intact: () => true,
});

/** Records the same outcome for each of the criteria. */
export const prove = (state: Plan, refs: readonly string[], outcome: RunOutcome = passed()): Plan =>
  refs.reduce((p, ref) => fold(p, [ran(p, ref, outcome)]), state);
