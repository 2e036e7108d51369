/** What the tests of performance-goal share: a program that says what it costs, goals on it, and what a refusal looks like. */

import { expect } from "bun:test";
import { makeWorld, type Said, type World } from "../helpers/world.ts";

/** Prints the cost that the product has, so that no verdict depends on how busy this machine is. */
const BENCH = "console.log('METRIC cost=' + require('./cost.js'));\n";
export const costs = (value: number | string): string => `module.exports = ${value};\n`;
export const FILES: Readonly<Record<string, string>> = {
  "bench.js": BENCH,
  "cost.js": costs(100),
  "README.md": "# A product\n",
};
export const FOLDER = ".omx/goals/performance";
export const LEDGER = `${FOLDER}/cheap/ledger.jsonl`;
export const STATE = `${FOLDER}/cheap/state.json`;

export const pg = (world: World, ...args: string[]): Promise<Said> => world.ask("performance-goal", ...args);
export const text = (world: World, ...args: string[]): Promise<Said> =>
  world.run(["performance-goal", ...args]);

/** A command that has to succeed. @returns its JSON answer */
export async function good(world: World, ...args: string[]): Promise<Said["json"]> {
  const said = await pg(world, ...args);
  if (said.exit !== 0 || said.json.ok !== true)
    throw new Error(`performance-goal ${args.join(" ")}: exit ${said.exit}\n${said.out}${said.err}`);
  return said.json;
}

/** `create` with what it needs; later flags may add to it. */
export const creation = (command = "node bench.js", ...flags: string[]): string[] => [
  ...["create", "--slug", "cheap", "--objective", "Make it cheaper", "--evaluator-command", command],
  ...["--evaluator-contract", "The cost falls.", ...flags],
];
export const metric = (...flags: string[]): string[] =>
  creation("node bench.js", "--metric", "cost", ...flags);

/** A repository with a goal that was started. */
export async function goalWorld(
  args: readonly string[] = metric("--target", "-20%"),
  files: Readonly<Record<string, string>> = {},
): Promise<World> {
  const world = await makeWorld({ ...FILES, ...files });
  await good(world, ...args);
  await good(world, "start");
  return world;
}

/** The gain, measured and validated; `complete` is what is left to do. */
export async function passed(world: World, cost = 70): Promise<World> {
  world.write("cost.js", costs(cost));
  await good(world, "evaluate");
  await good(world, "checkpoint", "--status", "pass", "--evidence", "a cheaper cost.js");
  return world;
}

export const hostGoal = (objective: string, status: string): string =>
  JSON.stringify({ goal: { objective, status } });

/** A refusal of `code`: one JSON object with a next step, and nothing on standard error. */
export function refused(said: Said, code: string, exit = 1): Said["json"]["error"] {
  expect({ code: said.json.error?.code, exit: said.exit, ok: said.json.ok, err: said.err }).toEqual({
    code,
    exit,
    ok: false,
    err: "",
  });
  expect(said.json.error.nextActions.length).toBeGreaterThan(0);
  return said.json.error;
}
