/** Runs commands in the real Codex: a scripted model asks for them, and Codex runs them in its sandbox. */

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ModelRequest,
  type Seen,
  startScriptedModel,
  type Turn,
} from "../../scripts/host/scripted-model.ts";
import { ask, lastLine } from "./ask.ts";
import { codexBinary } from "./codex-binary.ts";

/** How long Codex waits for a command before it answers that it still runs, in milliseconds. */
const WAIT_MS = 1500;
/** Enough that Codex never cuts an output short. */
const OUTPUT_TOKENS = 200_000;

interface SandboxSession {
  /** The repository that is the workspace. */
  readonly repo: string;
  /** Shell lines, run one after another. */
  readonly commands: readonly string[];
  /** For the whole session, in milliseconds; two minutes by default. */
  readonly timeoutMs?: number;
  /** Added to Codex's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface SandboxReport {
  /** What each command printed, in the order of the commands. */
  readonly outputs: readonly string[];
  /** Exit status of each command. */
  readonly exits: readonly number[];
  /** Codex's own exit status. */
  readonly exit: number;
  readonly requests: readonly ModelRequest[];
}

/**
 * Runs the commands in one Codex session, in its `workspace-write` sandbox.
 * @throws Error when there is no Codex, when it does not end in time, or when a command has no answer
 */
export async function runInCodexSandbox(session: SandboxSession): Promise<SandboxReport> {
  const binary = await codexBinary();
  if ("missing" in binary) throw new Error(binary.missing);
  const commands = new Progress(session.commands);
  const model = await startScriptedModel((seen) => commands.next(seen));
  const home = await makeHome(model.url);
  try {
    const { exit, transcript } = await runCodex(binary.path, session, home);
    const trouble = model.failure();
    if (trouble !== null) throw new Error(`${trouble.message}\n${transcript}`);
    if (!commands.done) throw new Error(`Codex ended with ${exit} before the commands did:\n${transcript}`);
    return { outputs: commands.outputs, exits: commands.exits, exit, requests: model.requests };
  } finally {
    await model.end();
    await rm(home, { recursive: true, force: true });
  }
}

