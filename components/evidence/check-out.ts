/** A folder filled with a commit or a live tree, as a small repository of its own that borrows the original's objects. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fingerprintLive, type LiveTree } from "./fingerprint.ts";
import { git } from "./git.ts";
import { LFS_COMMAND } from "./git-filters.ts";
import { type GitFolders, gitFolders } from "./git-folders.ts";
import { shareFolders } from "./share.ts";
import type { Tree } from "./types.ts";

/** Settings of the repository that decide how content becomes files. */
const CHECKOUT_SETTINGS = ["core.autocrlf", "core.eol", "core.symlinks", "core.filemode", "core.ignorecase"];

export type Source = { readonly commit: string } | { readonly tree: LiveTree };

/** Fills a folder with a commit or a live tree, as a repository. @returns what has to be called when it is no longer used */
export async function checkOut(
  root: string,
  dir: string,
  folders: GitFolders,
  source: Source,
  { head = null, today }: { readonly head?: string | null; readonly today: Tree },
): Promise<(() => void)[]> {
  const commit = "commit" in source ? source.commit : null;
  makeRepository(dir, folders, commit ?? head, "tree" in source ? source.tree.objects : null);
  await git(
    ["read-tree", "-u", "--reset", "commit" in source ? source.commit : (source.tree.treeHash ?? "")],
    {
      cwd: dir,
      config: [...(await checkoutSettings(root, folders)), "advice.detachedHead=false"],
    },
  );
  return placeNested(root, dir, source, today);
}

/** Written by hand rather than with `git init`: no templates, no hooks, nothing from the user's settings. */
function makeRepository(
  dir: string,
  folders: GitFolders,
  head: string | null,
  liveObjects: string | null,
): void {
  const own = join(dir, ".git");
  mkdirSync(join(own, "objects", "info"), { recursive: true });
  mkdirSync(join(own, "refs", "heads"), { recursive: true });
  const config = readOr(join(folders.commonDir, "config"), "");
  const sha256 = /objectformat\s*=\s*sha256/i.test(config);
  writeFileSync(join(own, "HEAD"), "ref: refs/heads/main\n");
  writeFileSync(
    join(own, "config"),
    `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tbare = false\n${sha256 ? "[extensions]\n\tobjectformat = sha256\n" : ""}`,
  );
  const objects = [join(folders.commonDir, "objects"), ...(liveObjects === null ? [] : [liveObjects])];
  writeFileSync(
    join(own, "objects", "info", "alternates"),
    `${objects.map((path) => (/^["#]|\n/.test(path) ? JSON.stringify(path) : path)).join("\n")}\n`,
  );
  if (head !== null) writeFileSync(join(own, "refs", "heads", "main"), `${head}\n`);
  // A shallow clone says here where its history ends; without it Git would take the rest for missing.
  const shallow = join(folders.commonDir, "shallow");
  if (existsSync(shallow)) copyFileSync(shallow, join(own, "shallow"));
  // Large files kept by LFS are found without asking a server.
  const lfs = join(folders.commonDir, "lfs");
  if (existsSync(lfs)) symlinkSync(lfs, join(own, "lfs"));
}

/** What Git read last out of a repository's settings: one proof makes several folders, with the same ones. */
let lastSettings: { readonly of: string; readonly found: readonly string[] } | null = null;

async function checkoutSettings(root: string, folders: GitFolders): Promise<readonly string[]> {
  const of = `${root}\n${readOr(join(folders.commonDir, "config"), "")}`;
  if (lastSettings?.of === of) return lastSettings.found;
  // Of this one file: what it includes is not followed.
  const answer = await git(["config", "-z", "--local", "--get-regexp", "^(core|filter)\\."], {
    cwd: root,
    allowFail: true,
  });
  const found = answer.stdout.split("\0").flatMap((record) => {
    const [name = "", ...rest] = record.split("\n");
    const value = rest.join("\n");
    // Of programs only what `git lfs install` writes: this may run outside the sandbox that the settings were written in.
    const lfs = /^filter\.lfs\.(?:clean|smudge|process)$/.test(name)
      ? LFS_COMMAND.test(value)
      : name === "filter.lfs.required";
    return CHECKOUT_SETTINGS.includes(name.toLowerCase()) || lfs ? [`${name}=${value}`] : [];
  });
  lastSettings = { of, found };
  return found;
}

/**
 * Nested repositories. Beside a commit one is linked, and only where it stands at what that commit wants; otherwise its
 * folder stays empty. Beside today's tree it is copied without what it ignores: that is in nobody's fingerprint.
 */
async function placeNested(root: string, dir: string, source: Source, today: Tree): Promise<(() => void)[]> {
  const disposers: (() => void)[] = [];
  for (const [path, id] of today.files) {
    if (!id.startsWith("repo:")) continue;
    const place = join(dir, path);
    if ("commit" in source) {
      if (!(await sameCommit(root, path, source.commit, today))) continue;
      rmSync(place, { recursive: true, force: true });
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(join(root, path), place);
    } else disposers.push(...(await copyNested(join(root, path), place)));
  }
  return disposers;
}

async function copyNested(root: string, place: string): Promise<(() => void)[]> {
  const folders = gitFolders(root);
  if (folders === null) return [];
  const tree = await fingerprintLive(root);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  const head = (await git(["rev-parse", "-q", "--verify", "HEAD"], { cwd: root, allowFail: true })).stdout;
  const more = await checkOut(root, place, folders, { tree }, { head: head.trim() || null, today: tree });
  for (const path of tree.outside) linkOutside(root, place, path);
  shareFolders(root, place, { today: tree, names: [] });
  // Git refuses to add a repository without a commit to the one around it, which `setup:` does.
  if (head === "") rmSync(join(place, ".git"), { recursive: true });
  return [tree.dispose, ...more];
}

async function sameCommit(root: string, path: string, commit: string, today: Tree): Promise<boolean> {
  const wanted = await git(["rev-parse", "-q", "--verify", `${commit}:${path}`], {
    cwd: root,
    allowFail: true,
  });
  const there = await git(["rev-parse", "-q", "--verify", "HEAD"], {
    cwd: join(root, path),
    allowFail: true,
  });
  const trees = await git(["rev-parse", "-q", "--verify", "HEAD^{tree}"], {
    cwd: join(root, path),
    allowFail: true,
  });
  return (
    wanted.code === 0 &&
    there.stdout === wanted.stdout &&
    today.files.get(path) === `repo:${trees.stdout.trim()}`
  );
}

/** A file that is too big to be in the tree is read where it lies. */
export function linkOutside(root: string, dir: string, path: string): void {
  const to = join(dir, path);
  mkdirSync(dirname(to), { recursive: true });
  rmSync(to, { force: true });
  symlinkSync(join(root, path), to);
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
