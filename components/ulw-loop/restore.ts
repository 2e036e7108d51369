/** Puts a ledger back from the copy that a host's hooks keep outside the repository. */

import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fromSystem } from "../errors.ts";
import { ensureStateDir } from "../journal/safe-fs.ts";
import { openSessions } from "../witness/sessions.ts";
import { anchorHolds, type Workspace } from "./workspace.ts";

/**
 * Only where the ledger is gone or is not the one that was last seen. What lies there is moved aside, not removed.
 * @returns what was done, in words; null when nothing had to be, or could be
 * @throws Refusal `no_permission`, `disk_full`, `io_error`
 */
export function restoreFromCopy(ws: Workspace): string | null {
  const { dir, root, ledgerPath } = ws.place;
  const copy = openSessions(ws.env).ledgerCopy(dir);
  if (!existsSync(copy) || holds(ws)) return null;
  const ledger = join(root, ledgerPath);
  const aside = join(dir, `replaced-${ws.now().toISOString().replace(/[:.]/g, "-")}`);
  try {
    ensureStateDir(root, dir, { track: false });
    for (const name of ["ledger.jsonl", "goals.json"])
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

function holds(ws: Workspace): boolean {
  try {
    const loaded = ws.journal.read();
    return loaded !== null && anchorHolds(ws, loaded);
  } catch {
    // Damaged where it lies; the ordinary repair keeps more of it than a copy that may be older.
    return ws.journal.exists() && existsSync(join(ws.place.root, ws.place.ledgerPath));
  }
}
