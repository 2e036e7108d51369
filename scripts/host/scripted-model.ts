// A model that says what a test tells it to: the part of the Responses API that a host needs, on loopback.
import type { ServerResponse } from "node:http";
import { isObject, type ModelRequest, outputText, startScriptedServer } from "./scripted-server.ts";

export type { ModelRequest } from "./scripted-server.ts";

/** One thing the model does in a turn: it speaks (which ends the host's turn) or it calls a tool. */
type Act =
  | { readonly say: string }
  /** A tool that takes text as it is, such as the JavaScript of Codex's code mode. */
  | { readonly custom: string; readonly namespace?: string; readonly input: string; readonly id?: string }
  | {
      readonly call: string;
      readonly namespace?: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly id?: string;
    };

/** What the model answers to one request. */
export type Turn = Act | readonly Act[];

/** What the host sent so far, as the model sees it. */
export interface Seen {
  /** Output of each tool call, by the call's id, in the order in which they arrived. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Turns given before this one. */
  readonly turns: number;
  /** The conversation that is to be gone on with. A host with subagents has several at a time. */
  readonly input: unknown;
  /** The request has no tools in it: the host wants a text for itself, such as a title or a summary. */
  readonly aside: boolean;
}

/** A fixed list of turns (then it says `script ended`), or a function that decides from what it has seen. */
type Script = readonly Turn[] | ((seen: Seen) => Turn | Promise<Turn>);

interface ScriptedModel {
  /** Base URL for the host's configuration; ends in `/v1`. */
  readonly url: string;
  /** Every request for a response, in order. Grows while the host runs. */
  readonly requests: readonly ModelRequest[];
  /** Outputs of all tool calls that came back, by call id. */
  readonly outputs: ReadonlyMap<string, string>;
  /** The first error of the script or of a request that was not understood; null when all went well. */
  failure(): Error | null;
  /** Closes the server and every connection. */
  end(): Promise<void>;
}

/**
 * Starts a scripted model on a free port of 127.0.0.1. The caller must `end()` it.
 * A script that throws answers the host with status 400 (which it does not retry) and is kept for `failure()`.
 */
export async function startScriptedModel(script: Script): Promise<ScriptedModel> {
  const requests: ModelRequest[] = [];
  const outputs = new Map<string, string>();
  const server = await startScriptedServer(/\/responses(\?|$)/, async (request, response) => {
    const { body } = request;
    requests.push(request);
    collectOutputs(body, outputs);
    const seen: Seen = { outputs, turns: requests.length - 1, input: body.input, aside: isAside(body) };
    const turn =
      typeof script === "function" ? await script(seen) : (script[seen.turns] ?? { say: "script ended" });
    stream(response, requests.length, "say" in turn || "call" in turn || "custom" in turn ? [turn] : turn);
  });
  return { ...server, requests, outputs };
}

const OUTPUTS = new Set<unknown>(["function_call_output", "custom_tool_call_output"]);

/** A request repeats the whole conversation, so outputs already known arrive again; the first one stays. */
function collectOutputs(body: Record<string, unknown>, outputs: Map<string, string>): void {
  if (!Array.isArray(body.input)) return;
  for (const item of body.input as unknown[]) {
    if (!isObject(item) || !OUTPUTS.has(item.type) || typeof item.call_id !== "string") continue;
    if (!outputs.has(item.call_id)) outputs.set(item.call_id, outputText(item.output));
  }
}

/** Sends a turn as the event stream that hosts wait for: created, each item added and done, completed. */
function stream(response: ServerResponse, number: number, acts: readonly Act[]): void {
  const id = `resp_${number}`;
  const items = acts.map((act, index) => item(act, `${number}_${index}`));
  const events: { type: string; [member: string]: unknown }[] = [
    { type: "response.created", response: { id, object: "response", status: "in_progress", output: [] } },
  ];
  for (const [index, whole] of items.entries())
    events.push(
      { type: "response.output_item.added", output_index: index, item: whole },
      { type: "response.output_item.done", output_index: index, item: whole },
    );
  // Hosts do sums with the usage, so it must be there; the figures mean nothing.
  const usage = { input_tokens: 10, output_tokens: 1, total_tokens: 11 };
  events.push({
    type: "response.completed",
    response: { id, object: "response", status: "completed", output: items, usage },
  });
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
}

function item(act: Act, suffix: string): Record<string, unknown> {
  if ("say" in act)
    return {
      type: "message",
      id: `msg_${suffix}`,
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: act.say, annotations: [] }],
    };
  if ("custom" in act)
    return {
      type: "custom_tool_call",
      id: `ctc_${suffix}`,
      call_id: act.id ?? `call_${suffix}`,
      name: act.custom,
      ...(act.namespace === undefined ? {} : { namespace: act.namespace }),
      input: act.input,
      status: "completed",
    };
  return {
    type: "function_call",
    id: `fc_${suffix}`,
    call_id: act.id ?? `call_${suffix}`,
    name: act.call,
    ...(act.namespace === undefined ? {} : { namespace: act.namespace }),
    arguments: JSON.stringify(act.args),
  };
}

/** Whether the tools lie in a list of their own or in the conversation, depends on the model that the host takes us for. */
export const isAside = (body: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(body.tools) && body.tools.length === 0;
