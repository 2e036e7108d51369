/** An agent that does what the skill performance-goal says, command by command, comes to a complete goal without a refusal. */

import { expect, test } from "bun:test";
import { commands, commandsInBlocks, read, section } from "./kit.ts";
import { GAIN, NO_GAIN, parseWorld, put, SMALL_GAIN } from "./stage.ts";

const SKILL = "performance-goal/SKILL.md";

test("the skill's commands in their order end with a gain that was measured", async () => {
  const world = await parseWorld();
  let bytes = 0;
  let count = 0;
  const does = async (command: string): Promise<string> => {
    const said = await world.sh(`export CODEX_SESSION_ID=root CODEX_THREAD_ID=root; ${command}`);
    const text = said.out + said.err;
    count++;
    bytes += Buffer.byteLength(text);
    if (said.exit !== 0) throw new Error(`${command}: exit ${said.exit}\n${text}`);
    return text;
  };
  const named = (heading: string, word: string): string => {
    const found = commands(section(SKILL, heading)).find((c) =>
      c.startsWith(`proofgate performance-goal ${word}`),
    );
    if (found === undefined) throw new Error(`${heading} names no ${word}`);
    return found;
  };

  const start = "Start, before any optimisation";
  expect(await does(named(start, "list"))).toContain("no performance goals");
  const begins = commandsInBlocks(section(SKILL, start));
  expect(begins.map((c) => c.split(" ").slice(2, 3)[0])).toEqual(["create", "evaluate", "start", "baseline"]);
  const [create = "", selfTest = "", starts = "", baseline = ""] = begins;
  const made = await does(create);
  expect(made).toContain("protected: bench/parse.js");
  expect(made).toMatch(/a verdict takes .*\d/);
  expect(made).not.toContain("note:");
  expect(await does(selfTest)).not.toContain("BAD");
  const objective = /^objective: (.*)$/m.exec(await does(starts))?.[1] ?? "";
  expect(objective).not.toBe("");
  expect(await does(baseline)).toContain("noise 0.0 %");

  const evaluate = named("Loop", "evaluate");
  const fail = named("Loop", "checkpoint --status fail");
  const revert = named("Loop", "revert");
  const before = world.read("src/parse.js");

  // What gains nothing goes back.
  put(world, NO_GAIN);
  expect(await does(evaluate)).toContain("NO CHANGE");
  await does(revert);
  await does(fail);
  expect(world.read("src/parse.js")).toBe(before);

  // What gains too little is kept, and a worse try goes back to it, not to the base.
  put(world, SMALL_GAIN);
  const small = await does(evaluate);
  expect(small).toMatch(/IMPROVED, TARGET MISSED: .*, kept/);
  put(world, NO_GAIN);
  expect(await does(evaluate)).toContain("NO CHANGE");
  await does(revert);
  expect(world.read("src/parse.js")).toBe(SMALL_GAIN["src/parse.js"] ?? "");

  put(world, GAIN);
  expect(await does(evaluate)).toContain("TARGET MET: −20%, confirmed, kept");
  await does(named("Loop", "checkpoint --status pass"));

  // update_goal and get_goal stand before the last command.
  const end = commands(section(SKILL, "The end, in this order"));
  expect(end).toHaveLength(1);
  const snapshot = JSON.stringify({ goal: { objective, status: "complete" } });
  for (const command of end)
    expect(await does(command.replace("<what get_goal said>", snapshot))).toStartWith("Complete: ");
  const board = await does(named(start, "status"));
  expect(board).toContain("complete, and it holds on the tree as it is");
  expect(board).not.toContain("STALE");

  // The text that such an agent reads, the skill included, is for models: four bytes a token.
  expect((bytes + Buffer.byteLength(read(SKILL))) / 4).toBeLessThan(4000);
  expect(count).toBeLessThan(20);
}, 120_000);
