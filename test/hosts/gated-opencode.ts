/** The real OpenCode with the plugin in it, and a scripted model at its wheel: one run after another, or a server with sessions. */

import {
  type ChatSeen,
  type ChatTurn,
  parentOf,
  sessionOf,
  startScriptedChat,
} from "../../scripts/host/scripted-chat.ts";
import type { ModelRequest } from "../../scripts/host/scripted-server.ts";
import { makeOpenCodeHome, type OpenCodeHome, startOpenCode } from "./opencode.ts";
import { makeRepo } from "./repo.ts";
import { type Steps as HostSteps, type StepScript, stepScript } from "./steps.ts";

/** For one prompt and all that the host makes of it, in milliseconds. */
const PROMPT_MS = 100_000;

type Steps = HostSteps<ChatTurn>;

/** What comes back of a completion that the gate refused. */
export const refused = /^Not complete/;

/** What a subagent does, whose task holds the mark. */
interface Child {
  readonly mark: string;
  readonly steps: Steps;
}

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
  remove(): Promise<void>;
}

/** The scripts of sessions that live at the same time. */
class Scripts {
  readonly #roots = new Map<string, StepScript<ChatTurn>>();
  readonly #children: { readonly mark: string; readonly script: StepScript<ChatTurn> }[] = [];

  /** @param session empty: every root session's */
  set(session: string, steps: Steps): StepScript<ChatTurn> {
    const script = stepScript(steps, turnOf);
    this.#roots.set(session, script);
    return script;
  }

  child({ mark, steps }: Child): void {
    this.#children.push({ mark, script: stepScript(steps, turnOf) });
  }

  turn(seen: ChatSeen): ChatTurn {
    if (seen.parent !== null) {
      const task = JSON.stringify(seen.messages);
      const child = this.#children.findLast(({ mark }) => task.includes(mark));
      return child?.script.turn(seen) ?? { say: "nothing to do" };
    }
    const root = this.#roots.get(seen.session) ?? this.#roots.get("");
    if (root === undefined) throw new Error(`nobody said what session ${seen.session} does`);
    return root.turn(seen);
  }
}

const turnOf: Parameters<typeof stepScript<ChatTurn>>[1] = (step, id) =>
  "sh" in step
    ? { id, call: "bash", args: { command: step.sh, description: "a step" } }
    : { id, call: step.tool, args: step.args ?? {} };

/** All that the model was sent, as text. */
export const heard = (requests: readonly ModelRequest[]): string =>
  JSON.stringify(requests.map((one) => one.body.messages));

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
    async remove() {
      await model.end();
      await repo.remove();
      await home.remove();
    },
  };
}

function expectPlayed(
  failure: Error | null,
  { outputs }: StepScript<ChatTurn>,
  steps: Steps,
  transcript: string,
): void {
  if (failure !== null) throw new Error(`${failure.message}\n${transcript}`);
  if (outputs.length < steps.length)
    throw new Error(
      `OpenCode ended after ${outputs.length} of ${steps.length} steps: ${JSON.stringify(outputs)}\n${transcript}`,
    );
}

interface PromptOptions {
  readonly child?: Child;
  /** A slash command, whose arguments the prompt is. */
  readonly command?: string;
  /** Of those in the configuration; the host gives each its tools by its name. */
  readonly model?: "gpt-5-scripted";
  /** A program writes it in the user's place. */
  readonly synthetic?: true;
  /** The last step has no answer. */
  readonly broken?: true;
}

export interface ServedSession {
  readonly id: string;
  readonly repo: string;
  /**
   * The user's prompt, and the steps that the agent takes from there.
   * @returns what came back for each step, once the host rests
   * @throws Error when the steps were not all taken
   */
  prompt(text: string, steps: Steps, options?: PromptOptions): Promise<readonly string[]>;
  /** A prompt whose answer never ends; the user ends it. */
  promptAndAbort(text: string): Promise<void>;
  /** What this session's model was asked so far. */
  requests(): readonly ModelRequest[];
  /** Another session in the same repository. */
  another(): Promise<ServedSession>;
}

export interface ServedOpenCode {
  readonly home: OpenCodeHome;
  /** A session in a repository of its own. */
  open(files: Readonly<Record<string, string>>): Promise<ServedSession>;
  end(): Promise<void>;
}

/** One `opencode serve` that many sessions share, as users of its other programs have it. The caller must `end()` it. */
export async function servedOpenCode(): Promise<ServedOpenCode> {
  const scripts = new Scripts();
  const model = await startScriptedChat((seen) => scripts.turn(seen));
  const home = await makeOpenCodeHome(model.url);
  const server = startOpenCode(home, ["serve", "--hostname", "127.0.0.1", "--port", "0"], home.path);
  const removals: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    await server.end();
    await model.end();
    for (const remove of removals) await remove();
    await home.remove();
  };
  try {
    const [, url = ""] = await server.printed(/listening on (http:\S+)/);
    const call = async (repo: string, path: string, body: unknown): Promise<unknown> => {
      const response = await fetch(`${url}${path}?directory=${encodeURIComponent(repo)}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PROMPT_MS),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      return JSON.parse(text === "" ? "null" : text);
    };
    const session = async (repo: string): Promise<ServedSession> => {
      const id = idOf(await call(repo, "/session", {}));
      const say = (text: string, { command, model: modelID, synthetic }: PromptOptions = {}) =>
        command === undefined
          ? call(repo, `/session/${id}/message`, {
              parts: [{ type: "text", text, synthetic }],
              ...(modelID === undefined ? {} : { model: { providerID: "scripted", modelID } }),
            })
          : call(repo, `/session/${id}/command`, { command, arguments: text });
      const requests = () => model.requests.filter((one) => sessionOf(one) === id);
      return {
        id,
        repo,
        async prompt(text, steps, options) {
          const script = scripts.set(id, steps);
          if (options?.child !== undefined) scripts.child(options.child);
          await say(text, options);
          const answered = options?.broken ? steps.slice(0, -1) : steps;
          expectPlayed(model.failure(), script, answered, "");
          return script.outputs;
        },
        async promptAndAbort(text) {
          const before = requests().length;
          scripts.set(id, [{ turn: () => ({ hang: "I think about it" }) }]);
          const ended = say(text);
          while (requests().length === before) await new Promise((resolve) => setTimeout(resolve, 20));
          await call(repo, `/session/${id}/abort`, {});
          await ended;
        },
        requests,
        another: () => session(repo),
      };
    };
    return {
      home,
      async open(files) {
        const repo = await makeRepo(files);
        removals.push(repo.remove);
        return session(repo.path);
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function idOf(session: unknown): string {
  if (typeof session === "object" && session !== null && "id" in session && typeof session.id === "string")
    return session.id;
  throw new Error("the host made no session");
}
