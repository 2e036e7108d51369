/** What Codex tells a hook on standard input, as far as it is used. Unknown members are left alone. */

import type { Payload } from "../common/call.ts";

/** @throws Error when a member that everything rests on is missing */
export function parsePayload(text: string): Payload {
  const value: unknown = JSON.parse(text);
  if (!isMap(value)) throw new Error("the host's payload is not an object");
  return {
    session: need(value, "session_id"),
    agent: typeof value.agent_id === "string" && value.agent_id !== "" ? value.agent_id : null,
    cwd: need(value, "cwd"),
    transcript: typeof value.transcript_path === "string" ? value.transcript_path : null,
    agentTranscript: typeof value.agent_transcript_path === "string" ? value.agent_transcript_path : null,
    tool: typeof value.tool_name === "string" ? value.tool_name : "",
    call: typeof value.tool_use_id === "string" ? value.tool_use_id : "",
    input: isMap(value.tool_input) ? value.tool_input : {},
    response: value.tool_response,
    prompt: typeof value.prompt === "string" ? value.prompt : "",
    role: typeof value.agent_type === "string" ? value.agent_type : "",
    lastMessage: typeof value.last_assistant_message === "string" ? value.last_assistant_message : "",
    source: typeof value.source === "string" ? value.source : "",
  };
}

function need(value: Readonly<Record<string, unknown>>, name: string): string {
  const found = value[name];
  if (typeof found === "string" && found !== "") return found;
  throw new Error(`the host's payload has no ${name}`);
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
