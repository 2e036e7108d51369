/**
 * Ends what a killed process of ours left behind. Each run says in its temporary folder by what it is known, and each such
 * folder who made it; once that process is certainly gone, the next command ends what carries the mark and removes the folder.
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunMark, sinceOf } from "./mark.ts";
import { isGone, type Owner } from "./owner.ts";
import { sweep } from "./sweep.ts";
import { OWNER, RUN, removeTempFolder, TEMP_NAME } from "./temp-folder.ts";

export interface Leftovers {
  /** Command lines. */
  readonly ended: readonly string[];
  readonly alive: readonly string[];
}

/** Looks through the temporary folders of this user once. */
export async function endLeftovers(folder = tmpdir()): Promise<Leftovers> {
  const ended: string[] = [];
  const alive: string[] = [];
  for (const name of names(folder)) {
    const path = join(folder, name);
    const made = isOurs(path) ? ownerIn(join(path, OWNER)) : null;
    if (made === null || !isGone(made)) continue;
    const run = markIn(join(path, RUN));
    const swept =
      run === null ? { ended: [], alive: [] } : await sweep({ ...run, since: sinceOf(made), leader: null });
    ended.push(...swept.ended);
    alive.push(...swept.alive);
    // Kept where something is left, so that the next command tries again.
    if (swept.alive.length === 0) removeTempFolder(path);
  }
  return { ended, alive };
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => TEMP_NAME.test(name));
  } catch {
    return [];
  }
}

/** A real folder of this very user, which nobody else can write to. */
function isOurs(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return (
    stats?.isDirectory() === true &&
    (process.getuid === undefined || stats.uid === process.getuid()) &&
    (stats.mode & 0o077) === 0
  );
}

function ownerIn(path: string): Owner | null {
  const { pid, started, space } = read(path);
  return typeof pid === "number" && Number.isInteger(pid) && pid > 0 && isText(started) && isText(space)
    ? { pid, started, space }
    : null;
}

/** A mark that is anything but one of ours would find processes that are not. */
function markIn(path: string): Pick<RunMark, "mark" | "locks"> | null {
  const { mark, from, to } = read(path);
  if (typeof mark !== "string" || !/^[0-9a-f]{24}$/.test(mark)) return null;
  const limits = Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) > 0;
  return { mark, locks: limits ? { from: Number(from), to: Number(to) } : null };
}

const isText = (value: unknown): value is string | null => value === null || typeof value === "string";

/** The members of a JSON file; none where it cannot be read. */
function read(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
