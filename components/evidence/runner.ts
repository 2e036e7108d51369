/** Runs a check's command: own group and mark, no standard input, output into files, a time and a size limit, clean-up. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBrake } from "./brake.ts";
import { captureFile } from "./capture.ts";
import { cleanEnvironment, npmSettings, ownPythonPath, resolvePrograms } from "./environment.ts";
import { canStart, end, launch, pause, shellFor } from "./launch.ts";
import { limited, MARK, newMark, type RunMark } from "./mark.ts";
import { sweep, sweepNow } from "./sweep.ts";
import { makeTempFolder, RUN, removeAllTempFolders, removeTempFolder } from "./temp-folder.ts";
import type { Command, Confine, Run } from "./types.ts";
import { makeMeter, type Usage } from "./usage.ts";

export interface RunOptions {
  /** Absolute. */
  readonly cwd: string;
  readonly timeoutMs: number;
  /** The caller's environment, cleaned before use; by default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Repository root, whose PATH entries do not come first. By default the folder to run in. */
  readonly root?: string;
  /** Set on top of the cleaned environment. */
  readonly extra?: Readonly<Record<string, string>>;
  /** Existing folder for the two output files; by default a private one that `dispose` removes. */
  readonly outputDir?: string;
  /** Bytes of output, both streams together, at which the run is ended. */
  readonly maxOutput?: number;
  /** By default no sandbox is put around the run; where this process is in one, its children are as well. */
  readonly confine?: Confine | undefined;
  /** Folders that a sandbox has to leave open. */
  readonly writable?: readonly string[];
  /** Whether to measure what the run takes. A small program that waits then stands between the run and its program. */
  readonly usage?: boolean;
  /** Share of the time in which all processes of the run are stopped, 0 to 0.9: a slow-down that is planted. */
  readonly slow?: number;
}

/** A run with its whole output, until it is disposed of. */
export interface FinishedRun extends Run {
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** From the start of the program to its end, in milliseconds, not rounded. */
  readonly wallMs: number;
  /** Null when it was not asked for. */
  readonly usage: Usage | null;
  /** When the run began, by the clock that file times are taken from. Milliseconds since 1970. */
  readonly startedAtMs: number;
  dispose(): Promise<void>;
}

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const POLL_MS = 50;
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_TRUNC;
/** Between the request to end and the end by force. */
const TERM_GRACE_MS = 2000;

/**
 * Runs a command to its end. A string goes through `/bin/sh -c`, a list straight to the program.
 * The run is over when the main process has exited, whoever still holds its output open.
 * Never throws for what the command does; a program that cannot be started is `spawnError`.
 */
