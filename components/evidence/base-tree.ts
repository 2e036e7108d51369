/** Puts a commit, or today's tree, into a temporary folder as a small repository of its own, ready to run checks in. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Refusal } from "../errors.ts";
import type { LiveTree } from "./fingerprint.ts";
import { git } from "./git.ts";
import { type GitFolders, gitFolders } from "./git-folders.ts";
import { runCommand } from "./runner.ts";
import { shareFolders } from "./share.ts";
import { makeTempFolder, removeTempFolder } from "./temp-folder.ts";
import type { Command, Tree } from "./types.ts";

export interface ExportOptions {
  /** Paths laid over the export from the working tree. What the working tree lacks stays as the export has it. */
  readonly overlay: readonly string[];
  /** Paths taken out of the export: tests that are gone today. */
  readonly remove?: readonly string[];
  /** Paths that get the content they have in a commit, put back where they are missing. */
  readonly restore?: { readonly commit: string; readonly paths: readonly string[] };
  /** Files that get a content of their own, by path. */
  readonly patches?: ReadonlyMap<string, string>;
  /** Names shared beside the usual dependency folders. */
  readonly share: readonly string[] | null;
  /** Commands run in the export before it is used. */
  readonly setup: readonly Command[];
  /** The working tree now: what it lists is never taken for a dependency. */
  readonly today: Tree;
  /** Commit that HEAD of the export stands at; null leaves it without one. By default the commit itself. */
  readonly head?: string | null;
}

export interface Export {
  /** Root of the export, as a real path. */
  readonly dir: string;
  /** Variables that a run in the export needs on top of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Why a setup command failed; null when all went well. */
  readonly setupFault: string | null;
  dispose(): Promise<void>;
}

/** Setup installs things, which takes longer than a check may. */
const SETUP_TIMEOUT_MS = 10 * 60_000;
/** Settings of the repository that decide how content becomes files. */
const CHECKOUT_SETTINGS = ["core.autocrlf", "core.eol", "core.symlinks", "core.filemode", "core.ignorecase"];

/**
 * Exports a commit or a live tree.
 *
 * `git read-tree` into a new repository rather than `git archive`: the latter obeys `export-ignore`, which leaves tests
 * out, and the export would be no repository, so that every check that asks Git would fail there. Objects are borrowed
 * from the original, which is only read: hosts keep `.git` read-only, and `git worktree add` would write to it.
 * @throws Refusal `git_failed` when the commit cannot be checked out
 */
export async function exportTree(
  root: string,
  source: { readonly commit: string } | { readonly tree: LiveTree },
  options: ExportOptions,
): Promise<Export> {
  const folders = gitFolders(root);
  if (folders === null)
    throw new Refusal("git_failed", "Without a Git repository there is nothing to export.", {
      found: root,
      next: ["git init && git add -A && git commit -m start"],
    });
  const temp = realpathSync(makeTempFolder());
  try {
    // The folder is called as the project is: some programs print or look for the name.
    const dir = join(temp, "x", root.slice(root.lastIndexOf("/") + 1) || "repository");
    mkdirSync(dir, { recursive: true });
    const commit = "commit" in source ? source.commit : null;
    const treeish = "commit" in source ? source.commit : (source.tree.treeHash ?? "");
    makeRepository(
      dir,
      folders,
      commit ?? options.head ?? null,
      "tree" in source ? source.tree.objects : null,
    );
    await git(["read-tree", "-u", "--reset", treeish], {
      cwd: dir,
      config: [...(await checkoutSettings(root)), "core.hooksPath=/dev/null", "advice.detachedHead=false"],
    });
    await linkNested(root, dir, source, options.today);
    for (const path of options.remove ?? []) rmSync(join(dir, path), { recursive: true, force: true });
    const outside = "tree" in source ? source.tree.outside : [];
    for (const path of options.overlay) if (!outside.includes(path)) layOver(root, dir, path);
    for (const path of outside) linkOutside(root, dir, path);
    if (options.restore !== undefined) await restoreFiles(dir, options.restore);
    // Never through a link: it may lead out of the export.
    for (const [path, content] of options.patches ?? [])
      if (lstatSync(join(dir, path), { throwIfNoEntry: false })?.isFile())
        writeFileSync(join(dir, path), content);
    const shared = shareFolders(root, dir, { today: options.today, names: options.share ?? [] });
    const env = exportEnvironment(root, dir, shared);
    const setupFault = await runSetup(dir, root, options.setup, env, join(temp, "index"));
    return { dir, env, setupFault, dispose: async () => removeTempFolder(temp) };
  } catch (error) {
    removeTempFolder(temp);
    throw error;
  }
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

async function checkoutSettings(root: string): Promise<string[]> {
  const answer = await git(["config", "-z", "--local", "--get-regexp", "^(core|filter)\\."], {
    cwd: root,
    allowFail: true,
  });
  return answer.stdout.split("\0").flatMap((record) => {
    const [name = "", ...value] = record.split("\n");
    return CHECKOUT_SETTINGS.includes(name.toLowerCase()) || name.startsWith("filter.lfs.")
      ? [`${name}=${value.join("\n")}`]
      : [];
  });
}

/** A nested repository is linked only where it stands at the commit that the export wants; otherwise its folder stays empty. */
async function linkNested(
  root: string,
  dir: string,
  source: { readonly commit: string } | { readonly tree: LiveTree },
  today: Tree,
): Promise<void> {
  const nested = [...today.files].flatMap(([path, id]) => (id.startsWith("repo:") ? [path] : []));
  for (const path of nested) {
    if ("commit" in source && !(await sameCommit(root, path, source.commit, today))) continue;
    const place = join(dir, path);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, path), place);
  }
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

