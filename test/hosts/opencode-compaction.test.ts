/** When the real OpenCode makes a long conversation short: a summary is no stop, and plan, goal and next step survive it. */

import { afterAll, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelRequest } from "../../scripts/host/scripted-server.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { createGoal, getGoal, say, sh } from "./steps.ts";
import { CREATE, FILES, OBJECTIVE } from "./stories.ts";

const compactionTest = testUnless(await openCodeMissing());
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  await (await served)?.end();
});

const server = (): Promise<ServedOpenCode> => {
  served ??= servedOpenCode({ config: { agent: { slow: { mode: "primary", prompt: "YOU ARE SLOW" } } } });
  return served;
};

/** The model may read 200,000 tokens, of which it needs 8,000 to answer: beyond 192,000 the host makes it short. */
const FULL = 195_000;
const HELD = "Not complete: 0 of 1 proven.";
const STANDS = 'Proofgate: \\"Fix add\\" is open, 0 of 1 proven';

/** What the host asked for itself to make it short. */
async function summaries(one: ServedSession): Promise<readonly ModelRequest[]> {
  const asides = (await server()).asides(one.id);
  return asides.filter((request) => heard([request]).includes("context summarization"));
}

compactionTest("by the host in the middle of the work, and by the user after it", async () => {
  const one = await (await server()).open(FILES);
  const full = (id: string) => ({
    acts: [{ id, call: "bash", args: { command: "proofgate status", description: "a step" } }],
    read: FULL,
  });
  const first = await one.prompt(
    "fix the adder",
    [sh(CREATE), createGoal(OBJECTIVE), { turn: full }, getGoal, say("Enough for now.")],
    { agent: "slow" },
  );
  expect((await summaries(one)).length).toBe(1);
  // The model's own summary holds nothing of it: what stands there is ours, and no stop was held back yet.
  const [after] = one.requests().slice(3);
  expect(heard([...(after ? [after] : [])])).toContain(STANDS);
  expect(heard([...(after ? [after] : [])])).not.toContain("fix the adder");
  expect(heard([...(after ? [after] : [])])).not.toContain(HELD);
  expect(JSON.parse(first[3] ?? "").goal).toMatchObject({ objective: OBJECTIVE, status: "active" });
  expect(heard(one.requests().slice(5, 6))).toContain(HELD);
  for (const request of one.requests()) expect(heard([request])).toContain("YOU ARE SLOW");

  // The agent was let go; this change makes it due again, and the summary is not what is due.
  writeFileSync(join(one.repo, "src/add.js"), "export const add = 1;\n");
  const before = one.requests().length;
  const model = { providerID: "scripted", modelID: "scripted" };
  await one.call(`/session/${one.id}/summarize`, model);
  expect(await one.quiet()).toBe(before);
  expect((await summaries(one)).length).toBe(2);
  const second = await one.prompt("go on", [getGoal], { agent: "slow" });
  expect(heard(one.requests().slice(before, before + 1))).toContain(STANDS);
  expect(JSON.parse(second[0] ?? "").goal.objective).toBe(OBJECTIVE);
  expect(heard(one.requests().slice(before + 2, before + 3))).toContain(HELD);
});

compactionTest("after an answer that ended the turn: the agent goes on once", async () => {
  const one = await (await server()).open(FILES);
  await one.prompt("fix the adder", [
    sh(CREATE),
    { turn: () => ({ acts: [{ say: "Enough for now." }], read: FULL }) },
    sh("proofgate status"),
  ]);
  expect((await summaries(one)).length).toBe(1);
  const [next] = one.requests().slice(2);
  expect(heard(next === undefined ? [] : [next])).toContain(STANDS);
  // Held once then, and twice more before it is let go.
  expect(heard(one.requests().slice(-1)).split(HELD).length - 1).toBeLessThanOrEqual(3);
});

compactionTest("because the service took no more: that was no end of the user's work", async () => {
  const one = await (await server()).open(FILES);
  const message = "This model's maximum context length is 200000 tokens, and you sent more.";
  await one.prompt("fix the adder", [sh(CREATE), { turn: () => ({ fail: 400, message }) }, getGoal]);
  expect((await summaries(one)).length).toBe(1);
  expect(heard(one.requests().slice(2, 3))).toContain(STANDS);
  expect(heard(one.requests().slice(4, 5))).toContain(HELD);
});
