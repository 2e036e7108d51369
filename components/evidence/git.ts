/** Runs Git as an asynchronous child with a cleaned environment, and finds the repository that a folder belongs to. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { errno, Refusal } from "../errors.ts";
import { resolveProgram, trustedPath } from "./environment.ts";
import { bare, findRootFast, type Root, real } from "./git-folders.ts";
import type { Confine } from "./types.ts";

export interface GitOptions {
  readonly cwd: string;
  /** Laid over the cleaned environment; an undefined value takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file as standard input. A pipe never is one: Codex's sandbox breaks those. */
  readonly input?: string;
  /** Return the failure instead of throwing `git_failed`. */
  readonly allowFail?: boolean;
  /** `-c` settings. */
  readonly config?: readonly string[];
  /** Set where Git may start filters that the repository's settings name: folders that it writes to. */
  readonly startsFilters?: readonly string[];
}

export interface GitResult {
  /** Exit status; -1 when a signal ended Git. */
  readonly code: number;
  /** Standard output, one byte a character (latin1), because file names need not be UTF-8. */
  readonly raw: string;
  /** The same as UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment for Git children: none of the caller's `GIT_*`, no optional locks, messages in English. */
function gitEnvironment(extra: GitOptions["env"]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) if (!name.startsWith("GIT_")) env[name] = value;
  if (env.PATH !== undefined) env.PATH = search(env.PATH).path;
  // Trust settings come from the user's own files, which stay in force; only what a caller exported is taken out.
  return {
    ...env,
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    ...(offline ? { GIT_ALLOW_PROTOCOL: "none" } : {}),
    LC_ALL: "C",
    LANGUAGE: "",
    ...extra,
  };
}

let offline = false;

/**
 * From now on Git asks no server for what a partial clone lacks, whatever the repository's settings name as one. For a
 * process outside a sandbox that looks at what was written inside of one.
 */
export function forbidFetching(): void {
  offline = true;
}

let keeper: Confine | undefined;

/** From now on Git is kept in this sandbox wherever it may start a filter: that program may be the agent's own. */
export function keepFiltersIn(confine: Confine | undefined): void {
  keeper = confine;
}

/** No program that a repository's settings name: it may have been written by whoever is judged. */
const NO_PROGRAMS = ["core.fsmonitor=false", "core.hooksPath=/dev/null"];

/** Roots that Git was run in. A program of theirs never comes before the system's, not even when Git runs elsewhere. */
const roots = new Set<string>();
let searched: { readonly key: string; readonly path: string; readonly program: string } | null = null;

/** The PATH for Git and its helpers, and Git's own place in it. Looked for once, and again where a root is new. */
function search(path: string): { readonly path: string; readonly program: string } {
  const key = `${roots.size} ${path}`;
  if (searched?.key !== key) {
    const ordered = trustedPath(path, [...roots]);
    searched = { key, path: ordered, program: resolveProgram("git", ordered, process.cwd()) ?? "git" };
  }
  return searched;
}

function remember(cwd: string): void {
  for (const start of [cwd, process.cwd()])
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      if (existsSync(join(folder, ".git"))) roots.add(folder);
      if (dirname(folder) === folder) break;
    }
}

/**
 * Runs one Git command.
 * @throws Refusal `git_missing` when there is no Git program, `git_failed` when Git refuses and `allowFail` is not set.
 */
export function git(args: readonly string[], options: GitOptions): Promise<GitResult> {
  return start(withSettings(args, options), args, options);
}

/** One command of several: its arguments, and the file that it reads. */
export interface GitStep {
  readonly args: readonly string[];
  readonly input?: string;
}

/**
 * Runs Git commands one after another until one fails, all in one child where that can be: to start a child from here
 * costs five times what it costs a shell.
 * @returns what they printed, together
 * @throws Refusal as `git`
 */
export async function gitInTurn(
  steps: readonly GitStep[],
  options: Omit<GitOptions, "input" | "allowFail">,
): Promise<GitResult> {
  if (steps.length > 1 && options.startsFilters === undefined && process.platform !== "win32") {
    const lines = steps.map(({ args, input = "/dev/null" }) =>
      [...withSettings(args, options).map(forShell), "<", forShell(input)].join(" "),
    );
    const verbs = steps.map(({ args: [verb = ""] }) => verb).join(", ");
    return start(["/bin/sh", "-c", lines.join(" && ")], [verbs], options);
  }
  const said: GitResult[] = [];
  for (const step of steps) said.push(await git(step.args, { ...options, ...step }));
  return resultOf(0, Buffer.from(said.map(({ raw }) => raw).join(""), "latin1"), "");
}

