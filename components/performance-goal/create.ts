/** How a performance goal begins: the contract is tried once on both versions before it is fixed. */

import { randomBytes } from "node:crypto";
import { Refusal } from "../errors.ts";
import { type LiveTree, withTreeObjects } from "../evidence/fingerprint.ts";
import { ensureStateDir, sha256, slugify } from "../journal/safe-fs.ts";
import type { Loaded } from "../journal/types.ts";
import { type Better, FEWEST_PAIRS } from "../measure/decide.ts";
import { needsUsage } from "../measure/metric.ts";
import { measurePairs, type Verdict } from "../measure/pairs.ts";
import { withSides } from "../measure/sides.ts";
import { judgeExactly, parseTarget, settleTarget } from "../measure/target.ts";
import { oneLine, shorten } from "../words/plain-text.ts";
import { benchOf, exitOn, sidesOf } from "./bench.ts";
import { documentText, writeDocument } from "./document.ts";
import { evaluatorOf, usualProtection } from "./evaluator.ts";
import type { GoalEvent } from "./events.ts";
import { keepGuardFiles } from "./guard-files.ts";
import { runGuards } from "./guards.ts";
import { type Contract, type Evaluator, isSettled, type PerformanceGoal } from "./model.ts";
import { type Place, placeOf, slugFrom } from "./place.ts";
import { changeState, readGoal, type Workspace } from "./workspace.ts";

/** What was asked for, before anything ran. */
export interface Asked {
  readonly objective: string;
  readonly slug: string | undefined;
  readonly base: string;
  /** `protect` null: worked out from the command. */
  readonly contract: Omit<Contract, "measure" | "runMs" | "protect"> & {
    readonly protect: readonly string[] | null;
  };
  /** Null: prose only. */
  readonly measure: {
    readonly metric: string | null;
    readonly target: string | null;
    readonly better: Better | null;
    readonly minEffect: number;
    readonly alpha: number;
    readonly warmUp: number | null;
    readonly budgetMs: number;
  } | null;
  readonly force: boolean;
}

export interface Created {
  readonly ws: Workspace;
  readonly loaded: Loaded<PerformanceGoal>;
  /** What one verdict will take, in milliseconds: when the fewest pairs decide it, and at most. */
  readonly cost: { readonly least: number; readonly most: number };
  /** What the user should know about the contract, a sentence each. */
  readonly remarks: readonly string[];
}

/** A run may take this many times as long as the first one did, and at least a minute. */
const PATIENCE = 20;
const LEAST_RUN_MS = 60_000;
const MOST_RUN_MS = 30 * 60_000;

/** The folder's name: the slug given, or one made of the objective. @throws Refusal `invalid_id` */
const slugOf = (asked: Pick<Asked, "slug" | "objective">, root: string): string =>
  placeOf(
    root,
    asked.slug === undefined ? slugify(asked.objective.split("\n")[0] ?? "") : slugFrom(asked.slug),
  ).slug;

/**
 * @param open makes the workspace of a slug
 * @throws Refusal `plan_exists`, `measurement_invalid`, `usage_bad_value`, and what exporting and the journal throw
 */
