/** What the plugin brings besides the gate: `/goal`, `/cancel`, and a reviewer that it starts itself. In the real OpenCode. */

import { afterAll, describe, expect } from "bun:test";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard, refused } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { createGoal, getGoal, say, sh, updateGoal } from "./steps.ts";
import { CREATE, FILES, FINISH, OBJECTIVE, status, WORK } from "./stories.ts";

const commandTest = testUnless(await openCodeMissing());
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  await (await served)?.end();
});

async function session(more: Readonly<Record<string, string>> = {}): Promise<ServedSession> {
  served ??= servedOpenCode();
  return (await served).open({ ...FILES, ...more });
}

describe("/goal", () => {
  commandTest("sets, shows, pauses, resumes and clears; an ordinary message changes nothing", async () => {
    const one = await session();
    const [set] = await one.prompt("Write a poem", [getGoal, updateGoal("blocked")], { command: "goal" });
    expect(JSON.parse(set ?? "{}").goal).toMatchObject({ objective: "Write a poem", status: "active" });
    await one.prompt("resume", [updateGoal("blocked")], { command: "goal" });
    expect(heard(one.requests().slice(-2))).toContain(
      "The user resumed the goal. Go on with it: Write a poem",
    );
    await one.prompt("pause", [], { command: "goal" });
    const [paused] = await one.prompt("make the objective another one", [getGoal]);
    expect(JSON.parse(paused ?? "{}").goal).toMatchObject({ objective: "Write a poem", status: "paused" });
    await one.prompt("", [], { command: "goal" });
    expect(heard(one.requests().slice(-1))).toMatch(/goal \(paused, \d+ tokens, \d+ s\): Write a poem/);
    await one.prompt("clear", [], { command: "goal" });
    const [gone] = await one.prompt("and now?", [getGoal]);
    expect(status(gone)).toBe("none");
  });
});

describe("/cancel", () => {
  commandTest("releases the plan in the user's name, and nothing resumes by itself", async () => {
    const one = await session();
    await one.prompt("fix the adder", [
      sh(`${CREATE} && proofgate ulw-loop complete-goals`),
      createGoal(OBJECTIVE),
      updateGoal("paused"),
    ]);
    await one.prompt("other things first", [], { command: "cancel" });
    expect(heard(one.requests().slice(-1))).toMatch(
      /The user cancelled[\s\S]*plan \\"Fix add\\"[\s\S]*goal is paused/,
    );
    const before = one.requests().length;
    const [told] = await one.prompt("write a poem", [sh("proofgate status | head -1")]);
    expect(told).toContain("CANCELLED");
    // No stop is held back any more: one request a step, and nothing after it.
    expect(one.requests().length - before).toBe(2);
  });
});

describe("a review by construction", () => {
  const INDEPENDENT = { ".proofgate.yaml": "review: independent\n" };
  const proven = [sh(CREATE), createGoal(OBJECTIVE), sh(WORK), ...FINISH];

  commandTest("the plugin itself asks the reviewer, in a session that only reads", async () => {
    const one = await session(INDEPENDENT);
    const outputs = await one.prompt(
      "fix the adder",
      [
        ...proven,
        updateGoal("complete"),
        getGoal,
        sh("proofgate ulw-loop checkpoint --status complete --evidence done"),
      ],
      {
        child: {
          mark: "Review the work in this repository",
          steps: [say("I read src/add.js.\nVERDICT: APPROVE CLEAR")],
        },
      },
    );
    expect(status(outputs[proven.length + 1])).toBe("complete");
  });

  commandTest("a verdict that asks for changes is a refusal, and so is an answer without one", async () => {
    const one = await session(INDEPENDENT);
    const outputs = await one.prompt(
      "fix the adder",
      [...proven, updateGoal("complete"), updateGoal("paused")],
      {
        child: {
          mark: "Review the work in this repository",
          steps: [say("VERDICT: REQUEST_CHANGES src/add.js:1 is untested for negatives")],
        },
      },
    );
    expect(outputs[proven.length]).toMatch(refused);
    expect(outputs[proven.length]).toContain("review");
  });
});
