/** A check's run in an exported tree: made, used, removed. */
import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Export, type ExportOptions, exportTree, movedInto } from "./base-tree.ts";
import type { CheckFiles } from "./check-files.ts";
import { sandboxed } from "./environment.ts";
import { judge } from "./judge.ts";
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
  const moved = moveCommand(command, options.root, place.dir);
  const run = await runCommand(moved, {
    cwd,
    timeoutMs,
    usage,
    slow,
    env,
    root: place.dir,
    extra: place.env,
    confine: options.confine,
    writable: [place.dir],
  });
  return { run, moved, cwd, env };
}

/** Runs a check in an export, and judges it. */
export async function runIn(
  place: Export,
  check: Check,
  options: Surroundings,
  files: CheckFiles,
): Promise<Seen> {
  const { run, moved, cwd, env } = await runThere(place, check.run, check, options);
  try {
    const verdict = await judge({ ...check, run: moved }, run, {
      runDir: cwd,
      stdoutPath: run.stdoutPath,
      stderrPath: run.stderrPath,
      sandboxed: sandboxed(env),
      ownFiles: files.own,
    });
    return { verdict: withoutPlace(verdict, place.dir), durationMs: run.durationMs };
  } finally {
    await run.dispose();
  }
}

/** Absolute paths into the repository would run today's code in the middle of the base. */
function moveCommand(run: Command, root: string, dir: string): Command {
  const form = new RegExp(`(?<![\\w./-])${root.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w.-])`, "g");
  const move = (text: string): string => text.replace(form, () => dir);
  return typeof run === "string" ? move(run) : run.map(move);
}

/** The export's folder is gone when somebody reads this; a path in it is told as one in the repository. */
function withoutPlace(verdict: Verdict, dir: string): Verdict {
  const plain = (text: string): string => text.replaceAll(`${dir}/`, "").replaceAll(dir, ".");
  if (verdict.kind === "met") return verdict;
  return verdict.kind === "unmet"
    ? { ...verdict, got: plain(verdict.got) }
    : { ...verdict, reason: plain(verdict.reason) };
}
