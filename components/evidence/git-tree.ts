/** Writes the working tree as a Git tree, with an index and an object folder of its own: `.git` is only read. */
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { Refusal } from "../errors.ts";
import { type GitResult, git } from "./git.ts";
import { foreignFilters } from "./git-filters.ts";
import { type GitFolders, gitFolders } from "./git-folders.ts";
import { isOurs } from "./ours.ts";
import { outsideLink, statMark } from "./outside-links.ts";
import { makeTempFolder, removeTempFolder } from "./temp-folder.ts";

export interface GitTree {
  readonly hash: string;
  /** Path to blob id, nested repositories and marks not included. In no order. */
  readonly files: Map<string, string>;
  /** Paths of nested repositories that have a working copy. */
  readonly nested: readonly string[];
  /** Ids of files that Git does not read here: over 50 MB, or unreadable. */
  readonly marks: ReadonlyMap<string, string>;
  /** Links out of the repository, and the id of what lies behind them. */
  readonly links: ReadonlyMap<string, string>;
  /** Paths of which a filter, and not their content, says what Git has. */
  readonly filtered: readonly string[];
  readonly objects: string;
  dispose(): void;
}

/** A file over this size counts by path, size and time: reading it could take longer than a hook may. */
const BIG_BYTES = 50 * 1024 * 1024;

/** No cache of somebody else's may answer for the files. */
const SETTINGS = [
  "core.fsmonitor=false",
  "core.trustctime=true",
  "core.checkStat=default",
  "core.untrackedCache=false",
  "core.ignoreStat=false",
  "core.splitIndex=false",
  "core.hooksPath=/dev/null",
  "core.safecrlf=false",
];

