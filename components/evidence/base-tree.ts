/** Puts a commit, or today's tree, into a temporary folder as a small repository of its own, ready to run checks in. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { Refusal } from "../errors.ts";
import { checkOut, linkOutside, type Source } from "./check-out.ts";
import { git } from "./git.ts";
import { gitFolders } from "./git-folders.ts";
import { runCommand } from "./runner.ts";
import { shareFolders } from "./share.ts";
import { makeTempFolder, removeTempFolder } from "./temp-folder.ts";
import type { Command, Confine, Tree } from "./types.ts";

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
  /** Where a sandbox is around the runs: set-up commands are kept in it as well. */
  readonly confine?: Confine | undefined;
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
/**
 * Exports a commit or a live tree.
 *
 * `git read-tree` into a new repository rather than `git archive`: the latter obeys `export-ignore`, which leaves tests
 * out, and the export would be no repository, so that every check that asks Git would fail there. Objects are borrowed
 * from the original, which is only read: hosts keep `.git` read-only, and `git worktree add` would write to it.
 * @throws Refusal `git_failed` when the commit cannot be checked out
 */
export async function exportTree(root: string, source: Source, options: ExportOptions): Promise<Export> {
  const folders = gitFolders(root);
  if (folders === null)
    throw new Refusal("git_failed", "Without a Git repository there is nothing to export.", {
      found: root,
      next: ["git init && git add -A && git commit -m start"],
    });
  const temp = realpathSync(makeTempFolder());
  const disposers: (() => void)[] = [];
  const dispose = (): void => {
    for (const one of disposers) one();
    removeTempFolder(temp);
  };
  try {
    // The folder is called as the project is: some programs print or look for the name.
    const dir = join(temp, "x", root.slice(root.lastIndexOf("/") + 1) || "repository");
    mkdirSync(dir, { recursive: true });
    disposers.push(...(await checkOut(root, dir, folders, source, options)));
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
    const setupFault = await runSetup(dir, root, options, env, join(temp, "index"));
    return { dir, env, setupFault, dispose: async () => dispose() };
  } catch (error) {
    dispose();
    throw error;
  }
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
      { cwd: dir },
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
  { setup, confine }: Pick<ExportOptions, "setup" | "confine">,
  env: Readonly<Record<string, string>>,
  index: string,
): Promise<string | null> {
  if (setup.length === 0) return null;
  // An index beside the export's own holds what was there before, laid over files included.
  const aside = { cwd: dir, env: { GIT_INDEX_FILE: index }, config: ["core.safecrlf=false"] };
  await git(["read-tree", "--empty"], aside);
  await git(["add", "-A", "."], aside);
  for (const command of setup) {
    const run = await runCommand(command, {
      cwd: dir,
      timeoutMs: SETUP_TIMEOUT_MS,
      root,
      extra: env,
      confine,
      writable: [dir],
    });
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
