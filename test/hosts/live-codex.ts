/** One session of the real Codex that is told what to do while it runs: each step waits for the caller to say the next one. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startScriptedModel, type Turn } from "../../scripts/host/scripted-model.ts";
import { runCodex } from "./codex.ts";

/** How long Codex waits for a command, in milliseconds; the longest it takes. */
const WAIT_MS = 30_000;
/** For a whole session, in milliseconds. */
const SESSION_MS = 170_000;

export interface LiveCodex {
  /** A shell line in the sandbox. @returns what the model sees of it */
  sh(line: string): Promise<string>;
  tool(name: string, args: Readonly<Record<string, unknown>>): Promise<string>;
  /** Ends the session and waits for Codex. */
  end(): Promise<void>;
}

interface Asked {
  readonly turn: (id: string) => Turn;
  settle(output: string): void;
  fail(error: Error): void;
}

/**
 * @param place.home folder with Codex's own folder and the store in it, outside of what the sandbox lets it write to
 * @param place.env of Codex, and so of its commands and hooks
 * @param place.network the user allowed network access
 */
export async function liveCodex(
  binary: string,
  place: {
    readonly home: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly network: boolean;
  },
): Promise<LiveCodex> {
  const waiting: Asked[] = [];
  let wake: () => void = () => undefined;
  let running: { readonly id: string; readonly asked: Asked } | null = null;
  let ended = false;
  let count = 0;
  const model = await startScriptedModel(async (seen) => {
    const output = running === null ? undefined : seen.outputs.get(running.id);
    if (running !== null && output !== undefined) {
      running.asked.settle(output);
      running = null;
    }
    while (waiting.length === 0 && !ended)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    const asked = waiting.shift();
    if (asked === undefined) return { say: "done" };
    running = { id: `live_${++count}`, asked };
    return asked.turn(running.id);
  });
  const config = join(place.home, "codex", "config.toml");
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace(/base_url = ".*"/, `base_url = "${model.url}"`));
  const network = ["-c", "sandbox_workspace_write.network_access=true"];
  const args = [
    "exec",
    ...["--skip-git-repo-check", "--dangerously-bypass-hook-trust"],
    ...(place.network ? network : []),
    "do it",
  ];
  const session = { repo: place.cwd, timeoutMs: SESSION_MS, env: place.env, args, userHome: place.env.HOME };
  const closed = runCodex(binary, session, place.home).then(
    ({ transcript }) => new Error(`Codex ended: ${transcript}`),
    (error: Error) => error,
  );
  void closed.then((error) => {
    ended = true;
    running?.asked.fail(error);
    for (const asked of waiting.splice(0)) asked.fail(error);
  });
  const ask = (turn: Asked["turn"]): Promise<string> =>
    new Promise((settle, fail) => {
      if (ended) return fail(new Error("Codex has ended"));
      waiting.push({ turn, settle, fail });
      wake();
    });
  return {
    sh: (cmd) =>
      ask((id) => ({
        id,
        call: "exec_command",
        args: { cmd, login: false, yield_time_ms: WAIT_MS, max_output_tokens: 20_000 },
      })),
    tool: (call, input) => ask((id) => ({ id, call, args: input })),
    async end() {
      ended = true;
      wake();
      await closed;
      await model.end();
    },
  };
}
