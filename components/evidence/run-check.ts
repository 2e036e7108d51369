/** Runs a check: its command as it is, or the driver of its channel with the scenario. */
import { existsSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT, type Job, REPORT, type Report } from "./channels/job.ts";
import { cleanEnvironment, resolveProgram, resolvePrograms } from "./environment.ts";
import { type FinishedRun, type RunOptions, runCommand } from "./runner.ts";
import { makeTempFolder, removeTempFolder } from "./temp-folder.ts";
import type { Check } from "./types.ts";

/** A finished run of a check. */
export interface CheckRun extends FinishedRun {
  /** What the channel's driver says; null without one, or where it did not come to its end. */
  readonly report: Report | null;
  /** Absolute paths of what the driver captured beside the log, until the run is disposed of. */
  readonly captured: readonly string[];
}

export interface CheckOptions extends Omit<RunOptions, "timeoutMs"> {
  /** The criterion that it is run for, where there is one. */
  readonly name?: string | undefined;
}

/** Never throws for what the check does, as `runCommand`. */
export async function runCheck(check: Check, options: CheckOptions): Promise<CheckRun> {
  const { timeoutMs } = check;
  if (check.scenario === undefined)
    return { ...(await runCommand(check.run, { ...options, timeoutMs })), report: null, captured: [] };
  const out = makeTempFolder();
  const { cwd, root = cwd, name = null } = options;
  const job: Job = { check, name, cwd, root, out };
  const path = join(out, "job.json");
  writeFileSync(path, JSON.stringify(job), { mode: 0o600 });
  try {
    const { env } = cleanEnvironment(options.env ?? process.env, options.root ?? options.cwd);
    const run = await runCommand([...driver(env.PATH ?? "", options.cwd), path], {
      ...options,
      timeoutMs,
      writable: [...(options.writable ?? []), out],
    });
    const report = readReport(out, run.exit);
    return {
      ...run,
      // The driver is ours; what matters is what it started.
      programs: resolvePrograms(check.run, env.PATH ?? "", options.cwd),
      report,
      captured: (report?.files ?? []).map((name) => join(out, name)).filter(isFile),
      dispose: async () => {
        await run.dispose();
        removeTempFolder(out);
      },
    };
  } catch (error) {
    removeTempFolder(out);
    throw error;
  }
}

/** The report, where it says what the driver's own exit status says. */
function readReport(out: string, exit: number | null): Report | null {
  try {
    const report: Report = JSON.parse(readFileSync(join(out, REPORT), "utf8"));
    return EXIT[report.verdict.kind] === exit ? report : null;
  } catch {
    return null;
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** Places of the driver, from the folder of the program: the package, a host's plugin, the sources. */
const PLACES = ["channels/driver.mjs", "../channels/driver.mjs", "../evidence/channels/driver.ts"];

/**
 * The command that the driver's job is added to. This very runtime runs it; where that is a host's own binary, which would
 * start the host, the Node on PATH does, and without one that binary as Bun.
 */
function driver(path: string, cwd: string): readonly string[] {
  home ??= folderOfProgram();
  const here = home;
  const file = PLACES.map((place) => join(here, place)).find((place) => existsSync(place));
  return [...runtime(path, cwd), file ?? join(here, PLACES[0] ?? "")];
}

function runtime(path: string, cwd: string): readonly string[] {
  if (/(?:^|[/\\])(?:node|bun)(?:\.exe)?$/i.test(process.execPath)) return [process.execPath];
  const node = resolveProgram("node", path, cwd);
  if (node !== null || process.versions.bun === undefined) return [node ?? "node"];
  return ["env", "BUN_BE_BUN=1", process.execPath];
}

let home: string | null = null;

/** Says which folder the program lies in, where it is part of somebody else's process. */
export function driversAreBeside(folder: string): void {
  home = folder;
}

function folderOfProgram(): string {
  const program = process.argv[1] ?? "";
  try {
    // It may have been called by a link, as npm makes them.
    return dirname(realpathSync(program));
  } catch {
    return dirname(program);
  }
}