export async function createGoal(
  root: string,
  asked: Asked,
  open: (slug: string) => Workspace,
  tell: (what: string) => void,
): Promise<Created> {
  const ws = open(slugOf(asked, root));
  const existing = readGoal(ws)?.state ?? null;
  requireRoom(existing, asked, ws.place);
  return withTreeObjects(root, async (today) => {
    const judges = asked.measure === null || asked.measure.metric?.startsWith("$") === true;
    const protect = asked.contract.protect ?? usualProtection(root, asked.contract, today, judges);
    const plain: Contract = { ...asked.contract, protect, measure: null, runMs: MOST_RUN_MS };
    const evaluator = evaluatorOf(root, plain, today);
    requireWork(evaluator, today);
    requireProtected(plain, evaluator);
    tell("a first run of the evaluator on both versions");
    const tried = await tryOut(ws, { contract: plain, evaluator, base: asked.base }, today, asked);
    const { contract, remarks } = tried;
    const objective = asked.objective.trim();
    const document = await documentText(objective, contract, evaluator, asked.base);
    ensureStateDir(root, ws.place.dir, { track: false });
    const guardFiles = keepGuardFiles(ws.place, contract.guards, contract.cwd, today);
    const goal: Extract<GoalEvent, { type: "goal_created" }>["goal"] = {
      goalId: randomBytes(8).toString("hex"),
      slug: ws.place.slug,
      title: shorten(oneLine(objective)),
      objective,
      hostObjective: hostObjective(ws.place, objective),
      contract,
      evaluator,
      guardFiles,
      base: asked.base,
      author: ws.writer.kind,
      owner: { session: ws.writer.session, host: ws.writer.host, at: "" },
      document: sha256(document),
    };
    const { loaded } = changeState(ws, "create", (now) => {
      requireRoom(now, asked, ws.place);
      const events: GoalEvent[] = [{ type: "goal_created", goal }];
      const lost = lostGoal(ws, now);
      if (now !== null && !isSettled(now))
        events.push({
          type: "goal_weakened",
          id: "W001",
          kind: "forced",
          what: `the goal "${now.title}" (${now.status}) was replaced by another contract`,
        });
      else if (lost !== null)
        events.push({ type: "goal_weakened", id: "W001", kind: "lost_state", what: lost });
      return { events, result: null };
    });
    writeDocument(ws.place, document);
    return { ws, loaded, cost: tried.cost, remarks };
  });
}

/** The one objective of the host's goal; it names what never changes. */
const hostObjective = (place: Pick<Place, "statePath">, objective: string): string =>
  `Reach the performance goal in ${place.statePath} ("${shorten(oneLine(objective), 200)}"); it counts when the tool has measured it. ` +
  "The tool says what comes next: proofgate performance-goal status.";

function requireRoom(existing: PerformanceGoal | null, asked: Asked, place: Place): void {
  if (existing === null || isSettled(existing) || asked.force) return;
  throw new Refusal("plan_exists", `There is an open performance goal ${place.slug}: ${existing.title}`, {
    expected: "no open goal of that name, another --slug, or --force",
    found: `${existing.status}, ${existing.evaluations} evaluations`,
    next: [
      `proofgate performance-goal status --slug ${place.slug}`,
      "proofgate performance-goal create … --slug NAME  (a goal of its own)",
      "proofgate performance-goal create … --force  (the user must approve it)",
    ],
  });
}

/** An earlier goal of this folder that the witness knows as open, and that is gone. */
function lostGoal(ws: Workspace, now: PerformanceGoal | null): string | null {
  const anchor = ws.witness.anchor(ws.place.dir);
  if (now !== null || anchor === null || !anchor.open) return null;
  return `the goal "${anchor.title}" (${anchor.plan}) was here, unfinished, and its ledger is gone`;
}

function requireWork(evaluator: Evaluator, today: LiveTree): void {
  const own = new Set(Object.keys(evaluator.files));
  if ([...today.files.keys()].some((path) => !own.has(path))) return;
  throw new Refusal(
    "usage_bad_value",
    "Every file of the repository is protected: nothing is left to be made faster.",
    {
      expected: "--protect with the evaluator's own files only",
      found: `${own.size} files, all of them`,
      next: ["proofgate help performance-goal create"],
    },
  );
}

/** Globs that match nothing protect nothing, and nobody would notice. */
function requireProtected({ protect }: Contract, { files }: Evaluator): void {
  if (protect.length === 0 || Object.keys(files).length > 0) return;
  throw new Refusal("usage_bad_value", "--protect names no file that there is.", {
    expected: "the evaluator's own files, from the root of the repository",
    found: protect.join(","),
    next: ["leave --protect away: then the files that the command names are protected"],
  });
}

