/**
 * OpenCode's way in. Every hook is fenced: the host ends a prompt when one throws, so nothing of ours may, but for the one
 * refusal that is meant. What is heavy lies behind the first use, so that a start pays for this file alone.
 */

import type { Hooks, HostEvent, PluginInput, Tool } from "./api.ts";
import { isFirst } from "./only-once.ts";
import { Sessions } from "./sessions.ts";

type Engine = import("./engine.ts").Engine;

/** Runs what must not harm the session. */
async function fenced(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch {
    // The session goes on without us; a completion is refused by its tool in any case.
  }
}

/** The host calls whatever is there, and needs an object. */
type NoHooks = Readonly<Record<string, never>>;

export default {
  id: "proofgate",
  async server(input: PluginInput): Promise<Hooks | NoHooks> {
    if (!isFirst(input)) return {};
    const sessions = new Sessions();
    // Kept, not imported anew: the host is busy while a tool runs, and an import waits for its turn there.
    let engine: Promise<Engine> | undefined;
    let programs: Promise<typeof import("./programs.ts")> | undefined;
    const load = (): Promise<Engine> => {
      engine ??= import("./engine.ts").then(({ makeEngine }) => makeEngine(input, sessions));
      return engine;
    };
    const goalTool = (name: string, description: string, args: Tool["args"]): Tool => ({
      description,
      args,
      // Closed on own errors: what fails here is an answer of the tool, and no goal is changed.
      execute: async (given, context) => (await load()).tool(name, given, context),
    });
    return {
      tool: {
        get_goal: goalTool(
          "get_goal",
          "Get the current goal of this session: objective, status, budget, tokens and time used. goal is null when there is none.",
          {},
        ),
        create_goal: goalTool(
          "create_goal",
          "Create a goal for this session, only when the user or a workflow's hand-off asks for one. Fails while another one is unfinished.",
          {
            objective: { type: "string", description: "What has to be reached; at most 4000 characters." },
            token_budget: {
              type: ["integer", "null"],
              description: "Tokens that it may use; null unless the user named a number.",
            },
          },
        ),
        update_goal: goalTool(
          "update_goal",
          "Set the goal's status: complete when it is reached (its checks are asked first), blocked when it cannot be, paused when the user said so.",
          { status: { type: "string", enum: ["complete", "blocked", "paused"] } },
        ),
      },
      event: ({ event }) =>
        fenced(async () => {
          sessions.note(event as HostEvent);
          // Before anybody said a word there is nothing to go on with, and a start tells of much.
          (await engine)?.event(event as HostEvent);
        }),
      config: (config) => fenced(async () => (await import("./config.ts")).extend(config)),
      "chat.message": ({ sessionID }, output) =>
        fenced(async () => (await load()).message(sessionID, output)),
      "shell.env": ({ sessionID }, { env }) =>
        fenced(async () => {
          if (sessionID !== undefined) env.OPENCODE_SESSION_ID = sessions.rootOf(sessionID);
          programs ??= import("./programs.ts");
          (await programs).addProgram(process.env, env);
        }),
      "tool.execute.before": async ({ tool, sessionID }, { args }) => {
        // Most tools change no file by a path of their own.
        if (tool !== "edit" && tool !== "write" && tool !== "apply_patch") return;
        let refused: string | null = null;
        await fenced(async () => {
          refused = (await load()).guard(tool, args, sessionID);
        });
        // The one throw that is meant: it becomes the tool's result.
        if (refused !== null) throw new Error(refused);
      },
      "tool.execute.after": ({ tool, sessionID }) =>
        fenced(async () => {
          if (tool === "bash") await (await load()).afterShell(sessionID);
        }),
      "command.execute.before": ({ command, sessionID, arguments: words }, { parts }) =>
        fenced(async () => {
          if (command !== "goal" && command !== "cancel") return;
          const text = await (await load()).command(command, sessionID, words);
          for (const part of parts) if (part.type === "text") part.text = "";
          const first = parts.find((part) => part.type === "text");
          if (first !== undefined) first.text = text;
        }),
      "experimental.session.compacting": ({ sessionID }) =>
        fenced(async () => (await load()).compacting(sessionID)),
      "experimental.text.complete": ({ sessionID, messageID }, output) =>
        fenced(async () => {
          const more = await (await load()).speaks(sessionID, messageID);
          if (more !== "") output.text = `${output.text}\n\n${more}`;
        }),
    };
  },
};
