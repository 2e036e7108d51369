/** The session's goal in the real OpenCode: what it costs, and what happens when its file is damaged. */

import { afterAll, describe, expect } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { createGoal, getGoal, sh, updateGoal } from "./steps.ts";
import { CREATE, FILES, OBJECTIVE, status } from "./stories.ts";

const goalTest = testUnless(await openCodeMissing());
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  await (await served)?.end();
});

const server = (): Promise<ServedOpenCode> => {
  served ??= servedOpenCode();
  return served;
};

/** The file in the plugin's store that speaks of the session. */
async function fileOf(kind: "goals" | "usage", one: ServedSession): Promise<string> {
  const folder = join((await server()).home.store, kind);
  const name = readdirSync(folder).find((file) => readFileSync(join(folder, file), "utf8").includes(one.id));
  if (name === undefined) throw new Error(`nothing of ${kind} is kept`);
  return join(folder, name);
}

const HOUR_MS = 3_600_000;

goalTest("what it costs in time is what was worked on it, and not the hour in which nobody did", async () => {
  const one = await (await server()).open(FILES);
  await one.prompt("do it", [sh(CREATE), createGoal(OBJECTIVE), updateGoal("paused")]);
  await one.prompt("resume", [], { command: "goal" });
  // An hour later.
  for (const kind of ["goals", "usage"] as const) {
    const file = await fileOf(kind, one);
    const earlier = (_: string, at: string) => `"at":${Number(at) - HOUR_MS}`;
    writeFileSync(file, readFileSync(file, "utf8").replace(/"at":(\d+)/, earlier));
  }
  const [goal, board] = await one.prompt("how far is it?", [getGoal, sh("proofgate status | head -1")]);
  expect(status(goal)).toBe("active");
  expect(JSON.parse(goal ?? "").goal.timeUsedSeconds).toBeLessThan(HOUR_MS / 1000);
  expect(board).toMatch(/^Fix add /);
  expect(board).not.toMatch(/\d+h\d+m/);
});

describe("a damaged one", () => {
  goalTest("is said by /goal and /cancel, which does the rest; /goal clear takes it away", async () => {
    const one = await (await server()).open(FILES);
    await one.prompt("do it", [sh(CREATE), createGoal(OBJECTIVE), updateGoal("paused")]);
    writeFileSync(await fileOf("goals", one), `{"goal":{"threadId":"${one.id}"`);
    const answer = () => heard(one.requests().slice(-1));
    for (const words of ["", "pause", "Write a poem"]) {
      await one.prompt(words, [], { command: "goal" });
      expect(answer()).toMatch(/\/goal did not work: The goal of this session is damaged: .*\/goal clear/);
    }
    await one.prompt("", [], { command: "cancel" });
    expect(answer()).toMatch(/released: plan .*Fix add.* But: The goal of this session is damaged/);
    await one.prompt("clear", [], { command: "goal" });
    expect(answer()).toContain("the goal of this session is cleared");
    const [made] = await one.prompt("a new one", [createGoal("Write"), updateGoal("blocked")]);
    expect(status(made)).toBe("active");
  });

  goalTest("leaves the chat and another session's goal alone", async () => {
    const one = await (await server()).open(FILES);
    await one.prompt("do it", [createGoal("Write"), updateGoal("paused")]);
    const other = await one.another();
    await other.prompt("do it", [createGoal("Paint"), updateGoal("paused")]);
    writeFileSync(await fileOf("goals", one), "[]");
    const [said, echoed] = await one.prompt("hello", [getGoal, sh("echo still here")]);
    expect(said).toContain("The goal of this session is damaged");
    expect(echoed).toContain("still here");
    const [kept] = await other.prompt("hello", [getGoal]);
    expect(JSON.parse(kept ?? "").goal).toMatchObject({ objective: "Paint", status: "paused" });
  });
});
