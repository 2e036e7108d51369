/** A model that says what a test tells it to: the part of the Chat Completions API that a host needs, on loopback. */

import type { ServerResponse } from "node:http";
import { isObject, type ModelRequest, outputText, plain, startScriptedServer } from "./scripted-server.ts";

/** One thing the model does in a turn: it speaks (which ends the host's turn) or it calls a tool. */
type Act =
  | { readonly say: string }
  | { readonly call: string; readonly args: Readonly<Record<string, unknown>>; readonly id?: string };

/** What the model does, and what it tells of that. */
interface Told {
  readonly acts: readonly Act[];
  /** Tokens that it read, as it says; 10 by default. */
  readonly read?: number;
  /** Why it ended, where the acts do not say it. */
  readonly finish?: "stop" | "length";
  /** It thinks until this is over. */
  readonly after?: Promise<unknown>;
}

/** What the model answers to one request. */
export type ChatTurn =
  | Act
  | readonly Act[]
  | Told
  /** An answer with this HTTP status instead. */
  | {
      readonly fail: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** It begins to speak, and never ends. */
  | { readonly hang: string };

/** What the host sent, as the model sees it. */
export interface ChatSeen {
  /** Output of each tool call of any conversation, by the call's id. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Turns given in this conversation before this one. */
  readonly turns: number;
  /** The conversation that is to be gone on with. */
  readonly messages: readonly unknown[];
  /** The host's session that asks; a subagent has one of its own, with another one above it. */
  readonly session: string;
  readonly parent: string | null;
}

interface ScriptedChat {
  /** Base URL for the host's configuration; ends in `/v1`. */
  readonly url: string;
  /** Every request for a turn, in order. Grows while the host runs. */
  readonly requests: readonly ModelRequest[];
  /** Requests of the host for itself, such as a title: they are answered without the script. */
  readonly asides: readonly ModelRequest[];
  /** The first error of the script or of a request that was not understood; null when all went well. */
  failure(): Error | null;
  /** Closes the server and every connection. */
  end(): Promise<void>;
}

/** Starts a scripted model on a free port of 127.0.0.1. The caller must `end()` it. */
export async function startScriptedChat(
  script: (seen: ChatSeen) => ChatTurn | Promise<ChatTurn>,
): Promise<ScriptedChat> {
  const requests: ModelRequest[] = [];
  const asides: ModelRequest[] = [];
  const outputs = new Map<string, string>();
  const turns = new Map<string, number>();
  const server = await startScriptedServer(/\/chat\/completions(\?|$)/, async (request, response) => {
    const { body } = request;
    const messages: readonly unknown[] = Array.isArray(body.messages) ? body.messages : [];
    const number = requests.length + asides.length;
    if (!Array.isArray(body.tools) || body.tools.length === 0) {
      asides.push(request);
      return stream(response, number, { acts: [{ say: "What is under way" }] });
    }
    requests.push(request);
    collectOutputs(messages, outputs);
    const session = sessionOf(request);
    const before = turns.get(session) ?? 0;
    turns.set(session, before + 1);
    const turn = await script({ outputs, turns: before, messages, session, parent: parentOf(request) });
    if ("fail" in turn) {
      const { fail, message = "the script says so", headers } = turn;
      plain(response, fail, { error: { message } }, headers);
    } else if ("hang" in turn) begin(response, number)({ content: turn.hang });
    else if ("acts" in turn) {
      await turn.after;
      stream(response, number, turn);
    } else stream(response, number, { acts: "say" in turn || "call" in turn ? [turn] : turn });
  });
  return { ...server, requests, asides };
}

const header = (request: ModelRequest, name: string): string | null => {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
};

export const sessionOf = (request: ModelRequest): string => header(request, "x-session-id") ?? "";
export const parentOf = (request: ModelRequest): string | null => header(request, "x-parent-session-id");

/** A request repeats the whole conversation, so outputs already known arrive again; the first one stays. */
function collectOutputs(messages: readonly unknown[], outputs: Map<string, string>): void {
  for (const message of messages) {
    if (!isObject(message) || message.role !== "tool" || typeof message.tool_call_id !== "string") continue;
    if (!outputs.has(message.tool_call_id)) outputs.set(message.tool_call_id, outputText(message.content));
  }
}

/** Begins the event stream that hosts wait for. @returns sends one piece of the answer */
function begin(
  response: ServerResponse,
  number: number,
): (delta: Readonly<Record<string, unknown>>, finish?: string) => void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (delta: Readonly<Record<string, unknown>>, finish?: string): void =>
    event(response, number, { choices: [{ index: 0, delta, finish_reason: finish ?? null }] });
  send({ role: "assistant", content: "" });
  return send;
}

function stream(response: ServerResponse, number: number, { acts, read = 10, finish }: Told): void {
  const send = begin(response, number);
  const calls = acts.filter((act) => "call" in act);
  for (const act of acts) if ("say" in act) send({ content: act.say });
  for (const [index, { call: name, args, id = `call_${number}_${index}` }] of calls.entries()) {
    send({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
    send({ tool_calls: [{ index, function: { arguments: JSON.stringify(args) } }] });
  }
  send({}, finish ?? (calls.length > 0 ? "tool_calls" : "stop"));
  // Hosts do sums with the usage, so it must be there.
  event(response, number, {
    choices: [],
    usage: { prompt_tokens: read, completion_tokens: 1, total_tokens: read + 1 },
  });
  response.end("data: [DONE]\n\n");
}

function event(response: ServerResponse, number: number, more: Readonly<Record<string, unknown>>): void {
  const chunk = {
    id: `chat_${number}`,
    object: "chat.completion.chunk",
    created: 0,
    model: "scripted",
    ...more,
  };
  response.write(`data: ${JSON.stringify(chunk)}\n\n`);
}
