/** One thread of an app server, a scripted model at its wheel: what the user types, and what the host does by itself. */

import { isAside, type ModelRequest, startScriptedModel } from "../../scripts/host/scripted-model.ts";
import { type AppServer, type Note, startAppServer } from "./app-server.ts";
import { type Installed, pointAt, type Steps, scriptOf } from "./gated.ts";

/** An active goal gets its next turn at once; when nothing came for so long, nothing will come. In milliseconds. */
const QUIET_MS = 1000;
const LOOK_MS = 50;
/** For one prompt and all that the host makes of it, in milliseconds. */
const PROMPT_MS = 100_000;

/** One run of a hook, by the host's account. */
interface HookRun {
  readonly eventName: string;
  readonly status: string;
  readonly entries: readonly { readonly kind: string; readonly text: string }[];
}

export interface AppThread {
  /**
   * The user's prompt, and the steps that the agent takes from there, in as many turns as the host gives it.
   * @returns what came back for each step, once the host rests
   * @throws Error when it does not rest
   */
  prompt(text: string, steps: Steps): Promise<readonly string[]>;
  /** The user has the conversation compacted. */
  compact(): Promise<void>;
  /** The status of the thread's goal, by the host's own account. */
  goal(): Promise<string>;
  /** How many turns began so far. */
  turns(): number;
  hooks(): readonly HookRun[];
  /** How often the conversation was compacted so far. */
  compactions(): number;
  /** All that the model was asked, titles and summaries left out. */
  requests(): readonly ModelRequest[];
  end(): Promise<void>;
}

/** @param config of Codex, for this thread alone. The caller must `end()` the thread. */
export async function startThread(
  codex: Installed,
  config: Readonly<Record<string, unknown>> = {},
): Promise<AppThread> {
  let script = scriptOf([]);
  const model = await startScriptedModel((seen) =>
    seen.aside ? { say: "The plan is under way." } : script.turn(seen),
  );
  let server: AppServer | null = null;
  const end = async (): Promise<void> => {
    await server?.end();
    await model.end();
  };
  try {
    await pointAt(codex.home, model.url);
    const host = await startAppServer(codex);
    server = host;
    const { thread } = await host.call("thread/start", { cwd: codex.repo, config });
    const threadId = idOf(thread);
    const count = (method: string): number => host.notes.filter((note) => note.method === method).length;
    const rest = async (): Promise<void> => {
      const late = Date.now() + PROMPT_MS;
      let asked = -1;
      let since = Date.now();
      for (;;) {
        const resting = script.ended() && count("turn/started") === count("turn/completed");
        if (!resting || asked !== model.requests.length) {
          asked = model.requests.length;
          since = Date.now();
        }
        if (Date.now() - since > QUIET_MS) return;
        const trouble = model.failure();
        if (trouble !== null) throw trouble;
        if (Date.now() > late)
          throw new Error(
            `no rest after ${asked} requests and ${count("turn/started")} turns; outputs: ${JSON.stringify(script.outputs)}`,
          );
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    };
    return {
      async prompt(text, steps) {
        script = scriptOf(steps);
        await host.call("turn/start", { threadId, input: [{ type: "text", text, text_elements: [] }] });
        await rest();
        return script.outputs;
      },
      async compact() {
        const from = host.notes.length;
        await host.call("thread/compact/start", { threadId });
        await host.note(isMethod("turn/completed"), from);
      },
      async goal() {
        const { goal } = await host.call("thread/goal/get", { threadId });
        return typeof goal === "object" && goal !== null && "status" in goal ? String(goal.status) : "none";
      },
      turns: () => count("turn/started"),
      hooks: () => host.notes.filter(isMethod("hook/completed")).map((note) => note.params.run as HookRun),
      compactions: () => host.notes.filter(isCompaction).length,
      requests: () => model.requests.filter((one) => !isAside(one.body)),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const isMethod =
  (method: string) =>
  (note: Note): boolean =>
    note.method === method;

function isCompaction({ method, params: { item } }: Note): boolean {
  return (
    method === "item/completed" &&
    typeof item === "object" &&
    item !== null &&
    "type" in item &&
    item.type === "contextCompaction"
  );
}

function idOf(thread: unknown): string {
  if (typeof thread === "object" && thread !== null && "id" in thread && typeof thread.id === "string")
    return thread.id;
  throw new Error("the host started no thread");
}
