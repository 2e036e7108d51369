/** Every command that a skill names runs with the built program, as it is written there. */

import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { COMMANDS, GLOBAL_FLAGS } from "../../components/cli/spec.ts";
import type { Before } from "../../components/evidence/types.ts";
import { PNG } from "../cli/kit.ts";
import type { Said, World } from "../helpers/world.ts";
import { commands, DOCUMENTS, inlineCode, read, section } from "./kit.ts";
import { CLAIMED, put, SHOWN_PLAN, slugWorld, TESTS, WORK, yaml } from "./stage.ts";

const PLAN = ".proofgate/plan.yaml";
const GET_GOAL = "<what get_goal said>";

/** What may be there when a command is typed. A command has to succeed at one of these, tried from the first on. */
const STAGES = ["open", "proven", "complete", "bare", "foreign"] as const;
type Stage = (typeof STAGES)[number];

/** Commands that are refused to an agent, whatever is there. */
const FOR_THE_USER: Readonly<Record<string, string>> = { "proofgate approve": "approval_not_user" };
/** Of the installer, which is a program of its own. */
const NOT_OURS = /^npx proofgate install\b/;

const named = [...new Set(DOCUMENTS.flatMap((path) => commands(read(path))))]
  .filter((c) => !NOT_OURS.test(c))
  .sort();

let world: World;
let objective = "";
let copies = 0;

beforeAll(async () => {
  world = await slugWorld();
  await world.git("switch", "-q", "-c", "work");
  mkdirSync(join(dirname(world.root), "copies"));
  put(world, { [PLAN]: SHOWN_PLAN, ...TESTS, ...WORK });
  for (const stage of STAGES) cpSync(world.root, folderOf(stage), { recursive: true });

  for (const stage of ["proven", "complete"] as const) {
    await succeeds(stage, "ulw-loop", "create-goals", "--plan", PLAN);
    objective = (await succeeds(stage, "ulw-loop", "complete-goals")).handoff.create_goal.objective;
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
  const snapshot = JSON.stringify({ goal: { objective, status: "complete" } });
  return world.sh(`cd '${folder}' && ${command.replace(GET_GOAL, snapshot).replace(/^npx /, "")}`);
}

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
      for (const stage of STAGES) {
        const said = await runAt(stage, command);
        if (said.exit === 0) return;
        tried.push(`${stage}: exit ${said.exit} ${said.err}${said.out}`);
        expect(said.err).not.toMatch(/\[usage_\w+\]/);
      }
      throw new Error(tried.join("\n"));
    }, 60_000);
});

test("skills name some thirty commands, those of the loop among them", () => {
  expect(named.length).toBeGreaterThan(25);
  const words = named.map((c) => c.replace(/^(?:proofgate|omo) (?:ulw-loop )?/, "").split(" ")[0]);
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
