/** What lies behind a symbolic link that leads out of the repository: it counts, since programs read through the link. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, join } from "node:path";
import { within } from "./within.ts";

/** More entries than these are not looked at: a link to a whole home folder must not take a hook's time. */
const MAX_ENTRIES = 2000;
/** Bytes that are read for their content, in all and of one file; the rest counts by its stat data. */
const MAX_CONTENT = 8 * 1024 * 1024;
const MAX_FILE = 1024 * 1024;
/** Filled by installers and Git, and rewritten by every run. */
const LEFT_OUT = new Set(["node_modules", ".venv", "venv", ".git", ".omo"]);

/**
 * Digest of what a link outside the root leads to.
 * @param root repository root, as a real path
 * @param path the link, absolute
 * @returns null when the link stays inside, where its target counts by itself, or leads to installed dependencies
 */
export function outsideLink(root: string, path: string | Buffer): string | null {
  let target: string;
  try {
    target = realpathSync(path);
  } catch {
    return null; // Leads nowhere; the link's own text counts.
  }
  if (within(target, root) || LEFT_OUT.has(basename(path.toString())) || LEFT_OUT.has(basename(target)))
    return null;
  const hash = createHash("sha256");
  const seen = new Set<string>();
  const pending: { place: string; name: string }[] = [{ place: target, name: "" }];
  let entries = 0;
  let budget = MAX_CONTENT;
  for (let next = pending.shift(); next !== undefined && entries < MAX_ENTRIES; next = pending.shift()) {
    entries++;
    const { place, name } = next;
    const stats = look(place);
    if (stats === null) hash.update(`${name}\0absent\n`);
    else if (stats.isDirectory()) {
      hash.update(`${name}\0folder\n`);
      const folder = realOr(place);
      if (seen.has(folder) || within(folder, root)) continue;
      seen.add(folder);
      // Breadth first, so that many files far down hide none near the top.
      for (const entry of names(folder))
        if (!LEFT_OUT.has(entry) && pending.length < MAX_ENTRIES)
          pending.push({ place: join(folder, entry), name: `${name}/${entry}` });
    } else if (stats.isFile()) {
      const content = stats.size <= Math.min(MAX_FILE, budget) ? contentOf(place) : null;
      if (content !== null) budget -= stats.size;
      hash.update(`${name}\0${content ?? statMark(stats)}\n`);
    }
  }
  return `link:${hash.digest("hex")}`;
}

/** A file's stat data: size, both times and identity, of which a change can restore only some. */
export function statMark(stats: Stats): string {
  return `${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.ino}`;
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function realOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function contentOf(path: string): string | null {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch {
    return null;
  }
}
