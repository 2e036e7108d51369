/** The files that an evaluator consists of: who changes them changes what is measured, and not what it measures. */

import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { makeCheck } from "../evidence/check.ts";
import { checkFiles, namedFiles } from "../evidence/check-files.ts";
import { globs } from "../evidence/fingerprint.ts";
import { simpleCommands } from "../evidence/shell-words.ts";
import type { Tree } from "../evidence/types.ts";
import type { Contract, Evaluator } from "./model.ts";
import { packageScripts, type ScriptLine } from "./package-scripts.ts";

/** What scripts that measure are called, beside the words that every check is known by. */
const MEASURES =
  /(^|[^a-z])(perf|performance|measure|speed|latency|throughput|evaluat(e|or|ion)|profil(e|ing)|load-?test|timing)([^a-z]|$)/i;
/** Folders that hold nothing but what measures. */
const FOLDERS = /^(bench|benches|benchmarks?|perf|performance|evaluators?|evals?)$/i;
const MAKES = new Set(["make", "gmake", "just", "task"]);
const MAKEFILE = /^(GNUm|M|m)akefile$|^[Jj]ustfile$|^Taskfile\.ya?ml$/;

/**
 * What the evaluator is in a tree.
 * @param contract its command, folder and the globs that the user gave
 * @returns content ids of its files, texts of the package scripts behind it, and one digest of everything
 */
export function evaluatorOf(
  root: string,
  contract: Pick<Contract, "command" | "cwd" | "protect" | "share">,
  tree: Tree,
): Evaluator {
  const { scripts, lines } = packageScripts(root, contract, tree);
  const paths = withTargets(root, named(contract.protect, tree), tree);
  const files = Object.fromEntries(
    [
      ...[...paths].map((path) => [path, tree.files.get(path) ?? ""] as const),
      ...sharedFiles(root, contract, [{ run: contract.command, cwd: contract.cwd }, ...lines], tree),
    ].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const text = JSON.stringify([
    contract.command,
    contract.cwd,
    Object.entries(files),
    Object.entries(scripts),
  ]);
  return { files, scripts, version: createHash("sha256").update(text).digest("hex") };
}

const named = (protect: readonly string[], tree: Tree): ReadonlySet<string> => {
  const matches = globs(protect);
  return new Set([...tree.files.keys()].filter(matches));
};

/**
 * What is protected where the user does not say: the files that the command names and that measure, and folders that hold
 * nothing else. Worked out once, when the contract is made, and fixed with it.
 * @param judges the script that is run says what counts (an exit status, JSON), so that it is no product in any case
 */
export function usualProtection(
  root: string,
  { command, cwd }: Pick<Contract, "command" | "cwd">,
  tree: Tree,
  judges: boolean,
): readonly string[] {
  const found = new Set<string>();
  const behind = packageScripts(root, { command, cwd }, tree);
  const all = [...tree.files.keys()];
  for (const line of [{ run: command, cwd }, ...behind.lines]) {
    // What a package script runs is a line of its own here, and no suite that finds its tests by itself.
    if (behind.only.has(line.run)) continue;
    const files = checkFiles({ ...makeCheck({ run: line.run }), cwd: line.cwd }, tree, null);
    for (const path of files.own) if (!files.scripts.includes(path)) found.add(path);
    // A script that is run directly may be the very program that has to become faster.
    for (const path of files.scripts) if (judges || isMeasuring(root, path)) found.add(path);
    if (simpleCommands(line.run).some(({ words }) => MAKES.has(words[0] ?? "")))
      for (const path of all) if (MAKEFILE.test(path)) found.add(path);
  }
  const run = [...withTargets(root, found, tree)];
  const folders = new Set(run.flatMap(measuringFolder));
  return [...folders, ...run.filter((path) => measuringFolder(path).length === 0)].sort();
}

/** What a link leads to is what runs. */
function withTargets(root: string, paths: ReadonlySet<string>, tree: Tree): Set<string> {
  const found = new Set(paths);
  for (const path of paths) {
    const target = realPath(root, path);
    if (target !== null && tree.files.has(target)) found.add(target);
  }
  return found;
}

/** Where a path leads to, from the root; null for what is not there or lies outside. */
function realPath(root: string, path: string): string | null {
  try {
    const real = relative(realpathSync(root), realpathSync(join(root, path)));
    return real === "" || real.startsWith("..") ? null : real;
  } catch {
    return null;
  }
}

/** Mark of a file that Git ignores, and that both versions share: it is laid over none of them. */
const SHARED = "shared:";
export const isShared = (id: string): boolean => id.startsWith(SHARED);
export const sharedId = (content: Buffer): string =>
  SHARED + createHash("sha256").update(content).digest("hex");

/** An evaluator that Git ignores is in no tree: it counts by its content where `--share` hands it to both versions. */
function sharedFiles(
  root: string,
  { share }: Pick<Contract, "share">,
  lines: readonly ScriptLine[],
  tree: Tree,
): readonly (readonly [string, string])[] {
  if (share.length === 0) return [];
  const isGiven = globs(share);
  const named = lines.flatMap((line) => namedFiles({ ...makeCheck({ run: line.run }), cwd: line.cwd }));
  return [...new Set(named)].flatMap((path) => {
    if (tree.files.has(path) || !isGiven(path) || !isMeasuring(root, path)) return [];
    try {
      return [[path, sharedId(readFileSync(join(root, path)))] as const];
    } catch {
      return [];
    }
  });
}

/** Called like what measures, or it prints the metric itself. */
function isMeasuring(root: string, path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (MEASURES.test(name) || /bench|eval/i.test(name) || measuringFolder(path).length > 0) return true;
  try {
    return /\bMETRIC\b/.test(readFileSync(join(root, path), "utf8"));
  } catch {
    return false;
  }
}

function measuringFolder(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  const at = parts.findIndex((part) => FOLDERS.test(part));
  return at < 0 ? [] : [parts.slice(0, at + 1).join("/")];
}

/** What differs between the contract's evaluator and the one that is there now, a few words each; empty: nothing. */
export function evaluatorChanges(then: Evaluator, now: Evaluator): readonly string[] {
  const changes = (what: string, a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>) =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter((key) => a[key] !== b[key])
      .map(
        (key) =>
          `${what}${key}${b[key] === undefined ? " is gone" : a[key] === undefined ? " is new" : " changed"}`,
      );
  return [...changes("", then.files, now.files), ...changes("package script ", then.scripts, now.scripts)];
}
