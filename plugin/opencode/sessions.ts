/** What the host's events told of its sessions: whose child one is, what it used, what it waits for, how its last turn ended. */

import { type HostEvent, isMap, type Model } from "./api.ts";

interface Known {
  /** Null for a root session. */
  parent: string | null;
  /** Tokens that the host counted in the whole session; null until it says so. */
  total: number | null;
  /** Tokens of each answer, by message: what is told of one may come before the sum. */
  readonly used: Map<string, number>;
  /** Agent, model and its variant of the last user message, which a continuation has to keep. */
  agent: string | null;
  model: Model | null;
  variant: string | null;
  /** Questions and permissions that wait for the user. */
  readonly waiting: Set<string>;
  /** A turn is under way. */
  busy: boolean;
  /** The user ended the last turn, and said nothing since. */
  aborted: boolean;
  /** User messages that were told of; the last one is what the host answers next. */
  readonly messages: Set<string>;
  newest: string | null;
  /** The last summary of the conversation that the host had written. */
  summary: string | null;
  /** Answers that call a tool: whatever the model says, they end no turn. */
  readonly calling: Set<string>;
}

const unknown = (): Known => ({
  parent: null,
  total: null,
  used: new Map(),
  agent: null,
  model: null,
  variant: null,
  waiting: new Set(),
  busy: false,
  aborted: false,
  messages: new Set(),
  newest: null,
  summary: null,
  calling: new Set(),
});

export class Sessions {
  private readonly known = new Map<string, Known>();

  of(session: string): Known {
    let found = this.known.get(session);
    if (found === undefined) {
      found = unknown();
      this.known.set(session, found);
    }
    return found;
  }

  /** The root above a session, which its shells and subagents work for. */
  rootOf(session: string): string {
    const seen = new Set<string>();
    let at = session;
    while (!seen.has(at)) {
      seen.add(at);
      const { parent } = this.of(at);
      if (parent === null) return at;
      at = parent;
    }
    return at;
  }

  /** Everything that the session used since it began; null where nothing was told of it. */
  tokens(session: string): number | null {
    const { total, used } = this.of(session);
    if (total === null && used.size === 0) return null;
    return Math.max(
      total ?? 0,
      [...used.values()].reduce((sum, one) => sum + one, 0),
    );
  }

  /** It, or a subagent of it, waits for the user. */
  waits(session: string): boolean {
    return this.family(session).some((id) => this.of(id).waiting.size > 0);
  }

  /** A subagent goes on in the background, and the host wakes its root when that is over. */
  delegates(session: string): boolean {
    return this.family(session).some((id) => id !== session && this.of(id).busy);
  }

  /** With this answer the host's turn is over: it calls no tool, and the user said nothing more meanwhile. */
  isLast(session: string, answer: string, answered: unknown): boolean {
    const { calling, newest } = this.of(session);
    return !calling.has(answer) && (newest === null || newest === answered);
  }

  private family(root: string): readonly string[] {
    return [...this.known.keys()].filter((id) => this.rootOf(id) === root);
  }

  note({ type, properties }: HostEvent): void {
    const info = isMap(properties.info) ? properties.info : {};
    const session = textOf(properties.sessionID) ?? textOf(info.sessionID);
    switch (type) {
      case "session.created":
      case "session.updated":
        this.noteSession(info);
        break;
      case "session.deleted":
        if (typeof info.id === "string") this.known.delete(info.id);
        break;
      default:
        if (session !== null) noteIn(this.of(session), type, properties, info);
    }
  }

  /** What the host says of a session as a whole. */
  noteSession(info: Readonly<Record<string, unknown>>): void {
    if (typeof info.id !== "string") return;
    const known = this.of(info.id);
    if (typeof info.parentID === "string") known.parent = info.parentID;
    if (isMap(info.tokens)) known.total = tokensIn(info.tokens);
  }
}

function noteIn(
  known: Known,
  type: string,
  properties: HostEvent["properties"],
  info: Readonly<Record<string, unknown>>,
): void {
  switch (type) {
    case "message.updated":
      if (typeof info.id === "string") noteMessage(known, info.id, info);
      break;
    case "message.part.updated": {
      const { part } = properties;
      if (!isMap(part) || part.type !== "tool" || typeof part.messageID !== "string") break;
      // A tool that the service itself ran asks nothing of the host.
      if (!isMap(part.metadata) || part.metadata.providerExecuted !== true) known.calling.add(part.messageID);
      break;
    }
    case "session.status":
      known.busy = isMap(properties.status) && properties.status.type !== "idle";
      break;
    case "session.error":
      // Any other error ends its own answer, or not even that: the host makes a conversation shorter that grew too long.
      if (!isMap(properties.error) || properties.error.name !== "MessageAbortedError") break;
      known.aborted = true;
      // What waited is over with the turn, and the host says no more of it.
      known.waiting.clear();
      break;
    case "permission.asked":
    case "question.asked":
      if (typeof properties.id === "string") known.waiting.add(properties.id);
      break;
    case "permission.replied":
    case "question.replied":
    case "question.rejected":
      if (typeof properties.requestID === "string") known.waiting.delete(properties.requestID);
      break;
  }
}

function noteMessage(known: Known, id: string, info: Readonly<Record<string, unknown>>): void {
  if (info.role === "user" && !known.messages.has(id)) {
    known.messages.add(id);
    known.newest = id;
  }
  if (info.summary === true) known.summary = id;
  const total = isMap(info.tokens) ? tokensIn(info.tokens) : 0;
  if (total > 0) known.used.set(id, total);
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** @param tokens of an answer, whose sum the host tells, or of a session, where it does not */
function tokensIn(tokens: Readonly<Record<string, unknown>>): number {
  const number = (value: unknown): number =>
    typeof value === "number" && Number.isFinite(value) ? value : 0;
  if (number(tokens.total) > 0) return number(tokens.total);
  const cache = isMap(tokens.cache) ? tokens.cache : {};
  return [tokens.input, tokens.output, tokens.reasoning, cache.read, cache.write]
    .map(number)
    .reduce((sum, one) => sum + one, 0);
}