/** One line of `git ls-files -z -v -s -c -o -m`. Paths are bytes (latin1). */
interface Entry {
  /** `H` cached, `M` unmerged, `S` skip-worktree, lower case assume-unchanged, `C` changed or removed, `?` other. */
  readonly tag: string;
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

const GITLINK = "160000";
const LINK = "120000";

/** @throws Refusal `git_failed`, `git_missing` */
export async function fingerprintGit(root: string): Promise<GitTree> {
  const folders = gitFolders(root);
  if (folders === null) throw noRepository(root);
  const temp = makeTempFolder();
  try {
    return await writeTree(root, folders, temp);
  } catch (error) {
    removeTempFolder(temp);
    throw error;
  }
}

async function writeTree(root: string, folders: GitFolders, temp: string): Promise<GitTree> {
  const index = join(temp, "index");
  const objects = join(temp, "objects");
  mkdirSync(objects);
  copyIndex(join(folders.gitDir, "index"), index);
  const filters = await foreignFilters(folders, (args) =>
    git(args, { cwd: root, env: { GIT_WORK_TREE: root }, allowFail: true }),
  );
  const env = {
    // The folder itself, wherever `core.worktree` points.
    GIT_WORK_TREE: root,
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates(folders),
  };
  const run = (args: readonly string[], stdinFd?: number): Promise<GitResult> =>
    git(args, { cwd: root, config: SETTINGS, stdinFd, env });

  const listed = parse(
    (await run(["ls-files", "-z", "-v", "-s", "-c", "-o", "-m", "--exclude-standard"])).raw,
  );
  const filtered = await filteredPaths(listed, filters, temp, run);
  const plan = sift(root, listed);

  for (const [flag, paths] of [
    ["--no-assume-unchanged", plan.assumed],
    ["--no-skip-worktree", plan.skipped],
  ] as const)
    if (paths.length > 0)
      await withInput(temp, paths, (fd) => run(["update-index", flag, "-z", "--stdin"], fd));
  if (plan.drop.length > 0)
    await withInput(temp, plan.drop, (fd) => run(["update-index", "--force-remove", "-z", "--stdin"], fd));
  if (plan.add.length > 0)
    await withInput(temp, plan.add, (fd) =>
      run(
        ["update-index", "--add", "--remove", "--replace", "--ignore-skip-worktree-entries", "-z", "--stdin"],
        fd,
      ),
    );

  // Objects may be missing where a clone is partial; the tree's hash does not need them.
  const writing = run(["write-tree", "--missing-ok"]);
  const relisting = plan.add.length > 0 ? run(["ls-files", "-z", "-v", "-s"]) : null;
  const [written, relisted] = await Promise.all([writing, relisting]);
  const files =
    relisted === null
      ? plan.files
      : new Map(
          parse(relisted.raw)
            .filter((e) => e.mode !== GITLINK || !existsSync(join(root, utf8(e.path), ".git")))
            .map((e) => [utf8(e.path), e.id]),
        );
  return {
    hash: written.stdout.trim(),
    files,
    nested: plan.nested.map(utf8),
    marks: plan.marks,
    links: plan.links,
    filtered: [...filtered].map(utf8),
    objects,
    dispose: () => removeTempFolder(temp),
  };
}

/** Paths to which one of the filters applies: the tree has what the filter says of them, whatever they hold. */
async function filteredPaths(
  listed: readonly Entry[],
  filters: ReadonlySet<string>,
  temp: string,
  run: (args: readonly string[], stdinFd?: number) => Promise<GitResult>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (filters.size === 0) return found;
  const paths = [...new Set(listed.filter((e) => !e.path.endsWith("/")).map((e) => e.path))];
  await withInput(temp, paths, async (fd) => {
    const said = (await run(["check-attr", "-z", "--stdin", "filter"], fd)).raw.split("\0");
    for (let at = 0; at + 2 < said.length; at += 3)
      if (filters.has(utf8(said[at + 2] ?? ""))) found.add(said[at] ?? "");
  });
  return found;
}

/**
 * Copies the index with a time a little before the original's. Git takes a file for unchanged by its stat data only when
 * the index is younger than the file; a younger copy would hide edits made in the instant the index was written.
 */
function copyIndex(from: string, to: string): void {
  if (!existsSync(from)) return;
  const { mtimeNs } = statSync(from, { bigint: true });
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  const seconds = Number(mtimeNs / 1000n - 1n) / 1e6;
  utimesSync(to, seconds, seconds);
}

function alternates(folders: GitFolders): string {
  const path = join(folders.commonDir, "objects");
  // Git reads a quoted entry as a C string, which is the only way to name a folder with a colon in it.
  return path.includes(delimiter) || path.startsWith('"') ? JSON.stringify(path) : path;
}

function parse(raw: string): Entry[] {
  const entries: Entry[] = [];
  for (const record of raw.split("\0")) {
    if (record === "") continue;
    const tag = record.slice(0, 1);
    if (tag === "?") {
      entries.push({ tag, mode: "", id: "", path: record.slice(2) });
      continue;
    }
    const tab = record.indexOf("\t");
    const [mode = "", id = ""] = record.slice(2, tab).split(" ");
    entries.push({ tag, mode, id, path: record.slice(tab + 1) });
  }
  return entries;
}

interface Sifted {
  /** What counts, when nothing has to be added. */
  readonly files: Map<string, string>;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly assumed: readonly string[];
  readonly skipped: readonly string[];
  readonly nested: readonly string[];
  readonly marks: ReadonlyMap<string, string>;
  readonly links: ReadonlyMap<string, string>;
}

/** Decides for each path what happens to it in the copied index. */
function sift(root: string, entries: readonly Entry[]): Sifted {
  const files = new Map<string, string>();
  const look = new Set<string>();
  const drop = new Set<string>();
  const assumed: string[] = [];
  const skipped: string[] = [];
  const nested = new Set<string>();
  const marks = new Map<string, string>();
  const links = new Map<string, string>();
  const linked = (path: string): void => {
    const behind = outsideLink(root, onDisk(root, path));
    if (behind !== null) links.set(utf8(path), behind);
  };
  for (const { tag, mode, id, path } of entries) {
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
    else if (stats.size > BIG_BYTES || !readable(root, path)) {
      drop.add(path);
      marks.set(utf8(path), `${stats.size > BIG_BYTES ? "big" : "unreadable"}:${statMark(stats)}`);
    } else add.push(path);
  }
  for (const path of drop) files.delete(utf8(path));
  return { files, add, drop: [...drop], assumed, skipped, nested: [...nested], marks, links };
}

function status(root: string, path: string): Stats | null {
  try {
    return lstatSync(onDisk(root, path));
  } catch {
    return null;
  }
}

function readable(root: string, path: string): boolean {
  try {
    accessSync(onDisk(root, path), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A path with its bytes as they are on disk. */
function onDisk(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

/** Bytes to text; a name that is not UTF-8 keeps its bytes as latin1, so that two such names never become one. */
function utf8(path: string): string {
  if (!/[\x80-\xff]/.test(path)) return path;
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : path;
}

/** Hands paths to Git as a file on its standard input. */
async function withInput(
  temp: string,
  paths: readonly string[],
  use: (fd: number) => Promise<unknown>,
): Promise<void> {
  const file = join(temp, "paths");
  writeFileSync(file, Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1"));
  const fd = openSync(file, "r");
  try {
    await use(fd);
  } finally {
    closeSync(fd);
  }
}

function noRepository(root: string): Refusal {
  return new Refusal("git_failed", "There is no Git repository here.", { found: root, next: ["git init"] });
}
