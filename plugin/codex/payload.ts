/** What Codex tells a hook on standard input, as far as it is used. Unknown members are left alone. */

export interface Payload {
  /** The root session, also inside a subagent. */
  readonly session: string;
  /** The subagent's own thread; null in the root. */
  readonly agent: string | null;
  readonly cwd: string;
  /** The host's record of the session; null where it keeps none. */
  readonly transcript: string | null;
  readonly tool: string;
  /** The host's id of the tool call, the same before and after it. */
  readonly call: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly response: unknown;
  /** The user's words, at a prompt. */
  readonly prompt: string;
  /** Role of a subagent, and its last words when it ends. */
  readonly role: string;
  readonly lastMessage: string;
  /** A subagent's own record, when it ends. */
  readonly agentTranscript: string | null;
  /** Why a session begins. */
  readonly source: string;
}

/** The thread that a goal tool works on. */
export const threadOf = (payload: Payload): string => payload.agent ?? payload.session;

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
