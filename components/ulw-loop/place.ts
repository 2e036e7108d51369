/** Where a plan's files are: the state folder of the root, or of one session below it. */

import { readdirSync } from "node:fs";
import { isAbsolute, join, normalize, relative } from "node:path";
import { Refusal } from "../errors.ts";
import { assertId } from "../journal/safe-fs.ts";

const STATE_FOLDER = join(".omo", "ulw-loop");

/** Names below the state folder that are not sessions. */
const RESERVED =
  /^(evidence|lock|trees|brief\.md|goals\.json|ledger\.jsonl|bootstrap-notepad\.md|(repair|replaced|imported|torn)-.*|\..*)$/;

export interface Place {
  readonly root: string;
  readonly dir: string;
  readonly session: string | null;
  /** As the host goal's objective and messages name them. */
  readonly goalsPath: string;
  readonly ledgerPath: string;
}

/** @throws Refusal `invalid_id` for a session name that could leave the folder or is taken by a file of ours */
export function placeOf(root: string, session: string | null): Place {
  if (session !== null) {
    assertId(session, "session id");
    if (RESERVED.test(session))
      throw new Refusal("invalid_id", `"${session}" is a name that the state folder uses itself.`, {
        expected: "a session id that is none of evidence, lock, trees, …",
        found: session,
        next: ["choose another --session-id"],
      });
  }
  const dir = session === null ? join(root, STATE_FOLDER) : join(root, STATE_FOLDER, session);
  const inRepo = relative(root, dir).replaceAll("\\", "/");
  return { root, dir, session, goalsPath: `${inRepo}/goals.json`, ledgerPath: `${inRepo}/ledger.jsonl` };
}

/** The path would leave the folder that it is relative to. */
export const leaves = (path: string): boolean =>
  isAbsolute(path) || /^[A-Za-z]:/u.test(path) || /^\.\.(?:[/\\]|$)/u.test(normalize(path));

/** Sessions that have a ledger, the unnamed one first as null. */
export function sessionsOf(root: string): readonly (string | null)[] {
  const base = join(root, STATE_FOLDER);
  const has = (dir: string): boolean =>
    names(dir).some((name) => name === "ledger.jsonl" || name === "goals.json");
  const named = names(base).filter((name) => !RESERVED.test(name) && has(join(base, name)));
  return [...(has(base) ? [null] : []), ...named.sort()];
}

function names(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
