/** Trees that a goal comes back to: kept with what Git's own store lacks of them, compared, and put back into place. */

import { cpSync, existsSync, lstatSync, mkdirSync, rmdirSync, rmSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { fromSystem, Refusal } from "../errors.ts";
import { type LiveTree, withTreeObjects } from "../evidence/fingerprint.ts";
import { git } from "../evidence/git.ts";
import { isOurs } from "../evidence/ours.ts";
import { makeTempFolder, removeTempFolder } from "../evidence/temp-folder.ts";
import { checkDir, ensureDir, sha256, writeFileAtomic } from "../journal/safe-fs.ts";
import type { Kept, PerformanceGoal, Rescue } from "./model.ts";
import type { Place } from "./place.ts";

/** A tree or a commit, and where its objects are. */
interface Source {
  readonly treeish: string;
  readonly objects: string | null;
}

/** Copies the objects of a live tree that the repository lacks. @returns the folder, from the state folder */
export function saveObjects(place: Place, tree: LiveTree, kind: "kept" | "rescue"): string {
  const folder = `${kind}/${tree.treeHash ?? ""}`;
  checkDir(place.root, join(place.dir, kind));
  ensureDir(join(place.dir, kind));
  try {
    mkdirSync(join(place.dir, folder), { recursive: true });
    if (tree.objects !== null && existsSync(tree.objects))
      cpSync(tree.objects, join(place.dir, folder), { recursive: true, force: true });
  } catch (error) {
    throw fromSystem(error, `keep the tree in ${folder}`);
  }
  return folder;
}

/** A kept tree in the form that exporting takes. */
export const keptTree = (place: Place, kept: Pick<Kept, "treeHash" | "objects" | "tree">): LiveTree => ({
  id: kept.tree,
  files: new Map(),
  treeHash: kept.treeHash,
  objects: join(place.dir, kept.objects),
  outside: [],
  dispose: () => {},
});

const environment = (sources: readonly Source[], index: string): Record<string, string> => {
  const folders = sources.flatMap(({ objects }) => (objects === null ? [] : [objects]));
  return {
    GIT_INDEX_FILE: index,
    ...(folders.length === 0
      ? {}
      : { GIT_ALTERNATE_OBJECT_DIRECTORIES: folders.map((path) => JSON.stringify(path)).join(":") }),
  };
};

/**
 * Paths of a tree with what Git knows of each, mode and content id: an executable bit is a change, and a link is no file of
 * the same text. Our own state is left out, nested repositories too.
 */
async function filesOf(root: string, source: Source): Promise<ReadonlyMap<string, string>> {
  const env = environment([source], join(root, ".git", "no-index"));
  const { stdout } = await git(["ls-tree", "-r", "-z", "--full-tree", source.treeish], { cwd: root, env });
  const files = new Map<string, string>();
  for (const line of stdout.split("\0")) {
    // Names may have tabs in them as well.
    const at = line.indexOf("\t");
    const [mode, type, id] = line.slice(0, Math.max(0, at)).split(" ");
    const path = line.slice(at + 1);
    if (type === "blob" && !isOurs(path)) files.set(path, `${mode} ${id}`);
  }
  return files;
}

export interface Reverted {
  readonly rescue: Omit<Rescue, "at">;
  /** Files that are not as they were kept and that nobody but the user may touch. */
  readonly left: readonly string[];
}

const liveSource = (tree: LiveTree): Source => ({ treeish: tree.treeHash ?? "", objects: tree.objects });

/**
 * Paths that differ between a commit and a live tree, sorted, and those of them that the commit has. What Git's trees do not
 * hold (nested repositories, files over 50 MB) is not among them.
 */
export async function changedSince(
  root: string,
  commit: string,
  today: LiveTree,
): Promise<{ readonly all: readonly string[]; readonly former: readonly string[] }> {
  const then = await filesOf(root, { treeish: commit, objects: null });
  const all = differing(then, await filesOf(root, liveSource(today)), today);
  return { all, former: all.filter((path) => then.has(path)) };
}

function differing(
  then: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  { outside }: LiveTree,
): readonly string[] {
  return [...new Set([...then.keys(), ...now.keys()])]
    .filter((path) => then.get(path) !== now.get(path) && !outside.includes(path))
    .sort();
}

/** What `revert` goes back to: what was kept last, or the base. */
const goalOf = (place: Place, goal: PerformanceGoal): Source =>
  goal.kept === null
    ? { treeish: goal.base, objects: null }
    : { treeish: goal.kept.treeHash, objects: join(place.dir, goal.kept.objects) };

/**
 * Puts back what changed since the last keep. A patch and the tree as it is now are saved first. Files that Git does not
 * track are left as they are: they may be somebody's own.
 * @returns null where nothing differs
 * @throws Refusal `git_failed`, `no_permission`, `disk_full`, `io_error`
 */
export function revert(place: Place, goal: PerformanceGoal, id: string): Promise<Reverted | null> {
  const { root } = place;
  return withTreeObjects(root, async (today) => {
    const back = goalOf(place, goal);
    const then = await filesOf(root, back);
    const now = liveSource(today);
    const there = await filesOf(root, now);
    const tracked = await trackedFiles(root);
    // The evaluator is no part of the work: it stays as the contract has it.
    const changed = differing(then, there, today).filter((path) => goal.evaluator.files[path] === undefined);
    // What is gone is nobody's: it comes back whether Git tracks it or not. What Git ignores now is there, and is not gone.
    const mine = changed.filter((path) => tracked.has(path) || !isThere(root, path));
    const left = changed.filter((path) => !mine.includes(path));
    if (mine.length === 0) return left.length === 0 ? null : { rescue: nothing(id), left };
    const patch = await difference(root, back, now, mine);
    const folder = join(place.dir, "rescue");
    checkDir(root, folder);
    ensureDir(folder);
    const path = `rescue/${id}.patch`;
    writeFileAtomic(join(place.dir, path), patch);
    const objects = saveObjects(place, today, "rescue");
    const blocked = await putBack(root, back, then, mine);
    return {
      left: [...left, ...blocked].sort(),
      rescue: {
        id,
        patch: { path, sha256: sha256(patch) },
        treeHash: today.treeHash ?? "",
        objects,
        paths: mine
          .filter((one) => !blocked.includes(one))
          .map((one) => ({ path: one, was: there.get(one) ?? null, is: then.get(one) ?? null })),
      },
    };
  });
}

const nothing = (id: string): Omit<Rescue, "at"> => ({
  id,
  patch: { path: "", sha256: "" },
  treeHash: "",
  objects: "",
  paths: [],
});

/**
 * Takes a revert back.
 * @returns the paths that are as they were before it
 * @throws Refusal `goal_not_open` where one of its files was changed since: that change would be lost
 */
export function undoRevert(place: Place, rescue: Rescue): Promise<readonly string[]> {
  const { root } = place;
  return withTreeObjects(root, async (today) => {
    const there = await filesOf(root, liveSource(today));
    const moved = rescue.paths.filter(({ path, is }) => (there.get(path) ?? null) !== is);
    if (moved.length > 0)
      throw new Refusal(
        "goal_not_open",
        "Files changed since the revert, and taking it back would lose that.",
        {
          expected: "the files as revert left them",
          found: moved
            .slice(0, 5)
            .map(({ path }) => path)
            .join(", "),
          next: [`git apply ${join(place.dir, rescue.patch.path)}  (puts the two together)`],
        },
      );
    const source: Source = { treeish: rescue.treeHash, objects: join(place.dir, rescue.objects) };
    const files = new Map(
      rescue.paths.flatMap(({ path, was }) => (was === null ? [] : [[path, was] as const])),
    );
    const paths = rescue.paths.map(({ path }) => path);
    const blocked = await putBack(root, source, files, paths);
    return paths.filter((path) => !blocked.includes(path));
  });
}

async function trackedFiles(root: string): Promise<ReadonlySet<string>> {
  const { stdout } = await git(["ls-files", "-z", "--full-name"], { cwd: root });
  return new Set(stdout.split("\0").filter((path) => path !== ""));
}

/** A command line holds only so many paths. */
const PATHS_AT_ONCE = 500;

async function difference(root: string, from: Source, to: Source, paths: readonly string[]): Promise<Buffer> {
  const env = environment([from, to], join(root, ".git", "no-index"));
  const parts: Buffer[] = [];
  for (let at = 0; at < paths.length; at += PATHS_AT_ONCE) {
    const some = paths.slice(at, at + PATHS_AT_ONCE);
    const { raw } = await git(
      [
        "--literal-pathspecs",
        "diff",
        "--binary",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        from.treeish,
        to.treeish,
        "--",
        ...some,
      ],
      { cwd: root, env },
    );
    parts.push(Buffer.from(raw, "latin1"));
  }
  return Buffer.concat(parts);
}

/**
 * Gives files the content that they have in a tree; those that it lacks are removed.
 * @returns paths that were left, because something stands in their way that is not to be removed
 */
async function putBack(
  root: string,
  source: Source,
  files: ReadonlyMap<string, string>,
  paths: readonly string[],
): Promise<readonly string[]> {
  const temp = makeTempFolder();
  try {
    // An index of its own: the user's knows nothing of this.
    const env = environment([source], join(temp, "index"));
    await git(["read-tree", source.treeish], { cwd: root, env });
    for (const path of paths) if (!files.has(path)) removeFile(root, path);
    const wanted = paths.filter((path) => files.has(path));
    // Git would remove a whole folder to make room for a file, with everything that somebody put into it.
    const blocked = wanted.filter((path) => isBlocked(root, path));
    const free = wanted.filter((path) => !blocked.includes(path));
    for (let at = 0; at < free.length; at += PATHS_AT_ONCE)
      await git(["checkout-index", "-f", "--", ...free.slice(at, at + PATHS_AT_ONCE)], { cwd: root, env });
    return blocked;
  } finally {
    removeTempFolder(temp);
  }
}

const lookAt = (root: string, path: string): Stats | undefined => {
  try {
    return lstatSync(join(root, path), { throwIfNoEntry: false });
  } catch {
    // A file where the path has a folder.
    return undefined;
  }
};
const isThere = (root: string, path: string): boolean => lookAt(root, path) !== undefined;

/** Removes a file, and the folders that it leaves empty. */
function removeFile(root: string, path: string): void {
  if (lookAt(root, path)?.isDirectory() !== false) return;
  rmSync(join(root, path), { force: true });
  try {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) rmdirSync(join(root, folder));
  } catch {
    // Not empty: what is in it stays, and so does the folder.
  }
}

/** A folder stands where the file belongs, or something else where one of its folders does. */
function isBlocked(root: string, path: string): boolean {
  if (lookAt(root, path)?.isDirectory() === true) return true;
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const found = lookAt(root, folder);
    if (found !== undefined && !found.isDirectory()) return true;
  }
  return false;
}
