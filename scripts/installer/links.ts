/** Links to the program, only where their names are free: other packages own `omo` and `omx` too. */

import { lstatSync, readlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { onPath } from "./host.ts";
import type { InstallRecord } from "./record.ts";
import type { Spots } from "./spots.ts";

/** `proofgate` itself too: run with npx, it is on nobody's PATH, and every answer of ours names it. */
export const NAMES = ["omo", "omx", "proofgate"] as const;

export interface Link {
  readonly name: string;
  readonly path: string;
  /** `ours` leads where it should; `old` is ours and leads elsewhere; `taken` belongs to somebody else. */
  readonly state: "free" | "ours" | "old" | "taken";
  /** Who has the name. */
  readonly by?: string;
}

/** npm puts these in front of PATH while it runs a program, and takes them away again. */
const PASSING = /[/\\](?:_npx|node_modules)[/\\]/;

export function linksNow(spots: Spots, target: string, record: InstallRecord | null): Link[] {
  return NAMES.map((name): Link => {
    const path = join(spots.bin, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) {
      const leads = stats.isSymbolicLink() ? readlinkSync(path) : null;
      if (leads === target) return { name, path, state: "ours" };
      if (leads !== null && record?.links[path] === leads) return { name, path, state: "old" };
      return { name, path, state: "taken", by: path };
    }
    const elsewhere = onPath(
      name,
      spots.path.filter((folder) => !PASSING.test(`${folder}/`) && resolve(folder) !== spots.bin),
    );
    return elsewhere === null ? { name, path, state: "free" } : { name, path, state: "taken", by: elsewhere };
  });
}
