/** Puts a ledger back from the copy that a host's hooks keep outside the repository. */

import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fromSystem } from "../errors.ts";
import { ensureStateDir } from "../journal/safe-fs.ts";
import type { Loaded } from "../journal/types.ts";
import { openSessions } from "./sessions.ts";

interface Restorable<State> {
  readonly place: { readonly root: string; readonly dir: string; readonly ledgerPath: string };
  readonly journal: { exists(): boolean; read(): Loaded<State> | null };
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
}

/**
 * Only where the ledger is gone or is not the one that was last seen. What lies there is moved aside, not removed.
 * @param snapshotName the file beside the ledger
 * @param anchorHolds whether a ledger grew from the one that was last seen
 * @returns what was done, in words; null when nothing had to be, or could be
 * @throws Refusal `no_permission`, `disk_full`, `io_error`
 */
export function restoreFromCopy<State>(
  { place: { root, dir, ledgerPath }, journal, env, now }: Restorable<State>,
  snapshotName: string,
  anchorHolds: (loaded: Loaded<State>) => boolean,
): string | null {
  const ledger = join(root, ledgerPath);
  const holds = (): boolean => {
    try {
      const loaded = journal.read();
      return loaded !== null && anchorHolds(loaded);
    } catch {
      // Damaged where it lies; the ordinary repair keeps more of it than a copy that may be older.
      return journal.exists() && existsSync(ledger);
    }
  };
  const copy = openSessions(env).ledgerCopy(dir);
  if (!existsSync(copy) || holds()) return null;
  const aside = join(dir, `replaced-${now().toISOString().replace(/[:.]/g, "-")}`);
  try {
    ensureStateDir(root, dir, { track: false });
    for (const name of ["ledger.jsonl", snapshotName])
      if (existsSync(join(dir, name))) {
        mkdirSync(aside, { recursive: true });
        renameSync(join(dir, name), join(aside, name));
      }
    copyFileSync(copy, ledger);
  } catch (error) {
    throw fromSystem(error, "put the ledger back");
  }
  return `${ledgerPath} put back from the copy that the hooks keep`;
}
