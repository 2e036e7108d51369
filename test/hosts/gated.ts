/** The real Codex with the plugin installed, and a scripted model at its wheel. */

import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ModelRequest,
  type Seen,
  startScriptedModel,
  type Turn,
} from "../../scripts/host/scripted-model.ts";
import { readSource } from "../../scripts/installer/source.ts";
import { spotsOf } from "../../scripts/installer/spots.ts";
import { trustHooks } from "../../scripts/installer/trust.ts";
import { codexEnv, runCodex } from "./codex.ts";
import { codexBinary } from "./codex-binary.ts";
import { MARKETPLACE, pluggedHome } from "./plugged-home.ts";
import { makeRepo } from "./repo.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CLI = join(ROOT, "dist", "proofgate.js");
/** How long Codex waits for a command of a script, in milliseconds. */
const WAIT_MS = 25_000;

/** One thing that the scripted agent does: a shell line, a tool, or JavaScript of the code mode. */
export type Step =
  | { readonly sh: string }
  | { readonly tool: string; readonly args?: Readonly<Record<string, unknown>> }
  | { readonly turn: (id: string) => Turn };

export const sh = (line: string): Step => ({ sh: line });
export const createGoal = (objective: string): Step => ({ tool: "create_goal", args: { objective } });
export const updateGoal = (status: string): Step => ({ tool: "update_goal", args: { status } });
/** It ends its turn. */
export const say = (text: string): Step => ({ turn: () => ({ say: text }) });
export const getGoal: Step = { tool: "get_goal" };

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

export type Steps = readonly (Step | ((outputs: readonly string[]) => Step))[];

interface StepScript {
  readonly turn: (seen: Seen) => Turn;
  /** What came back for each step that was answered so far. */
  readonly outputs: readonly string[];
  /** Every step was taken, and more was asked for. */
  ended(): boolean;
}

/** The steps one after another; whoever asks for more turns than there are steps is told that all is done. */
export function scriptOf(steps: Steps): StepScript {
  const outputs: string[] = [];
  let asked = 0;
  let ended = false;
  // A session that goes on repeats the calls of those before it.
  const mark = Date.now().toString(36);
  const idOf = (index: number): string => `step_${mark}_${index}`;
  return {
    outputs,
    ended: () => ended,
    turn(seen) {
      // A stop that is held back asks for more turns than there are steps.
      if (outputs.length < asked) outputs.push(seen.outputs.get(idOf(asked - 1)) ?? "");
      const step = steps[asked];
      if (step === undefined) {
        ended = true;
        return { say: "done" };
      }
      return turnOf(typeof step === "function" ? step(outputs) : step, idOf(asked++));
    },
  };
}

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

function turnOf(step: Step, id: string): Turn {
  if ("sh" in step)
    return {
      id,
      call: "exec_command",
      args: { cmd: step.sh, login: false, yield_time_ms: WAIT_MS, max_output_tokens: 20_000 },
    };
  if ("tool" in step) return { id, call: step.tool, args: step.args ?? {} };
  return step.turn(id);
}
