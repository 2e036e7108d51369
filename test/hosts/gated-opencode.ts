/** The real OpenCode with the plugin in it, and a scripted model at its wheel: one run after another. */

import { parentOf, sessionOf, startScriptedChat } from "../../scripts/host/scripted-chat.ts";
import type { ModelRequest } from "../../scripts/host/scripted-server.ts";
import { makeOpenCodeHome, type OpenCodeHome, startOpenCode } from "./opencode.ts";
import { type Child, expectPlayed, PROMPT_MS, Scripts, type Steps } from "./opencode-scripts.ts";
import { makeRepo } from "./repo.ts";

export interface Played {
  /** What came back for each step, in their order. */
  readonly outputs: readonly string[];
  readonly exit: number;
  readonly transcript: string;
  readonly session: string;
  /** What the root session's model was asked. */
  readonly requests: readonly ModelRequest[];
}

interface PlayOptions {
  /** What follows the options of `opencode run`: one word with spaces, as a shell hands it over. */
  readonly prompt?: string;
  /** Goes on with the last session, or the one named, in a new process. */
  readonly resume?: boolean | string;
  /** A slash command, whose arguments the prompt is. */
  readonly command?: string;
  readonly agent?: string;
  readonly child?: Child;
}

export interface GatedOpenCode {
  readonly repo: string;
  readonly home: OpenCodeHome;
  /** One `opencode run` in the repository. */
  play(steps: Steps, options?: PlayOptions): Promise<Played>;
  /** Steps for a session that the user begins. @returns what came back for each, growing */
  lead(steps: Steps): readonly string[];
  /** What the model was asked so far. */
  requests(): readonly ModelRequest[];
  remove(): Promise<void>;
}

interface World {
  /** Of the host, beside what a run needs. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A repository and a home's state that another host uses as well; by default it has its own. */
  readonly beside?: { readonly repo: string; readonly state: string };
}

/** @throws Error when there is no OpenCode */
export async function gatedOpenCode(
  files: Readonly<Record<string, string>>,
  { config, beside }: World = {},
): Promise<GatedOpenCode> {
  const scripts = new Scripts();
  const model = await startScriptedChat((seen) => scripts.turn(seen));
  const home = await makeOpenCodeHome(model.url, config, beside?.state);
  const repo =
    beside === undefined ? await makeRepo(files) : { path: beside.repo, remove: () => Promise.resolve() };
  return {
    repo: repo.path,
    home,
    async play(steps, { prompt = "do it", resume = false, command, agent, child } = {}) {
      const script = scripts.set("", steps);
      if (child !== undefined) scripts.child(child);
      const from = model.requests.length;
      const args = [
        "run",
        ...(resume === false ? [] : resume === true ? ["--continue"] : ["--session", resume]),
        ...(command === undefined ? [] : ["--command", command]),
        ...(agent === undefined ? [] : ["--agent", agent]),
        prompt,
      ];
      const ran = await startOpenCode(home, args, repo.path).ended(PROMPT_MS);
      expectPlayed(model.failure(), script, steps, ran.transcript);
      const requests = model.requests.slice(from).filter((one) => parentOf(one) === null);
      const [first] = requests;
      const session = first === undefined ? "" : sessionOf(first);
      return { ...ran, outputs: script.outputs, session, requests };
    },
    lead: (steps) => scripts.set("", steps).outputs,
    requests: () => model.requests,
    async remove() {
      await model.end();
      await repo.remove();
      await home.remove();
    },
  };
}
