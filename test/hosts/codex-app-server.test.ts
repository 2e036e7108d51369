/** The gate where other programs run Codex: over JSON-RPC, with trusted hooks, turns that the host begins itself, and compaction. */

import { afterAll, describe, expect } from "bun:test";
import type { ModelRequest } from "../../scripts/host/scripted-model.ts";
import { type AppThread, startThread } from "./app-thread.ts";
import { sandboxMissing } from "./codex.ts";
import { createGoal, getGoal, installed, say, sh, trustPlugin, updateGoal } from "./gated.ts";
import { testUnless } from "./host-test.ts";
import { CHECKPOINT, CREATE, denied, FILES, FINISH, OBJECTIVE, staircase, status, WORK } from "./stories.ts";

const takeUp = createGoal(OBJECTIVE);
const complete = updateGoal("complete");

const serverTest = testUnless(await sandboxMissing());
const made: { end(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of made.toReversed()) await one.end();
});

/** A thread whose hooks the host trusts: it has no flag to do without. */
async function threadIn(
  files: Readonly<Record<string, string>>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<AppThread> {
  const codex = await installed(files);
  made.push({ end: codex.remove });
  await trustPlugin(codex);
  const thread = await startThread(codex, config);
  made.push(thread);
  return thread;
}

/** A hook that fails lets everything pass. */
const failed = (thread: AppThread): unknown[] => thread.hooks().filter((run) => run.status === "failed");

/** What the hook at a session's start told the model, each text once, in order of the requests that have it. */
function told(requests: readonly ModelRequest[]): string[] {
  const texts = requests
    .flatMap((one) => (Array.isArray(one.body.input) ? one.body.input : []))
    .filter((item) => item.role === "developer")
    .flatMap((item) => item.content)
    .map((part) => String(part.text))
    .filter((text) => text.startsWith("Proofgate: "));
  return [...new Set(texts)];
}

describe("a goal that the host goes on with by itself", () => {
  serverTest(
    "is refused before the proof, and the turns end when it is complete",
    async () => {
      const thread = await threadIn(FILES);
      const outputs = await thread.prompt("fix it", [
        sh(CREATE),
        takeUp,
        complete,
        getGoal,
        say("enough for now"),
        complete,
        say("and again"),
        sh(WORK),
        ...FINISH,
        complete,
        getGoal,
        CHECKPOINT,
      ]);
      expect(outputs[0]).toContain("gate armed");
      expect(outputs[2]).toMatch(denied);
      expect(status(outputs[3])).toBe("active");
      expect(outputs[5]).toMatch(denied);
      expect(status(outputs[11])).toBe("complete");
      expect(outputs[12]).toContain("ok: 1 criterion proven");
      expect(await thread.goal()).toBe("complete");
      // The user's turn, and two that the host began: no stop was held back besides, and none came after the end.
      expect(thread.turns()).toBe(3);
      expect(thread.requests().length).toBe(outputs.length + 1);
      const refusals = thread.hooks().filter((run) => run.status === "blocked");
      expect(refusals.map((run) => run.eventName)).toEqual(["preToolUse", "preToolUse"]);
      expect(failed(thread)).toEqual([]);
    },
    240_000,
  );

  serverTest(
    "may always be said to be blocked, which ends the turns as well",
    async () => {
      const thread = await threadIn(FILES);
      const outputs = await thread.prompt("fix it", [
        sh(CREATE),
        takeUp,
        complete,
        say("enough for now"),
        updateGoal("blocked"),
        getGoal,
      ]);
      expect(outputs[2]).toMatch(denied);
      expect(status(outputs[5])).toBe("blocked");
      expect(await thread.goal()).toBe("blocked");
      expect(thread.turns()).toBe(2);
      expect(failed(thread)).toEqual([]);
    },
    240_000,
  );
});

describe("a compaction in the middle of a plan", () => {
  const stairs = staircase(3);
  const rest = [...stairs.climb(2, 3), ...stairs.finish, complete, getGoal, stairs.checkpoint];

  /** The plan after its first step, in few words. */
  function expectStanding(texts: readonly string[]): void {
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/"3 steps\." is open, 1 of 3 proven\.\nG002 [\s\S]*\nnext: proofgate /);
    expect(Buffer.byteLength(texts[0] ?? "")).toBeLessThanOrEqual(600);
  }

  serverTest(
    "by the user: the model is told each time where the plan stands, and the gate refuses as before",
    async () => {
      const thread = await threadIn(stairs.files);
      const first = await thread.prompt("climb", [
        stairs.create,
        takeUp,
        ...stairs.climb(1, 1),
        updateGoal("paused"),
      ]);
      expect(first[2]).toContain("G001 complete");
      expect(told(thread.requests())).toEqual([]);
      // The second time nothing has moved: only because it was compacted is the model told the same again.
      for (const round of [1, 2]) {
        await thread.compact();
        expect(thread.compactions()).toBe(round);
        const from = thread.requests().length;
        const [tried] = await thread.prompt("go on", [complete]);
        expect(tried).toMatch(denied);
        expectStanding(told(thread.requests().slice(from)));
        expect(await thread.goal()).toBe("paused");
      }
      const last = await thread.prompt("and to the top", rest);
      expect(status(last[5])).toBe("complete");
      expect(last[6]).toContain("ok: 3 criteria proven");
      expect(await thread.goal()).toBe("complete");
      expect(failed(thread)).toEqual([]);
    },
    240_000,
  );

  serverTest(
    "by the host, in the middle of a turn of an active goal",
    async () => {
      const thread = await threadIn(stairs.files, { model_auto_compact_token_limit: 16_000 });
      const outputs = await thread.prompt("climb", [
        stairs.create,
        takeUp,
        ...stairs.climb(1, 1),
        // More than the host lets a conversation grow to.
        sh("seq 1 20000"),
        complete,
        getGoal,
        ...rest,
      ]);
      expect(thread.compactions()).toBe(1);
      expect(outputs[4]).toMatch(denied);
      expect(status(outputs[5])).toBe("active");
      expectStanding(told(thread.requests()));
      expect(status(outputs[11])).toBe("complete");
      expect(outputs[12]).toContain("ok: 3 criteria proven");
      expect(await thread.goal()).toBe("complete");
      expect(thread.turns()).toBe(1);
      expect(thread.requests().length).toBe(outputs.length + 1);
      expect(failed(thread)).toEqual([]);
    },
    240_000,
  );
});
