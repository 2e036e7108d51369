/** The performance goals of a folder as a hook sees them: whose they are, how far their ledgers came, what keeps them open. */

import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { sameObjective } from "../../components/goal-mode/snapshot.ts";
import type { Loaded } from "../../components/journal/types.ts";
import { unwitnessed } from "../../components/performance-goal/approve.ts";
import { lookAt } from "../../components/performance-goal/fresh.ts";
import { type FirstSight, judgeForHost, originOf } from "../../components/performance-goal/host-gate.ts";
import {
  isClosed,
  isGivenUp,
  type PerformanceGoal,
  PLATEAU,
} from "../../components/performance-goal/model.ts";
import { slugsOf } from "../../components/performance-goal/place.ts";
import { defects, nextStep } from "../../components/performance-goal/steps.ts";
import {
  anchorHolds,
  openGoal,
  readGoal,
  rememberHead,
  type Workspace,
} from "../../components/performance-goal/workspace.ts";
import type { Binding, SessionStore } from "../../components/witness/sessions.ts";
import type { JudgedPlan } from "../../hooks/gate.ts";
import type { PlanFacts } from "../../hooks/types.ts";
import type { Payload } from "./call.ts";
import { OURS } from "./goals-seen.ts";
import type { HostSide, Surroundings } from "./host.ts";

interface Seen {
  readonly ws: Workspace;
  /** Null: there is none, or it cannot be read. */
  readonly loaded: Loaded<PerformanceGoal> | null;
  /** Why it cannot be read; null when it can, or when there is none. */
  readonly trouble: unknown;
}

function see(root: string, slug: string, session: string, env: NodeJS.ProcessEnv, host: HostSide): Seen {
  const ws = openGoal({ root, slug, env, writer: { kind: "agent", host: host.name, session } });
  try {
    return { ws, loaded: readGoal(ws), trouble: null };
  } catch (trouble) {
    return { ws, loaded: null, trouble };
  }
}

const goalsAt = (cwd: string, session: string, env: NodeJS.ProcessEnv, host: HostSide): readonly Seen[] => {
  const { root } = findRootFast(cwd);
  return slugsOf(root).map((slug) => see(root, slug, session, env, host));
};

const owns = ({ loaded }: Seen, session: string): boolean => loaded?.state.owner.session === session;

const serves = (goal: PerformanceGoal, objective: string | null): boolean =>
  objective !== null && sameObjective(goal.hostObjective, objective);

/** Binds the session to the open goals that it works on, and remembers outside the repository how far each ledger came. */
export async function sightGoals(
  payload: Payload,
  objective: string | null,
  store: SessionStore,
  host: HostSide,
  begins: boolean,
): Promise<void> {
  const { session, cwd } = payload;
  const bound = new Set(store.bindings(session).map((one) => one.plan));
  for (const one of goalsAt(cwd, session, process.env, host)) {
    const { ws, loaded } = one;
    if (loaded === null) continue;
    const goal = loaded.state;
    const concerns = owns(one, session) || serves(goal, objective);
    if (concerns && !isClosed(goal) && !bound.has(goal.goalId))
      store.bind(session, {
        workflow: "performance-goal",
        root: ws.place.root,
        stateDir: ws.place.dir,
        scope: goal.slug,
        plan: goal.goalId,
        title: goal.title.slice(0, 80),
        objective: goal.hostObjective,
        at: ws.now().toISOString(),
      });
    if (!concerns && !bound.has(goal.goalId)) continue;
    if (store.note("plans", goal.goalId) === null)
      store.setNote("plans", goal.goalId, await firstSight(ws, goal.goalId, begins));
    if (isClosed(goal) && store.note("closed", goal.goalId) === null)
      store.setNote("closed", goal.goalId, { at: Date.now() });
    if (!anchorHolds(ws, loaded)) continue;
    rememberHead(ws, loaded);
    const ledger = join(ws.place.root, ws.place.ledgerPath);
    if (statSync(ledger, { throwIfNoEntry: false }) !== undefined) store.keepLedger(ws.place.dir, ledger);
  }
}

