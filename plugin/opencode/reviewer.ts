/** An independent review by construction: the plugin itself has the reviewer look, in a session of its own that may only read. */

import type { SessionStore } from "../../components/witness/sessions.ts";
import { REVIEWER } from "../../hooks/verdict.ts";
import type { Payload } from "../common/call.ts";
import { keepVerdict, reviewBegins } from "../common/review.ts";
import { isMap, type PluginInput } from "./api.ts";
import { OWN_REVIEWER } from "./names.ts";

/** The task holds no word of what the answer should be: a verdict that was told does not count. */
const TASK =
  "Review the work in this repository: everything that changed since its base, untracked files included. Follow your instructions, and end with your verdict line.";

/** A review reads a whole change; after this long it is given up. Milliseconds. */
const LIMIT_MS = 30 * 60_000;

/**
 * Asks the reviewer about the present tree and keeps what it says.
 * @returns why there was no review; null when there was one, whatever it said
 */
export async function review(
  client: PluginInput["client"],
  payload: Payload,
  store: SessionStore,
): Promise<string | null> {
  const made = await client.session.create({
    body: { parentID: payload.session, title: "independent review" },
  });
  const id = isMap(made.data) ? made.data.id : undefined;
  if (typeof id !== "string") return "the host made no session for it";
  const call: Payload = { ...payload, agent: id, role: REVIEWER, prompt: TASK };
  await reviewBegins(call, store);
  const late = Promise.withResolvers<null>();
  const clock = setTimeout(() => late.resolve(null), LIMIT_MS);
  try {
    const body = { agent: OWN_REVIEWER, parts: [{ type: "text" as const, text: TASK, synthetic: true }] };
    const answer = await Promise.race([client.session.prompt({ path: { id }, body }), late.promise]);
    if (answer === null) {
      await client.session.abort({ path: { id } });
      return `it took longer than ${LIMIT_MS / 60_000} minutes`;
    }
    const parts = isMap(answer.data) && Array.isArray(answer.data.parts) ? answer.data.parts : [];
    const text = parts
      .flatMap((part) => (isMap(part) && part.type === "text" ? [String(part.text)] : []))
      .join("\n");
    if (text === "") return "the reviewer gave no answer";
    await keepVerdict({ ...call, lastMessage: text }, store);
    return null;
  } finally {
    clearTimeout(clock);
  }
}
