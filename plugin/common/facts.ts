/** Gathers what the gate decides on: the plans that have a say in a thread's goal, judged, and the repository's own gates. */

import { isDeepStrictEqual } from "node:util";
import { Refusal } from "../../components/errors.ts";
import { describeCommand } from "../../components/evidence/check.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { runCommand } from "../../components/evidence/runner.ts";
import type { Command } from "../../components/evidence/types.ts";
import { sameObjective, storyObjective } from "../../components/goal-mode/snapshot.ts";
import { isSetAside, isUsersCancel } from "../../components/ulw-loop/audit.ts";
import { DEFAULT_POLICY } from "../../components/ulw-loop/config.ts";
import { judgeForHost } from "../../components/ulw-loop/host-gate.ts";
import { currentGoal } from "../../components/ulw-loop/ids.ts";
import { isComplete, type Plan } from "../../components/ulw-loop/model.ts";
import type { Binding, SessionStore } from "../../components/witness/sessions.ts";
import type { GateFacts, JudgedCommand, JudgedPlan } from "../../hooks/gate.ts";
import type { Payload } from "./call.ts";
import { gatesInForce, policiesOf } from "./gates.ts";
import { mayHaveGoals } from "./goals-seen.ts";
import type { HostSide, Surroundings } from "./host.ts";
import { objectiveOf, owns, plansAt, type Seen, see, serves, workspaceOf } from "./sight.ts";

export interface Gathered {
  readonly facts: GateFacts;
  /** Ids of the plans that were judged. */
  readonly plans: readonly string[];
}

/** How our objectives begin, whatever the paths in them: a goal that names a plan which is not there is not a foreign one. */
const OURS = /^Complete every goal of the plan in \S*goals\.json /;

/**
 * @param leftMs milliseconds that the repository's gates may take
 * @param objective of the host's goal; by default what hooks were told last
 * @throws what judging throws: the caller denies
 */
export async function gather(
  payload: Payload,
  store: SessionStore,
  env: NodeJS.ProcessEnv,
  host: HostSide,
  leftMs: number,
  objective = objectiveOf(payload, store),
): Promise<Gathered> {
  const status = typeof payload.input.status === "string" ? payload.input.status : "";
  const nothing = { facts: { status, plans: [], commands: [] }, plans: [] };
  if (status !== "complete") return nothing;
  const concerned = concernedPlans(payload, objective, store, env, host);
  const goals = mayHaveGoals(payload, objective, store)
    ? await (await import("./performance.ts")).judgeGoals(payload, objective, store, env, host)
    : { judged: [], plans: [] };
  if (concerned.length === 0 && objective !== null && OURS.test(objective))
    return {
      ...nothing,
      facts: { status, plans: [missing("its plan is not here", objective)], commands: [] },
    };
  if (concerned.length === 0 && goals.judged.length === 0 && isOrderedWithoutPlan(payload, store, env, host))
    return { ...nothing, facts: { status, plans: [UNPLANNED], commands: [] } };
  const around = host.surroundings(payload, env);
  const plans: JudgedPlan[] = [...goals.judged];
  for (const { seen, binding } of concerned)
    plans.push(await judge(seen, binding, objective, around, store, payload.session));
  // Those that a plan began with are commands of its quality gate; one that was taken away before it began is not.
  const covered = concerned.flatMap(({ seen }) => seen.loaded?.state.policy.gates ?? []);
  const commands =
    plans.some(({ problems }) => problems.length > 0) || payload.agent !== null
      ? []
      : await repositoryGates(payload, store, around, leftMs, covered);
  return {
    facts: { status, plans, commands },
    plans: [
      ...concerned.flatMap(({ seen }) => (seen.loaded === null ? [] : [seen.loaded.state.planId])),
      ...goals.plans,
    ],
  };
}

/** The user's last words ordered the workflow, and this session never had a plan for it. */
function isOrderedWithoutPlan(
  payload: Payload,
  store: SessionStore,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): boolean {
  const { session, agent, cwd } = payload;
  if (agent !== null || store.note("intents", session) !== "ulw-loop") return false;
  return !plansAt(cwd, session, env, host).some((seen) => owns(seen, session));
}

const UNPLANNED: JudgedPlan = {
  title: "",
  total: 1,
  proven: 0,
  problems: [{ where: "plan", message: "the user ordered ulw-loop, and this session has made no plan" }],
  next: "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml  (write the plan first)",
};

interface Concerned {
  readonly seen: Seen;
  /** Set where the session was seen to work on the plan, so that its absence is noticed. */
  readonly binding: Binding | null;
}

