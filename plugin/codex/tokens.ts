/** Tokens as Codex itself counts them. */

import { newest } from "./transcript.ts";

/** Everything that a thread used, as of its last answer; null where the record does not say. */
export function tokensIn(record: string | null): number | null {
  const info = newest(record, "event_msg", "token_count")?.info;
  const usage = member(info, "total_token_usage");
  const tokens = member(usage, "total_tokens");
  return typeof tokens === "number" && Number.isFinite(tokens) ? tokens : null;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
