/** What the plugin for OpenCode makes of the host's events, where their order or their lack matters. */

import { expect, test } from "bun:test";
import { Sessions } from "../../plugin/opencode/sessions.ts";

function told(
  ...events: readonly (readonly [type: string, properties: Record<string, unknown>])[]
): Sessions {
  const sessions = new Sessions();
  for (const [type, properties] of events) sessions.note({ type, properties });
  return sessions;
}

const ROOT = ["session.created", { info: { id: "root" } }] as const;
const CHILD = ["session.created", { info: { id: "child", parentID: "root" } }] as const;
const asked = (sessionID: string, id: string) => ["permission.asked", { sessionID, id }] as const;
const message = (sessionID: string, info: Record<string, unknown>) =>
  ["message.updated", { sessionID, info: { sessionID, ...info } }] as const;

test("of two permissions that are asked for, an answer to one leaves the other waiting", () => {
  const sessions = told(ROOT, asked("root", "p1"), asked("root", "p2"));
  sessions.note({ type: "permission.replied", properties: { sessionID: "root", requestID: "p1" } });
  expect(sessions.waits("root")).toBe(true);
  sessions.note({ type: "permission.replied", properties: { sessionID: "root", requestID: "p2" } });
  expect(sessions.waits("root")).toBe(false);
});

test("a subagent's question holds its root, and another root does not wait for it", () => {
  const sessions = told(ROOT, CHILD, ["session.created", { info: { id: "other" } }], asked("child", "p1"));
  expect([sessions.waits("root"), sessions.waits("other")]).toEqual([true, false]);
});

test("an abort ends what waited; an error of the service ends nothing that waits", () => {
  const failed = (name: string) => ["session.error", { sessionID: "root", error: { name } }] as const;
  const sessions = told(ROOT, asked("root", "p1"), failed("APIError"), failed("ContextOverflowError"));
  expect([sessions.waits("root"), sessions.of("root").aborted]).toEqual([true, false]);
  sessions.note({ type: failed("MessageAbortedError")[0], properties: failed("MessageAbortedError")[1] });
  expect([sessions.waits("root"), sessions.of("root").aborted]).toEqual([false, true]);
});

test("tokens are the whole session's, from before this process and from answers that no sum holds yet", () => {
  expect(told(ROOT).tokens("root")).toBeNull();
  const sum = { input: 90, output: 8, reasoning: 1, cache: { read: 1, write: 0 } };
  const sessions = told(["session.updated", { info: { id: "root", tokens: sum } }]);
  expect(sessions.tokens("root")).toBe(100);
  sessions.note({
    type: "message.updated",
    properties: message("root", { id: "m", tokens: { total: 30 } })[1],
  });
  expect(sessions.tokens("root")).toBe(100);
  sessions.note({
    type: "message.updated",
    properties: message("root", { id: "n", tokens: { total: 90 } })[1],
  });
  expect(sessions.tokens("root")).toBe(120);
});

test("an answer is the last one unless it calls a tool of the host's, or the user said more", () => {
  const tool = (messageID: string, metadata = {}) =>
    ["message.part.updated", { sessionID: "root", part: { type: "tool", messageID, metadata } }] as const;
  const sessions = told(
    ROOT,
    message("root", { id: "u1", role: "user" }),
    tool("a1"),
    tool("a2", { providerExecuted: true }),
  );
  const last = (answer: string, answered: string) => sessions.isLast("root", answer, answered);
  expect([last("a1", "u1"), last("a2", "u1")]).toEqual([false, true]);
  sessions.note({ type: "message.updated", properties: message("root", { id: "u2", role: "user" })[1] });
  // What is told anew of an older one makes it no newer.
  sessions.note({ type: "message.updated", properties: message("root", { id: "u1", role: "user" })[1] });
  expect([last("a2", "u1"), last("a3", "u2")]).toEqual([false, true]);
});
