/** Where a performance goal's files are, and which goals a repository has. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { assertId, slugify } from "../journal/safe-fs.ts";

const FOLDER = ".omx/goals/performance";

export interface Place {
  readonly root: string;
  readonly dir: string;
  readonly slug: string;
  /** As the host goal's objective and messages name them, from the root. */
  readonly statePath: string;
  readonly ledgerPath: string;
}

/** @throws Refusal `invalid_id` for a slug that could leave the folder */
export function placeOf(root: string, slug: string): Place {
  assertId(slug, "slug");
  const folder = `${FOLDER}/${slug}`;
  return {
    root,
    slug,
    dir: join(root, FOLDER, slug),
    statePath: `${folder}/state.json`,
    ledgerPath: `${folder}/ledger.jsonl`,
  };
}

/** A slug as somebody writes it: words of any script become one, and what could lead elsewhere stays for `placeOf` to refuse. */
export const slugFrom = (given: string): string =>
  /^[A-Za-z0-9._-]*$|[/\\]|\.\.|\p{Cc}/u.test(given) ? given : slugify(given);

/** Slugs of the goals of a repository, sorted. */
export function slugsOf(root: string): readonly string[] {
  const names = (folder: string): readonly string[] => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  const base = join(root, FOLDER);
  return names(base)
    .filter((name) => /^[A-Za-z0-9]/.test(name))
    .filter((name) => names(join(base, name)).some((one) => one === "ledger.jsonl" || one === "state.json"))
    .sort();
}
