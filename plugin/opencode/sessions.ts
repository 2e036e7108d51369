/** What the host's events told of its sessions: whose child one is, what it used, how its last turn ended. */

import { type HostEvent, isMap, type Model } from "./api.ts";

interface Known {
  /** Null for a root session. */
  parent: string | null;
  /** Tokens of each answer, by message. */
  readonly used: Map<string, number>;
  /** Agent and model of the last user message, which a continuation has to keep. */
  agent: string | null;
  model: Model | null;
  /** A question or a permission waits for the user. */
  readonly waiting: Set<string>;
  aborted: boolean;
}

export class Sessions {
  private readonly known = new Map<string, Known>();

  of(session: string): Known {
    let found = this.known.get(session);
    if (found === undefined) {
      found = { parent: null, used: new Map(), agent: null, model: null, waiting: new Set(), aborted: false };
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

  tokens(session: string): number | null {
    const { used } = this.of(session);
    return used.size === 0 ? null : [...used.values()].reduce((sum, one) => sum + one, 0);
  }

  note({ type, properties }: HostEvent): void {
    const info = isMap(properties.info) ? properties.info : {};
    const session =
      typeof properties.sessionID === "string"
        ? properties.sessionID
        : typeof info.sessionID === "string"
          ? info.sessionID
          : "";
    switch (type) {
      case "session.created":
      case "session.updated":
        if (typeof info.id === "string" && typeof info.parentID === "string")
          this.of(info.id).parent = info.parentID;
        break;
      case "message.updated": {
        const total = isMap(info.tokens) ? tokensIn(info.tokens) : 0;
        if (session !== "" && typeof info.id === "string" && total > 0)
          this.of(session).used.set(info.id, total);
        break;
      }
      case "session.error":
        if (session !== "") this.of(session).aborted = true;
        break;
      case "permission.asked":
      case "question.asked":
        if (session !== "" && typeof properties.id === "string") this.of(session).waiting.add(properties.id);
        break;
      case "permission.replied":
      case "question.replied":
      case "question.rejected":
        this.of(session).waiting.clear();
        break;
      case "session.deleted":
        if (typeof info.id === "string") this.known.delete(info.id);
        break;
    }
  }
}

function tokensIn(tokens: Readonly<Record<string, unknown>>): number {
  const number = (value: unknown): number =>
    typeof value === "number" && Number.isFinite(value) ? value : 0;
  if (number(tokens.total) > 0) return number(tokens.total);
  return number(tokens.input) + number(tokens.output) + number(tokens.reasoning);
}
