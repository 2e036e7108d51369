/** One `opencode serve` with the plugin in it, whose sessions are led by a scripted model. */

import { parentOf, sessionOf, startScriptedChat } from "../../scripts/host/scripted-chat.ts";
import { isObject, type ModelRequest } from "../../scripts/host/scripted-server.ts";
import { makeOpenCodeHome, type OpenCodeHome, startOpenCode } from "./opencode.ts";
import {
  type Child,
  expectPlayed,
  PROMPT_MS,
  quiet,
  Scripts,
  type Steps,
  until,
} from "./opencode-scripts.ts";
import { makeRepo } from "./repo.ts";

interface PromptOptions {
  readonly child?: Child;
  /** A slash command, whose arguments the prompt is. */
  readonly command?: string;
  readonly agent?: string;
  /** Of those in the configuration; the host gives each its tools by its name. */
  readonly model?: "gpt-5-scripted" | "thorough";
  /** How hard the model is to think. */
  readonly variant?: string;
  /** A program writes it in the user's place. */
  readonly synthetic?: true;
  /** The last step has no answer. */
  readonly broken?: true;
}

/** What the host tells its clients. */
interface HostEvent {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
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
  /** Steps for turns that begin with no prompt of this program. @returns what came back for each, growing */
  lead(steps: Steps): readonly string[];
  /** What a client sends to the host, and what comes back. @param body absent: it only asks */
  call(path: string, body?: unknown): Promise<unknown>;
  /** Waits until the host tells this of the folder. */
  told(type: string, about?: (properties: HostEvent["properties"]) => boolean): Promise<HostEvent>;
  /** Waits until the model was asked so often. */
  asked(count: number): Promise<void>;
  /** What the host told of this folder so far, a line for the user among it. */
  events(): readonly HostEvent[];
  /** What this session's model was asked so far. */
  requests(): readonly ModelRequest[];
  /** Waits until nothing more is asked of the model. @returns how often it was asked so far */
  quiet(): Promise<number>;
  /** Another session in the same repository. */
  another(): Promise<ServedSession>;
}

export interface ServedOpenCode {
  readonly home: OpenCodeHome;
  /** Where clients reach it; another one after a restart. */
  url(): string;
  /** A session in a repository of its own. */
  open(files: Readonly<Record<string, string>>): Promise<ServedSession>;
  /** Ends it as a power cut does, and starts it anew on the same folders. */
  restart(): Promise<void>;
  /** Requests of the host's own, for summaries and titles. */
  asides(session: string): readonly ModelRequest[];
  /** Steps for sessions that another client begins. @returns what came back for each, growing */
  lead(steps: Steps): readonly string[];
  /** What the model was asked in all sessions. */
  requests(): readonly ModelRequest[];
  end(): Promise<void>;
}

interface Serving {
  /** Of the host, beside what a run needs. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** One server that many sessions share, as users of its other programs have it. The caller must `end()` it. */
export async function servedOpenCode({ config, env }: Serving = {}): Promise<ServedOpenCode> {
  const scripts = new Scripts();
  const model = await startScriptedChat((seen) => scripts.turn(seen));
  const made = await makeOpenCodeHome(model.url, config);
  const home = { ...made, env: { ...made.env, ...env } };
  const start = () => startOpenCode(home, ["serve", "--hostname", "127.0.0.1", "--port", "0"], home.path);
  const removals: (() => Promise<void>)[] = [];
  const folders = new Map<string, Folder>();
  let server = start();
  let url = "";
  const end = async (): Promise<void> => {
    await server.end();
    await model.end();
    for (const remove of removals) await remove();
    await home.remove();
  };
  const listening = async (): Promise<void> => {
    url = (await server.printed(/listening on (http:\S+)/))[1] ?? "";
  };
  const call = async (repo: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}?directory=${encodeURIComponent(repo)}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(PROMPT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text === "" ? "null" : text);
  };
  const session = async (repo: string): Promise<ServedSession> => {
    const id = idOf(await call(repo, "/session", {}));
    if (!folders.has(repo)) folders.set(repo, await listen(url, repo));
    const events = (): readonly HostEvent[] => folders.get(repo)?.events ?? [];
    const say = (text: string, options: PromptOptions = {}) => {
      const { command, agent, model: modelID, variant, synthetic } = options;
      return command === undefined
        ? call(repo, `/session/${id}/message`, {
            parts: [{ type: "text", text, synthetic }],
            agent,
            variant,
            ...(modelID === undefined ? {} : { model: { providerID: "scripted", modelID } }),
          })
        : call(repo, `/session/${id}/command`, { command, arguments: text });
    };
    const requests = () => model.requests.filter((one) => sessionOf(one) === id);
    const one: ServedSession = {
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
        await until(() => requests().length > before, "the model was not asked");
        await call(repo, `/session/${id}/abort`, {});
        await ended;
      },
      lead: (steps) => scripts.set(id, steps).outputs,
      call: (path, body) => call(repo, path, body),
      async told(type, about = () => true) {
        const from = events().length;
        const found = () =>
          events()
            .slice(from)
            .find((event) => event.type === type && about(event.properties));
        await until(() => found() !== undefined, `the host told of no ${type}`);
        return found() ?? { type, properties: {} };
      },
      asked: (count) => until(() => requests().length >= count, `the model was not asked ${count} times`),
      events,
      requests,
      // A subagent's request is one of the work that its root does.
      quiet: () =>
        quiet(() => model.requests.filter((a) => sessionOf(a) === id || parentOf(a) === id).length).then(
          () => requests().length,
        ),
      another: () => session(repo),
    };
    return one;
  };
  try {
    await listening();
    return {
      home,
      url: () => url,
      async open(files) {
        const repo = await makeRepo(files);
        removals.push(repo.remove);
        return session(repo.path);
      },
      async restart() {
        await server.end();
        server = start();
        await listening();
        for (const repo of folders.keys()) folders.set(repo, await listen(url, repo));
      },
      lead: (steps) => scripts.set("", steps).outputs,
      requests: () => model.requests,
      asides: (session) => model.asides.filter((one) => sessionOf(one) === session),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

interface Folder {
  readonly events: readonly HostEvent[];
}

/** Hears what the host tells the clients that look at this folder, until the host ends. */
async function listen(url: string, repo: string): Promise<Folder> {
  const events: HostEvent[] = [];
  const response = await fetch(`${url}/event?directory=${encodeURIComponent(repo)}`);
  const body = response.body;
  if (body === null) throw new Error("the host tells nothing");
  const hear = async (): Promise<void> => {
    let rest = "";
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event: unknown = line.startsWith("data: ") ? JSON.parse(line.slice(6)) : null;
        if (isObject(event) && typeof event.type === "string" && isObject(event.properties))
          events.push({ type: event.type, properties: event.properties });
      }
    }
  };
  // The host's end is the end of it.
  hear().catch(() => undefined);
  return { events };
}

function idOf(session: unknown): string {
  if (isObject(session) && typeof session.id === "string") return session.id;
  throw new Error("the host made no session");
}