/** A subagent's own goal concerns us by its objective only; a root session's also by what it works on. */
function concernedPlans(
  payload: Payload,
  objective: string | null,
  store: SessionStore,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): readonly Concerned[] {
  const { session, agent, cwd } = payload;
  const found: Concerned[] = [];
  const known = new Set<string>();
  if (agent === null)
    for (const binding of store.bindings(session)) {
      if (binding.workflow !== undefined) continue;
      // Two plans of one folder, one after the other: what is there now is looked at once.
      if (known.has(binding.stateDir)) continue;
      known.add(binding.stateDir);
      const seen = see(workspaceOf(binding.root, binding.scope, session, env, host), binding.scope);
      if (seen.loaded === null || concerns(seen, session, objective, true)) found.push({ seen, binding });
    }
  for (const seen of plansAt(cwd, session, env, host)) {
    if (known.has(seen.ws.place.dir)) continue;
    // A plan that cannot be read could be anybody's, another tool's too; whose goal names no plan is not held up by it.
    const unreadable =
      seen.trouble !== null && (seen.scope === session || (objective !== null && OURS.test(objective)));
    const mine =
      agent === null
        ? concerns(seen, session, objective, false)
        : seen.loaded !== null && serves(seen.loaded.state, objective);
    if (unreadable || mine) found.push({ seen, binding: null });
  }
  return found;
}

function concerns(seen: Seen, session: string, objective: string | null, bound: boolean): boolean {
  if (seen.loaded === null) return false;
  const plan = seen.loaded.state;
  if (serves(plan, objective)) return true;
  // What the user called off asks for nothing more; what the agent called off does.
  if (plan.cancelled !== null && isUsersCancel(seen.ws)) return false;
  return (bound || owns(seen, session)) && (!isComplete(plan) || isSetAside(seen.ws, plan));
}

async function judge(
  seen: Seen,
  binding: Binding | null,
  objective: string | null,
  around: Surroundings,
  store: SessionStore,
  session: string,
): Promise<JudgedPlan> {
  const path = seen.ws.place.ledgerPath;
  const title = seen.loaded?.state.title ?? binding?.title ?? "";
  if (seen.loaded === null && seen.trouble === null) return missing(`${path} is gone`, title);
  try {
    if (seen.trouble !== null) throw seen.trouble;
    const story = seen.loaded === null ? null : storyOf(seen.loaded.state, objective);
    const asked = policiesOf(session, store)[seen.ws.place.root] ?? DEFAULT_POLICY;
    const { problems, total, proven, next, goals } = await judgeForHost(
      { ...seen.ws, ...around },
      story,
      asked,
    );
    if (problems.length === 0 && seen.loaded !== null) keepDone(seen.loaded.state, goals, store);
    return { title, total, proven, problems, next };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const message = [error.message, ...(error.found === undefined ? [] : [error.found])].join(" ");
    return {
      title,
      total: 1,
      proven: 0,
      problems: [{ where: path, message }],
      next: error.nextActions[0] ?? "proofgate status",
    };
  }
}

/** So that a plan which was judged is not held against the session's next goals. */
function keepDone(plan: Plan, goals: readonly string[], store: SessionStore): void {
  const known = (store.note("done", plan.planId) as readonly string[] | null) ?? [];
  store.setNote("done", plan.planId, [...new Set([...known, ...goals])]);
}

/** In per-story mode the goal that the host's objective names, or the current one. */
function storyOf(plan: Plan, objective: string | null): string | null {
  if (plan.mode === "aggregate") return null;
  const named =
    objective === null
      ? undefined
      : plan.goals.find((goal) => sameObjective(storyObjective(goal), objective));
  return (named ?? currentGoal(plan))?.id ?? null;
}

const missing = (why: string, title: string): JudgedPlan => ({
  title,
  total: 1,
  proven: 0,
  problems: [{ where: "plan", message: `${why}: it was moved, removed, or lies in another folder` }],
  next: "proofgate ulw-loop repair",
});

/** Those of the file as it is now, and those that were there when the session began: taking one away does not help. */
async function repositoryGates(
  payload: Payload,
  store: SessionStore,
  around: Surroundings,
  leftMs: number,
  covered: readonly Command[],
): Promise<readonly JudgedCommand[]> {
  const { root } = findRootFast(payload.cwd);
  const inForce = await gatesInForce(root, payload.session, store);
  const gates = inForce.filter((gate) => !covered.some((one) => isDeepStrictEqual(one, gate)));
  const ends = Date.now() + leftMs;
  const judged: JudgedCommand[] = [];
  for (const gate of gates) {
    const command = describeCommand({ run: gate });
    const timeoutMs = ends - Date.now();
    if (timeoutMs < 1000) judged.push({ command, failed: "no time left to run it" });
    else {
      const run = await runCommand(gate, { ...around, cwd: root, timeoutMs, root });
      await run.dispose();
      const failed =
        run.exit === 0
          ? null
          : run.timedOut
            ? "took too long"
            : `exit ${run.exit ?? run.signal ?? run.spawnError}`;
      judged.push({ command, failed });
    }
  }
  return judged;
}
