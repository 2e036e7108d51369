/** What the real OpenCode's answers end with, and what a continuation keeps of the user's choices. */

import { afterAll, describe, expect } from "bun:test";
import type { ChatTurn } from "../../scripts/host/scripted-chat.ts";
import { isObject } from "../../scripts/host/scripted-server.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { say, sh } from "./steps.ts";
import { CREATE, FILES } from "./stories.ts";

const continuationTest = testUnless(await openCodeMissing());
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  await (await served)?.end();
});

async function session(): Promise<ServedSession> {
  served ??= servedOpenCode({ config: { agent: { slow: { mode: "primary", prompt: "YOU ARE SLOW" } } } });
  return (await served).open(FILES);
}

const HELD = "Not complete: 0 of 1 proven.";
/** How often the agent was held back, as the last request of these shows. */
const held = (one: ServedSession, count?: number): number =>
  heard(one.requests().slice(0, count).slice(-1)).split(HELD).length - 1;

const turn = (make: (id: string) => ChatTurn) => ({ turn: make });
const failing = (fail: number, message: string) =>
  turn(() => ({ fail, message, headers: { "retry-after-ms": "20" } }));

continuationTest("agent, model and its variant stay what the user chose", async () => {
  const one = await session();
  const chosen = { agent: "slow", model: "thorough", variant: "deep" } as const;
  await one.prompt("fix the adder", [sh(CREATE), say("Enough for now.")], chosen);
  expect(held(one)).toBeGreaterThan(1);
  for (const request of one.requests()) {
    expect(request.body).toMatchObject({ model: "thorough", reasoning_effort: "high" });
    expect(heard([request])).toContain("YOU ARE SLOW");
  }
  // And for the user's next prompt it is still their choice.
  expect(await one.call(`/session/${one.id}`)).toMatchObject({
    agent: "slow",
    model: { id: "thorough", variant: "deep" },
  });
});

describe("an answer that", () => {
  continuationTest("calls a tool is no end, whatever it says; one cut short or empty is", async () => {
    const one = await session();
    const step = (id: string, command: string): ChatTurn => ({
      acts: [{ say: "I go on." }, { id, call: "bash", args: { command, description: "a step" } }],
      finish: "stop",
    });
    await one.prompt("fix the adder", [
      turn((id) => step(id, CREATE)),
      turn((id) => step(id, "proofgate status")),
      turn(() => ({ acts: [{ say: "This is a long" }], finish: "length" })),
      say(""),
      say("Enough for now."),
    ]);
    expect([3, 4, 5].map((count) => held(one, count))).toEqual([0, 1, 2]);
    expect(heard(one.requests().slice(-1))).toContain("This loop lets go");
  });

  continuationTest("the user did not wait for is followed by their words alone", async () => {
    const one = await session();
    const spoken = Promise.withResolvers<void>();
    const all = one.prompt("fix the adder", [
      sh(CREATE),
      turn(() => ({ acts: [{ say: "Enough for now." }], after: spoken.promise })),
      say("Two is even."),
    ]);
    await one.asked(2);
    const kept = one.told("message.updated", ({ info }) => isObject(info) && info.role === "user");
    await one.call(`/session/${one.id}/prompt_async`, { parts: [{ type: "text", text: "Is two even?" }] });
    await kept;
    spoken.resolve();
    await all;
    expect(heard(one.requests().slice(2, 3))).toContain("Is two even?");
    expect(held(one, 3)).toBe(0);
    // The answer to that is a stop like any other.
    expect(held(one, 4)).toBe(1);
  });
});

describe("an error of the service", () => {
  continuationTest("that the host gets over by itself is no end", async () => {
    const one = await session();
    await one.prompt("fix the adder", [
      sh(CREATE),
      failing(429, "Too Many Requests"),
      failing(500, "internal error"),
      say("Enough for now."),
    ]);
    expect([4, 5].map((count) => held(one, count))).toEqual([0, 1]);
  });

  continuationTest("that stays is followed by nothing, until the user speaks", async () => {
    const one = await session();
    const quota = failing(402, "insufficient_quota: you exceeded your current quota");
    await one.prompt("fix the adder", [sh(CREATE), quota], { broken: true });
    expect(await one.quiet()).toBe(2);
    // The host tries five times more.
    const down = Array.from({ length: 6 }, () => failing(503, "overloaded"));
    await one.prompt("and now?", down, { broken: true });
    expect(await one.quiet()).toBe(8);
    expect(held(one)).toBe(0);
    await one.prompt("and now?", [say("Enough for now.")]);
    expect(held(one, 10)).toBe(1);
  });

  continuationTest("in a subagent is the root's to deal with", async () => {
    const one = await session();
    const args = { description: "help", prompt: "THE-CHILD", subagent_type: "general" };
    const child = { mark: "THE-CHILD", steps: [failing(402, "insufficient_quota")] };
    const steps = [sh(CREATE), { tool: "task", args }, say("Enough for now.")];
    const outputs = await one.prompt("fix the adder", steps, { child });
    expect(outputs[1]).toContain("Subagent failed");
    expect(held(one, 4)).toBe(1);
  });
});
