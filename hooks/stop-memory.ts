/** What a thread remembers from stop to stop. The caller keeps it outside the repository, one for each thread. */

import type { PlanFacts } from "./types.ts";

export interface StopMemory {
  readonly thread: string;
  readonly planId: string;
  /** The user's word that the budget runs from, as the host told it. */
  readonly promptedAt: number | null;
  /** Milliseconds since the epoch; the budget of time runs from here. */
  readonly since: number;
  /** Stops held back since then. */
  readonly held: number;
  /** Stops in a row with nothing changed. */
  readonly idle: number;
  /** Stops in a row without a new proof. */
  readonly unproven: number;
  /** Most criteria that ever held at a stop, and how many counted at the last one. */
  readonly best: number;
  readonly total: number;
  readonly ledger: string;
  readonly tree: string | null;
  /** Let go, and for what: nothing changed, no new proof, budget spent, the user's turn. */
  readonly released: "idle" | "unproven" | "budget" | "user" | null;
}

/** The first stop of a plan or after the user's word: the one that later ones are compared with. */
export const fresh = (
  facts: { readonly thread: string; readonly now: number; readonly promptedAt: number | null },
  plan: PlanFacts,
): StopMemory => ({
  thread: facts.thread,
  planId: plan.planId,
  promptedAt: facts.promptedAt,
  since: facts.promptedAt ?? facts.now,
  held: 0,
  idle: 0,
  unproven: 0,
  best: plan.proven,
  total: plan.total,
  ledger: plan.ledger,
  tree: plan.tree,
  released: null,
});

/** @returns null for anything that `onStop` did not write: a thread without a memory starts anew */
export function parseStopMemory(json: unknown): StopMemory | null {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return null;
  const get = (key: keyof StopMemory): unknown => Reflect.get(json, key);
  const [thread, planId, ledger] = [get("thread"), get("planId"), get("ledger")];
  const [tree, promptedAt, since] = [get("tree"), get("promptedAt"), get("since")];
  const counts = [get("held"), get("idle"), get("unproven"), get("best"), get("total")].filter(isCount);
  const [held, idle, unproven, best, total] = counts;
  const released = RELEASES.find((one) => one === get("released"));
  if (typeof thread !== "string" || typeof planId !== "string" || typeof ledger !== "string") return null;
  if (tree !== null && typeof tree !== "string") return null;
  if (promptedAt !== null && !isTime(promptedAt)) return null;
  if (!isTime(since) || released === undefined) return null;
  if (held === undefined || idle === undefined || unproven === undefined) return null;
  if (best === undefined || total === undefined) return null;
  return { thread, planId, promptedAt, since, held, idle, unproven, best, total, ledger, tree, released };
}

const RELEASES: readonly StopMemory["released"][] = ["idle", "unproven", "budget", "user", null];

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isCount = (value: unknown): value is number => isTime(value) && Number.isInteger(value) && value >= 0;
