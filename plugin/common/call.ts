/** What a host tells of one event, in one form for all of them. */

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
