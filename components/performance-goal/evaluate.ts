/**
 * One evaluation: guards, the base against the working tree, and where the news is good a fresh measurement of the same.
 * Nothing here is taken from anybody's words. It writes no ledger line; whoever asked for it does.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { globs, type LiveTree, withTreeObjects } from "../evidence/fingerprint.ts";
import { checkDir, ensureDir, sha256, writeFileAtomic } from "../journal/safe-fs.ts";
import { benchOf, sidesOf } from "./bench.ts";
import { evaluatorChanges } from "./evaluator.ts";
import { coveredOf, presentOf } from "./fresh.ts";
import { layGuardFiles } from "./guard-files.ts";
import { runGuards } from "./guards.ts";
import { alone } from "./measuring.ts";
import type { Evaluation, Kept, PerformanceGoal } from "./model.ts";
import { changedSince, saveObjects } from "./trees.ts";
import { byExit, byMeasure, type Stage, type Tell, type Values } from "./verdict.ts";
import type { Workspace } from "./workspace.ts";

export interface Evaluated {
  readonly evaluation: Evaluation;
  /** Set where the tree is the best so far. */
  readonly keep: Omit<Kept, "at"> | null;
  readonly spentMs: number;
}

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
  readonly values: readonly Values[];
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
  const values: Values[] = [];
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
  const at: Stage = { bench, sides, today, tell };
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
          ...(await byExit(at, goal.evaluator)),
        },
        values,
      };
    return {
      evaluation: { ...nothing, guards, ...(await byMeasure(ws, goal, measure, budgetMs, at, values)) },
      values,
    };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "measurement_invalid") throw error;
    return invalid(`wanted ${error.expected ?? "a measurement"}, got ${error.found ?? error.message}`, {
      guards,
    });
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