async function firstSight(ws: Workspace, goalId: string, begins: boolean): Promise<FirstSight> {
  const line = originOf(ws, goalId);
  if (begins) return { head: null, line };
  const { findRoot } = await import("../../components/evidence/git.ts");
  return { head: (await findRoot(ws.place.root)).commit, line };
}

/** Every goal that has a say in the thread's completion, judged. `plans`: ids of those that were. */
export async function judgeGoals(
  payload: Payload,
  objective: string | null,
  store: SessionStore,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): Promise<{ readonly judged: readonly JudgedPlan[]; readonly plans: readonly string[] }> {
  const concerned = concernedGoals(payload, objective, store, env, host);
  const named = objective !== null && OURS.test(objective);
  if (concerned.length === 0 && named)
    return {
      judged: [missing("its state is not here", objective, "proofgate performance-goal list")],
      plans: [],
    };
  if (concerned.length === 0 && payload.agent === null && isOrdered(payload, store, env, host))
    return { judged: [UNPLANNED], plans: [] };
  const around = host.surroundings(payload, env);
  const judged: JudgedPlan[] = [];
  for (const { seen, binding } of concerned) judged.push(await judge(seen, binding, around));
  return {
    judged,
    plans: concerned.flatMap(({ seen }) => (seen.loaded === null ? [] : [seen.loaded.state.goalId])),
  };
}

interface Concerned {
  readonly seen: Seen;
  readonly binding: Binding | null;
}

/** A subagent's own goal concerns us by its objective only; a root session's also by what it works on. */
function concernedGoals(
  { session, agent, cwd }: Payload,
  objective: string | null,
  store: SessionStore,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): readonly Concerned[] {
  const found: Concerned[] = [];
  const known = new Set<string>();
  if (agent === null)
    for (const binding of store.bindings(session)) {
      if (binding.workflow !== "performance-goal" || known.has(binding.stateDir)) continue;
      known.add(binding.stateDir);
      const seen = see(binding.root, binding.scope ?? basename(binding.stateDir), session, env, host);
      if (seen.loaded === null || concerns(seen, session, objective, store, true))
        found.push({ seen, binding });
    }
  for (const seen of goalsAt(cwd, session, env, host)) {
    if (known.has(seen.ws.place.dir)) continue;
    // What cannot be read could be anybody's; whose goal names none is not held up by it.
    const unreadable = seen.trouble !== null && objective?.includes(seen.ws.place.statePath) === true;
    const mine =
      agent === null
        ? concerns(seen, session, objective, store, false)
        : seen.loaded !== null && serves(seen.loaded.state, objective);
    if (unreadable || mine) found.push({ seen, binding: null });
  }
  return found;
}

function concerns(
  seen: Seen,
  session: string,
  objective: string | null,
  store: SessionStore,
  bound: boolean,
): boolean {
  if (seen.loaded === null) return false;
  const goal = seen.loaded.state;
  if (serves(goal, objective)) return true;
  if (!bound && !owns(seen, session)) return false;
  // What the user called off, or went on from after it was closed, asks for nothing more; what only the agent closed does.
  if (isGivenUp(goal)) return !isUsersAbandon(seen.ws, goal);
  return goal.status !== "complete" || (bound && !userSpokeSince(goal, session, store));
}

/** The user gave it up, by a command that reached the store, or approved that the agent did. */
function isUsersAbandon(ws: Workspace, goal: PerformanceGoal): boolean {
  if (goal.abandonedBy !== "user") return unwitnessed(ws, goal).length === 0;
  const seen = ws.witness.lines(ws.place.dir);
  let users = false;
  for (const line of ws.journal.lines())
    if (line.events.some(({ type }) => type === "goal_abandoned"))
      users = line.by.kind === "user" && seen.has(line.hash);
  return users;
}

function userSpokeSince(goal: PerformanceGoal, session: string, store: SessionStore): boolean {
  const time = (note: unknown): number | null => {
    const at = typeof note === "object" && note !== null ? Reflect.get(note, "at") : null;
    return typeof at === "number" ? at : null;
  };
  const closed = time(store.note("closed", goal.goalId));
  const spoke = time(store.note("prompts", session));
  return closed !== null && spoke !== null && spoke >= closed;
}

