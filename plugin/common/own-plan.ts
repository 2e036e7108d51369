/** The plan that a session works on, as the policies see it. */

import { assessPlan } from "../../components/ulw-loop/assess.ts";
import { nextStep } from "../../components/ulw-loop/handoff.ts";
import { lookAt } from "../../components/ulw-loop/present.ts";
import type { Workspace } from "../../components/ulw-loop/workspace.ts";
import { planFacts } from "../../hooks/facts.ts";
import type { PlanFacts } from "../../hooks/types.ts";
import type { Payload } from "./call.ts";
import type { HostSide } from "./host.ts";
import { owns, plansAt, type Seen } from "./sight.ts";

/** @returns null when there is none, or when only other live sessions work on those that are here */
export async function ownPlan(
  payload: Payload,
  host: HostSide,
): Promise<{ ws: Workspace; facts: PlanFacts } | null> {
  const seen = plansAt(payload.cwd, payload.session, process.env, host).filter((one) => one.loaded !== null);
  const own = seen.find((one) => owns(one, payload.session)) ?? seen.find(isNobodys);
  if (own === undefined || own.loaded === null) return null;
  const { state: plan, head } = own.loaded;
  const present = await lookAt(own.ws.place, { thorough: false });
  const assessed = assessPlan(plan, present);
  const next = nextStep(plan, assessed, present);
  const facts = planFacts({ plan, assessed, next, ledger: head.hash, tree: present.tree?.id ?? null });
  return { ws: own.ws, facts };
}

/** What the session works on: a plan that is open, else a performance goal, else a plan that is over. */
export async function ownWork(
  payload: Payload,
  host: HostSide,
  goals: boolean,
): Promise<{ root: string; facts: PlanFacts } | null> {
  const plan = await ownPlan(payload, host);
  const isOpen = plan?.facts.state === "open";
  const goal = isOpen || !goals ? null : await (await import("./performance.ts")).ownGoal(payload, host);
  const own = isOpen ? plan : (goal ?? plan);
  return own === null ? null : { root: own.ws.place.root, facts: own.facts };
}

/** Made in a plain shell, for whoever takes it up first. */
const isNobodys = ({ loaded, scope }: Seen): boolean =>
  scope === null && loaded !== null && loaded.state.owner.session === null;
