/** What a pin is asked beside the base: is the check still the one that the base has, and does it look at anything? */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExportOptions } from "./base-tree.ts";
import type { CheckFiles } from "./check-files.ts";
import { looksLikeCheck } from "./conventions.ts";
import { showFile } from "./git.ts";
import { isRunnerConfig, type RunnerConfig, withRunnerKeys } from "./runner-config.ts";
import type { Tree } from "./types.ts";

/** How an export of today's tree gets the check files of the base. */
export interface BaseChecks {
  /** What differs and the base has: put back as it is there. */
  readonly restore: readonly string[];
  /** Check files that only today's tree has. */
  readonly added: readonly string[];
  readonly patches: ReadonlyMap<string, string>;
}

/**
 * The differences between the check's files on the base and today; null when there are none, or the base has no part of it.
 * @param then the check's files in the base's tree
 * @param before paths and blob ids of the base
 */
export async function baseChecks(
  root: string,
  base: string,
  files: { readonly then: CheckFiles; readonly now: CheckFiles; readonly config: RunnerConfig },
  trees: { readonly before: ReadonlyMap<string, string>; readonly today: Tree },
): Promise<BaseChecks | null> {
  const { before, today } = trees;
  const then = [...files.then.own, ...files.then.scripts];
  const now = [...files.now.own, ...files.now.scripts];
  const { config } = files;
  const both = new Set([...then, ...now, ...config.paths, ...config.removed]);
  const restore = [...both].filter((path) => before.has(path) && before.get(path) !== today.files.get(path));
  const added = [...new Set([...now, ...config.paths])].filter((path) => !before.has(path));
  const patches = new Map<string, string>();
  for (const path of config.patches.keys()) {
    const patched = withRunnerKeys(readFileSync(join(root, path), "utf8"), await showFile(root, base, path));
    if (patched !== null) patches.set(path, patched);
  }
  const had = then.length > 0 || restore.length > 0 || patches.size > 0;
  return had && restore.length + added.length + patches.size > 0 ? { restore, added, patches } : null;
}

/** No language, and no data format, takes this for its own. */
const RUBBISH = ")}]> not this project any more <[{(\n";

/**
 * Two exports of today's tree without the product: its files taken out, and filled with rubbish. A check that passes in both
 * looks at nothing; one that asks for less than a file's content (a linter, `test -f`) fails in one of them. A script
 * that is not called like a check counts as product: `node cli.js --help` runs the work itself.
 */
export function withoutProduct(
  files: CheckFiles,
  today: Tree,
): readonly Pick<ExportOptions, "remove" | "patches">[] {
  const own = new Set(files.own);
  const executed = new Set(files.scripts.filter((path) => !looksLikeCheck(path)));
  for (const path of files.scripts) own.add(path);
  const kept = (path: string): boolean => (own.has(path) && !executed.has(path)) || isRunnerConfig(path);
  const product = [...today.files.keys()].filter((path) => !kept(path));
  return [{ remove: product }, { patches: new Map(product.map((path) => [path, RUBBISH])) }];
}
