/**
 * What the guards consist of, kept as it was when the contract was made: a test that is deleted or softened later guards
 * nothing. New tests are welcome; the old ones are put back wherever a guard runs.
 */

import { copyFileSync, lstatSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeCheck } from "../evidence/check.ts";
import { checkFiles, runsSuite } from "../evidence/check-files.ts";
import { looksLikeCheck } from "../evidence/conventions.ts";
import { isRunnerConfig, withRunnerKeys } from "../evidence/runner-config.ts";
import { simpleCommands } from "../evidence/shell-words.ts";
import type { Tree } from "../evidence/types.ts";
import { checkDir, ensureDir, sha256, writeFileAtomic } from "../journal/safe-fs.ts";
import { invalid } from "../measure/reading.ts";
import type { GuardFiles } from "./model.ts";
import { packageScripts } from "./package-scripts.ts";
import type { Place } from "./place.ts";

const FOLDER = "guards";
/** The file that holds a script's text; only what runners read of it is put back. */
const isPackage = (path: string): boolean => /(^|\/)package\.json$/.test(path);

/**
 * Paths of everything that the guards are made of, in a tree: their scripts and tests, and the configuration of the runner
 * where they start one.
 */
function guardPaths(
  root: string,
  guards: readonly string[],
  cwd: string,
  tree: Tree,
): { readonly paths: readonly string[]; readonly suite: boolean } {
  const found = new Set<string>();
  let suite = false;
  const all = [...tree.files.keys()];
  for (const guard of guards)
    for (const line of [{ run: guard, cwd }, ...packageScripts(root, { command: guard, cwd }, tree).lines]) {
      const files = checkFiles({ ...makeCheck({ run: line.run }), cwd: line.cwd }, tree, null);
      // A script that is run directly may be the product itself, and has to be today's; a shell script hardly ever is.
      const isProduct = (path: string): boolean =>
        files.scripts.includes(path) && !looksLikeCheck(path) && !path.endsWith(".sh");
      for (const path of [...files.own, ...files.scripts]) if (!isProduct(path)) found.add(path);
      if (!simpleCommands(line.run).some(({ words }) => runsSuite(words))) continue;
      suite = true;
      for (const path of all) if (isRunnerConfig(path)) found.add(path);
    }
  return { paths: [...found].filter((path) => tree.files.has(path)).sort(), suite };
}

/** Copies them into the state folder. @throws system errors as refusals */
export function keepGuardFiles(place: Place, guards: readonly string[], cwd: string, tree: Tree): GuardFiles {
  const kept: Record<string, string> = {};
  const folder = join(place.dir, FOLDER);
  const { paths, suite } = guardPaths(place.root, guards, cwd, tree);
  for (const path of paths) {
    const from = join(place.root, path);
    if (!lstatSync(from).isFile()) continue;
    const content = readFileSync(from);
    const digest = sha256(content);
    kept[path] = digest;
    checkDir(place.root, folder);
    ensureDir(folder);
    writeFileAtomic(join(folder, digest), content);
  }
  return { files: kept, suite };
}

/**
 * Puts them into a copy of the working tree.
 * @param dir the copy
 * @param today what the copy was made of
 * @throws Refusal `measurement_invalid` where one was lost or changed in the state folder
 */
export function layGuardFiles(place: Place, { files, suite }: GuardFiles, dir: string, today: Tree): void {
  // Configuration that came later may leave tests out.
  if (suite)
    for (const path of today.files.keys())
      if (isRunnerConfig(path) && !isPackage(path) && files[path] === undefined)
        rmSync(join(dir, path), { force: true });
  for (const [path, digest] of Object.entries(files)) {
    const kept = join(place.dir, FOLDER, digest);
    let content: Buffer;
    try {
      content = readFileSync(kept);
    } catch {
      throw invalid(
        `the guard's ${path} as it was when the contract was made`,
        `${FOLDER}/${digest} is gone`,
      );
    }
    if (sha256(content) !== digest)
      throw invalid(
        `the guard's ${path} as it was when the contract was made`,
        `${FOLDER}/${digest} was changed`,
      );
    const to = join(dir, path);
    if (isPackage(path)) layRunnerKeys(to, content.toString("utf8"));
    else layFile(kept, to, dir, path);
  }
}

/** Everything else in it is the product's. */
function layRunnerKeys(to: string, then: string): void {
  let now: string;
  try {
    now = readFileSync(to, "utf8");
  } catch {
    return;
  }
  const merged = withRunnerKeys(now, then);
  if (merged !== null && merged !== now) writeFileAtomic(to, merged);
}

/** Never through a link that leads out of the copy. */
function layFile(from: string, to: string, dir: string, path: string): void {
  const parts = path.split("/").slice(0, -1);
  for (let length = 1; length <= parts.length; length++) {
    const folder = join(dir, ...parts.slice(0, length));
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats?.isDirectory()) continue;
    if (stats !== undefined) rmSync(folder, { force: true });
    mkdirSync(folder);
  }
  rmSync(to, { recursive: true, force: true });
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
