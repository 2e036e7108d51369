/**
 * Links to the program, only where their names are free: other packages own `omo` and `omx` too. The installations for
 * several hosts share them: who goes hands them over to one that stays.
 */

import { chmodSync, lstatSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { table } from "./config-text.ts";
import { exists, filesBelow, removeFileIf, replaceFile, textIf } from "./files.ts";
import { onPath } from "./host.ts";
import type { Spots } from "./spots.ts";

/** `proofgate` itself too: run with npx, it is on nobody's PATH, and every answer of ours names it. */
export const NAMES = ["omo", "omx", "proofgate"] as const;

export interface Link {
  readonly name: string;
  readonly path: string;
  /**
   * `ours` leads where it should; `old` is ours and leads elsewhere; `shared` leads to the program of our installation for
   * another host; `taken` belongs to somebody else.
   */
  readonly state: "free" | "ours" | "old" | "shared" | "taken";
  /** Who has the name. */
  readonly by?: string;
}

/** npm puts these in front of PATH while it runs a program, and takes them away again. */
const PASSING = /[/\\](?:_npx|node_modules)[/\\]/;

/** What both hosts' spots and records have. */
type LinkSpots = Pick<Spots, "bin" | "path" | "record">;
type WithLinks = { readonly links: Readonly<Record<string, string>> };

export function linksNow(spots: LinkSpots, target: string, record: WithLinks | null): Link[] {
  const others = installations(spots).map(({ program }) => program);
  return NAMES.map((name): Link => {
    const path = join(spots.bin, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) {
      const leads = stats.isSymbolicLink() ? readlinkSync(path) : null;
      if (leads === target) return { name, path, state: "ours" };
      if (leads !== null && record?.links[path] === leads) return { name, path, state: "old" };
      if (leads !== null && others.includes(leads)) return { name, path, state: "shared" };
      return { name, path, state: "taken", by: path };
    }
    const elsewhere = onPath(
      name,
      spots.path.filter((folder) => !PASSING.test(`${folder}/`) && resolve(folder) !== spots.bin),
    );
    return elsewhere === null ? { name, path, state: "free" } : { name, path, state: "taken", by: elsewhere };
  });
}

/** Another installation of ours, by its record. */
export interface Heir {
  readonly record: string;
  readonly program: string;
}

/** The other whole installations on this machine, for whatever host. */
function installations({ record: own }: Pick<Spots, "record">): Heir[] {
  const folder = dirname(own);
  if (!exists(folder)) return [];
  return filesBelow(folder)
    .filter((name) => /^[^/]+\.json$/.test(name) && name !== basename(own))
    .flatMap((name) => {
      const { state, program } = recordAt(join(folder, name));
      const whole = state === "installed" && typeof program === "string" && exists(program);
      return whole ? [{ record: join(folder, name), program }] : [];
    });
}

/** Who takes our links over when we go; null when nobody is left that needs them. */
export const heirOf = (spots: Pick<Spots, "record">): Heir | null => installations(spots)[0] ?? null;

/** Puts a link in place of what is there. */
export function putLink(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true });
  chmodSync(target, 0o755);
  removeFileIf(path);
  symlinkSync(target, path);
}

/** Leads a link to the heir's program, and notes in its record that the link is now its own. @param folders that we made, if the heir still needs them */
export function handOver(heir: Heir, path: string, folders: readonly string[]): void {
  const record = recordAt(heir.record);
  const known = Array.isArray(record.folders) ? record.folders : [];
  const needed = folders.filter((folder) =>
    [path, heir.program].some((inside) => inside.startsWith(`${folder}/`)),
  );
  const next = {
    ...record,
    links: { ...table(record.links), [path]: heir.program },
    folders: [...new Set([...known, ...needed])],
  };
  // The record first: a link that no record knows would stay for ever.
  replaceFile(heir.record, `${JSON.stringify(next, null, 2)}\n`, 0o600);
  putLink(path, heir.program);
}

function recordAt(path: string): Record<string, unknown> {
  try {
    return table(JSON.parse(textIf(path) ?? "null"));
  } catch {
    // Its own installer says so; to us it is nobody.
    return {};
  }
}

/** Where a link leads; null for anything else. */
export function leadsTo(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
