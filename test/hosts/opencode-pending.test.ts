/** While the real OpenCode asks its user something, the plugin sends nothing in between; with the answer the work goes on. */

import { afterAll, describe, expect } from "bun:test";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { say, sh } from "./steps.ts";
import { CREATE, FILES } from "./stories.ts";

const pendingTest = testUnless(await openCodeMissing());
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  await (await served)?.end();
});

async function session(): Promise<ServedSession> {
  served ??= servedOpenCode({
    config: { permission: { bash: { "*": "allow", "touch *": "ask" } } },
    // Only so does an answer of the root session's ever end while something waits for the user.
    env: { OPENCODE_EXPERIMENTAL_BACKGROUND_SUBAGENTS: "true" },
  });
  return (await served).open(FILES);
}

const HELD = "Not complete: 0 of 1 proven.";
const QUESTION = {
  tool: "question",
  args: {
    questions: [
      {
        question: "Plus or minus?",
        header: "Sign",
        options: [
          { label: "Plus", description: "adds" },
          { label: "Minus", description: "does not" },
        ],
      },
    ],
  },
};
const TOUCH = sh("touch there.txt && echo touched");

/** What the user is asked, and how they answer. */
const ASKED = {
  question: { step: QUESTION, event: "question.asked", reply: { answers: [["Plus"]] }, seen: "Plus" },
  permission: { step: TOUCH, event: "permission.asked", reply: { reply: "once" }, seen: "touched" },
} as const;
type Kind = keyof typeof ASKED;

const answer = (one: ServedSession, kind: Kind, id: unknown): Promise<unknown> =>
  one.call(`/${kind}/${id}/reply`, ASKED[kind].reply);

for (const kind of ["question", "permission"] as const)
  describe(`a ${kind}`, () => {
    const { step, event, seen } = ASKED[kind];

    pendingTest("waits for its answer alone, and the stop behind it is held back", async () => {
      const one = await session();
      const asked = one.told(event);
      const turn = one.prompt("fix the adder", [sh(CREATE), step, say("Enough for now.")]);
      const { properties } = await asked;
      expect(await one.quiet()).toBe(2);
      await answer(one, kind, properties.id);
      expect((await turn)[1]).toContain(seen);
      expect(heard(one.requests().slice(0, 3))).not.toContain(HELD);
      expect(heard(one.requests().slice(3, 4))).toContain(HELD);
    });

    pendingTest(
      "that the user does not answer but aborts is over: it stands in no later stop's way",
      async () => {
        const one = await session();
        const asked = one.told(event);
        const turn = one.prompt("fix the adder", [sh(CREATE), step], { broken: true });
        await asked;
        await one.call(`/session/${one.id}/abort`, {});
        await turn;
        expect(await one.quiet()).toBe(2);
        await one.prompt("what is open?", []);
        expect(heard(one.requests().slice(2, 3))).not.toContain(HELD);
        expect(heard(one.requests().slice(3, 4))).toContain(HELD);
      },
    );
  });

describe("a subagent in the background", () => {
  const MARK = "THE-BACKGROUND";
  const task = {
    tool: "task",
    args: { description: "help", prompt: MARK, subagent_type: "general", background: true },
  };

  pendingTest("that waits for the user: its root's answer may end, and goes on by the host", async () => {
    const one = await session();
    const asked = one.told("permission.asked");
    const child = { mark: MARK, steps: [TOUCH] };
    await one.prompt("fix the adder", [sh(CREATE), task, say("It works on it.")], { child, broken: true });
    const { properties } = await asked;
    await one.quiet();
    expect(one.requests().length).toBe(3);
    await answer(one, "permission", properties.id);
    await one.asked(5);
    // The host tells the agent that the task is over, and now its stop is held back.
    expect(heard(one.requests().slice(3, 4))).toContain("Background task completed");
    expect(heard(one.requests().slice(3, 4))).not.toContain(HELD);
    expect(heard(one.requests().slice(4, 5))).toContain(HELD);
  });
});
