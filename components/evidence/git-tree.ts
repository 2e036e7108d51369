/** Writes the working tree as a Git tree, with an index and an object folder of its own: `.git` is only read. */
import { constants, copyFileSync, existsSync, mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Refusal } from "../errors.ts";
import { type GitResult, type GitStep, git, gitInTurn } from "./git.ts";
import { foreignFilters } from "./git-filters.ts";
import { type GitFolders, gitFolders } from "./git-folders.ts";
import { type Entry, GITLINK, LISTING, parseEntries, utf8 } from "./index-entries.ts";
import { lookOf, rememberLook, sameAsLast } from "./last-look.ts";
import { type Sifted, sift } from "./sift.ts";
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
export async function fingerprintGit(
  root: string,
  { withObjects }: { readonly withObjects: boolean },
): Promise<GitTree> {
  const folders = gitFolders(root);
  if (folders === null) throw noRepository(root);
  const temp = makeTempFolder();
  try {
    return await writeTree(root, folders, temp, withObjects);
  } catch (error) {
    removeTempFolder(temp);
    throw error;
  }
}

/** Runs Git commands on the copied index, one after another. @returns what they printed, together */
type Run = (...steps: readonly GitStep[]) => Promise<GitResult>;

async function writeTree(
  root: string,
  folders: GitFolders,
  temp: string,
  withObjects: boolean,
): Promise<GitTree> {
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
  const startsFilters = filters.size > 0 ? { startsFilters: [temp] } : {};
  const run: Run = (...steps) => gitInTurn(steps, { cwd: root, config: SETTINGS, env, ...startsFilters });

  const listing = (await run({ args: LISTING })).raw;
  const listed = parseEntries(listing);
  const filtered = await filteredPaths(listed, filters, temp, run);
  const plan = sift(root, listed);
  // What a filter says may change while nothing here does.
  const look = filters.size > 0 ? null : lookOf(root, folders, listing, plan, performance.now());
  const known = look === null || withObjects ? null : sameAsLast(root, look);
  const { hash, files } = known ?? (await written(root, plan, temp, run));
  if (look !== null) rememberLook(root, look, { hash, files });
  return {
    hash,
    files,
    nested: plan.nested.map(utf8),
    marks: plan.marks,
    links: plan.links,
    filtered: [...filtered].map(utf8),
    objects,
    dispose: () => removeTempFolder(temp),
  };
}

/** Brings the copied index up to what was seen, and writes its tree. */
async function written(
  root: string,
  plan: Sifted,
  temp: string,
  run: Run,
): Promise<{ readonly hash: string; readonly files: Map<string, string> }> {
  const reread = await rereadSuspects(plan.suspects, temp, run);
  const steps: GitStep[] = [];
  const update = (flags: readonly string[], lines: readonly string[]): void => {
    if (lines.length === 0) return;
    const input = asInput(join(temp, `paths-${steps.length}`), lines);
    steps.push({ args: ["update-index", ...flags], input });
  };
  update(["--no-assume-unchanged", "-z", "--stdin"], plan.assumed);
  update(["--no-skip-worktree", "-z", "--stdin"], plan.skipped);
  update(["--force-remove", "-z", "--stdin"], plan.drop);
  update(["--add", "--remove", "--replace", "--ignore-skip-worktree-entries", "-z", "--stdin"], plan.add);
  update(["-z", "--index-info"], reread);
  // Objects may be missing where a clone is partial; the tree's hash does not need them.
  steps.push({ args: ["write-tree", "--missing-ok"] });
  const changed = plan.add.length + reread.length > 0;
  if (changed) steps.push({ args: ["ls-files", "-z", "-v", "-s"] });
  const { raw } = await run(...steps);
  const end = raw.indexOf("\n");
  return {
    hash: raw.slice(0, end),
    files: changed
      ? new Map(
          parseEntries(raw.slice(end + 1))
            .filter((e) => e.mode !== GITLINK || !existsSync(join(root, utf8(e.path), ".git")))
            .map((e) => [utf8(e.path), e.id]),
        )
      : plan.files,
  };
}

/** Paths to which one of the filters applies: the tree has what the filter says of them, whatever they hold. */
async function filteredPaths(
  listed: readonly Entry[],
  filters: ReadonlySet<string>,
  temp: string,
  run: Run,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (filters.size === 0) return found;
  const paths = [...new Set(listed.filter((e) => !e.path.endsWith("/")).map((e) => e.path))];
  const input = asInput(join(temp, "asked"), paths);
  const said = (await run({ args: ["check-attr", "-z", "--stdin", "filter"], input })).raw.split("\0");
  for (let at = 0; at + 2 < said.length; at += 3)
    if (filters.has(utf8(said[at + 2] ?? ""))) found.add(said[at] ?? "");
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

/** Hashes the suspects' content. @returns lines for the index, of those that have another one */
async function rereadSuspects(
  suspects: readonly Entry[],
  temp: string,
  run: Run,
): Promise<readonly string[]> {
  if (suspects.length === 0) return [];
  const asked = suspects.map(({ path }) => (/["\n\\]/.test(path) ? quoted(path) : path));
  const input = asInput(join(temp, "suspects"), asked, "\n");
  const ids = await run({ args: ["hash-object", "-w", "--stdin-paths"], input });
  const now = ids.stdout.trim().split("\n");
  return suspects.flatMap(({ mode, id, path }, at) =>
    now[at] === id ? [] : [`${mode} ${now[at]} 0\t${path}`],
  );
}

/** As Git reads it on a line of its own: a C string. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** Writes lines for Git's standard input, bytes as they are. @returns the file */
function asInput(file: string, lines: readonly string[], end = "\0"): string {
  writeFileSync(file, Buffer.from(lines.map((line) => `${line}${end}`).join(""), "latin1"));
  return file;
}

function noRepository(root: string): Refusal {
  return new Refusal("git_failed", "There is no Git repository here.", { found: root, next: ["git init"] });
}
