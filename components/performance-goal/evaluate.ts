/**
 * One evaluation: guards, the base against the working tree, and where the news is good a fresh measurement of the same.
 * Nothing here is taken from anybody's words. It writes no ledger line; whoever asked for it does.
 */

import { createHash, randomBytes } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { globs, type LiveTree, withTreeObjects } from "../evidence/fingerprint.ts";
import { showFile } from "../evidence/git.ts";
import { withRunnerKeys } from "../evidence/runner-config.ts";
import { checkDir, ensureDir, sha256, writeFileAtomic } from "../journal/safe-fs.ts";
import { intervalOf, type Rule } from "../measure/decide.ts";
import { needsUsage, WALL } from "../measure/metric.ts";
import { measurePairs, type Progress, type Question, type Verdict } from "../measure/pairs.ts";
import { type Bench, type Place as Copy, faultOf, runOn, type Side, withSides } from "../measure/sides.ts";
import { judgeExactly, judgeTarget } from "../measure/target.ts";
import { isTimeUnit } from "../measure/units.ts";
import { evaluatorChanges, isShared, packagePath, sharedId } from "./evaluator.ts";
import { coveredOf, presentOf } from "./fresh.ts";
import { layGuardFiles } from "./guard-files.ts";
import { runGuards } from "./guards.ts";
import { alone, markedEnvironment } from "./measuring.ts";
import type { Evaluation, Evaluator, Kept, Measure, Measured, PerformanceGoal } from "./model.ts";
import { changedSince, keptTree, saveObjects } from "./trees.ts";
import type { Workspace } from "./workspace.ts";

export interface Evaluated {
  readonly evaluation: Evaluation;
  /** Set where the tree is the best so far. */
  readonly keep: Omit<Kept, "at"> | null;
  readonly spentMs: number;
}

/** What is told while it goes on. */
export type Tell = (what: string, progress: Progress | null) => void;

/**
 * @param budgetMs for each measurement's pairs; null for the contract's
 * @throws Refusal `lock_timeout`, and what exporting throws; a run that measures nothing is an *invalid* evaluation
 */
export function evaluate(
  ws: Workspace,
  goal: PerformanceGoal,
  budgetMs: number | null,
  tell: Tell,
): Promise<Evaluated> {
  return alone(ws.place, () =>
    withTreeObjects(ws.place.root, async (today) => {
      const began = performance.now();
      const { evaluation, values } = await look(ws, goal, today, budgetMs, tell);
      const kept: Omit<Kept, "at"> | null = evaluation.kept
        ? {
            tree: today.id,
            treeHash: today.treeHash ?? "",
            objects: saveObjects(ws.place, today, "kept"),
            evaluation: evaluation.id,
          }
        : null;
      const artifact = values.length === 0 ? null : saveValues(ws, evaluation.id, values);
      return {
        evaluation: { ...evaluation, artifact },
        keep: kept,
        spentMs: Math.round(performance.now() - began),
      };
    }),
  );
}

interface Looked {
  readonly evaluation: Evaluation;
  readonly values: readonly { readonly what: string; readonly verdict: Verdict }[];
}

