/** Stages for the gate of performance goals: a program that says what it costs, so that no test depends on this machine. */

import type { Line } from "../../components/journal/types.ts";
import type { GoalEvent } from "../../components/performance-goal/events.ts";
import { performanceGoal } from "../../components/performance-goal/reduce.ts";
import { writeLedger } from "../adversarial/forge.ts";
import { must, type Outcome } from "../adversarial/play.ts";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "./host.ts";

export const costs = (value: number): string => `module.exports = ${value};\n`;
const FILES = {
  "bench.js": "console.log('METRIC cost=' + require('./cost.js'));\n",
  "cost.js": costs(100),
};
export const DIR = ".omx/goals/performance/cost";

/** Commands of an agent whose sandbox keeps it from the store outside the repository. */
export const goal = (host: Host, verb: string, ...more: string[]) =>
  host.sandboxed("performance-goal", verb, ...more);

export const create = (host: Host, ...more: string[]) =>
  goal(
    host,
    "create",
    ...(more.some((one) => one.startsWith("--slug")) ? [] : ["--slug=cost"]),
    "--objective=Make it cheaper",
    "--evaluator-command=node bench.js",
    "--evaluator-contract=a fifth less",
    ...(more.some((one) => one.startsWith("--target")) ? [] : ["--target=-20%"]),
    ...more,
  );

/** A goal that the session works on, and the host's goal for it. */
export async function begun(...more: string[]): Promise<Host> {
  const host = new Host(await makeWorld(FILES));
  await host.hook("start");
  const made = await must(create(host, ...more));
  await host.hook("post-shell");
  await must(goal(host, "start"));
  await host.create(made.json.hostObjective);
  return host;
}

export const pass = (host: Host) => goal(host, "checkpoint", "--status=pass", "--evidence=cheaper");

/** What the gate says, held against what it has to say. */
export async function asked(host: Host, why: RegExp): Promise<Outcome> {
  const said = await host.update("complete");
  if (said === null) return "accepted";
  if (!why.test(said)) throw new Error(`refused for another reason: ${said}`);
  return "refused";
}

type Written = Line<GoalEvent>;
export const readGoalLedger = (host: Host): Written[] =>
  host.world
    .read(`${DIR}/ledger.jsonl`)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Changes the whole ledger, with every hash right afterwards. */
export const forgeGoal = (
  host: Host,
  change: (lines: Written[]) => readonly Pick<Written, "at" | "by" | "cmd" | "events">[],
): void => writeLedger(host.world, performanceGoal, change(readGoalLedger(host)), DIR);

/** Lines that say what never happened, in the name of a sandboxed command. */
export function append(host: Host, ...events: GoalEvent[]): void {
  forgeGoal(host, (lines) => {
    const last = lines.at(-1);
    if (last === undefined) throw new Error("no ledger to add to");
    return [
      ...lines,
      { at: new Date().toISOString(), by: last.by, cmd: "performance-goal evaluate", events },
    ];
  });
}
