/** The goal of each session, which OpenCode has none of: kept outside the repository, through restarts and compactions. */

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../components/errors.ts";
import { idName, storeFolder, writeWhole } from "../../components/witness/files.ts";

const STATUSES = ["active", "paused", "blocked", "usageLimited", "budgetLimited", "complete"] as const;
export type GoalStatus = (typeof STATUSES)[number];

/** In the shape that Codex's goal tools print. */
export interface Goal {
  readonly threadId: string;
  readonly objective: string;
  readonly status: GoalStatus;
  readonly tokenBudget: number | null;
  readonly tokensUsed: number;
  readonly timeUsedSeconds: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Up to where it was charged: what the whole session had used then, and milliseconds since 1970. */
  readonly charged: { readonly tokens: number; readonly at: number };
}

/** A file that is there and is no goal. It is said by whoever asks for the goal, and stops nothing else. */
class CorruptGoal extends Error {}

const fileOf = (session: string): string =>
  join(storeFolder(process.env), "goals", `${idName(session)}.json`);

/** @throws CorruptGoal */
export function readGoal(session: string): Goal | null {
  let text: string;
  try {
    text = readFileSync(fileOf(session), "utf8");
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw new CorruptGoal(`The goal of this session cannot be read: ${String(error)}`);
  }
  const goal = parsed(text);
  if (goal === undefined)
    throw new CorruptGoal(
      `The goal of this session is damaged: ${fileOf(session)}. /goal clear takes it away.`,
    );
  return goal;
}

/** Null takes it away. @throws system errors: a goal that is not kept was not set */
export function writeGoal(session: string, goal: Goal | null): void {
  mkdirSync(join(storeFolder(process.env), "goals"), { recursive: true, mode: 0o700 });
  writeWhole(fileOf(session), { goal });
}

/** @returns undefined for anything that `writeGoal` did not write */
function parsed(text: string): Goal | null | undefined {
  try {
    const { goal } = JSON.parse(text);
    if (goal === null) return null;
    const numbers = [
      goal.tokensUsed,
      goal.timeUsedSeconds,
      goal.createdAt,
      goal.updatedAt,
      goal.charged.tokens,
      goal.charged.at,
    ];
    const fine =
      typeof goal.objective === "string" &&
      typeof goal.threadId === "string" &&
      STATUSES.includes(goal.status) &&
      (goal.tokenBudget === null || Number.isFinite(goal.tokenBudget)) &&
      numbers.every((one) => Number.isFinite(one));
    return fine ? goal : undefined;
  } catch {
    return undefined;
  }
}
