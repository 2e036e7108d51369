/** The stage for an agent whose commands all run in a sandbox, and that writes ledger lines itself. */

import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "../plugin/host.ts";
import { objectiveOf } from "../plugin/stage.ts";
import { forge } from "./forge.ts";
import { BASE, GATE, must, type Outcome, TWO } from "./play.ts";

/**
 * A session whose commands all run in the sandbox, with a plan and the host's goal for it.
 * @param objective of the host's goal; by default the plan's
 */
export async function begun(
  plan = TWO,
  files: Readonly<Record<string, string>> = BASE,
  objective?: string,
): Promise<Host> {
  const host = new Host(await makeWorld(files));
  await host.hook("start");
  host.world.write(".proofgate/plan.yaml", plan);
  await must(host.sandboxed("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  await host.create(objective ?? (await objectiveOf(host.world)));
  return host;
}

export async function prove(host: Host): Promise<void> {
  await must(host.sandboxed("prove", "--all"));
  await must(host.sandboxed("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
  await host.hook("post-shell");
}

/** @param why what the refusal has to say: a broken stage is refused as well, for other reasons */
export const asked = async (host: Host, why: RegExp): Promise<Outcome> => {
  await host.hook("post-shell");
  const reason = await host.update("complete");
  if (reason !== null && !why.test(reason)) throw new Error(`refused for another reason: ${reason}`);
  return reason === null ? "accepted" : "refused";
};

const by = (host: Host) => ({ kind: "agent", host: "codex", session: host.session }) as const;

/** Adds lines that say a sandboxed command wrote them. */
export const add = (host: Host, ...events: PlanEvent[]): void =>
  forge(host.world, (lines) => [
    ...lines,
    { at: new Date().toISOString(), by: by(host), cmd: "prove", events },
  ]);
