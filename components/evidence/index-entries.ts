/** The entries of an index with what Git says of their files, as one listing tells them. */

/** The listing that is read here; `--debug` adds each file's stat data. */
export const LISTING = ["ls-files", "-z", "-v", "-s", "-c", "-o", "-m", "--exclude-standard", "--debug"];

/** One line of the listing. Paths are bytes (latin1). */
export interface Entry {
  /** `H` cached, `M` unmerged, `S` skip-worktree, lower case assume-unchanged, `C` changed or removed, `?` other. */
  readonly tag: string;
  readonly mode: string;
  readonly id: string;
  readonly path: string;
  /** When the file's inode last changed, as Git saw it: nanoseconds. Null where nothing was asked or Git never looked. */
  readonly changedNs: bigint | null;
}

export const SECOND_NS = 1_000_000_000n;
export const GITLINK = "160000";
export const LINK = "120000";

/** What `--debug` puts behind an entry, and so before the next one. */
const STAT_LINES =
  /^ {2}ctime: (\d+):(\d+)\n {2}mtime: .*\n {2}dev: .*\n {2}uid: .*\n {2}size: .*\tflags: .*\n/;

/** Reads what the listing printed, as latin1. */
export function parseEntries(raw: string): Entry[] {
  const entries: Entry[] = [];
  for (let record of raw.split("\0")) {
    const stat = record.startsWith("  ctime: ") ? STAT_LINES.exec(record) : null;
    if (stat !== null) {
      const entry = entries.pop();
      if (entry !== undefined)
        entries.push({ ...entry, changedNs: BigInt(stat[1] ?? 0) * SECOND_NS + BigInt(stat[2] ?? 0) });
      record = record.slice(stat[0].length);
    }
    if (record === "") continue;
    const tag = record.slice(0, 1);
    if (tag === "?") {
      entries.push({ tag, mode: "", id: "", path: record.slice(2), changedNs: null });
      continue;
    }
    const tab = record.indexOf("\t");
    const [mode = "", id = ""] = record.slice(2, tab).split(" ");
    entries.push({ tag, mode, id, path: record.slice(tab + 1), changedNs: null });
  }
  return entries;
}

/** A path with its bytes as they are on disk. */
export function onDisk(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

/** Bytes to text; a name that is not UTF-8 keeps its bytes as latin1, so that two such names never become one. */
export function utf8(path: string): string {
  if (!/[\x80-\xff]/.test(path)) return path;
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : path;
}
