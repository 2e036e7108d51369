/** `prove`: runs checks on the working tree, asks the base tree, and records what was seen. */

import { takeBefore } from "../evidence/before.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import type { Before } from "../evidence/types.ts";
import type { Loaded } from "../journal/types.ts";
import { artifactPath, rememberTree, saveArtifact } from "./artifacts.ts";
import { assessPlan } from "./assess.ts";
import type { PlanEvent, Receipt, RunOutcome } from "./events.ts";
import { currentGoal, findCriterion, findGoal } from "./ids.ts";
import { type Criterion, criterionRef, type Goal, isClaimable, type Plan } from "./model.ts";
import { presentOf } from "./present.ts";
import { type CapturedRun, capturedText, receiptOf } from "./receipt.ts";
import { plainOutcome, runOnce, runProof, type Target } from "./run-proof.ts";
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

export interface ProveHooks {
  /** Called before each run, so that a person sees what takes time. */
  readonly onStart?: (what: string) => void;
  readonly onResult?: (result: Proved) => void;
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
  const results: Proved[] = [];
  let latest = loaded;
  for (const group of byVersion(targets)) {
    const [first] = group;
    if (first === undefined) continue;
    options.onStart?.(group.map((t) => criterionRef(t.goal, t.criterion)).join(" "));
    const seen = await runProof(ws, latest.state, first);
    const events = group.map(
      (target): PlanEvent => ({
        type: "criterion_ran",
        goal: target.goal.id,
        criterion: target.criterion.id,
        version: target.version,
        outcome: seen.outcome,
        receipt: receiptOf(
          seen.run,
          first.check,
          saveArtifact(
            ws.place,
            artifactPath(target.goal, target.criterion),
            capturedText(seen.run, first.check),
          ),
        ),
        ...(options.note === undefined ? {} : { note: options.note }),
      }),
    );
    // A criterion that was revised meanwhile keeps its new version; the reducer leaves such a result aside.
    latest = changePlan(ws, "prove", () => ({ events, result: null })).loaded;
    if (seen.outcome.kind === "pass") rememberTree(ws.place, seen.tree, latest.state);
    for (const [index, target] of group.entries()) {
      const event = events[index];
      const result: Proved = {
        goal: target.goal.id,
        criterion: target.criterion.id,
        outcome: seen.outcome,
        receipt: event?.type === "criterion_ran" ? event.receipt : null,
        output: outputOf(seen.run),
      };
      results.push(result);
      options.onResult?.(result);
    }
    await seen.run.dispose();
  }
  return { results, skipped, loaded: latest };
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
  for (const group of byVersion(targets)) {
    const [first] = group;
    if (first === undefined) continue;
    hooks.onStart?.(group.map((t) => criterionRef(t.goal, t.criterion)).join(" "));
    const once = await runOnce(ws, first.check, await fingerprint(ws.place.root));
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
      hooks.onResult?.(result);
    }
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