async function tryOut(
  ws: Workspace,
  goal: { readonly contract: Contract; readonly evaluator: Evaluator; readonly base: string },
  today: LiveTree,
  asked: Asked,
): Promise<{ contract: Contract; cost: Created["cost"]; remarks: string[] }> {
  const remarks: string[] = [];
  const usage = needsUsage(asked.measure?.metric ?? null);
  // A first run belongs to no goal yet, and no evaluation may end it.
  const bench = { ...(await benchOf(ws, goal, today)), usage, env: ws.env };
  const sides = await sidesOf(ws, goal, today);
  const guardsBegan = performance.now();
  const guards = await runGuards(bench, sides.now, goal.contract.guards);
  const guardsMs = performance.now() - guardsBegan;
  for (const { command, failed } of guards)
    if (failed !== null) remarks.push(`guard \`${command}\` fails as things are: ${failed}`);
  if (goal.contract.guards.length === 0)
    remarks.push('no guard: nothing checks that the faster code still does its work (--guard "npm test")');
  const files = Object.keys(goal.evaluator.files);
  if (files.length + Object.keys(goal.evaluator.scripts).length === 0)
    remarks.push("nothing is protected: the command names no file of its own (--protect GLOB)");
  const { measure } = asked;
  if (measure === null) {
    const began = performance.now();
    const before = await exitOn(bench, sides.base, goal.evaluator);
    await exitOn(bench, sides.now, goal.evaluator);
    const each = (performance.now() - began) / 2;
    remarks.push("no metric is judged: the evaluator's exit status is the verdict");
    if (before === null)
      remarks.push(
        "it passes on the base already, so that passing will say nothing: name a --metric and a --target",
      );
    const cost = 3 * each + guardsMs;
    return {
      contract: { ...goal.contract, runMs: patience(each) },
      cost: { least: cost, most: cost },
      remarks,
    };
  }
  const rule = {
    better: measure.better ?? "lower",
    minEffect: measure.minEffect,
    alpha: measure.alpha,
  } as const;
  const verdict: Verdict = await withSides(bench, [sides.base, sides.now], ([from, to]) => {
    if (from === undefined || to === undefined) throw new Error("two sides were made");
    // One pair: it shows that both versions run and say the metric, and what a run takes.
    return measurePairs(
      bench,
      [from, to],
      { metric: measure.metric, rule, target: null, budgetMs: 1, warmUp: 0 },
      () => {},
    );
  });
  const wanted = measure.target === null ? null : parseTarget(measure.target);
  const { target, better } = settleTarget(wanted, verdict.unit, measure.better);
  const contract: Contract = {
    ...goal.contract,
    runMs: patience(verdict.pairMs / 2),
    measure: {
      metric: verdict.metric,
      unit: verdict.unit,
      better,
      target,
      minEffect: measure.minEffect,
      alpha: measure.alpha,
      warmUp: measure.warmUp,
      budgetMs: measure.budgetMs,
    },
  };
  const value = verdict.values.base[0];
  if (
    target?.kind === "absolute" &&
    value !== undefined &&
    judgeExactly(target, better, value, value) === "met"
  )
    remarks.push(
      `the base meets ${target.text} in its first run (${value}${verdict.unit === "" ? "" : ` ${verdict.unit}`}): there may be nothing to show`,
    );
  // Good news is measured twice.
  const least = guardsMs + verdict.pairMs * (FEWEST_PAIRS + 2);
  const most = guardsMs + 2 * Math.max(measure.budgetMs, verdict.pairMs * 3);
  if (verdict.pairMs * FEWEST_PAIRS > measure.budgetMs)
    remarks.push(
      `the budget is too short: ${FEWEST_PAIRS} pairs are needed and take about ${Math.ceil((verdict.pairMs * FEWEST_PAIRS) / 1000)} s (--budget)`,
    );
  return { contract, cost: { least: Math.min(least, most), most }, remarks };
}

const patience = (runMs: number): number =>
  Math.round(Math.min(MOST_RUN_MS, Math.max(LEAST_RUN_MS, runMs * PATIENCE)));
