/** Where the real OpenCode's agent is let go: the work stands still, brings no proof, or has cost enough. One line tells the user. */

import { afterAll, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { getGoal, sh } from "./steps.ts";
import { CREATE, FILES, status } from "./stories.ts";

const limitTest = testUnless(await openCodeMissing());
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  await (await served)?.end();
});

async function session(budget?: string): Promise<ServedSession> {
  served ??= servedOpenCode();
  const config = budget === undefined ? "{}" : `budget: { ${budget} }`;
  return (await served).open({ ...FILES, ".proofgate.yaml": `${config}\n` });
}

/** Lines that the user was shown. */
const toasts = (one: ServedSession): readonly unknown[] =>
  one.events().flatMap(({ type, properties }) => (type === "tui.toast.show" ? [properties.message] : []));

/** Stops, each after an edit of a file. @param read tokens that the model read for it, as it says */
const edits = (one: ServedSession, count: number, read?: number) =>
  Array.from({ length: count }, (_, n) => () => {
    writeFileSync(join(one.repo, "src/add.js"), `export const add = ${n};\n`);
    return { turn: () => ({ acts: [{ say: "Still at it." }], ...(read === undefined ? {} : { read }) }) };
  });

async function isLetGo(one: ServedSession, turns: number, why: string): Promise<void> {
  const [goingOn = "", letGo = ""] = [turns - 1, turns].map((n) => heard(one.requests().slice(n - 1, n)));
  expect(goingOn).not.toContain("This loop lets go");
  expect(letGo).toContain(`This loop lets go: ${why}.`);
  // The agent answers that, and nothing follows.
  expect(await one.quiet()).toBe(turns);
  expect(toasts(one)).toEqual([expect.stringContaining(`NOT complete: 0 of 1 proven · ${why} · next: `)]);
}

limitTest("two stops that changed nothing", async () => {
  const one = await session();
  await one.prompt("fix the adder", [sh(CREATE)]);
  await isLetGo(one, 5, "2 stops changed nothing");
});

limitTest("eight stops without a new proof, however much was edited", async () => {
  const one = await session();
  await one.prompt("fix the adder", [sh(CREATE), ...edits(one, 9)]);
  await isLetGo(one, 11, "8 stops without a new proof");
});

limitTest("the budget of turns, which the user's next word opens anew", async () => {
  const one = await session("turns: 2");
  await one.prompt("fix the adder", [sh(CREATE), ...edits(one, 3)]);
  await isLetGo(one, 5, "the budget of 2 turns is spent");
  const before = one.requests().length;
  await one.prompt("go on", edits(one, 3));
  expect(heard(one.requests().slice(before + 1, before + 2))).toContain("Go on. Next:");
  expect(one.requests().length - before).toBe(4);
  expect(toasts(one).length).toBe(2);
});

limitTest("the budget of tokens, as the host counts them", async () => {
  const one = await session("tokens: 5000");
  // What an answer took is known when it is over: the third stop sees what two of them took.
  await one.prompt("fix the adder", [sh(CREATE), ...edits(one, 3, 3000)]);
  await isLetGo(one, 5, "the budget of 5000 tokens is spent");
});

limitTest("a goal's own budget, across the host's sudden end", async () => {
  const one = await session();
  const create = { tool: "create_goal", args: { objective: "Write", token_budget: 50_000 } };
  const costly = (id: string) => ({
    acts: [{ id, call: "bash", args: { command: "echo step", description: "a step" } }],
    read: 30_000,
  });
  const first = one.prompt("do it", [create, { turn: costly }, { turn: () => ({ hang: "I think" }) }]);
  await one.asked(3);
  await Promise.all([(await served)?.restart(), expect(first).rejects.toThrow()]);
  const [kept] = await one.prompt("go on", [getGoal, { turn: costly }]);
  const { goal, remainingTokens } = JSON.parse(kept ?? "");
  expect(goal).toMatchObject({ objective: "Write", status: "active", tokenBudget: 50_000 });
  expect(goal.tokensUsed).toBeGreaterThanOrEqual(30_000);
  expect(remainingTokens).toBe(50_000 - goal.tokensUsed);
  // The second costly step is the last one that it pays for.
  expect(await one.quiet()).toBe(6);
  expect(toasts(one)).toEqual([
    expect.stringContaining("NOT complete: the goal's budget of 50000 tokens is spent"),
  ]);
  const [over] = await one.prompt("and?", [getGoal]);
  expect(status(over)).toBe("budgetLimited");
});
