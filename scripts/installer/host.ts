/** The host's program: where it is, which version, and its commands. Never synchronous: sandboxes break that. */

import { spawn } from "node:child_process";
import { accessSync, chmodSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { withLineEndings } from "./config-text.ts";
import { modeOf, replaceFile, textIf } from "./files.ts";
import type { Spots } from "./spots.ts";
import { noteHost } from "./turn.ts";

export interface Host {
  readonly path: string;
  readonly version: string;
}

export interface Answer {
  /** Null when it did not start, or was ended by its time limit or a signal. */
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** Told the process id at the start, and null at the end. */
  readonly onProcess?: (pid: number | null) => void;
}

/** Runs a program to its end; never rejects. Its whole group is ended at the time limit. */
export function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    if (child.pid !== undefined) options.onProcess?.(child.pid);
    let out = "";
    let err = "";
    const timer = setTimeout(() => endGroup(child.pid), options.timeoutMs ?? 60_000);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ exit: null, out, err: error.message });
    });
    child.on("close", (exit) => {
      clearTimeout(timer);
      options.onProcess?.(null);
      resolve({ exit, out, err });
    });
    // A program that never reads closes its end; that is its right.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.stdin);
  });
}

export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** The first executable of this name in the folders; null when there is none. */
export function onPath(name: string, folders: readonly string[]): string | null {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

/** @throws Refusal `host_missing` */
export async function findHost(spots: Spots, env: NodeJS.ProcessEnv): Promise<Host> {
  const path = onPath("codex", spots.path);
  const answer = path === null ? null : await runProgram(path, ["--version"], { env, timeoutMs: 20_000 });
  const version = /\d+\.\d+\.\d+\S*/.exec(answer?.out ?? "")?.[0];
  if (path !== null && answer?.exit === 0 && version !== undefined) return { path, version };
  throw new Refusal("host_missing", "Codex was not found, or does not start.", {
    expected: "codex on PATH that answers codex --version",
    found: path === null ? "no codex on PATH" : `${path}: ${lastLine(`${answer?.out}\n${answer?.err}`)}`,
    next: ["install Codex, or put it on PATH, then run the same command again"],
  });
}

/** The environment for the host: the same home that we look at ourselves. */
export const hostEnv = (spots: Spots, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  CODEX_HOME: spots.codexHome,
});

/** Runs one of the host's commands, and gives its configuration the line endings back that the host takes away. */
export async function hostCommand(
  host: Host,
  args: readonly string[],
  spots: Spots,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const answer = await keepingLineEndings(spots, () =>
    runProgram(host.path, args, { cwd: spots.codexHome, env: hostEnv(spots, env), onProcess: noteHost }),
  );
  if (answer.exit === 0) return;
  throw new Refusal("host_failed", `codex ${args.slice(0, 3).join(" ")} failed.`, {
    expected: `codex ${args.join(" ")} exits 0`,
    found: answer.exit === null ? "it did not end by itself" : `exit ${answer.exit}: ${lastLine(answer.err)}`,
    next: [`codex ${args.join(" ")}`, "run the same command again"],
  });
}

/** The host also makes the file private; whose mode it is, is the user's to say. */
export async function keepingLineEndings<T>(spots: Spots, act: () => Promise<T>): Promise<T> {
  const before = textIf(spots.config);
  const mode = modeOf(spots.config);
  const result = await act();
  const after = textIf(spots.config);
  if (before === null || after === null || before === after) return result;
  const wanted = withLineEndings(before, after);
  if (wanted !== after) replaceFile(spots.config, wanted);
  if (mode !== null && modeOf(spots.config) !== mode) chmodSync(spots.config, mode);
  return result;
}

/** The last line that holds something, which is where programs say what went wrong. */
export function lastLine(text: string): string {
  return (
    text
      .split("\n")
      .map((line) => line.trim())
      .findLast((line) => line !== "") ?? "no output"
  );
}
