/** One session of the real Codex that is told what to do while it runs: each step waits for the caller to say the next one. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startScriptedModel, type Turn } from "../../scripts/host/scripted-model.ts";
import { runCodex } from "./codex.ts";
import { type Live, liveScript } from "./live.ts";

/** How long Codex waits for a command, in milliseconds; the longest it takes. */
const WAIT_MS = 30_000;
/** For a whole session, in milliseconds. */
const SESSION_MS = 170_000;

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
): Promise<Live> {
  const live = liveScript<Turn>();
  const model = await startScriptedModel((seen) => live.script(seen));
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
  void closed.then(live.over);
  return {
    sh: (cmd) =>
      live.ask((id) => ({
        id,
        call: "exec_command",
        args: { cmd, login: false, yield_time_ms: WAIT_MS, max_output_tokens: 20_000 },
      })),
    tool: (call, input) => live.ask((id) => ({ id, call, args: input })),
    async end() {
      live.end();
      await closed;
      await model.end();
    },
  };
}
