/** An agent that does what the skill ulw-loop says, command by command, comes to a complete plan without a refusal. */

import { expect, test } from "bun:test";
import { parse } from "yaml";
import { commands, commandsInBlocks, read, section } from "./kit.ts";
import {
  ACCENTS,
  ACCENTS_TEST,
  ACCENTS_WORK,
  put,
  SHOWN_PLAN,
  slugWorld,
  TESTS,
  WORK,
  yaml,
} from "./stage.ts";

const SKILL = "ulw-loop/SKILL.md";

test("the skill's commands in their order end with everything proven", async () => {
  const world = await slugWorld();
  const env = { CODEX_SESSION_ID: "root-session", CODEX_THREAD_ID: "root-session" };
  let bytes = 0;
  let count = 0;
  const does = async (command: string, exit = 0): Promise<string> => {
    const marks = Object.entries(env)
      .map(([name, value]) => `export ${name}=${value}; `)
      .join("");
    const said = await world.sh(marks + command);
    const text = said.out + said.err;
    count++;
    bytes += Buffer.byteLength(text);
    if (said.exit !== exit) throw new Error(`${command}: exit ${said.exit}\n${text}`);
    return text;
  };

  // Start: nothing is there, so the plan is drafted: the one shown, and a goal more.
  expect(commands(section(SKILL, "Start, before any edit"))).toContain("proofgate next");
  expect(await does("proofgate next", 1)).toContain("[no_plan]");
  const shown: { goals: unknown[] } = parse(SHOWN_PLAN);
  world.write(".proofgate/plan.yaml", yaml({ ...shown, goals: [...shown.goals, ACCENTS] }));
  let handoff = "";
  for (const command of commandsInBlocks(section(SKILL, "Start, before any edit")))
    handoff = await does(command);
  const objective = /^objective: (.*)$/m.exec(handoff)?.[1] ?? "";
  expect(objective).not.toBe("");

  const work = commandsInBlocks(section(SKILL, "Work"));
  expect(work.map((c) => c.split(" --evidence")[0])).toEqual([
    "proofgate prove --before",
    "proofgate prove --try",
    "proofgate prove",
    "proofgate checkpoint --status complete",
  ]);
  const [before = "", tries = "", proves = "", closes = ""] = work;

  // The first goal.
  put(world, TESTS);
  const seen = await does(before);
  expect(seen).toMatch(/C001\s+red/);
  expect(seen).toMatch(/C002\s+red/);
  expect(seen).toMatch(/C003\s+pinned/);
  await does(tries, 1);
  put(world, WORK);
  await does(tries);
  await does(proves);
  await does(closes);

  // The last one: the same, and at its checkpoint the end.
  await does("proofgate next");
  await does("proofgate ulw-loop complete-goals");
  put(world, ACCENTS_TEST);
  expect(await does(before)).toMatch(/C001\s+red/);
  put(world, ACCENTS_WORK);
  await does(proves);

  const end = commands(section(SKILL, "The end, in this order"));
  expect(end.map((c) => c.split(" --")[0])).toEqual([
    "proofgate prove",
    "proofgate ulw-loop record-quality-gate",
    "proofgate checkpoint",
    "proofgate check",
  ]);
  // update_goal and get_goal stand between the gate and the last checkpoint.
  const snapshot = JSON.stringify({ goal: { objective, status: "complete" } });
  let last = "";
  for (const command of end) last = await does(command.replace("<what get_goal said>", snapshot));
  expect(last).toContain("ok: 4 criteria proven");
  expect(await does("proofgate check")).toContain("2 goals complete");

  // The text that such an agent reads, the skill and its references included, is for models: four bytes a token.
  expect((bytes + Buffer.byteLength(read(SKILL))) / 4).toBeLessThan(6000);
  expect(count).toBeLessThan(24);
}, 60_000);
