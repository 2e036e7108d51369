/** `get_goal`, `create_goal`, `update_goal` with the shapes and rules of Codex's. The host checks no argument; we do. */

import { isMap, type ToolContext } from "./api.ts";
import { type Goal, type GoalStatus, readGoal, writeGoal } from "./goal-store.ts";

/** Units of UTF-16 that an objective may have, as in Codex. */
const MOST_OBJECTIVE = 4000;

export interface GoalRules {
  /** Goals are the root session's. */
  isSubagent(session: string): boolean;
  /** What the session used so far. */
  tokens(session: string): number | null;
  /** @returns why the goal may not be called complete; null when it may */
  refusal(session: string, call: string): Promise<string | null>;
  /** The user took the goal away. */
  cleared(session: string): void;
  /** After a goal was set or changed. */
  changed(session: string, goal: Goal, call: string): Promise<void>;
}

/** @throws Error with what the model is to read */
export async function goalTool(
  name: string,
  args: unknown,
  { sessionID: session, callID: call = "" }: ToolContext,
  rules: GoalRules,
): Promise<string> {
  if (rules.isSubagent(session))
    throw new Error("Goals belong to the root session: report your result to it, and leave its goal alone.");
  const given = isMap(args) ? args : {};
  switch (name) {
    case "get_goal": {
      const goal = readGoal(session);
      return answer(goal === null ? null : counted(goal, rules.tokens(session)));
    }
    case "create_goal": {
      const goal = newGoal(session, given, rules);
      writeGoal(session, goal);
      await rules.changed(session, goal, call);
      return answer(goal);
    }
    case "update_goal": {
      const { status } = given;
      if (status !== "complete" && status !== "blocked" && status !== "paused")
        throw new Error(
          `update_goal: status must be complete, blocked or paused, not ${String(JSON.stringify(status)).slice(0, 80)}.`,
        );
      const known = readGoal(session);
      if (known === null) throw new Error("update_goal: this session has no goal; create_goal makes one.");
      if (status === "complete") {
        const why = await rules.refusal(session, call);
        if (why !== null) throw new Error(why);
      }
      const goal = withStatus(counted(known, rules.tokens(session)), status);
      writeGoal(session, goal);
      await rules.changed(session, goal, call);
      return answer(goal);
    }
    default:
      throw new Error(`There is no goal tool ${name}.`);
  }
}

function newGoal(session: string, given: Readonly<Record<string, unknown>>, rules: GoalRules): Goal {
  const { objective, token_budget: budget = null } = given;
  if (typeof objective !== "string" || objective.trim() === "")
    throw new Error("create_goal: objective must be a text that is not empty.");
  if (objective.length > MOST_OBJECTIVE)
    throw new Error(
      `create_goal: objective has ${objective.length} characters; at most ${MOST_OBJECTIVE} are taken.`,
    );
  if (budget !== null && !(typeof budget === "number" && Number.isSafeInteger(budget) && budget > 0))
    throw new Error("create_goal: token_budget must be a whole number above 0, or null.");
  const known = readGoal(session);
  if (known !== null && known.status !== "complete")
    throw new Error(
      `cannot create a new goal because this session has an unfinished goal (${known.status}): ${known.objective.slice(0, 200)}`,
    );
  return makeGoal(session, objective.trim(), budget, rules.tokens(session) ?? 0);
}

/** @param tokens that the session had used before: the goal is not charged for them */
export function makeGoal(
  session: string,
  objective: string,
  tokenBudget: number | null,
  tokens: number,
): Goal {
  const at = Date.now();
  const now = Math.floor(at / 1000);
  return {
    threadId: session,
    objective,
    status: "active",
    tokenBudget,
    tokensUsed: 0,
    timeUsedSeconds: 0,
    createdAt: now,
    updatedAt: now,
    charged: { tokens, at },
  };
}

/**
 * Charges an active goal with what was used since it was last looked at; any other goal costs nothing.
 * @param tokens of the whole session, by the host's count; null where it does not say
 * @param idle since then the session waited for the user
 */
export function counted(goal: Goal, tokens: number | null, idle = false): Goal {
  const { charged, status } = goal;
  const at = Date.now();
  const used = tokens === null ? 0 : Math.max(0, tokens - charged.tokens);
  const ms = idle ? 0 : Math.max(0, at - charged.at);
  return {
    ...goal,
    ...(status === "active"
      ? { tokensUsed: goal.tokensUsed + used, timeUsedSeconds: goal.timeUsedSeconds + ms / 1000 }
      : {}),
    charged: { tokens: tokens ?? charged.tokens, at },
  };
}

export const withStatus = (goal: Goal, status: GoalStatus): Goal => ({
  ...goal,
  status,
  updatedAt: Math.floor(Date.now() / 1000),
});

const answer = (goal: Goal | null): string => {
  if (goal === null) return JSON.stringify({ goal: null, remainingTokens: null });
  const { charged: _, ...shown } = goal;
  const remainingTokens = goal.tokenBudget === null ? null : Math.max(0, goal.tokenBudget - goal.tokensUsed);
  const timeUsedSeconds = Math.floor(goal.timeUsedSeconds);
  return JSON.stringify({ goal: { ...shown, timeUsedSeconds }, remainingTokens });
};
