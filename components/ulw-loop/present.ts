/** Looking at the repository as it is now, for judgements about freshness. */

import { lstatSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { changedBetween, coveredDigest, fingerprint, globs } from "../evidence/fingerprint.ts";
import type { Check, Tree } from "../evidence/types.ts";
import { sha256 } from "../journal/safe-fs.ts";
import { isIntact, recallTree } from "./artifacts.ts";
import type { Present } from "./assess.ts";
import type { Place } from "./place.ts";

/**
 * @param options.thorough artifacts are read and hashed; otherwise they are taken to be as recorded (for a board that is printed often)
 */
export async function lookAt(place: Place, options: { thorough: boolean }): Promise<Present> {
  return presentOf(place, await fingerprint(place.root), options);
}

export function presentOf(place: Place, tree: Tree, options: { thorough: boolean }): Present {
  const digests = new Map<string, string>();
  const changes = new Map<string, readonly string[] | null>();
  return {
    tree,
    covered(check, own) {
      if (check === null || (check.covers === null && check.expect.produces === undefined)) return tree.id;
      const key = JSON.stringify([check?.covers ?? null, check?.expect.produces ?? null, own]);
      const known = digests.get(key);
      if (known !== undefined) return known;
      const digest = coveredBy(tree, check, own);
      digests.set(key, digest);
      return digest;
    },
    changedSince(treeId, check, own) {
      let paths = changes.get(treeId);
      if (paths === undefined) {
        const earlier = recallTree(place, treeId);
        paths = earlier === null ? null : changedBetween(earlier, tree.files);
        changes.set(treeId, paths);
      }
      const covers = check?.covers ?? null;
      if (paths === null || covers === null) return paths;
      const inside = globs(covers);
      return paths.filter((path) => inside(path) || own.includes(path));
    },
    ignored: (path) => contentOf(resolve(place.root, path)),
    intact: (artifact) => !options.thorough || isIntact(place, artifact),
  };
}

/** Files that a check has to leave behind, from the root. */
export function producedPaths(check: Check | null): readonly string[] {
  const cwd = check?.cwd ?? "";
  return Object.keys(check?.expect.produces ?? {}).map((path) => (cwd === "" ? path : `${cwd}/${path}`));
}

/** Files that the check itself writes do not make its own pass stale. */
export function coveredBy(tree: Tree, check: Check | null, own: readonly string[]): string {
  const left = new Set(producedPaths(check));
  const covers = check?.covers ?? null;
  if (left.size === 0) return coveredDigest(tree, covers, own);
  const files = new Map([...tree.files].filter(([path]) => !left.has(path)));
  return coveredDigest({ id: "", files }, covers ?? ["**"], own);
}

/** SHA-256 of a regular file's content; null for anything else. */
export function contentOf(path: string): string | null {
  try {
    return lstatSync(path).isFile() ? sha256(readFileSync(path)) : null;
  } catch {
    return null;
  }
}