/** The user's last words ordered the workflow, and this session never had a goal of it. */
const isOrdered = (
  { session, cwd }: Payload,
  store: SessionStore,
  env: NodeJS.ProcessEnv,
  host: HostSide,
): boolean =>
  store.note("intents", session) === "performance-goal" &&
  !goalsAt(cwd, session, env, host).some((seen) => owns(seen, session));

const UNPLANNED: JudgedPlan = {
  title: "",
  total: 1,
  proven: 0,
  problems: [
    {
      where: "goal",
      message: "the user ordered performance-goal, and this session has made or started none",
    },
  ],
  next: 'proofgate performance-goal create --objective "…" --evaluator-command "…" --evaluator-contract "…"',
};

async function judge(
  { ws, loaded, trouble }: Seen,
  binding: Binding | null,
  around: Surroundings,
): Promise<JudgedPlan> {
  const title = loaded?.state.title ?? binding?.title ?? "";
  const repair = `proofgate performance-goal repair --slug ${ws.place.slug}`;
  if (loaded === null && trouble === null) return missing(`${ws.place.ledgerPath} is gone`, title, repair);
  try {
    if (trouble !== null) throw trouble;
    const { problems, next } = await judgeForHost({ ...ws, ...around });
    return { title, total: 1, proven: problems.length === 0 ? 1 : 0, problems, next };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const message = [error.message, ...(error.found === undefined ? [] : [error.found])].join(" ");
    return {
      title,
      total: 1,
      proven: 0,
      problems: [{ where: ws.place.slug, message }],
      next: error.nextActions[0] ?? "proofgate performance-goal status",
    };
  }
}

const missing = (why: string, title: string, next: string): JudgedPlan => ({
  title,
  total: 1,
  proven: 0,
  problems: [{ where: "goal", message: `${why}: it was moved, removed, or lies in another folder` }],
  next,
});

/** The goal that the session works on, or that nobody does, as the policies see it. */
export async function ownGoal(
  payload: Payload,
  host: HostSide,
): Promise<{ ws: Workspace; facts: PlanFacts } | null> {
  const seen = goalsAt(payload.cwd, payload.session, process.env, host).filter((one) => one.loaded !== null);
  const open = (one: Seen): boolean => one.loaded !== null && !isClosed(one.loaded.state);
  const own = seen.filter((one) => owns(one, payload.session));
  const free = seen.filter((one) => one.loaded?.state.owner.session === null);
  const one = own.find(open) ?? free.find(open) ?? own[0];
  if (one === undefined || one.loaded === null) return null;
  const { state: goal, head } = one.loaded;
  const present = await lookAt(one.ws.place.root, goal.contract);
  const next = nextStep(goal, present);
  const problems = defects(goal, present);
  const proven = problems.length === 0 ? 1 : 0;
  const state =
    goal.status === "abandoned"
      ? "cancelled"
      : goal.status === "complete"
        ? proven === 1
          ? "complete"
          : "stale"
        : "open";
  return {
    ws: one.ws,
    facts: {
      planId: goal.goalId,
      title: goal.title,
      state,
      // A plateau that was told is the end of what the agent can do.
      stuck: goal.lastValidation?.status === "blocked" && goal.fruitless >= PLATEAU,
      waitsForUser: next.command === "proofgate approve",
      total: 1,
      proven,
      goal: { id: goal.slug, title: goal.title, total: 1, proven },
      open: problems.map(({ where, message }) => ({ ref: where, what: message })),
      next,
      ledger: head.hash,
      tree: present.tree.id,
    },
  };
}

/** Every goal of the folder that is there to be read. */
export const readableGoals = (
  payload: Payload,
  host: HostSide,
): readonly { ws: Workspace; goal: PerformanceGoal }[] =>
  goalsAt(payload.cwd, payload.session, process.env, host).flatMap(({ ws, loaded }) =>
    loaded === null ? [] : [{ ws, goal: loaded.state }],
  );
