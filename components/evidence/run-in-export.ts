/** A check's run in an exported tree: made, used, removed. */
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Export, type ExportOptions, exportTree, movedInto } from "./base-tree.ts";
import type { CheckFiles } from "./check-files.ts";
import { sandboxed } from "./environment.ts";
import { judge } from "./judge.ts";
import { runCheck } from "./run-check.ts";
import { type FinishedRun, type RunOptions, runCommand } from "./runner.ts";
import type { Check, Command, Confine, Verdict } from "./types.ts";

/** Variables that lead to code; where they point into the repository they are turned to the export. */
const CODE_PATHS = ["PATH", "PYTHONPATH", "NODE_PATH", "RUBYLIB", "PERL5LIB", "CLASSPATH", "VIRTUAL_ENV"];

/** The repository that an export is made of, and the environment of its runs; by default this process's. */
export interface Surroundings {
  readonly root: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The sandbox to put around the runs; by default none beside this process's own. */
  readonly confine?: Confine | undefined;
  /** The criterion that a check is run for. */
  readonly name?: string | undefined;
}

/** One run in an export. */
export interface Seen {
  readonly verdict: Verdict;
  readonly durationMs: number;
  readonly flaky?: boolean;
}

/** Exports, uses and removes. A string says why the export could not be made ready. */
export async function onExport(
  options: Surroundings,
  source: Parameters<typeof exportTree>[1],
  how: ExportOptions,
  use: (place: Export) => Promise<Seen>,
): Promise<Seen | string> {
  const place = await exportTree(options.root, source, { ...how, confine: options.confine });
  try {
    return place.setupFault ?? (await use(place));
  } finally {
    await place.dispose();
  }
}

/**
 * Runs a command in an export, turned away from the repository: words and variables that lead there lead to the export.
 * @param folder to run in, from the export's root; the time limit, and what else a run can be asked for
 */
export async function runThere(
  place: Export,
  command: Command,
  { cwd: folder, timeoutMs, usage, slow }: Pick<RunOptions, "cwd" | "timeoutMs" | "usage" | "slow">,
  options: Surroundings,
): Promise<{
  readonly run: FinishedRun;
  readonly moved: Command;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}> {
  const there = surroundings(place, folder, options);
  const moved = move(command, options.root, place.dir);
  const run = await runCommand(moved, { ...there, timeoutMs, usage, slow });
  return { run, moved, cwd: there.cwd, env: there.env };
}

/** The folder and the environment of a run in an export. */
function surroundings(
  place: Export,
  folder: string,
  options: Surroundings,
): Omit<RunOptions, "timeoutMs"> & { readonly env: NodeJS.ProcessEnv } {
  const env: Record<string, string | undefined> = { ...(options.env ?? process.env) };
  for (const name of CODE_PATHS) {
    const value = env[name];
    if (value !== undefined)
      env[name] = value
        .split(delimiter)
        .map((path) => movedInto(options.root, place.dir, path))
        .join(delimiter);
  }
  const cwd = join(place.dir, folder);
  mkdirSync(cwd, { recursive: true });
  const { confine } = options;
  return { cwd, env, root: place.dir, extra: place.env, confine, writable: [place.dir] };
}

/** Runs a check in an export, and judges it. */
export async function runIn(
  place: Export,
  check: Check,
  options: Surroundings,
  files: CheckFiles,
): Promise<Seen> {
  const there = surroundings(place, check.cwd, options);
  const moved: Check = move(check, options.root, place.dir);
  const run = await runCheck(moved, { ...there, name: options.name });
  try {
    const verdict = await judge(moved, run, {
      runDir: there.cwd,
      stdoutPath: run.stdoutPath,
      stderrPath: run.stderrPath,
      sandboxed: sandboxed(there.env),
      ownFiles: files.own,
    });
    return { verdict: withoutPlace(verdict, place.dir), durationMs: run.durationMs };
  } finally {
    await run.dispose();
  }
}

/** Absolute paths into the repository would run today's code in the middle of the base. Every text in a value is moved. */
function move<T>(value: T, root: string, dir: string): T {
  const form = new RegExp(`(?<![\\w./-])${root.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w.-])`, "g");
  const moved = (one: unknown): unknown => {
    if (typeof one === "string") return one.replace(form, () => dir);
    if (Array.isArray(one)) return one.map(moved);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, member]) => [key, moved(member)]));
  };
  return moved(value) as T;
}

/** The export's folder is gone when somebody reads this; a path in it is told as one in the repository. */
function withoutPlace(verdict: Verdict, dir: string): Verdict {
  const plain = (text: string): string => text.replaceAll(`${dir}/`, "").replaceAll(dir, ".");
  if (verdict.kind === "met") return verdict;
  return verdict.kind === "unmet"
    ? { ...verdict, got: plain(verdict.got) }
    : { ...verdict, reason: plain(verdict.reason) };
}