const forShell = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** The whole command: the program, and the settings that it never runs without. */
function withSettings(args: readonly string[], { cwd, config = [] }: GitOptions): readonly string[] {
  remember(cwd);
  const { program } = search(process.env.PATH ?? "");
  return [program, ...[...NO_PROGRAMS, ...config].flatMap((setting) => ["-c", setting]), ...args];
}

/** @param args what is named where it fails */
function start(plain: readonly string[], args: readonly string[], options: GitOptions): Promise<GitResult> {
  const { startsFilters, input } = options;
  const [program = "git", ...rest] =
    (startsFilters === undefined ? undefined : keeper?.(plain, options.cwd, startsFilters)) ?? plain;
  const stdin = input === undefined ? "ignore" : openSync(input, "r");
  return new Promise((settle, fail) => {
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env: gitEnvironment(options.env),
      stdio: [stdin, "pipe", "pipe"],
      windowsHide: true,
    });
    if (typeof stdin === "number") closeSync(stdin);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (error) => {
      if (errno(error) === "ENOENT" && existsSync(options.cwd)) {
        fail(
          new Refusal("git_missing", "Git is needed for this and was not found.", {
            expected: "a git program on PATH",
            found: "none",
            next: ["install Git, then run the same command again"],
          }),
        );
      } else fail(gitFailed(args, error.message));
    });
    child.on("close", (code) => {
      const stderr = Buffer.concat(err).toString("utf8");
      if (code !== 0 && options.allowFail !== true) fail(gitFailed(args, stderr));
      else settle(resultOf(code ?? -1, Buffer.concat(out), stderr));
    });
  });
}

function resultOf(code: number, bytes: Buffer, stderr: string): GitResult {
  let text: string | undefined;
  return {
    code,
    raw: bytes.toString("latin1"),
    get stdout() {
      text ??= bytes.toString("utf8");
      return text;
    },
    stderr,
  };
}

function gitFailed(args: readonly string[], said: string): Refusal {
  const verb = args.find((arg) => !arg.startsWith("-")) ?? "";
  const dubious = /dubious ownership/.test(said);
  return new Refusal("git_failed", `Git refused: git ${verb}.`, {
    expected: `git ${verb} to succeed`,
    found: said.trim().slice(0, 400) || "no message",
    next: dubious
      ? [
          "git config --global --add safe.directory '*'  (or the folder that Git names)",
          "run the same command again",
        ]
      : ["git status", "run the same command again"],
  });
}

/**
 * Finds the root and its commit with one call of Git.
 * @throws Refusal `git_bare`; `git_failed` when Git refuses to look (a foreign owner, say).
 */
export async function findRoot(cwd: string): Promise<Root> {
  const fast = findRootFast(cwd);
  let answer: GitResult;
  try {
    answer = await git(["rev-parse", "--show-toplevel", "--verify", "-q", "HEAD^{commit}"], {
      cwd,
      // The folder that has the `.git`, wherever `core.worktree` points.
      env: fast.git ? { GIT_WORK_TREE: fast.root } : {},
      allowFail: true,
    });
  } catch (error) {
    if (error instanceof Refusal && error.code === "git_missing")
      return { root: fast.root, git: false, commit: null, gitMissing: true };
    throw error;
  }
  const [top, commit] = answer.stdout.split("\n");
  if (top === undefined || top === "") {
    if (/must be run in a work tree|bare/.test(answer.stderr)) throw bare(fast.root);
    if (/not a git repository/.test(answer.stderr)) return { root: fast.root, git: false, commit: null };
    throw gitFailed(["rev-parse"], answer.stderr);
  }
  return { root: real(top), git: true, commit: commit === undefined || commit === "" ? null : commit };
}

/**
 * The commit that a ref names.
 * @throws Refusal `base_unknown`
 */
export async function resolveCommit(root: string, ref: string): Promise<string> {
  const answer = await git(["rev-parse", "--verify", "-q", "--end-of-options", `${ref}^{commit}`], {
    cwd: root,
    allowFail: true,
  });
  const commit = answer.stdout.trim().split("\n").at(-1) ?? "";
  if (answer.code === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  throw new Refusal("base_unknown", `No commit is called ${JSON.stringify(ref)}.`, {
    expected: "a branch, a tag or a commit of this repository",
    found: answer.stderr.trim() || "nothing of that name",
    next: ["git fetch origin", "git branch -a"],
  });
}

/** A file's text as it is in a commit; null when the commit does not have it. */
export async function showFile(root: string, commit: string, path: string): Promise<string | null> {
  const answer = await git(["cat-file", "blob", `${commit}:${path}`], { cwd: root, allowFail: true });
  return answer.code === 0 ? answer.stdout : null;
}
