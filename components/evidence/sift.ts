/** Decides for each path of the working tree how it counts: by what Git has, by its content now, or by its stat data. */
import { accessSync, constants, existsSync, lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type Entry, GITLINK, LINK, onDisk, SECOND_NS, utf8 } from "./index-entries.ts";
import { isOurs } from "./ours.ts";
import { outsideLink, statMark } from "./outside-links.ts";

/** A file over this size counts by path, size and time: reading it could take longer than a hook may. */
const BIG_BYTES = 50 * 1024 * 1024;

export interface Sifted {
  /** What counts, when nothing has to be added. */
  readonly files: Map<string, string>;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** Files that Git takes for unchanged, and whose inode changed since it looked. */
  readonly suspects: readonly Entry[];
  readonly assumed: readonly string[];
  readonly skipped: readonly string[];
  readonly nested: readonly string[];
  readonly marks: ReadonlyMap<string, string>;
  readonly links: ReadonlyMap<string, string>;
}

/** Decides for each path what happens to it in the copied index. */
export function sift(root: string, entries: readonly Entry[]): Sifted {
  const files = new Map<string, string>();
  const look = new Set<string>();
  const drop = new Set<string>();
  const assumed: string[] = [];
  const skipped: string[] = [];
  const nested = new Set<string>();
  const marks = new Map<string, string>();
  const links = new Map<string, string>();
  const suspects: Entry[] = [];
  const linked = (path: string): void => {
    const behind = outsideLink(root, onDisk(root, path));
    if (behind !== null) links.set(utf8(path), behind);
  };
  for (const entry of entries) {
    const { tag, mode, id, path } = entry;
    if (isOurs(utf8(path))) {
      if (tag !== "?") drop.add(path);
      continue;
    }
    if (tag === "?") {
      // Git ends the path of a nested repository with a slash, and only that of one.
      if (path.endsWith("/")) nested.add(path.slice(0, -1));
      else look.add(path);
      continue;
    }
    if (mode === GITLINK) {
      if (!existsSync(join(root, utf8(path), ".git"))) files.set(utf8(path), id);
      else {
        nested.add(path);
        drop.add(path);
      }
      continue;
    }
    files.set(utf8(path), id);
    if (tag === "C" || tag === "R" || tag === "M") look.add(path);
    if (mode === LINK) linked(path);
    if (tag === "H" && changedSince(root, entry)) {
      if (mode !== LINK && countsByContent(root, path)) suspects.push(entry);
      else {
        if (mode === LINK) drop.add(path);
        look.add(path);
      }
    }
    // An absent file is absent, also where a sparse checkout leaves it out: no check has seen it.
    const flagged = tag !== "H" && tag !== "C" && tag !== "R" && tag !== "M";
    if (flagged && tag.toUpperCase() === "S" && status(root, path) === null) drop.add(path);
    else if (flagged) {
      if (tag === tag.toLowerCase()) assumed.push(path);
      if (tag.toUpperCase() === "S") skipped.push(path);
      look.add(path);
    }
  }
  const add: string[] = [];
  for (const path of look) {
    const stats = status(root, path);
    if (stats === null) add.push(path);
    else if (stats.isSymbolicLink()) {
      linked(path);
      add.push(path);
    } else if (!stats.isFile()) drop.add(path);
    else if (!countsByContent(root, path, stats)) {
      drop.add(path);
      marks.set(utf8(path), `${stats.size > BIG_BYTES ? "big" : "unreadable"}:${statMark(stats)}`);
    } else add.push(path);
  }
  for (const path of drop) files.delete(utf8(path));
  return { files, add, drop: [...drop], suspects, assumed, skipped, nested: [...nested], marks, links };
}

/**
 * Git compares change times in whole seconds, and a time of last modification can be put back: within that second an edit
 * of the same size would stay unseen. The inode's own time cannot be put back, and the index has it to the nanosecond.
 */
function changedSince(root: string, { path, mode, changedNs }: Entry): boolean {
  if (changedNs === null) return false;
  const stats = lstatSync(onDisk(root, path), { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || stats.ctimeNs === changedNs) return false;
  // Of another kind: Git sees that by itself, and reading a pipe would never end.
  if (mode === LINK ? !stats.isSymbolicLink() : !stats.isFile()) return false;
  // Where the seconds differ, Git has compared the content itself.
  return stats.ctimeNs / SECOND_NS === changedNs / SECOND_NS;
}

function status(root: string, path: string): Stats | null {
  try {
    return lstatSync(onDisk(root, path));
  } catch {
    return null;
  }
}

/** Git reads it; otherwise it counts by its stat data. */
function countsByContent(root: string, path: string, stats = status(root, path)): boolean {
  return stats !== null && stats.size <= BIG_BYTES && readable(root, path);
}

function readable(root: string, path: string): boolean {
  try {
    accessSync(onDisk(root, path), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
