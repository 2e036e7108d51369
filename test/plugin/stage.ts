/** Stages for the gate: a session with a plan, before and after its work. */

import { GATE, hire, must, TWO, work } from "../adversarial/play.ts";
import type { World } from "../helpers/world.ts";
import { Host } from "./host.ts";

/** The host's objective for the plan. */
export const objectiveOf = async (world: World): Promise<string> =>
  (await must(world.ask("status"))).json.objective;

/** A plan that the session works on, and the host's goal for it. */
export async function started(plan = TWO): Promise<Host> {
  const host = new Host(await hire(plan));
  await host.hook("start");
  await must(host.agent("ulw-loop", "complete-goals"));
  await host.create(await objectiveOf(host.world));
  return host;
}

/** All that was asked for, proven by the agent in the host's shell. */
export async function proven(host: Host): Promise<void> {
  work(host.world);
  await must(host.agent("prove", "--all"));
  await must(host.agent("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
}
