/** What a plan has cost so far, by what the host says of tokens and of time: (what was known, what is seen now) → what is known. */

import { openSessions } from "../witness/sessions.ts";
import type { Plan } from "./model.ts";
import type { Workspace } from "./workspace.ts";

/** Tokens, and milliseconds of work. */
export interface Cost {
  readonly tokens: number;
  readonly ms: number;
}

export interface Usage {
  /** By our goal's id; `""` is what was spent while no goal was taken up. */
  readonly goals: Readonly<Record<string, Cost>>;
  /** Tokens that each of the host's threads had used when it was last looked at. */
  readonly threads: Readonly<Record<string, number>>;
  /** When it was last looked at, in milliseconds since the epoch, and the goal that was worked on then. */
  readonly at: number;
  readonly goal: string;
}

export interface Sighting {
  readonly at: number;
  readonly goal: string;
  readonly thread: string;
  /** Everything that the thread has used since it began; null where the host does not say. */
  readonly tokens: number | null;
  /** The thread is a subagent's, which was begun for the work: all that it used counts. */
  readonly subagent: boolean;
  /** Until now nobody worked: the session begins, or the user wrote. */
  readonly idle: boolean;
}

/** What is spent between two looks belongs to the goal of the first. */
export function spend(known: Usage | null, seen: Sighting): Usage {
  const goal = known?.goal ?? seen.goal;
  const before = known?.threads[seen.thread] ?? (seen.subagent ? 0 : null);
  // A thread that counts anew has been begun anew.
  const used = seen.tokens === null || before === null ? 0 : Math.max(0, seen.tokens - before);
  const worked = known === null || seen.idle || seen.subagent ? 0 : Math.max(0, seen.at - known.at);
  const cost = known?.goals[goal] ?? { tokens: 0, ms: 0 };
  return {
    goals: { ...known?.goals, [goal]: { tokens: cost.tokens + used, ms: cost.ms + worked } },
    threads: { ...known?.threads, ...(seen.tokens === null ? {} : { [seen.thread]: seen.tokens }) },
    at: seen.subagent && known !== null ? known.at : seen.at,
    goal: seen.goal,
  };
}

/** The whole plan's. */
export function total({ goals }: Usage): Cost {
  const all = Object.values(goals);
  return {
    tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
    ms: all.reduce((sum, { ms }) => sum + ms, 0),
  };
}

/** What hooks noted of this plan; null where none did. */
export const usageOf = (ws: Workspace, plan: Plan): Usage | null =>
  openSessions(ws.env).note("usage", plan.planId) as Usage | null;