/** A command line holds only so many paths. */
const PATHS_AT_ONCE = 500;

async function restoreFiles(
  dir: string,
  { commit, paths }: { readonly commit: string; readonly paths: readonly string[] },
): Promise<void> {
  for (let from = 0; from < paths.length; from += PATHS_AT_ONCE)
    await git(
      ["--literal-pathspecs", "checkout", "-q", commit, "--", ...paths.slice(from, from + PATHS_AT_ONCE)],
      {
        cwd: dir,
        config: ["core.hooksPath=/dev/null"],
      },
    );
}

/** Copies one file of the working tree over the export, never through a link that leads out of it. */
function layOver(root: string, dir: string, path: string): void {
  const from = join(root, path);
  const to = join(dir, path);
  let stats: ReturnType<typeof lstatSync>;
  try {
    stats = lstatSync(from);
  } catch {
    return;
  }
  const parts = path.split("/");
  for (let length = 1; length < parts.length; length++) {
    const folder = join(dir, ...parts.slice(0, length));
    if (existsSync(folder) && lstatSync(folder).isDirectory()) continue;
    rmSync(folder, { force: true });
    mkdirSync(folder);
  }
  rmSync(to, { recursive: true, force: true });
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (stats.isFile()) copyFileSync(from, to);
}

/** A file that is too big to be in the tree is read where it lies. */
function linkOutside(root: string, dir: string, path: string): void {
  const to = join(dir, path);
  mkdirSync(dirname(to), { recursive: true });
  rmSync(to, { force: true });
  symlinkSync(join(root, path), to);
}

/** The export's own code comes before what the shared virtual environment has installed of the project. */
function exportEnvironment(root: string, dir: string, shared: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  const python = ["pyproject.toml", "setup.py", "setup.cfg"].some((name) => existsSync(join(root, name)));
  if (python || shared.some((path) => /(^|\/)\.?venv$/.test(path))) {
    const paths = [dir, ...(existsSync(join(dir, "src")) ? [join(dir, "src")] : [])];
    const given = process.env.PYTHONPATH?.split(":").map((path) => movedInto(root, dir, path)) ?? [];
    env.PYTHONPATH = [...new Set([...paths, ...given])].join(":");
  }
  return env;
}

/** The place in the export that a path in the repository stands for; other paths come back as they are. */
export function movedInto(root: string, dir: string, path: string): string {
  const inside = relative(root, path);
  return path.startsWith("/") && (inside === "" || !inside.startsWith("..")) ? join(dir, inside) : path;
}

/** Locks of package managers, which an honest installation brings up to date. */
const LOCKS =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|[\w-]+\.lock|go\.sum)$/i;

/** @returns why the export is not as it has to be; a setup may add what Git ignores, and change nothing that counts */
async function runSetup(
  dir: string,
  root: string,
  setup: readonly Command[],
  env: Readonly<Record<string, string>>,
  index: string,
): Promise<string | null> {
  if (setup.length === 0) return null;
  // An index beside the export's own holds what was there before, laid over files included.
  const aside = { cwd: dir, env: { GIT_INDEX_FILE: index }, config: ["core.safecrlf=false"] };
  await git(["read-tree", "--empty"], aside);
  await git(["add", "-A", "."], aside);
  for (const command of setup) {
    const run = await runCommand(command, { cwd: dir, timeoutMs: SETUP_TIMEOUT_MS, root, extra: env });
    const said =
      (run.stderr.tail || run.stderr.head || run.stdout.tail || run.stdout.head).trim().split("\n").at(-1) ??
      "";
    await run.dispose();
    if (run.exit !== 0)
      return `setup failed: ${typeof command === "string" ? command : command.join(" ")}: ${said.slice(0, 160)}`;
  }
  const changed = (await git(["diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv"], aside)).stdout
    .split("\0")
    .filter((path) => path !== "" && !LOCKS.test(path));
  return changed.length === 0
    ? null
    : `setup changes files that Git has: ${changed.slice(0, 3).join(", ")}; it may only add what Git ignores`;
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
