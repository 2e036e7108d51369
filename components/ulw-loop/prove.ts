/** `prove`: runs checks on the working tree, asks the base tree, and records what was seen. */

import { availableParallelism } from "node:os";
import { takeBefore } from "../evidence/before.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import type { Before } from "../evidence/types.ts";
import type { Loaded } from "../journal/types.ts";
import { logPath, rememberTree, saveArtifact, saveCaptured } from "./artifacts.ts";
import { assessPlan } from "./assess.ts";
import type { PlanEvent, Receipt, RunOutcome } from "./events.ts";
import { currentGoal, findCriterion, findGoal } from "./ids.ts";
import { watchInterruptions } from "./interrupted.ts";
import { type Criterion, criterionRef, type Goal, isClaimable, type Plan } from "./model.ts";
import { presentOf } from "./present.ts";
import { type CapturedRun, capturedText, receiptOf } from "./receipt.ts";
import { plainOutcome, runOnce, runProof, type Seen, type Target } from "./run-proof.ts";
import { requireNotCancelled } from "./take-up.ts";
import { changePlan, requirePlan, type Workspace } from "./workspace.ts";

export type Selection =
  | { readonly kind: "current"; readonly goalId?: string }
  | { readonly kind: "all" }
  | { readonly kind: "named"; readonly goalId?: string; readonly ids: readonly string[] };

/** One criterion's outcome, for text and JSON. */
export interface Proved {
  readonly goal: string;
  readonly criterion: string;
  readonly outcome: RunOutcome;
  readonly receipt: Receipt | null;
  /** Bounded output of both streams, for the words about a failure. */
  readonly output: string;
}

export interface ProveReport {
  readonly results: readonly Proved[];
  /** Criteria that were left out because nothing can run them, with the reason. */
  readonly skipped: readonly { readonly ref: string; readonly why: string }[];
  readonly loaded: Loaded<Plan>;
}

/** What a person at a terminal sees of it. */
export interface ProveHooks {
  /** How many runs there will be. */
  readonly onPlan?: (runs: number) => void;
  /** Called before each run, so that a person sees what takes time, and after it. */
  readonly onStart?: (what: string) => void;
  readonly onEnd?: (what: string) => void;
}

/**
 * Proves what is unproven or stale in the selection, each check once however many criteria share it.
 * Each result is recorded as soon as it is there, so that an interruption loses one run at most.
 */
export async function prove(
  ws: Workspace,
  selection: Selection,
  options: { note?: string } & ProveHooks,
): Promise<ProveReport> {
  const loaded = requirePlan(ws);
  requireNotCancelled(loaded.state);
  const { targets, skipped } = await select(ws, loaded.state, selection);
  const groups = byVersion(targets);
  options.onPlan?.(groups.length);
  const results: Proved[][] = groups.map(() => []);
  let latest = loaded;
  const watch = watchInterruptions(ws);
  /** @returns again: the tree moved, perhaps by the run beside it, and nothing is recorded yet */
  const proveGroup = async (index: number, alone: boolean): Promise<"done" | "again"> => {
    const group = groups[index] ?? [];
    const [first] = group;
    if (first === undefined) return "done";
    const what = group.map((t) => criterionRef(t.goal, t.criterion)).join(" ");
    options.onStart?.(what);
    const over = watch.begin(group);
    const seen = await runProof(ws, latest.state, first).finally(over);
    try {
      if (!alone && seen.outcome.kind === "moved") return "again";
      const recorded = record(ws, group, seen, options.note);
      latest = recorded.loaded;
      results[index] = recorded.results;
      return "done";
    } finally {
      options.onEnd?.(what);
      await seen.run.dispose();
    }
  };
  try {
    const all = [...groups.keys()];
    const willing = all.filter((index) => groups[index]?.every(({ criterion }) => criterion.parallel));
    const done = new Set<number>();
    if (willing.length > 1)
      await pool(willing, AT_ONCE, async (index) => {
        if ((await proveGroup(index, false)) === "done") done.add(index);
      });
    for (const index of all) if (!done.has(index)) await proveGroup(index, true);
  } finally {
    watch.end();
  }
  return { results: results.flat(), skipped, loaded: latest };
}

/** Runs that may stand side by side: as many as there are processors, and few enough that none runs into its time limit for it. */
const AT_ONCE = Math.min(4, Math.max(2, availableParallelism()));

async function pool<T>(items: readonly T[], size: number, act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(size, items.length) }, worker));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}

/** One line of the ledger for what a run showed, with its evidence beside it. */
function record(
  ws: Workspace,
  group: readonly Target[],
  seen: Seen,
  note: string | undefined,
): { loaded: Loaded<Plan>; results: Proved[] } {
  const ran = group.map((target) => {
    const { goal, criterion, check } = target;
    const log = saveArtifact(ws.place, logPath(goal, criterion), capturedText(seen.run, check));
    const captured = saveCaptured(ws.place, goal, criterion, seen.run.captured);
    return { target, receipt: receiptOf(seen.run, check, log, captured) };
  });
  const events = ran.map(
    ({ target, receipt }): PlanEvent => ({
      type: "criterion_ran",
      goal: target.goal.id,
      criterion: target.criterion.id,
      version: target.version,
      outcome: seen.outcome,
      receipt,
      ...(note === undefined ? {} : { note }),
    }),
  );
  // A criterion that was revised meanwhile keeps its new version; the reducer leaves such a result aside.
  const { loaded } = changePlan(ws, "prove", () => ({ events, result: null }));
  if (seen.outcome.kind === "pass") rememberTree(ws.place, seen.tree, loaded.state);
  const results = ran.map(({ target, receipt }) => ({
    goal: target.goal.id,
    criterion: target.criterion.id,
    outcome: seen.outcome,
    receipt,
    output: outputOf(seen.run),
  }));
  return { loaded, results };
}

