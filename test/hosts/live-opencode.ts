/** Sessions of one `opencode serve` that are told what to do while they go on: a server starts once, and a session in no time. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChatTurn, startScriptedChat } from "../../scripts/host/scripted-chat.ts";
import { type Live, type LiveScript, liveScript } from "./live.ts";
import { makeOpenCodeHome, startOpenCode } from "./opencode.ts";

/** For a command of the agent's: the host's own two minutes are short where others use the machine. */
const STEP_MS = 600_000;

interface Server {
  /** Where the plugin keeps what it saw, and so has to be where the agent's commands look. */
  readonly state: string;
  session(cwd: string): Promise<Live>;
  end(): Promise<void>;
}

let running: Promise<Server> | null = null;

/** The server of this process; started at the first call. */
export function openCodeServer(): Promise<Server> {
  running ??= start();
  return running;
}

/** Ends it and all that it started. To be called when the last test is over. */
export async function endOpenCodeServer(): Promise<void> {
  await (await running)?.end();
  running = null;
}

async function start(): Promise<Server> {
  const scripts = new Map<string, LiveScript<ChatTurn>>();
  const model = await startScriptedChat(
    (seen) => scripts.get(seen.session)?.script(seen) ?? { say: "nobody leads this session" },
  );
  const state = await mkdtemp(join(tmpdir(), "pg-world-state-"));
  const config = {
    // What the host does beside a session for those who look at files, here nobody.
    ...{ snapshot: false, lsp: false, formatter: false },
    // Nobody is there to be asked whether a command may leave the folder.
    permission: { external_directory: "allow" },
  };
  const home = await makeOpenCodeHome(model.url, config, state);
  const host = startOpenCode(home, ["serve", "--hostname", "127.0.0.1", "--port", "0"], home.path);
  const [, url = ""] = await host.printed(/listening on (http:\S+)/);
  const post = (cwd: string, path: string, body: unknown): Promise<Response> =>
    fetch(`${url}${path}?directory=${encodeURIComponent(cwd)}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    state,
    async session(cwd) {
      const { id } = (await (await post(cwd, "/session", {})).json()) as { id: string };
      const live = liveScript<ChatTurn>();
      scripts.set(id, live);
      const ended = post(cwd, `/session/${id}/message`, { parts: [{ type: "text", text: "do it" }] }).then(
        () => live.over(new Error("OpenCode ended the turn")),
        (error: Error) => live.over(error),
      );
      return {
        sh: (command) =>
          live.ask((id) => ({
            id,
            call: "bash",
            args: { command, description: "a step", timeout: STEP_MS },
          })),
        tool: (call, args) => live.ask((step) => ({ id: step, call, args })),
        async end() {
          // Proof may be open, and the plugin would go on: the user ends it.
          await post(cwd, `/session/${id}/abort`, {});
          live.end();
          await ended;
        },
      };
    },
    async end() {
      await host.end();
      await model.end();
      await home.remove();
      await rm(state, { recursive: true, force: true });
    },
  };
}