async function look(
  ws: Workspace,
  goal: PerformanceGoal,
  today: LiveTree,
  budgetMs: number | null,
  tell: Tell,
): Promise<Looked> {
  const { contract } = goal;
  const present = presentOf(ws.place.root, contract, today);
  const values: { what: string; verdict: Verdict }[] = [];
  const nothing: Evaluation = {
    id: randomBytes(6).toString("hex"),
    word: "invalid",
    reason: null,
    first: null,
    again: null,
    versusKept: [],
    guards: [],
    met: false,
    kept: false,
    tree: today.id,
    covered: coveredOf(contract, present),
    evaluator: present.evaluator.version,
    machine: present.machine,
    doubts: [],
    artifact: null,
  };
  const invalid = (reason: string, more: Partial<Evaluation> = {}): Looked => ({
    evaluation: {
      ...nothing,
      ...more,
      word: "invalid",
      reason: reason.slice(0, 400),
      met: false,
      kept: false,
    },
    values,
  });
  const changes = evaluatorChanges(goal.evaluator, present.evaluator);
  if (changes.length > 0) return invalid(`the evaluator changed: ${changes.slice(0, 3).join(", ")}`);
  const changed = await changedSince(ws.place.root, goal.base, today);
  if (changed.all.length === 0 && contract.measure !== null)
    return {
      evaluation: {
        ...nothing,
        word: "same",
        reason: "nothing differs from the base, so nothing was measured",
      },
      values,
    };
  // A verdict that rests on files outside would stay fresh whatever becomes of them.
  if (contract.covers !== null) {
    const covers = globs([...contract.covers, ...Object.keys(goal.evaluator.files)]);
    if (!changed.all.some(covers))
      return invalid(
        `nothing that --covers names differs from the base: ${changed.all.slice(0, 3).join(", ")} would change and nobody would notice`,
      );
  }
  const bench = await benchOf(ws, goal, today);
  const sides = await sidesOf(ws, goal, today);
  let guards: Evaluation["guards"] = [];
  try {
    if (contract.guards.length > 0) tell("guards", null);
    guards = await runGuards(bench, sides.now, contract.guards, (dir) =>
      layGuardFiles(ws.place, goal.guardFiles, dir, today),
    );
    const failed = guards.find((one) => one.failed !== null);
    if (failed !== undefined) return invalid(`guard \`${failed.command}\`: ${failed.failed}`, { guards });
    const { measure } = contract;
    if (measure === null)
      return {
        evaluation: {
          ...nothing,
          guards,
          ...(await byExit(bench, sides, goal.evaluator, tell)),
        },
        values,
      };
    return await withSides(bench, [sides.base, sides.now], async ([from, to]) => {
      if (from === undefined || to === undefined) throw new Error("two sides were made");
      requireSameEvaluator([from, to], goal.evaluator);
      const question = questionOf(measure, budgetMs);
      const run = async (what: string, pair: readonly [Copy, Copy], asked: Question): Promise<Measured> => {
        const verdict = await measurePairs(bench, pair, asked, (progress) => tell(what, progress));
        values.push({ what, verdict });
        return measuredOf(verdict);
      };
      const first = await run("base and working tree", [from, to], question);
      const found: Partial<Evaluation> = { guards, first };
      const doubt = await doubtOf(bench, sides.now, measure, first, values[0]?.verdict);
      if (doubt !== null) return invalid(doubt, found);
      const already = values[0] === undefined ? null : metAlready(measure, values[0].verdict);
      if (already !== null)
        return { evaluation: { ...nothing, ...found, word: first.word, reason: already }, values };
      const good = measure.target === null ? first.word === "improved" : first.target === "met";
      // Only good news is asked for twice: the best of many tries is lucky, and a second try is not.
      const again =
        good || (first.word === "improved" && goal.kept === null)
          ? await run("confirmation", [from, to], question)
          : null;
      const met =
        good &&
        again !== null &&
        (measure.target === null ? again.word === "improved" : again.target === "met");
      const versusKept: Measured[] = [];
      let kept = met || (goal.kept === null && first.word === "improved" && again?.word === "improved");
      if (goal.kept !== null && goal.kept.tree === today.id) kept = false;
      else if (goal.kept !== null && first.word === "improved") {
        const best: Side = { name: "what is kept", source: { tree: keptTree(ws.place, goal.kept) } };
        await withSides(bench, [best], async ([place]) => {
          if (place === undefined) return;
          const plain = { ...question, target: null };
          const one = await run("kept and working tree", [place, to], plain);
          versusKept.push(one);
          if (!met && one.word === "improved") versusKept.push(await run("confirmation", [place, to], plain));
        });
        kept = met
          ? versusKept.every(({ word }) => word !== "regressed")
          : versusKept.length === 2 && versusKept.every(({ word }) => word === "improved");
      }
      requireSameEvaluator([from, to], goal.evaluator);
      return {
        evaluation: {
          ...nothing,
          ...found,
          word: first.word,
          again,
          versusKept,
          met,
          kept,
          doubts: doubts(first, again, good),
        },
        values,
      };
    });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "measurement_invalid") throw error;
    return invalid(`wanted ${error.expected ?? "a measurement"}, got ${error.found ?? error.message}`, {
      guards,
    });
  }
}

