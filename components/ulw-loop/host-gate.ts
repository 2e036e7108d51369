/** A plan judged for a host's goal: everything that keeps it from being complete, on the tree as it is now. */

import { type Problem, Refusal } from "../errors.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import { storyObjective } from "../goal-mode/snapshot.ts";
import { assessGoal } from "./assess.ts";
import { nextFor } from "./checkpoint.ts";
import { requireWholeLedger, requireWitnessed } from "./complete.ts";
import { currentGoal } from "./ids.ts";
import { gateDefects, goalDefects, planDefects, policyInForce } from "./judge.ts";
import { countedGoals, type Goal, isClosed, type Plan } from "./model.ts";
import { presentOf } from "./present.ts";
import { isReviewed } from "./reviewed.ts";
import { readConfig, readPlan, type Workspace } from "./workspace.ts";

export interface HostJudgement {
  readonly problems: readonly Problem[];
  /** Criteria that count here, and how many of them are proven. */
  readonly total: number;
  readonly proven: number;
  /** The one command that deals with most of the problems; empty where there are none. */
  readonly next: string;
}

/** What a host's goal may be called for this plan: the plan's own text, or that of each goal. */
export const hostObjectives = (plan: Plan): readonly string[] =>
  plan.mode === "aggregate" ? [plan.objective] : plan.goals.map(storyObjective);

/**
 * Judges the plan, or in per-story mode the goal that the host's objective names. The tree is looked at twice: one that
 * moved in between is not proven. The whole ledger is walked.
 * @param story id of the goal in per-story mode; null for the whole plan
 * @throws Refusal `no_plan`, `state_damaged`, `state_missing`, and what reading the configuration throws
 */
export async function judgeForHost(ws: Workspace, story: string | null): Promise<HostJudgement> {
  const loaded = readPlan(ws);
  if (loaded === null)
    throw new Refusal("state_missing", "The plan that this session works on is gone.", {
      expected: ws.place.ledgerPath,
      found: "no ledger",
      next: ["proofgate ulw-loop repair"],
    });
  requireWholeLedger(ws, loaded);
  requireWitnessed(ws, loaded.state);
  const tree = await fingerprint(ws.place.root);
  const present = {
    ...presentOf(ws.place, tree, { thorough: true }),
    reviewed: isReviewed(ws, loaded.state, tree.id),
  };
  const policy = policyInForce(loaded.state, await readConfig(ws.place.root));
  const plan = loaded.state;
  const goal = story === null ? undefined : plan.goals.find((g) => g.id === story);
  const problems =
    goal === undefined
      ? planProblems(plan, () => [
          ...planDefects(plan, present, policy, endingGoal(plan)),
          ...gateDefects(plan, present),
        ])
      : planProblems(plan, () => goalDefects(plan, goal, present, policy));
  const again = await fingerprint(ws.place.root);
  if (again.id !== tree.id)
    problems.push({ where: "tree", code: "moved", message: "it changed while it was judged" });
  const counted = goal === undefined ? countedGoals(plan) : [goal];
  const assessed = counted.flatMap((g) => assessGoal(plan, g, present));
  const good = assessed.filter((a) => ["proven", "claimed", "waived"].includes(a.word));
  return {
    problems,
    total: assessed.length,
    proven: good.length,
    next: problems.length === 0 ? "" : nextCommand(plan, goal, problems),
  };
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
