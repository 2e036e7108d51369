/** Writes the working tree as a Git tree, with an index and an object folder of its own: `.git` is only read. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { Refusal } from "../errors.ts";
import { type GitResult, git } from "./git.ts";
import { foreignFilters } from "./git-filters.ts";
import { type GitFolders, gitFolders } from "./git-folders.ts";
import { type Entry, GITLINK, LISTING, parseEntries, utf8 } from "./index-entries.ts";
import { sift } from "./sift.ts";
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

/** No cache of somebody else's may answer for the files. */
const SETTINGS = [
  "core.trustctime=true",
  "core.checkStat=default",
  "core.untrackedCache=false",
  "core.ignoreStat=false",
  "core.splitIndex=false",
  "core.safecrlf=false",
];

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
    git(args, {
      cwd: root,
      config: SETTINGS,
      stdinFd,
      env,
      ...(filters.size > 0 ? { startsFilters: [temp] } : {}),
    });

  const listed = parseEntries((await run(LISTING)).raw);
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

  const reread = await rereadSuspects(plan.suspects, temp, run);

  // Objects may be missing where a clone is partial; the tree's hash does not need them.
  const writing = run(["write-tree", "--missing-ok"]);
  const relisting = plan.add.length + reread > 0 ? run(["ls-files", "-z", "-v", "-s"]) : null;
  const [written, relisted] = await Promise.all([writing, relisting]);
  const files =
    relisted === null
      ? plan.files
      : new Map(
          parseEntries(relisted.raw)
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

/** Hashes the suspects' content and puts it into the index where it is another. @returns how many there were */
async function rereadSuspects(
  suspects: readonly Entry[],
  temp: string,
  run: (args: readonly string[], stdinFd?: number) => Promise<GitResult>,
): Promise<number> {
  if (suspects.length === 0) return 0;
  const asked = suspects.map(({ path }) => (/["\n\\]/.test(path) ? quoted(path) : path));
  const ids = await withInput(temp, asked, (fd) => run(["hash-object", "-w", "--stdin-paths"], fd), "\n");
  const now = ids.stdout.trim().split("\n");
  const changed = suspects.flatMap(({ mode, id, path }, at) =>
    now[at] === id ? [] : [`${mode} ${now[at]} 0\t${path}`],
  );
  if (changed.length > 0)
    await withInput(temp, changed, (fd) => run(["update-index", "-z", "--index-info"], fd));
  return changed.length;
}

/** As Git reads it on a line of its own: a C string. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** Hands paths to Git as a file on its standard input. */
async function withInput<Result>(
  temp: string,
  lines: readonly string[],
  use: (fd: number) => Promise<Result>,
  end = "\0",
): Promise<Result> {
  const file = join(temp, "paths");
  writeFileSync(file, Buffer.from(lines.map((line) => `${line}${end}`).join(""), "latin1"));
  const fd = openSync(file, "r");
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

function noRepository(root: string): Refusal {
  return new Refusal("git_failed", "There is no Git repository here.", { found: root, next: ["git init"] });
}