export async function benchOf(
  ws: Workspace,
  goal: Pick<PerformanceGoal, "contract" | "base" | "evaluator">,
  today: LiveTree,
): Promise<Bench> {
  const { contract } = goal;
  return {
    root: ws.place.root,
    today,
    head: goal.base,
    command: contract.command,
    cwd: contract.cwd,
    overlay: Object.keys(goal.evaluator.files).filter((path) => today.files.has(path)),
    setup: contract.setup,
    share: contract.share,
    env: markedEnvironment(ws.place, ws.env),
    confine: ws.confine,
    runMs: contract.runMs,
    usage: needsUsage(contract.measure?.metric ?? null),
  };
}

/** Both sides run the same evaluator: its files are laid over the base, and its scripts are put into the base's package. */
export async function sidesOf(
  ws: Workspace,
  goal: Pick<PerformanceGoal, "contract" | "base" | "evaluator">,
  today: LiveTree,
): Promise<{ readonly base: Side; readonly now: Side }> {
  const patches = new Map<string, string>();
  if (Object.keys(goal.evaluator.scripts).length > 0) {
    const path = packagePath(goal.contract.cwd);
    const runner = readFileSync(join(ws.place.root, path), "utf8");
    const patched = withRunnerKeys(await showFile(ws.place.root, goal.base, path), runner);
    if (patched !== null) patches.set(path, patched);
  }
  return {
    base: { name: "the base", source: { commit: goal.base }, patches },
    now: { name: "the working tree", source: { tree: today } },
  };
}

const questionOf = (measure: Measure, budgetMs: number | null): Question => {
  const { metric, better, minEffect, alpha, target, warmUp } = measure;
  const rule: Rule = { better, minEffect, alpha };
  return { metric, rule, target, warmUp, budgetMs: budgetMs ?? measure.budgetMs };
};

export function measuredOf(verdict: Verdict): Measured {
  const { values: _values, slept: _slept, ...rest } = verdict;
  return { ...rest, tookMs: Math.round(rest.tookMs), pairMs: Math.round(rest.pairMs) };
}

/** Runs the evaluator once in a copy of its own. @returns why it does not pass; null when it does */
export function exitOn(bench: Bench, side: Side, evaluator: Evaluator): Promise<string | null> {
  return withSides(bench, [side], async ([place]) => {
    if (place === undefined) return "not run";
    requireSameEvaluator([place], evaluator);
    const run = await runOn(bench, place);
    const fault = faultOf(run, bench.runMs);
    await run.dispose();
    if (run.spawnError !== null || run.exit === 126 || run.exit === 127)
      throw new Refusal("measurement_invalid", "The evaluator did not run.", {
        expected: `an evaluator that runs on ${side.name}`,
        found: fault ?? "nothing",
        next: ["mend the command, then run the same command again"],
      });
    return fault;
  });
}

/** The exit status is the verdict: it has to fail on the base, and to pass here, twice. */
async function byExit(
  bench: Bench,
  { base, now }: { readonly base: Side; readonly now: Side },
  evaluator: Evaluator,
  tell: Tell,
): Promise<Pick<Evaluation, "word" | "reason" | "met" | "kept">> {
  const once = (side: Side): Promise<string | null> => exitOn(bench, side, evaluator);
  tell("base", null);
  const before = await once(base);
  if (before === null)
    return {
      word: "invalid",
      reason: "the evaluator passes on the base as well: it says nothing about the work",
      met: false,
      kept: false,
    };
  tell("working tree", null);
  for (let at = 0; at < 2; at++) {
    const fault = await once(now);
    if (fault !== null)
      return {
        word: "fails",
        reason: at === 0 ? fault : `passed once, then ${fault}`,
        met: false,
        kept: false,
      };
  }
  return { word: "holds", reason: `base: ${before}`, met: true, kept: true };
}

