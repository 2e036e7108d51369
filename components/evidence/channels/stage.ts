/** Where a scenario is played: the program under test, its port, the clock, the log, and the ways to stop. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer, connect as tcpConnect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errno } from "../../errors.ts";
import { readText } from "../capture.ts";
import { describeCommand, patternTest } from "../check.ts";
import { sandboxed } from "../environment.ts";
import { shellFor } from "../launch.ts";
import { notRunReason } from "../not-run.ts";
import type { Command, Verdict } from "../types.ts";
import type { Job } from "./job.ts";

/** Ends a scenario with what came of it. */
export class Stop extends Error {
  constructor(readonly verdict: Exclude<Verdict, { kind: "met" }>) {
    super(verdict.kind);
  }
}

/** A program of the scenario. It is ended with everything else of the run, by whoever started the run. */
export interface Program {
  readonly command: Command;
  /** What it printed so far, both streams. */
  output(): string;
  /** Null while it runs. */
  ended(): {
    readonly exit: number | null;
    readonly signal: string | null;
    readonly error: string | null;
  } | null;
}

const POLL_MS = 40;
/** A single wait of a scenario, where it says nothing itself. */
const WITHIN_MS = 10_000;
/** What is kept before the tool's own time limit, so that the scenario ends with the expectation that was not met. */
const MARGIN_MS = 1000;
/** Of a program's output in a message. */
const SHOWN = 300;
const READ_BYTES = 1024 * 1024;

export class Stage {
  /** What was captured, by name in the job's folder. */
  readonly files: string[] = [];
  /** How the command of the check ended, where a channel judges that as well. */
  exit: { exit?: number | null } = {};
  private readonly began = performance.now();
  private readonly closers: (() => unknown)[] = [];
  private started = 0;

  constructor(readonly job: Job) {}

  /** Milliseconds that the scenario has left. */
  get left(): number {
    return Math.max(1, this.job.check.timeoutMs - MARGIN_MS - (performance.now() - this.began));
  }

  /** A host's sandbox without sockets is around this run. */
  get sandboxed(): boolean {
    return sandboxed(process.env);
  }