/** @returns why commands cannot be run in Codex's sandbox here; null when they can */
export async function sandboxMissing(): Promise<string | null> {
  const binary = await codexBinary();
  if ("missing" in binary) return binary.missing;
  const home = await makeHome("http://127.0.0.1:9/v1");
  try {
    const env = { ...process.env, HOME: home, CODEX_HOME: join(home, "codex") };
    const { exit, text } = await ask(binary.path, ["sandbox", "--", "true"], home, 20_000, env);
    return exit === 0 ? null : `Codex's sandbox does not work on this machine: ${lastLine(text)}`;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/**
 * Where homes are made. Not in a temporary folder, which the sandbox lets the model write to; a clone may lie in one, and
 * then the system's other one, which the sandbox does not know, has to do.
 */
async function homesFolder(): Promise<string> {
  const beside = join(import.meta.dirname, "node_modules", ".homes");
  const temporary = await Promise.all(
    ["/tmp", tmpdir()].map((folder) => realpath(folder).catch(() => folder)),
  );
  const here = await realpath(import.meta.dirname);
  const folder = temporary.some((one) => here.startsWith(`${one}/`)) ? "/var/tmp/proofgate-homes" : beside;
  await mkdir(folder, { recursive: true });
  return folder;
}

/** A home for one run, with Codex's own folder in it. The caller removes it. */
export async function makeHome(modelUrl: string): Promise<string> {
  const homes = await homesFolder();
  const home = await mkdtemp(join(homes, "codex-"));
  await mkdir(join(home, "codex"));
  await writeFile(
    join(home, "codex", "config.toml"),
    `model = "scripted"
model_provider = "scripted"
approval_policy = "never"
sandbox_mode = "workspace-write"
tool_output_token_limit = ${OUTPUT_TOKENS}

[shell_environment_policy]
exclude = ["*_PROXY"]

[model_providers.scripted]
name = "scripted"
base_url = "${modelUrl}"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false
`,
  );
  return home;
}

/** What runs, where, and for how long. */
interface CodexRun extends Pick<SandboxSession, "repo" | "timeoutMs" | "env"> {
  /** Arguments; by default one session with a prompt. */
  readonly args?: readonly string[];
  /** HOME of its commands, where it is another folder than the one with Codex's own. */
  readonly userHome?: string | undefined;
}

/** The environment of a Codex with this home, every network but loopback shut off. */
export const codexEnv = (
  home: string,
  more: Readonly<Record<string, string>> = {},
  userHome = home,
): NodeJS.ProcessEnv => ({
  ...process.env,
  // Whatever is not on loopback is refused at once.
  HTTP_PROXY: "http://127.0.0.1:9",
  HTTPS_PROXY: "http://127.0.0.1:9",
  NO_PROXY: "127.0.0.1",
  ...more,
  HOME: userHome,
  XDG_STATE_HOME: join(home, "state"),
  CODEX_HOME: join(home, "codex"),
});

/** Runs Codex to its end with a home of its own, every network but loopback shut off. */
export function runCodex(
  path: string,
  session: CodexRun,
  home: string,
): Promise<{ readonly exit: number; readonly transcript: string }> {
  const { repo, timeoutMs = 120_000, args = ["exec", "--skip-git-repo-check", "run the commands"] } = session;
  const env = codexEnv(home, session.env, session.userHome);
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      cwd: repo,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let transcript = "";
    const keep = (chunk: Buffer): void => {
      transcript = (transcript + chunk.toString("utf8")).slice(-4000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child.pid);
    }, timeoutMs);
    child.on("error", reject);
    child.on("close", (exit) => {
      clearTimeout(timer);
      endGroup(child.pid);
      if (late) reject(new Error(`Codex did not end within ${timeoutMs / 1000} s:\n${transcript}`));
      else resolve({ exit: exit ?? -1, transcript });
    });
  });
}

/** Ends a process that leads a group, and all of the group. */
export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}

/** Which command is next, and what those before it printed. A slow command takes several turns. */
class Progress {
  readonly outputs: string[] = [];
  readonly exits: number[] = [];
  #asked: string | null = null;
  #printed = "";

  constructor(private readonly commands: readonly string[]) {}

  get done(): boolean {
    return this.exits.length === this.commands.length;
  }

  next(seen: Seen): Turn {
    const running = this.#asked === null ? null : this.#take(seen.outputs.get(this.#asked));
    this.#asked = `turn_${seen.turns}`;
    const limits = { yield_time_ms: WAIT_MS, max_output_tokens: OUTPUT_TOKENS };
    if (running !== null)
      return { id: this.#asked, call: "write_stdin", args: { session_id: running, chars: "", ...limits } };
    const command = this.commands[this.exits.length];
    if (command === undefined) return { say: "done" };
    return { id: this.#asked, call: "exec_command", args: { cmd: command, login: false, ...limits } };
  }

  /** @returns the number of Codex's session when the command still runs; null when it has ended */
  #take(answer: string | undefined): number | null {
    const [, head, text] = answer?.match(/^([\s\S]*?)\nOutput:\n([\s\S]*)$/) ?? [];
    if (head === undefined || text === undefined)
      throw new Error(`no answer that can be read to \`${this.commands[this.exits.length]}\`: ${answer}`);
    if (/^Warning: truncated output/.test(text)) throw new Error("Codex cut the output of a command short");
    this.#printed += text;
    const session = head.match(/running with session ID (\d+)/)?.[1];
    if (session !== undefined) return Number(session);
    const exit = head.match(/exited with code (-?\d+)/)?.[1];
    if (exit === undefined) throw new Error(`an answer without an exit status: ${head}`);
    this.outputs.push(this.#printed);
    this.exits.push(Number(exit));
    this.#printed = "";
    return null;
  }
}