/** A time that does not change when the run is made to wait is not measured. @returns why; null when all is well */
async function doubtOf(
  bench: Bench,
  now: Side,
  measure: Measure,
  first: Measured,
  verdict: Verdict | undefined,
): Promise<string | null> {
  if (!first.exact || first.metric === WALL || !isTimeUnit(first.unit) || verdict === undefined) return null;
  const slowed = await withSides(
    bench,
    [{ ...now, name: "the slowed working tree", slow: SLOWED }],
    async ([place]) => {
      if (place === undefined) return null;
      const [one] = [
        await measurePairs(bench, [place, place], { ...questionOf(measure, 1), warmUp: 1 }, () => {}),
      ];
      return one;
    },
  );
  const same = slowed?.values.now[0] === verdict.values.now[0];
  return same
    ? `${first.metric} is a time and never varies, not even when the run is made to wait: it is not measured (a time that is computed: print it without a unit)`
    : null;
}

/** Share of the time that a slowed run stands still. */
export const SLOWED = 0.6;

/** An absolute target that the base meets says nothing about the work. */
function metAlready({ target, better, alpha, minEffect }: Measure, verdict: Verdict): string | null {
  if (target?.kind !== "absolute") return null;
  const { base } = verdict.values;
  const finding = verdict.exact
    ? judgeExactly(target, better, base[0] ?? 0, base[0] ?? 0)
    : judgeTarget(target, better, null, intervalOf(base.map(Math.log), { better, alpha, minEffect }));
  return finding === "met" ? `the base meets ${target.text} already: there is nothing to show` : null;
}

function doubts(first: Measured, again: Measured | null, good: boolean): readonly string[] {
  const found: string[] = [];
  if (good && again !== null && (again.word !== first.word || again.target !== first.target))
    found.push("the first measurement was not confirmed by the second");
  if (first.noise > 0.2)
    found.push(
      `one run differs from the next by ${Math.round(first.noise * 100)} %: a quieter machine would tell more`,
    );
  return found;
}

/** The copies must hold the contract's evaluator, whatever was exchanged meanwhile. @throws Refusal `measurement_invalid` */
export function requireSameEvaluator(copies: readonly Copy[], evaluator: Evaluator): void {
  for (const { made, side } of copies)
    for (const [path, id] of Object.entries(evaluator.files)) {
      if (isSame(join(made.dir, path), id)) continue;
      throw new Refusal("measurement_invalid", "The evaluator is another one.", {
        expected: `the contract's ${path} on ${side.name}`,
        found: "another content",
        next: [],
      });
    }
}

function isSame(path: string, id: string): boolean {
  // Other ids (of big files, of filtered ones) are not those of a file's own bytes.
  if (!isShared(id) && !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)) return true;
  try {
    if (isShared(id)) return sharedId(readFileSync(path)) === id;
    // Git's content of a link is where it leads to.
    const content = lstatSync(path).isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
    const hash = createHash(id.length === 64 ? "sha256" : "sha1").update(`blob ${content.length}\0`);
    return hash.update(content).digest("hex") === id;
  } catch {
    return false;
  }
}

function saveValues(
  { place }: Workspace,
  id: string,
  values: Looked["values"],
): { readonly path: string; readonly sha256: string } {
  const path = `evidence/${id}.json`;
  const folder = join(place.dir, "evidence");
  checkDir(place.root, folder);
  ensureDir(folder);
  const text = `${JSON.stringify(values, null, 1)}\n`;
  writeFileAtomic(join(place.dir, path), text);
  return { path, sha256: sha256(text) };
}