/** Runs the checks and records nothing: for the work in between. */
export async function tryChecks(
  ws: Workspace,
  selection: Selection,
  hooks: ProveHooks,
): Promise<ProveReport> {
  const loaded = requirePlan(ws);
  const { targets, skipped } = await select(ws, loaded.state, selection);
  const results: Proved[] = [];
  const groups = byVersion(targets);
  hooks.onPlan?.(groups.length);
  for (const group of groups) {
    const [first] = group;
    if (first === undefined) continue;
    const what = group.map((t) => criterionRef(t.goal, t.criterion)).join(" ");
    hooks.onStart?.(what);
    const once = await runOnce(
      ws,
      first.check,
      await fingerprint(ws.place.root),
      criterionRef(first.goal, first.criterion),
    );
    const outcome = plainOutcome(once.verdict, "", ws.place.root);
    for (const target of group) {
      const result: Proved = {
        goal: target.goal.id,
        criterion: target.criterion.id,
        outcome: outcome ?? {
          kind: "pass",
          tree: "",
          covered: "",
          whole: "",
          before: noBefore,
          own: [],
          ignored: {},
          repeats: 0,
        },
        receipt: null,
        output: outputOf(once.run),
      };
      results.push(result);
    }
    hooks.onEnd?.(what);
    await once.run.dispose();
  }
  return { results, skipped, loaded };
}

const outputOf = ({ stderr, stdout }: CapturedRun): string =>
  [stderr.head, stderr.tail, stdout.head, stdout.tail].filter((part) => part !== "").join("\n");

const noBefore: Before = {
  outcome: "unclear",
  saw: "not looked at",
  base: null,
  checkFiles: "",
  durationMs: 0,
};

/** What the base tree says now, without recording a pass: for planning, so that a check that can never be red shows early. */
export async function previewBefore(
  ws: Workspace,
  selection: Selection,
  hooks: ProveHooks,
): Promise<readonly { ref: string; before: Before }[]> {
  const { state } = requirePlan(ws);
  const { targets } = await select(ws, state, selection);
  const seen: { ref: string; before: Before }[] = [];
  for (const group of byVersion(targets)) {
    const [first] = group;
    if (first === undefined) continue;
    hooks.onStart?.(group.map((t) => criterionRef(t.goal, t.criterion)).join(" "));
    const before = await takeBefore(first.check, {
      root: ws.place.root,
      base: state.base.commit,
      share: state.share,
      setup: state.setup,
      preview: true,
      name: criterionRef(first.goal, first.criterion),
    });
    for (const target of group) seen.push({ ref: criterionRef(target.goal, target.criterion), before });
  }
  return seen;
}

async function select(
  ws: Workspace,
  plan: Plan,
  selection: Selection,
): Promise<{ targets: readonly Target[]; skipped: ProveReport["skipped"] }> {
  const wanted = await selected(ws, plan, selection);
  const targets: Target[] = [];
  const skipped: { ref: string; why: string }[] = [];
  for (const { goal, criterion } of wanted) {
    const { check, version } = criterion;
    if (check !== null && version !== null) targets.push({ goal, criterion, check, version });
    else if (isClaimable(criterion))
      skipped.push({ ref: criterionRef(goal, criterion), why: "claimed with record-evidence, not run" });
    else skipped.push({ ref: criterionRef(goal, criterion), why: "draft: it has no check yet" });
  }
  return { targets, skipped };
}

async function selected(
  ws: Workspace,
  plan: Plan,
  selection: Selection,
): Promise<readonly { goal: Goal; criterion: Criterion }[]> {
  if (selection.kind === "named") return selection.ids.map((id) => findCriterion(plan, selection.goalId, id));
  const goal =
    selection.kind === "current"
      ? selection.goalId === undefined
        ? currentGoal(plan)
        : findGoal(plan, selection.goalId)
      : undefined;
  if (selection.kind === "current" && goal === undefined) return [];
  const present = presentOf(ws.place, await fingerprint(ws.place.root), { thorough: true });
  return assessPlan(plan, present)
    .filter((a) => goal === undefined || a.goal.id === goal.id)
    .filter((a) => a.word !== "proven" && a.word !== "claimed" && a.word !== "waived")
    .map(({ goal: g, criterion }) => ({ goal: g, criterion }));
}

/** Criteria with the same check share one run. */
function byVersion(targets: readonly Target[]): readonly (readonly Target[])[] {
  const groups = new Map<string, Target[]>();
  for (const target of targets) groups.set(target.version, [...(groups.get(target.version) ?? []), target]);
  return [...groups.values()];
}
