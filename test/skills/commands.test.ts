/** Every command that a skill names runs with the built program, as it is written there. */

import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { COMMANDS, GLOBAL_FLAGS } from "../../components/cli/spec.ts";
import type { Before } from "../../components/evidence/types.ts";
import type { TargetFinding } from "../../components/measure/target.ts";
import type { Evaluation } from "../../components/performance-goal/model.ts";
import { PNG } from "../cli/kit.ts";
import type { Said, World } from "../helpers/world.ts";
import { commands, commandsInBlocks, DOCUMENTS, inlineCode, read, section } from "./kit.ts";
import {
  CLAIMED,
  GAIN,
  parseWorld,
  put,
  SHOWN_PLAN,
  SMALL_GAIN,
  slugWorld,
  TESTS,
  WORK,
  yaml,
} from "./stage.ts";

const PLAN = ".proofgate/plan.yaml";
const GET_GOAL = "<what get_goal said>";
/** The contract as the skill shows it. */
const CREATE = commandsInBlocks(read("performance-goal/SKILL.md"))[0] ?? "";

/** What may be there when a command is typed. A command has to succeed at one of these, tried from the first on. */
const STAGES = {
  "ulw-loop": ["open", "proven", "complete", "bare", "foreign"],
  "performance-goal": ["before", "started", "passed"],
} as const;
type Workflow = keyof typeof STAGES;
type Stage = (typeof STAGES)[Workflow][number];

const workflowOf = (command: string): Workflow =>
  /^(?:proofgate|omx) performance-goal /.test(command) ? "performance-goal" : "ulw-loop";

/** Commands that are refused to an agent, whatever is there. */
const FOR_THE_USER: Readonly<Record<string, string>> = { "proofgate approve": "approval_not_user" };
/** Of the installer, which is a program of its own. */
const NOT_OURS = /^npx proofgate install\b/;

const named = [...new Set(DOCUMENTS.flatMap((path) => commands(read(path))))]
  .filter((c) => !NOT_OURS.test(c))
  .sort();

let world: World;
/** The hosts' goals at the ends. */
const objectives = { "ulw-loop": "", "performance-goal": "" };
let copies = 0;

beforeAll(async () => {
  world = await slugWorld();
  await world.git("switch", "-q", "-c", "work");
  mkdirSync(join(dirname(world.root), "copies"));
  put(world, { [PLAN]: SHOWN_PLAN, ...TESTS, ...WORK });
  for (const stage of STAGES["ulw-loop"]) cpSync(world.root, folderOf(stage), { recursive: true });

  for (const stage of ["proven", "complete"] as const) {
    await succeeds(stage, "ulw-loop", "create-goals", "--plan", PLAN);
    objectives["ulw-loop"] = (
      await succeeds(stage, "ulw-loop", "complete-goals")
    ).handoff.create_goal.objective;
    await succeeds(stage, "prove");
    await succeeds(
      stage,
      ...["ulw-loop", "record-quality-gate", "--recommendation", "APPROVE", "--architect-status", "CLEAR"],
      ...["--review", "read the whole diff", "--cleaner", "nothing to take out"],
    );
  }
  await succeeds("complete", "checkpoint", "--status", "complete", "--evidence", "all goals proven");

  // The third criterion is one for a browser, and its artifact is newer than the goal's start.
  const shown: { goals: { criteria: unknown[] }[] } = parse(SHOWN_PLAN);
  const first = shown.goals[0];
  if (first === undefined) throw new Error("the skill's plan has no goal");
  const criteria = [...first.criteria.slice(0, 2), CLAIMED];
  const open = {
    ...shown,
    goals: [{ ...first, criteria, without: { regression: "the next goal has it" } }, first],
  };
  writeFileSync(join(folderOf("open"), PLAN), yaml(open));
  await succeeds("open", "ulw-loop", "create-goals", "--plan", PLAN);
  await succeeds("open", "ulw-loop", "complete-goals");
  mkdirSync(join(folderOf("open"), "shots"));
  writeFileSync(join(folderOf("open"), "shots/admin.png"), PNG);

  const theirs = { id: "G001", title: "Slugs", objective: "Slugs", status: "pending", successCriteria: [] };
  mkdirSync(join(folderOf("foreign"), ".omo/ulw-loop"), { recursive: true });
  writeFileSync(join(folderOf("foreign"), ".omo/ulw-loop/goals.json"), JSON.stringify({ goals: [theirs] }));

  const parser = await parseWorld();
  for (const stage of STAGES["performance-goal"]) cpSync(parser.root, folderOf(stage), { recursive: true });
  for (const stage of ["started", "passed"] as const) {
    await shell(folderOf(stage), CREATE);
    const { handoff } = await succeeds(stage, "performance-goal", "start");
    objectives["performance-goal"] = handoff.create_goal.objective;
    put({ write: writer(folderOf(stage)) }, stage === "started" ? SMALL_GAIN : GAIN);
  }
  await succeeds("passed", "performance-goal", "checkpoint", "--status", "pass", "--evidence", "one scan");
}, 60_000);

const folderOf = (stage: Stage): string => join(dirname(world.root), stage);