  /** A line of the log, which is the evidence that people read. */
  log(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  /** A step of the log, with the time since the beginning in seconds. */
  step(line: string): void {
    this.log(`[${((performance.now() - this.began) / 1000).toFixed(2)}] ${line}`);
  }

  /** Absolute path for something captured, which then goes beside the log. The first one is the one to look at. */
  capture(name: string): string {
    if (!this.files.includes(name)) this.files.push(name);
    return join(this.job.out, name);
  }

  /** Called when the scenario ends, in whatever way; the last one first. */
  onEnd(close: () => unknown): void {
    this.closers.unshift(close);
  }

  async end(): Promise<void> {
    for (const close of this.closers.splice(0)) {
      try {
        await close();
      } catch (error) {
        this.log(`could not be closed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** An expectation was not met. */
  unmet(expectation: string, wanted: string, got: string): never {
    throw new Stop({ kind: "unmet", expectation, wanted: wanted.slice(0, SHOWN), got: shown(got) });
  }

  /** A tool of the machine is missing, or something is in the way that only a person can move. */
  blocked(reason: string): never {
    throw new Stop({ kind: "blocked", reason });
  }

  /** The surroundings forbid what the scenario needs. */
  inconclusive(reason: string): never {
    throw new Stop({ kind: "inconclusive", reason: `sandbox: ${reason}` });
  }

  /**
   * Asks again and again until the answer is there.
   * @param withinMs at most this long, and never longer than the scenario has left
   * @returns null when the time is over
   */
  async until<T>(ask: () => Promise<T | null> | T | null, withinMs = WITHIN_MS): Promise<T | null> {
    const deadline = performance.now() + Math.min(withinMs, this.left);
    for (;;) {
      const answer = await ask();
      if (answer !== null) return answer;
      if (performance.now() >= deadline) return null;
      await sleep(POLL_MS);
    }
  }

  /** Starts a program in the scenario's folder. Its output goes to a file that the tool throws away. */
  start(command: Command, env: Readonly<Record<string, string>> = {}): Program {
    const path = join(this.job.out, `program-${++this.started}.out`);
    const out = openSync(path, "a", 0o600);
    const [program = "", ...args] =
      typeof command === "string"
        ? shellFor(command)
        : command.map((word) => word.replace(/\$\{?(PORT)\}?/g, (whole, name) => env[name] ?? whole));
    let end: ReturnType<Program["ended"]> = null;
    this.step(`start ${describeCommand({ run: command })}`);
    let child: ChildProcess | null = null;
    try {
      child = spawn(program, args, {
        cwd: this.job.cwd,
        // Where a host's binary drives the channel as Bun, its programs are not to take it for that.
        env: { ...process.env, BUN_BE_BUN: undefined, ...env },
        stdio: ["ignore", out, out],
        windowsHide: true,
      });
      child.once("exit", (exit, signal) => {
        end ??= { exit, signal, error: null };
      });
      child.once("error", (error) => {
        end ??= { exit: null, signal: null, error: errno(error) ?? error.message };
      });
    } catch (error) {
      end = { exit: null, signal: null, error: errno(error) ?? String(error) };
    } finally {
      closeSync(out);
    }
    return { command, output: () => readText(path, READ_BYTES), ended: () => end };
  }

  /**
   * Runs a tool of the machine to its end: what drives a screen, what takes a picture of one.
   * @param from how it is installed, for whoever lacks it: `apt-get install tmux`
   * @returns its exit status and what it printed; stops as blocked where it is not there
   */
  async tool(
    name: string,
    args: readonly string[],
    from: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly exit: number | null; readonly stdout: string; readonly stderr: string }> {
    const child = spawn(name, [...args], {
      cwd: this.job.cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: Math.ceil(this.left),
      killSignal: "SIGKILL",
    });
    const parts: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
    child.stdout.on("data", (part: Buffer) => parts.stdout.push(part));
    child.stderr.on("data", (part: Buffer) => parts.stderr.push(part));
    const exit = await new Promise<number | null | Error>((settle) => {
      child.once("error", settle);
      child.once("close", (code) => settle(code));
    });
    if (exit instanceof Error)
      this.blocked(
        errno(exit) === "ENOENT"
          ? `${name} is not installed: ${from}`
          : `${name} cannot be started (${errno(exit) ?? exit.message})`,
      );
    const text = (kind: "stdout" | "stderr"): string => Buffer.concat(parts[kind]).toString("utf8");
    return { exit, stdout: text("stdout"), stderr: text("stderr") };
  }

  /** Stops where a program ended that should still run. @param expectation what it was to be there for */
  requireRunning(program: Program, expectation: string, wanted: string): void {
    const end = program.ended();
    if (end === null) return;
    const output = program.output();
    this.tail(program);
    const reason = notRunReason(
      { ...this.job.check, run: program.command },
      { ...NO_RUN, exit: end.exit, signal: end.signal, spawnError: end.error },
      { stdout: output, stderr: "", ownFiles: [] },
    );
    if (reason !== null) throw new Stop({ kind: "not_run", reason });
    if (/\bEPERM\b|operation not permitted/i.test(output))
      this.inconclusive(lineWith(output, /EPERM|not permitted/i));
    this.unmet(expectation, wanted, `it ended with ${endWords(end)}: ${lastLine(output)}`);
  }

  /** The end of what a program printed, into the log. */
  tail(program: Program): void {
    const text = program.output().trim();
    if (text !== "")
      this.log(`--- what ${describeCommand({ run: program.command })} printed\n${text.slice(-4000)}\n---`);
  }

  /**
   * Starts a server on a free port (`$PORT`), and waits until it is ready.
   * @param ready a path that has to answer with less than 400, a text in its output, or null: a port that takes connections
   * @param fixed a port that the program insists on; null: a free one
   * @returns the address to ask, without a slash at its end
   */
  async serve(
    command: Command,
    ready: string | null,
    fixed: number | null,
  ): Promise<{ server: Program; origin: string }> {
    if (fixed !== null && (await this.answering(fixed)) !== null)
      this.blocked(
        `port ${fixed} is in use by a program that is not of this run; end it, or let the server take its port from $PORT`,
      );
    const port = fixed ?? (await this.freePort());
    const server = this.start(command, { PORT: String(port) });
    const wanted =
      ready === null
        ? `a server on port ${port} ($PORT)`
        : ready.startsWith("/")
          ? `an answer to ${ready}`
          : `${ready} in its output`;
    let seen = "nothing";
    const host = await this.until(async () => {
      this.requireRunning(server, "ready", wanted);
      if (ready !== null && !ready.startsWith("/") && !patternTest(ready)(server.output())) return null;
      const there = await this.answering(port);
      if (there === null || ready === null || !ready.startsWith("/")) return there;
      const status = await statusOf(`http://${there}:${port}${ready}`);
      seen = status === null ? "no answer" : `status ${status}`;
      return status !== null && status < 400 ? there : null;
    }, this.left);
    if (host === null) {
      this.tail(server);
      const hint =
        fixed === null && (await this.answering(port)) === null ? "; does it listen on $PORT?" : "";
      this.unmet("ready", wanted, `${seen}${hint} It printed: ${lastLine(server.output())}`);
    }
    const origin = `http://${host}:${port}`;
    this.step(`ready ${origin}`);
    return { server, origin };
  }

  /** Whether somebody takes connections at an origin; null when nobody does, as `until` wants it. */
  async takesConnections(origin: string): Promise<true | null> {
    const { hostname, port } = new URL(origin);
    return (await accepts(hostname.replace(/^\[|\]$/g, ""), Number(port))) ? true : null;
  }

  /** The loopback address at which somebody takes connections on a port, as a URL writes it; null when nobody does. */
  private async answering(port: number): Promise<string | null> {
    for (const [host, written] of [
      ["127.0.0.1", "127.0.0.1"],
      ["::1", "[::1]"],
    ] as const)
      if (await accepts(host, port)) return written;
    return null;
  }

  private freePort(): Promise<number> {
    return new Promise((settle, fail) => {
      const probe = createServer();
      probe.once("error", (error) =>
        errno(error) === "EPERM" || errno(error) === "EACCES"
          ? fail(
              new Stop({ kind: "inconclusive", reason: `sandbox: no sockets here (listen ${errno(error)})` }),
            )
          : fail(error),
      );
      probe.listen(0, "127.0.0.1", () => {
        const address = probe.address();
        probe.close(() => settle(typeof address === "object" && address !== null ? address.port : 0));
      });
    });
  }
}

/** Of a run only what tells a failure from a run that never took place. */
export const NO_RUN = {
  timedOut: false,
  flooded: false,
  durationMs: 0,
  stdout: { sha256: "", size: 0, head: "", tail: "" },
  stderr: { sha256: "", size: 0, head: "", tail: "" },
  programs: [],
  dropped: [],
  ended: [],
  alive: [],
};

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = tcpConnect({ host, port });
    const end = (there: boolean): void => {
      socket.destroy();
      settle(there);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

async function statusOf(url: string): Promise<number | null> {
  try {
    const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(2000) });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return null;
  }
}

const endWords = (end: { exit: number | null; signal: string | null; error: string | null }): string =>
  end.error ?? (end.signal === null ? `exit ${end.exit}` : `signal ${end.signal}`);

function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "nothing" : line.slice(0, SHOWN);
}

const lineWith = (text: string, form: RegExp): string =>
  (text.split("\n").find((line) => form.test(line)) ?? "").trim().slice(0, SHOWN);

/** Bounded, and never empty. */
export function shown(text: string): string {
  const plain = text.trim();
  if (plain === "") return "nothing";
  return plain.length <= SHOWN ? plain : `…${plain.slice(-SHOWN)}`;
}
