/** When an agent stops with proof open: held back while something moves, let go when nothing does (design: continuation). */

import type { HOST_STATUSES } from "../components/goal-mode/snapshot.ts";
import type { Config } from "../components/ulw-loop/config.ts";
import { fresh, type StopMemory } from "./stop-memory.ts";
import { assembled, line, provenWords } from "./text.ts";
import { MOST_BYTES, type PlanFacts } from "./types.ts";

export { parseStopMemory, type StopMemory } from "./stop-memory.ts";

/** Stops in a row with neither ledger nor tree changed since the stop before. Two: one may fall between a plan and its first edit. */
const MOST_IDLE = 2;
/** Stops in a row without a criterion more than ever before: edits, and passes lost and won again, are no progress. */
const MOST_UNPROVEN = 8;

/**
 * Where the configuration cannot be read; the same as its defaults, which a test holds. A night's work and not the next
 * day's: 200 turns are more than any plan seen needed, 12 hours end before the user is back. Tokens have no bound of their
 * own: not every host tells them, prices differ, and turns bound them.
 */
export const DEFAULT_BUDGET: Config["budget"] = { turns: 200, tokens: null, minutes: 720 };

export interface StopFacts {
  /** Thread whose agent stops; memories of other threads say nothing about it. */
  readonly thread: string;
  /** The open plan that this session owns or attached; null: none, or another session's. */
  readonly plan: PlanFacts | null;
  /** What `next` was at this thread's last stop; null at the first. */
  readonly memory: StopMemory | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** When the user last said something in this thread; null where the host does not tell. A new word opens a new budget. */
  readonly promptedAt: number | null;
  /** Tokens that the thread used since then; null where the host does not tell. */
  readonly tokens: number | null;
  /** `budget:` of the configuration; null where it cannot be read, and then the defaults bound it. */
  readonly budget: Config["budget"] | null;
  /** The host starts the next turn by itself (Codex outside `exec` with an active goal). */
  readonly hostContinues: boolean;
  /** The host goal's status; null: none. */
  readonly hostGoal: (typeof HOST_STATUSES)[number] | null;
  /** How the turn ended. `aborted` by the user, `quota` or another `error` by the service. */
  readonly ended: "finished" | "aborted" | "quota" | "error";
  /** A question or permission of the host's own waits for the user. A question mark in a message is none: any agent can write one. */
  readonly openQuestion: boolean;
  readonly subagent: boolean;
}

export type StopDecision =
  | { readonly kind: "hold"; readonly reason: string; readonly next: StopMemory }
  | {
      readonly kind: "let_go";
      readonly tellAgent: string;
      readonly tellUser: string;
      readonly next: StopMemory;
    }
  /** `next` null: nothing to remember. */
  | { readonly kind: "quiet"; readonly next: StopMemory | null };

export function onStop(facts: StopFacts): StopDecision {
  const { plan } = facts;
  if (plan === null || isNoneOfOurs(facts, plan)) return { kind: "quiet", next: facts.memory };
  const known =
    facts.memory?.thread === facts.thread && facts.memory.planId === plan.planId ? facts.memory : null;
  const seen = look(known, facts, plan);
  if (seen.memory.released !== null) return { kind: "quiet", next: seen.memory };
  const why = reasonToLetGo(seen.memory, facts, plan);
  if (why === null) {
    const next = { ...seen.memory, held: seen.memory.held + 1 };
    return { kind: "hold", reason: holdText(plan, seen.moved), next };
  }
  return {
    kind: "let_go",
    tellAgent: tellAgent(plan, why.words),
    tellUser: line(`${notComplete(plan)} · ${why.words} · next: ${plan.next.command}`, 240),
    next: { ...seen.memory, released: why.released },
  };
}

/** Stops that are the user's, the host's, or right. */
const isNoneOfOurs = (facts: StopFacts, plan: PlanFacts): boolean =>
  facts.subagent ||
  facts.ended !== "finished" ||
  facts.openQuestion ||
  facts.hostContinues ||
  // Paused or blocked by the agent or the user, or stopped by a limit: whoever did it has decided.
  !(facts.hostGoal === null || facts.hostGoal === "active" || facts.hostGoal === "complete") ||
  // `stale` as well: a delivered plan must not keep an agent from other work in the same repository.
  plan.state !== "open" ||
  plan.stuck;