async function succeeds(stage: Stage, ...args: string[]): Promise<Said["json"]> {
  const said = await world.run(args, { cwd: folderOf(stage), json: true });
  if (said.exit !== 0) throw new Error(`${stage}: proofgate ${args.join(" ")}: ${said.out}${said.err}`);
  return said.json;
}

async function runAt(stage: Stage, command: string): Promise<Said> {
  const folder = join(dirname(world.root), "copies", String(++copies));
  cpSync(folderOf(stage), folder, { recursive: true });
  const objective = objectives[workflowOf(command)];
  const snapshot = JSON.stringify({ goal: { objective, status: "complete" } });
  return shell(folder, command.replace(GET_GOAL, snapshot).replace(/^npx /, ""));
}

const shell = (folder: string, command: string): Promise<Said> => world.sh(`cd '${folder}' && ${command}`);

const writer =
  (folder: string): World["write"] =>
  (path, content) =>
    writeFileSync(join(folder, path), content);

describe("every command of every skill", () => {
  for (const command of named)
    test(command, async () => {
      const refused = FOR_THE_USER[command];
      if (refused !== undefined) {
        const said = await runAt("open", command);
        expect(said.err).toContain(`[${refused}]`);
        return;
      }
      const tried: string[] = [];
      for (const stage of STAGES[workflowOf(command)]) {
        const said = await runAt(stage, command);
        if (said.exit === 0) return;
        tried.push(`${stage}: exit ${said.exit} ${said.err}${said.out}`);
        expect(said.err).not.toMatch(/\[usage_\w+\]/);
      }
      throw new Error(tried.join("\n"));
    }, 60_000);
});

test("skills name some fifty commands, those of both loops among them", () => {
  expect(named.length).toBeGreaterThan(45);
  const words = named.map((c) =>
    c
      .replace(/^(?:proofgate|om[ox]) (?:ulw-loop )?/, "")
      .split(" ")
      .slice(0, workflowOf(c) === "ulw-loop" ? 1 : 2)
      .join(" "),
  );
  // Every command of the second workflow is there for somebody who works on a goal.
  for (const { name } of COMMANDS.filter((one) => workflowOf(`proofgate ${one.name}`) === "performance-goal"))
    expect(words).toContain(name);
  for (const word of [
    "next",
    "create-goals",
    "complete-goals",
    "prove",
    "checkpoint",
    "record-quality-gate",
    "check",
    "cancel",
  ])
    expect(words).toContain(word);
});

test("every flag that is named beside a command belongs to the program", () => {
  const flags = new Set([...COMMANDS.flatMap((c) => Object.keys(c.flags)), ...Object.keys(GLOBAL_FLAGS)]);
  const unknown = DOCUMENTS.flatMap((path) =>
    inlineCode(read(path))
      .filter((code) => code.startsWith("--"))
      .flatMap((code) => [...code.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map((m) => m[1] ?? ""))
      .filter((flag) => !flags.has(flag))
      .map((flag) => `${path}: --${flag}`),
  );
  expect(unknown).toEqual([]);
});

test("every kind of steering is explained, with flags that steer takes", () => {
  const steer = COMMANDS.find((c) => c.name === "ulw-loop steer");
  const kinds = (steer?.flags.kind?.help ?? "").split(" ");
  const rows = [...read("ulw-loop/references/transitions.md").matchAll(/^\| `(\w+)` \|[^|]*\|([^|]*)\|$/gm)];
  expect(rows.map((row) => row[1] ?? "").sort()).toEqual([...kinds].sort());
  const flags = rows.flatMap((row) => [...(row[2] ?? "").matchAll(/--([a-z-]+)/g)].map((m) => m[1] ?? ""));
  expect(flags.filter((flag) => !Object.hasOwn(steer?.flags ?? {}, flag))).toEqual([]);
});

test("every verdict of an evaluation is explained", () => {
  const words: Record<Exclude<Evaluation["word"], "holds" | "fails">, string> = {
    improved: "TARGET MET, confirmed",
    regressed: "REGRESSED",
    same: "NO CHANGE",
    inconclusive: "INCONCLUSIVE",
    invalid: "INVALID",
  };
  const targets: Record<TargetFinding, string> = {
    met: "TARGET MET",
    missed: "TARGET MISSED",
    open: "TARGET OPEN",
  };
  const rows = [...section("performance-goal/SKILL.md", "Loop").matchAll(/^\| ([A-Z][^|]*) \| .+ \|$/gm)];
  const explained = rows.map((row) => row[1] ?? "").join("\n");
  for (const word of [...Object.values(words), ...Object.values(targets), "NOT CONFIRMED"])
    expect(explained).toContain(word);
});

test("every word that prove --before prints is explained", () => {
  const words: Record<Before["outcome"], string> = {
    red: "red",
    pinned: "pinned",
    own_script: "own script",
    not_run: "not run",
    no_base: "no base",
    unclear: "unclear",
    hollowed: "hollowed",
  };
  const rows = [
    ...section("ulw-loop/references/plan.md", "What the base says").matchAll(/^\| ([a-z ]+) \| .+ \|$/gm),
  ];
  expect(rows.map((row) => row[1] ?? "").sort()).toEqual(Object.values(words).sort());
});
