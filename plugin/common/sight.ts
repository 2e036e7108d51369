/** Looks at the plans of a folder when a hook is called: whose they are, how far their ledgers came, which goal the host has. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { sameObjective } from "../../components/goal-mode/snapshot.ts";
import type { Loaded } from "../../components/journal/types.ts";
import { type FirstSight, originOf } from "../../components/ulw-loop/audit.ts";
import { isComplete, type Plan } from "../../components/ulw-loop/model.ts";
import { hostObjectives } from "../../components/ulw-loop/objectives.ts";
import { sessionsOf } from "../../components/ulw-loop/place.ts";
import {
  anchorHolds,
  openWorkspace,
  readPlan,
  rememberHead,
  type Workspace,
} from "../../components/ulw-loop/workspace.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { type Payload, threadOf } from "./call.ts";
import type { HostSide } from "./host.ts";

/** A plan's files in the repository, read or not. */
export interface Seen {
  readonly ws: Workspace;
  readonly scope: string | null;
  /** Null: there is none, or it cannot be read. */
  readonly loaded: Loaded<Plan> | null;
  /** Why it cannot be read; null when it can, or when there is none. */
  readonly trouble: unknown;
}

export const workspaceOf = (
  root: string,
  scope: string | null,
  session: string,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): Workspace =>
  openWorkspace({ root, session: scope, env, writer: { kind: "agent", host: host.name, session } });

export function see(ws: Workspace, scope: string | null): Seen {
  try {
    return { ws, scope, loaded: readPlan(ws), trouble: null };
  } catch (trouble) {
    return { ws, scope, loaded: null, trouble };
  }
}

/** Every plan of the repository that the folder belongs to. */
export function plansAt(
  cwd: string,
  session: string,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): readonly Seen[] {
  const { root } = findRootFast(cwd);
  return sessionsOf(root).map((scope) => see(workspaceOf(root, scope, session, env, host), scope));
}

/** The session took the plan up, or the plan lies in a folder of the session's own name. */
export const owns = ({ loaded, scope }: Seen, session: string): boolean =>
  loaded !== null && (loaded.state.owner.session === session || scope === session);

/**
 * What the thread is after, as far as hooks were told. A goal that was completed is over: what comes next in the thread the
 * user may have set by `/goal`, of which no hook is told.
 */
export function objectiveOf(payload: Payload, store: SessionStore): string | null {
  const goal = store.hostGoal(threadOf(payload))?.goal ?? null;
  return goal === null || goal.status === "complete" ? null : goal.objective;
}

/** The host's goal is this plan's. */
export const serves = (plan: Plan, objective: string | null): boolean =>
  objective !== null && hostObjectives(plan).some((one) => sameObjective(one, objective));

/**
 * Binds the session to the open plans that it works on, and remembers outside the repository how far each ledger came and
 * what it holds. A ledger that does not go on from what is known is left as it was known: the gate will say so.
 * @param begins the session just begins: what lies here was made before anybody watched
 */
export async function remember(
  seen: readonly Seen[],
  session: string,
  objective: string | null,
  store: SessionStore,
  begins: boolean,
): Promise<void> {
  const bound = new Set(store.bindings(session).map((one) => one.plan));
  for (const one of seen) {
    const { ws, scope, loaded } = one;
    if (loaded === null) continue;
    const plan = loaded.state;
    const concerns = owns(one, session) || serves(plan, objective);
    if (concerns && !isComplete(plan) && !bound.has(plan.planId))
      store.bind(session, {
        root: ws.place.root,
        stateDir: ws.place.dir,
        scope,
        plan: plan.planId,
        title: plan.title.slice(0, 80),
        objective: plan.objective,
        at: ws.now().toISOString(),
      });
    if (!concerns && !bound.has(plan.planId)) continue;
    if (store.note("plans", plan.planId) === null)
      store.setNote("plans", plan.planId, await firstSight(ws, plan.planId, begins));
    if (isComplete(plan) && store.note("closed", plan.planId) === null)
      store.setNote("closed", plan.planId, { at: Date.now() });
    if (!anchorHolds(ws, loaded)) continue;
    rememberHead(ws, loaded);
    const ledger = join(ws.place.root, ws.place.ledgerPath);
    // A line that another command is just writing is copied at the next sight.
    if (statSync(ledger, { throwIfNoEntry: false }) !== undefined) store.keepLedger(ws.place.dir, ledger);
  }
}

async function firstSight(ws: Workspace, planId: string, begins: boolean): Promise<FirstSight> {
  const line = originOf(ws, planId);
  if (begins) return { head: null, line };
  const { findRoot } = await import("../../components/evidence/git.ts");
  return { head: (await findRoot(ws.place.root)).commit, line };
}