/** The memory brought up to this stop; what ends a release is applied. */
function look(
  known: StopMemory | null,
  facts: StopFacts,
  plan: PlanFacts,
): { readonly memory: StopMemory; readonly moved: boolean } {
  if (known === null) return { memory: fresh(facts, plan), moved: true };
  const changed =
    known.ledger !== plan.ledger || (plan.tree !== null && known.tree !== null && known.tree !== plan.tree);
  // A tree that was not looked at may have moved: the other bounds still hold. It is no reason to begin again, though.
  const moved = changed || plan.tree === null || known.tree === null;
  // A plan that lost criteria cannot be held to the passes that went with them.
  const best = known.best - Math.max(0, known.total - plan.total);
  const newProof = plan.proven > best;
  const spoken = known.promptedAt !== facts.promptedAt;
  const ended = ends(known.released, { changed, newProof, spoken });
  const step = spoken || known.released !== null ? 0 : 1;
  return {
    moved,
    memory: {
      ...(spoken ? fresh(facts, plan) : known),
      idle: moved || step === 0 ? 0 : known.idle + step,
      unproven: newProof || spoken ? 0 : known.unproven + step,
      best: Math.max(plan.proven, best),
      total: plan.total,
      ledger: plan.ledger,
      tree: plan.tree ?? known.tree,
      released: ended ? null : known.released,
    },
  };
}

/** Each release ends with what it waited for, so that junk edits cannot restart a loop that junk edits ended. */
function ends(
  released: StopMemory["released"],
  since: { readonly changed: boolean; readonly newProof: boolean; readonly spoken: boolean },
): boolean {
  switch (released) {
    case null:
      return false;
    case "idle":
    case "user":
      return since.changed;
    case "unproven":
      return since.newProof || since.spoken;
    case "budget":
      return since.spoken;
  }
}

interface Why {
  readonly released: NonNullable<StopMemory["released"]>;
  readonly words: string;
}

function reasonToLetGo(memory: StopMemory, facts: StopFacts, plan: PlanFacts): Why | null {
  if (plan.waitsForUser) return { released: "user", words: "it waits for your approval" };
  if (memory.idle >= MOST_IDLE) return { released: "idle", words: `${MOST_IDLE} stops changed nothing` };
  if (memory.unproven >= MOST_UNPROVEN)
    return { released: "unproven", words: `${MOST_UNPROVEN} stops without a new proof` };
  const budget = facts.budget ?? DEFAULT_BUDGET;
  const minutes = (facts.now - memory.since) / 60_000;
  const spent =
    budget.turns !== null && memory.held >= budget.turns
      ? `${budget.turns} turns`
      : budget.tokens !== null && (facts.tokens ?? 0) >= budget.tokens
        ? `${budget.tokens} tokens`
        : budget.minutes !== null && minutes >= budget.minutes
          ? `${budget.minutes} minutes`
          : null;
  return spent === null ? null : { released: "budget", words: `the budget of ${spent} is spent` };
}

const notComplete = (plan: PlanFacts): string => `NOT complete: ${provenWords(plan)}`;

function holdText(plan: PlanFacts, moved: boolean): string {
  const head =
    plan.proven === plan.total
      ? `Not complete, although all ${plan.total} are proven: ${line(plan.next.why, 120)}.`
      : `Not complete: ${provenWords(plan)}.`;
  return assembled(
    [head],
    plan.open.map(({ ref, what }) => `- ${line(ref, 40)} ${line(what, 110)}`),
    [
      ...(moved ? [] : ["Nothing changed since the last stop."]),
      `Go on. Next: ${line(plan.next.command, 220)}`,
      "Cannot be done? update_goal blocked, and say why.",
    ],
    MOST_BYTES,
  );
}

const tellAgent = (plan: PlanFacts, why: string): string =>
  assembled(
    [`Not complete: ${provenWords(plan)}. This loop lets go: ${why}.`],
    [],
    [
      'Call update_goal {"status":"paused"} now if this thread has a goal; it is not complete.',
      "Then tell the user in a few lines what is open and what you would need. Start nothing new.",
      `Later: ${line(plan.next.command, 220)}`,
    ],
    MOST_BYTES,
  );
