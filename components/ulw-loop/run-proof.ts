/** One check, run for a proof: on the working tree until it stands still, again after a failure, and on the base tree. */

import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkFilesDigest, takeBefore } from "../evidence/before.ts";
import { checkFiles, namedFiles } from "../evidence/check-files.ts";
import { commitFiles } from "../evidence/commit-files.ts";
import { sandboxed } from "../evidence/environment.ts";
import { changedBetween, fingerprint } from "../evidence/fingerprint.ts";
import { judge } from "../evidence/judge.ts";
import { codeOutside } from "../evidence/outside-names.ts";
import { runCheck } from "../evidence/run-check.ts";
import type { Before, Check, Tree, Verdict } from "../evidence/types.ts";
import type { RunOutcome } from "./events.ts";
import { type Criterion, criterionRef, type Goal, type Plan } from "./model.ts";
import { contentOf, coveredBy } from "./present.ts";
import type { CapturedRun } from "./receipt.ts";
import type { Workspace } from "./workspace.ts";

/** A criterion whose check can be run. */
export interface Target {
  readonly goal: Goal;
  readonly criterion: Criterion;
  readonly check: Check;
  readonly version: string;
}

export interface Seen {
  readonly run: CapturedRun;
  readonly outcome: RunOutcome;
  readonly tree: Tree;
}

/** Runs one check on the working tree, as often as it has to, and asks the base tree when it passed. */
export async function runProof(ws: Workspace, plan: Plan, target: Target): Promise<Seen> {
  const { check } = target;
  let settled = await settle(ws, target);
  const { tree } = settled;
  if (settled.moved !== null)
    return { run: settled.run, tree, outcome: { kind: "moved", paths: settled.moved } };
  const failed = plainOutcome(settled.verdict, tree.id, ws.place.root);
  if (failed !== null) return { run: settled.run, tree, outcome: failed };

  const repeats = repeatsNeeded(target.criterion, tree.id);
  for (let done = 0; done < repeats; done++) {
    await settled.run.dispose();
    settled = await settle(ws, target);
    if (settled.verdict.kind !== "met" || settled.moved !== null)
      return {
        run: settled.run,
        tree,
        outcome: {
          kind: "flaky",
          what: `failed before on this tree, then passed ${done + 1} of ${repeats + 1} times`,
          tree: tree.id,
        },
      };
  }
  const { own } = checkFiles(check, tree, null);
  const before = await beforeOf(ws, plan, target, settled.tree);
  return {
    run: settled.run,
    tree,
    outcome: {
      kind: "pass",
      tree: tree.id,
      covered: coveredBy(tree, check, own),
      whole: coveredBy(tree, { ...check, covers: null }, own),
      before,
      own,
      ignored: await besideTree(ws, plan, check, tree, settled.run.startedAtMs),
      repeats,
    },
  };
}

/**
 * How often a pass has to be repeated before it counts: after a failure on the very same tree something else than the
 * work decided, so one lucky run is not enough, and honest causes (a port in use, a missing install) pass every time.
 */
function repeatsNeeded(criterion: Criterion, tree: string): number {
  if (criterion.failedOn?.tree !== tree) return 0;
  return criterion.failedOn.count === 1 ? 2 : 4;
}

/** One run, and a second one when files of the tree changed meanwhile: a check may write a file the first time. */
async function settle(
  ws: Workspace,
  target: Target,
): Promise<{ run: CapturedRun; verdict: Verdict; tree: Tree; moved: readonly string[] | null }> {
  const { check } = target;
  let before = await fingerprint(ws.place.root);
  for (let attempt = 1; ; attempt++) {
    const once = await runOnce(ws, check, before, nameOf(target));
    const after = await fingerprint(ws.place.root);
    const { own } = checkFiles(check, after, null);
    const still = coveredBy(before, check, own) === coveredBy(after, check, own);
    if (still || attempt === 2)
      return {
        run: { ...once.run, treeBefore: before.id, treeAfter: after.id },
        verdict: once.verdict,
        tree: after,
        moved: still ? null : changedBetween(before.files, after.files),
      };
    await once.run.dispose();
    before = after;
  }
}

