/** A plan judged for a host's goal: everything that keeps it from being complete, on the tree as it is now. */

import { type Problem, Refusal } from "../errors.ts";
import { changedBetween, fingerprint } from "../evidence/fingerprint.ts";
import type { Tree } from "../evidence/types.ts";
import { assessGoal } from "./assess.ts";
import { silentProblems } from "./audit.ts";
import { nextFor } from "./checkpoint.ts";
import { requireWholeLedger, requireWitnessed } from "./complete.ts";
import { type Policy, raisePolicy } from "./config.ts";
import { currentGoal } from "./ids.ts";
import { gateDefects, goalDefects, planDefects, policyInForce } from "./judge.ts";
import { countedGoals, type Goal, isClosed, type Plan } from "./model.ts";
import { withOwnRuns } from "./own-runs.ts";
import { presentOf, producedPaths } from "./present.ts";
import { reviewOf } from "./reviewed.ts";
import { readConfig, readPlan, type Workspace } from "./workspace.ts";

export interface HostJudgement {
  readonly problems: readonly Problem[];
  /** Criteria that count here, and how many of them are proven. */
  readonly total: number;
  readonly proven: number;
  /** The one command that deals with most of the problems; empty where there are none. */
  readonly next: string;
  /** Ids of the goals that were judged. */
  readonly goals: readonly string[];
}

/**
 * Judges the plan, or in per-story mode the goal that the host's objective names. The tree is looked at twice: one that
 * moved in between is not proven. The whole ledger is walked, and what nobody but a sandboxed agent saw is run again.
 * @param story id of the goal in per-story mode; null for the whole plan
 * @param asked what the repository was seen to ask for, whatever the plan began with
 * @throws Refusal `no_plan`, `state_damaged`, `state_missing`, and what reading the configuration throws
 */
export async function judgeForHost(
  ws: Workspace,
  story: string | null,
  asked: Policy,
): Promise<HostJudgement> {
  const loaded = readPlan(ws);
  if (loaded === null)
    throw new Refusal("state_missing", "The plan that this session works on is gone.", {
      expected: ws.place.ledgerPath,
      found: "no ledger",
      next: ["proofgate ulw-loop repair"],
    });
  requireWholeLedger(ws, loaded);
  requireWitnessed(ws, loaded.state);
  const begunWith = policyInForce(loaded.state, await readConfig(ws.place.root));
  const policy = raisePolicy(begunWith, asked).effective;
  const judged = (plan: Plan, more: readonly Problem[]): Promise<Judged> =>
    judgePlan(ws, plan, story, policy, more);
  const first = await judged(loaded.state, silentProblems(ws));
  if (first.problems.length > 0) return answer(first);
  // Everything says that it is done. What only the agent saw is run here, before that is believed.
  const goals = first.goal === undefined ? countedGoals(first.plan) : [first.goal];
  const own = await withOwnRuns(ws, first.plan, goals, first.goal === undefined);
  if (own.ran.length + own.problems.length === 0) return answer(first);
  const { problems, ...rest } = await judgePlan(ws, own.plan, story, policy, own.problems, first.tree);
  return answer({ ...rest, problems: problems.map((problem) => markOwn(problem, own.ran)) });
}

interface Judged {
  readonly plan: Plan;
  readonly tree: Tree;
  /** The goal in per-story mode. */
  readonly goal: Goal | undefined;
  readonly problems: readonly Problem[];
  readonly total: number;
  readonly proven: number;
}

const answer = ({ plan, goal, problems, total, proven }: Judged): HostJudgement => ({
  problems,
  total,
  proven,
  next: problems.length === 0 ? "" : nextCommand(plan, goal, problems),
  goals: (goal === undefined ? countedGoals(plan) : [goal]).map(({ id }) => id),
});

/** The agent's own run passed, and it has to know why this does not count. */
const markOwn = (problem: Problem, ran: readonly string[]): Problem =>
  ran.includes(problem.where) ? { ...problem, message: `${problem.message} (run by the gate)` } : problem;

async function judgePlan(
  ws: Workspace,
  plan: Plan,
  story: string | null,
  policy: Policy,
  more: readonly Problem[],
  earlier: Tree | null = null,
): Promise<Judged> {
  const tree = await fingerprint(ws.place.root);
  // What its checks are to leave behind, the gate's own runs leave anew: gate and review are of the tree before that.
  const id = earlier !== null && isOnlyProduced(plan, earlier, tree) ? earlier.id : tree.id;
  const present = {
    ...presentOf(ws.place, tree, { thorough: true }),
    ...reviewOf(ws, plan, id),
  };
  const goal = story === null ? undefined : plan.goals.find((g) => g.id === story);
  const problems = planProblems(plan, () => [
    ...(goal === undefined
      ? [
          ...planDefects(plan, present, policy, endingGoal(plan)),
          ...gateDefects(plan, { ...present, tree: { ...tree, id } }),
        ]
      : goalDefects(plan, goal, present, policy)),
    ...more,
  ]);
  const again = await fingerprint(ws.place.root);
  if (again.id !== tree.id)
    problems.push({ where: "tree", code: "moved", message: "it changed while it was judged" });
  const counted = goal === undefined ? countedGoals(plan) : [goal];
  const assessed = counted.flatMap((g) => assessGoal(plan, g, present));
  const good = assessed.filter((a) => ["proven", "claimed", "waived"].includes(a.word));
  return { plan, tree, goal, problems, total: assessed.length, proven: good.length };
}

/** Nothing differs between the trees but files that checks of the plan have to produce. */
function isOnlyProduced(plan: Plan, before: Tree, after: Tree): boolean {
  const produced = new Set(
    countedGoals(plan).flatMap((goal) => goal.successCriteria.flatMap(({ check }) => producedPaths(check))),
  );
  return changedBetween(before.files, after.files).every((path) => produced.has(path));
}

/** A cancelled plan is not complete, whatever is proven of it. */
function planProblems(plan: Plan, judge: () => readonly Problem[]): Problem[] {
  if (plan.cancelled === null) return [...judge()];
  return [{ where: "plan", code: "plan_cancelled", message: `cancelled: ${plan.cancelled.why}` }];
}

/** At the end the host's goal is completed first, and the last goal's checkpoint follows (contract: the loop, 5). */
function endingGoal(plan: Plan): string | null {
  const open = plan.goals.filter((g) => !isClosed(g));
  const [only] = open;
  return open.length === 1 && only !== undefined && only.status === "in_progress" ? only.id : null;
}

function nextCommand(plan: Plan, story: Goal | undefined, problems: readonly Problem[]): string {
  if (plan.cancelled !== null) return "proofgate ulw-loop attach";
  const goal = story ?? currentGoal(plan) ?? plan.goals[0];
  return nextFor({ id: goal?.id ?? "" }, problems, story === undefined)[0] ?? "proofgate status";
}
