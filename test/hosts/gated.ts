/** The real Codex with the plugin installed, and a scripted model at its wheel. */

import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ModelRequest, startScriptedModel, type Turn } from "../../scripts/host/scripted-model.ts";
import { readSource } from "../../scripts/installer/source.ts";
import { spotsOf } from "../../scripts/installer/spots.ts";
import { trustHooks } from "../../scripts/installer/trust.ts";
import { codexEnv, runCodex } from "./codex.ts";
import { codexBinary } from "./codex-binary.ts";
import { MARKETPLACE, pluggedHome } from "./plugged-home.ts";
import { makeRepo } from "./repo.ts";
import { type Step as HostStep, type Steps as HostSteps, type StepScript, stepScript } from "./steps.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CLI = join(ROOT, "dist", "proofgate.js");
/** How long Codex waits for a command of a script, in milliseconds. */
const WAIT_MS = 25_000;

export { createGoal, getGoal, say, sh, updateGoal } from "./steps.ts";
/** What the scripted agent does, JavaScript of the code mode included. */
export type Step = HostStep<Turn>;
export type Steps = HostSteps<Turn>;

export interface Played {
  /** What came back for each step, in their order. */
  readonly outputs: readonly string[];
  readonly exit: number;
  readonly transcript: string;
  readonly requests: readonly ModelRequest[];
}

export interface GatedCodex {
  readonly repo: string;
  readonly home: string;
  /** Where the hooks keep what they saw. */
  readonly store: string;
  /** One `codex exec` in the repository. Steps may be made from what came back so far. */
  play(steps: Steps, options?: PlayOptions): Promise<Played>;
  remove(): Promise<void>;
}

interface PlayOptions {
  readonly prompt?: string;
  /** Goes on with the last session, or the one named, in a new process. */
  readonly resume?: boolean | string;
  /** By default `workspace-write`, where the agent's commands cannot reach the store. */
  readonly sandbox?: "workspace-write" | "danger-full-access";
  readonly env?: Readonly<Record<string, string>>;
  /** A model of Codex's own catalogue, whose tools it then gets. */
  readonly model?: string;
  readonly timeoutMs?: number;
  /** What a subagent says, whose task holds the mark. */
  readonly child?: { readonly mark: string; readonly says: string };
}

/** A home of Codex's with the plugin in it, and a repository to work in. */
export interface Installed {
  readonly binary: string;
  readonly home: string;
  readonly repo: string;
  /** What a session's commands find by name: the built program. */
  readonly path: string;
  remove(): Promise<void>;
}

/** @throws Error when there is no Codex, or it does not take the plugin */
export async function installed(files: Readonly<Record<string, string>>): Promise<Installed> {
  const binary = await codexBinary();
  if ("missing" in binary) throw new Error(binary.missing);
  const plugged = await pluggedHome(binary.path);
  const repo = await makeRepo(files);
  const home = plugged.path;
  const bin = join(home, "bin");
  await mkdir(bin);
  await symlink(CLI, join(bin, "proofgate"));
  return {
    binary: binary.path,
    home,
    repo: repo.path,
    path: `${bin}:${process.env.PATH ?? ""}`,
    async remove() {
      await repo.remove();
      await plugged.remove();
    },
  };
}

/**
 * Trusts the plugin's hooks as the installer does it, for a host that has no flag to go round the trust.
 * @throws Refusal when the host does not take it
 */
export async function trustPlugin({ binary, home }: Installed): Promise<void> {
  const env = codexEnv(home);
  await trustHooks({ path: binary, version: "" }, spotsOf(env), env, readSource(MARKETPLACE).hooks);
}

/** @throws Error when there is no Codex, or it does not take the plugin */
export async function gatedCodex(files: Readonly<Record<string, string>>): Promise<GatedCodex> {
  const codex = await installed(files);
  return {
    repo: codex.repo,
    home: codex.home,
    store: join(codex.home, "state", "proofgate"),
    play: (steps, options = {}) => play(codex, steps, options),
    remove: codex.remove,
  };
}

export const scriptOf = (steps: Steps): StepScript<Turn> => stepScript(steps, turnOf);

/** Tells Codex where the model is that this run has. */
export async function pointAt(home: string, url: string): Promise<void> {
  const config = join(home, "codex", "config.toml");
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace(/base_url = ".*"/, `base_url = "${url}"`));
}

async function play(codex: Installed, steps: Steps, options: PlayOptions): Promise<Played> {
  const { outputs, turn } = scriptOf(steps);
  const model = await startScriptedModel((seen) => {
    const conversation = JSON.stringify(seen.input);
    const { child } = options;
    if (child !== undefined && conversation.includes(child.mark) && !conversation.includes('"spawn_agent"'))
      return { say: child.says };
    return turn(seen);
  });
  await pointAt(codex.home, model.url);
  const { prompt = "do it", resume = false, sandbox = "workspace-write" } = options;
  try {
    const ran = await runCodex(
      codex.binary,
      {
        repo: codex.repo,
        timeoutMs: options.timeoutMs ?? 180_000,
        env: { PATH: codex.path, ...options.env },
        args: [
          "exec",
          ...(resume === false ? [] : ["resume", resume === true ? "--last" : resume]),
          "--skip-git-repo-check",
          "--dangerously-bypass-hook-trust",
          ...["-c", `sandbox_mode="${sandbox}"`],
          ...(options.model === undefined ? [] : ["-m", options.model]),
          prompt,
        ],
      },
      codex.home,
    );
    const trouble = model.failure();
    if (trouble !== null) throw new Error(`${trouble.message}\n${ran.transcript}`);
    if (outputs.length < steps.length)
      throw new Error(
        `Codex ended with ${ran.exit} after ${outputs.length} of ${steps.length} steps:\n${ran.transcript}`,
      );
    return { outputs, ...ran, requests: model.requests };
  } finally {
    await model.end();
  }
}

const turnOf: Parameters<typeof stepScript<Turn>>[1] = (step, id) =>
  "sh" in step
    ? {
        id,
        call: "exec_command",
        args: { cmd: step.sh, login: false, yield_time_ms: WAIT_MS, max_output_tokens: 20_000 },
      }
    : { id, call: step.tool, args: step.args ?? {} };