const nameOf = ({ goal, criterion }: Target): string => criterionRef(goal, criterion);

/** @param name the criterion that the check is run for, where there is one */
export async function runOnce(
  ws: Workspace,
  check: Check,
  tree: Tree,
  name?: string,
): Promise<{ run: CapturedRun; verdict: Verdict }> {
  const cwd = join(ws.place.root, check.cwd);
  const run = await runCheck(check, {
    cwd,
    env: ws.env,
    root: ws.place.root,
    confine: ws.confine,
    name,
  });
  const { own } = checkFiles(check, tree, null);
  const verdict = await judge(check, run, {
    runDir: cwd,
    stdoutPath: run.stdoutPath,
    stderrPath: run.stderrPath,
    sandboxed: sandboxed(ws.env),
    ownFiles: own,
  });
  return { run: { ...run, treeBefore: tree.id, treeAfter: tree.id }, verdict };
}

/** Null when the check was met. */
export function plainOutcome(verdict: Verdict, tree: string, root: string): RunOutcome | null {
  switch (verdict.kind) {
    case "met":
      return null;
    case "unmet":
      return {
        kind: "fail",
        expectation: verdict.expectation,
        wanted: verdict.wanted,
        got: withoutRoot(verdict.got, root),
        tree,
      };
    case "not_run":
    case "inconclusive":
    case "blocked":
      return { kind: verdict.kind, what: withoutRoot(verdict.reason, root) };
  }
}

/** Paths are told as they are in the repository. */
const withoutRoot = (text: string, root: string): string => text.replaceAll(`${root}/`, "");

/**
 * The base tree's answer: red as it was taken for this version and these check files, or taken now. Any other answer is
 * taken anew each time, because it may have been given in other surroundings, or by a check that was hollowed since.
 */
async function beforeOf(ws: Workspace, plan: Plan, target: Target, tree: Tree): Promise<Before> {
  const { own } = checkFiles(target.check, tree, null);
  const covered = coveredBy(tree, target.check, own);
  const digest = checkFilesDigest(target.check, tree);
  const known = plan.goals
    .flatMap((g) => g.successCriteria)
    .find(
      (c) =>
        c.version === target.version &&
        c.before !== null &&
        c.before.outcome === "red" &&
        c.before.checkFiles === digest &&
        c.before.base === plan.base.commit,
    )?.before;
  if (known) return known;
  return takeBefore(target.check, {
    root: ws.place.root,
    base: plan.base.commit,
    share: plan.share,
    setup: plan.setup,
    preview: false,
    isStill: (now) => coveredBy(now, target.check, own) === covered,
    env: ws.env,
    confine: ws.confine,
    name: nameOf(target),
  });
}

/**
 * What the tree does not hold goes into the receipt by itself: ignored files that the command names, and code outside the
 * repository that the command or the work names. What the run wrote is its output, and not what it rests on.
 */
async function besideTree(
  ws: Workspace,
  plan: Plan,
  check: Check,
  tree: Tree,
  startedAtMs: number,
): Promise<Readonly<Record<string, string>>> {
  const { root } = ws.place;
  const { commit } = plan.base;
  const before = commit === null ? new Map<string, string>() : await commitFiles(root, commit);
  const changed = [...tree.files].filter(([path, id]) => before.get(path) !== id).map(([path]) => path);
  const ignored = namedFiles(check).filter((path) => !tree.files.has(path));
  const words = typeof check.run === "string" ? check.run : check.run.join(" ");
  const outside = codeOutside(root, words, changed).filter((path) => !changedAfter(path, startedAtMs));
  const found: Record<string, string> = {};
  for (const path of [...ignored, ...outside]) {
    const content = contentOf(resolve(root, path));
    if (content !== null) found[path] = content;
  }
  return found;
}

function changedAfter(path: string, timeMs: number): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) >= timeMs;
}
