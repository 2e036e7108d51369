/** The fingerprint of a working tree: one id for everything in it that counts, and a content id for each file. */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import picomatch from "picomatch";
import { gitFolders } from "./git-folders.ts";
import { fingerprintGit, type GitTree } from "./git-tree.ts";
import { isOurs } from "./ours.ts";
import type { Tree } from "./types.ts";
import { walkTree } from "./walk-tree.ts";

/** A tree whose new objects still exist, so that it can be exported. */
export interface LiveTree extends Tree {
  /** Git's tree hash without the marks for nested repositories, big files and links out; null outside Git. */
  readonly treeHash: string | null;
  /** Folder with the objects that the repository itself lacks; null outside Git. */
  readonly objects: string | null;
  /** Files that are not in the Git tree although they count: too big, or unreadable. */
  readonly outside: readonly string[];
  dispose(): void;
}

/**
 * Takes the fingerprint of the working tree at `root`.
 *
 * In Git the id is the hash of the tree that `git add -A && git write-tree` would give, without our own folders, with
 * assume-unchanged and skip-worktree flags cleared. Nested repositories, files over 50 MB, what lies behind links out of
 * the repository and the own content of filtered files are no part of Git's tree; where there are any, the id is `<tree>+<8 hex>`, the second part a digest of their paths and ids.
 * Outside Git it is `walk:<sha256>`.
 * @throws Refusal `git_failed`; `git_missing`; `io_error` for more than 50,000 files outside Git
 */
export async function fingerprint(root: string): Promise<Tree> {
  const tree = await take(root, false);
  tree.dispose();
  return { id: tree.id, files: tree.files };
}

/** The same with the new objects kept until `dispose`. */
export function fingerprintLive(root: string): Promise<LiveTree> {
  return take(root, true);
}

async function take(root: string, withObjects: boolean): Promise<LiveTree> {
  if (gitFolders(root) === null)
    return { ...walkTree(root), treeHash: null, objects: null, outside: [], dispose: () => {} };
  return withNested(root, await fingerprintGit(root, { withObjects }));
}

/** Runs `use` on a live tree and takes its objects away afterwards. */
export async function withTreeObjects<Result>(
  root: string,
  use: (tree: LiveTree) => Promise<Result>,
): Promise<Result> {
  const tree = await fingerprintLive(root);
  try {
    return await use(tree);
  } finally {
    tree.dispose();
  }
}

/** Nested repositories enter as the fingerprint of their content, whatever they have committed of it. */
async function withNested(root: string, tree: GitTree): Promise<LiveTree> {
  const marks = new Map(tree.marks);
  for (const path of tree.nested) marks.set(path, `repo:${(await fingerprint(`${root}/${path}`)).id}`);
  const files = new Map([...tree.files, ...marks].filter(([path]) => !isOurs(path)));
  const more = new Map(tree.links);
  for (const path of tree.filtered) {
    if (marks.has(path)) continue;
    const raw = rawContent(`${root}/${path}`, files.get(path) ?? "");
    if (raw !== null) more.set(path, raw);
  }
  for (const [path, what] of more) {
    const own = files.get(path);
    if (own === undefined || marks.has(path)) continue;
    const id = `${what.slice(0, what.indexOf(":"))}:${sha256(`${own} ${what}`)}`;
    files.set(path, id);
    marks.set(path, id);
  }
  const lines = sorted(marks).map(([path, id]) => `${path}\0${id}\n`);
  const id = lines.length === 0 ? tree.hash : `${tree.hash}+${sha256(lines.join("")).slice(0, 8)}`;
  return {
    id,
    files: new Map(sorted(files)),
    treeHash: tree.hash,
    objects: tree.objects,
    outside: [...tree.marks.keys()],
    dispose: tree.dispose,
  };
}

/** A file's own content, where a filter gives Git another one than `blob`; null where it is the same, or gone. */
function rawContent(path: string, blob: string): string | null {
  try {
    if (!lstatSync(path).isFile()) return null;
    const content = readFileSync(path);
    const hash = createHash(blob.length === 64 ? "sha256" : "sha1").update(`blob ${content.length}\0`);
    const raw = hash.update(content).digest("hex");
    return raw === blob ? null : `raw:${raw}`;
  } catch {
    return null;
  }
}

/** Paths that were added, removed or changed between two trees' files, sorted. */
export function changedBetween(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  const changed: string[] = [];
  for (const [path, id] of a) if (b.get(path) !== id) changed.push(path);
  for (const path of b.keys()) if (!a.has(path)) changed.push(path);
  return changed.sort();
}

/**
 * Digest of the part of a tree that a check covers.
 * @param covers globs; null for the whole tree
 * @param always paths that count in any case: the check's own files
 */
export function coveredDigest(
  tree: Tree,
  covers: readonly string[] | null,
  always: readonly string[],
): string {
  if (covers === null) return tree.id;
  const matches = globs(covers);
  const kept = new Set(always);
  return digestOf(tree, (path) => kept.has(path) || matches(path));
}

/** SHA-256 over the sorted `path id` lines of the files that are picked. */
export function digestOf(tree: Tree, pick: (path: string) => boolean): string {
  const lines: string[] = [];
  for (const [path, id] of tree.files) if (pick(path)) lines.push(`${path} ${id}\n`);
  return sha256(lines.sort().join(""));
}

/** One matcher for several globs. A folder's name stands for everything below it. */
export function globs(patterns: readonly string[]): (path: string) => boolean {
  const plain = patterns.map((pattern) => pattern.replace(/^\.\//, "").replace(/\/+$/, ""));
  const matchers = plain.flatMap((pattern) => [
    picomatch(pattern, { dot: true }),
    picomatch(`${pattern}/**`, { dot: true }),
  ]);
  // A name such as `app/[id]/page.ts` is a path first and a glob second.
  return (path) =>
    plain.some((one) => path === one || path.startsWith(`${one}/`)) || matchers.some((match) => match(path));
}

function sorted(files: ReadonlyMap<string, string>): [string, string][] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