export async function runCommand(run: Command, options: RunOptions): Promise<FinishedRun> {
  const temp = makeTempFolder();
  const brake = options.slow === undefined ? null : makeBrake(options.slow, join(temp, "stopped"));
  const outputDir = options.outputDir ?? temp;
  const stdoutPath = join(outputDir, "stdout");
  const stderrPath = join(outputDir, "stderr");
  const scratch = join(temp, "t");
  mkdirSync(scratch, { mode: 0o700 });
  const marked = await newMark();
  const { mark } = marked;
  writeFileSync(join(temp, RUN), JSON.stringify({ mark, ...marked.locks }), { mode: 0o600 });
  const source = options.env ?? process.env;
  const root = options.root ?? options.cwd;
  const { env, dropped } = cleanEnvironment(source, root);
  const outer = env[MARK];
  Object.assign(env, options.extra, npmSettings(source, root, env.NODE_OPTIONS), {
    [MARK]: outer === undefined ? mark : `${outer}:${mark}`,
    TMPDIR: scratch,
    TMUX_TMPDIR: scratch,
    PWD: realCwd(options.cwd),
  });
  // What comes on top may repeat the caller's entries.
  const python = options.extra?.PYTHONPATH;
  if (python !== undefined) env.PYTHONPATH = ownPythonPath(python, [root, options.cwd]);
  // npm leaves its caller's folder here, and tmux its caller's server: neither is the run's.
  for (const name of ["OLDPWD", "INIT_CWD", "TMUX", "TMUX_PANE"]) delete env[name];

  // Append mode: a child that opens /dev/stdout anew and one that inherited it must not overwrite each other.
  const out = openSync(stdoutPath, APPEND, 0o600);
  const err = openSync(stderrPath, APPEND, 0o600);
  const plain = typeof run === "string" ? shellFor(run) : run;
  const meter = options.usage === true ? makeMeter(plain, env, options.cwd, temp) : null;
  const writable = [...(options.writable ?? []), scratch, ...(meter === null ? [] : [meter.folder])];
  const startedAtMs = fstatSync(out).mtimeMs;
  const began = performance.now();
  const toStart = meter?.argv ?? plain;
  const argv = options.confine?.(toStart, options.cwd, writable) ?? toStart;
  // What cannot be started is told as ever, and not by what would start it.
  const there = canStart(argv[0] ?? "", env.PATH ?? "", options.cwd);
  const { pid, ended } = launch(there ? limited(argv, marked) : argv, options.cwd, env, out, err);
  const runMark: RunMark = { ...marked, leader: pid };
  const stopGuard = guard(runMark);
  let timedOut = false;
  let flooded = false;
  try {
    if (pid !== null) {
      meter?.begin(pid);
      brake?.begin(pid);
    }
    let done = false;
    void ended.then(() => {
      done = true;
    });
    const deadline = began + options.timeoutMs;
    const limit = options.maxOutput ?? MAX_OUTPUT_BYTES;
    while (!done) {
      await Promise.race([ended, pause(Math.max(1, Math.min(POLL_MS, deadline - performance.now())))]);
      if (done) break;
      flooded = fstatSync(out).size + fstatSync(err).size > limit;
      timedOut = !flooded && performance.now() >= deadline;
      if (flooded || timedOut) {
        brake?.release();
        await end(runMark, ended, flooded ? 0 : TERM_GRACE_MS);
        break;
      }
    }
    const first = await ended;
    const lastedMs = performance.now() - began;
    brake?.release();
    const seen = meter?.finish(first);
    const { exit, signal, spawnError } = seen?.ended ?? first;
    const { ended: swept, alive } = await sweep(runMark);
    const [stdout, stderr] = [captureFile(stdoutPath, limit), captureFile(stderrPath, limit)];
    flooded ||= stdout.size + stderr.size > limit;
    const programs = resolvePrograms(run, env.PATH ?? "", options.cwd);
    removeTempFolder(scratch);
    return {
      exit,
      signal,
      timedOut,
      flooded,
      spawnError,
      durationMs: Math.round(lastedMs),
      wallMs: seen?.wallMs ?? lastedMs,
      usage: seen?.usage ?? null,
      stdout,
      stderr,
      programs,
      dropped,
      ended: swept,
      alive,
      stdoutPath,
      stderrPath,
      startedAtMs,
      dispose: async () => removeTempFolder(temp),
    };
  } catch (error) {
    sweepNow(runMark);
    removeTempFolder(temp);
    throw error;
  } finally {
    brake?.release();
    stopGuard();
    closeSync(out);
    closeSync(err);
  }
}

const FATAL = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** While a run lasts, our own end is its end. Returns the function that lifts this. */
function guard(run: RunMark): () => void {
  const onExit = (): void => sweepNow(run);
  const handlers = FATAL.map((signal) => {
    const handler = (): void => {
      lift();
      sweepNow(run);
      // Once nobody listens any more the signal does what it does by itself; another listener decides for itself.
      if (process.listenerCount(signal) > 0) return;
      removeAllTempFolders();
      process.kill(process.pid, signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  process.once("exit", onExit);
  const lift = (): void => {
    process.removeListener("exit", onExit);
    for (const { signal, handler } of handlers) process.removeListener(signal, handler);
  };
  return lift;
}

function realCwd(cwd: string): string {
  try {
    return realpathSync(cwd);
  } catch {
    return cwd;
  }
}
