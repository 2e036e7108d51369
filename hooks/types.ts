/** What the policies know of a plan. `facts.ts` makes it from the engine's plan; the host's folder adds what only it can see. */

import type { Next } from "../components/ulw-loop/handoff.ts";

export interface PlanFacts {
  readonly planId: string;
  readonly title: string;
  /** `stale`: every goal was closed, and what they proved no longer holds on the tree as it is. */
  readonly state: "open" | "complete" | "stale" | "cancelled";
  /** Open, and no goal can be taken up: each is blocked, or failed past its caps. Only the user can go on. */
  readonly stuck: boolean;
  /** The one step that is left is the user's: an approval. */
  readonly waitsForUser: boolean;
  /** Criteria that count, and those that hold on the tree as it is now. */
  readonly total: number;
  readonly proven: number;
  /** The goal that is worked on, or comes next. */
  readonly goal: {
    readonly id: string;
    readonly title: string;
    readonly total: number;
    readonly proven: number;
  } | null;
  /** What does not hold in that goal, in the board's words. */
  readonly open: readonly { readonly ref: string; readonly what: string }[];
  readonly next: Next;
  /** Hash of the ledger's last line. */
  readonly ledger: string;
  /** Fingerprint of the working tree; null where it was not taken. */
  readonly tree: string | null;
}

/** Bytes of UTF-8 that one event may add to a conversation (design: budgets). */
export const MOST_BYTES = 600;
