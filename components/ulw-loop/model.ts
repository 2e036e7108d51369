/** The glossary of ulw-loop: what a plan, a goal, a criterion and a proof are. Everything here survives JSON unchanged. */

import type { Channel } from "../evidence/channels/names.ts";
import type { Before, Check, Command } from "../evidence/types.ts";
import type { Policy } from "./config.ts";
import type { AdversarialClass, CriterionClass } from "./draft.ts";

export type GoalMode = "aggregate" | "per-story";
export type Author = "user" | "agent";

/** How a criterion came to pass. Words on screen follow from this and from freshness, never from a stored flag. */
export type Proof =
  | {
      /** The tool ran the check on the working tree and looked at the base tree. */
      readonly kind: "captured";
      /** Ledger line that holds the receipt. */
      readonly seq: number;
      readonly at: string;
      /** Tree the pass belongs to. */
      readonly tree: string;
      /** Digest of the files that `covers:` names, at the pass. Equal now: fresh, where `covers:` is believed. */
      readonly covered: string;
      /** Digest of everything, at the pass; decides where `covers:` is not believed (see `believesCovers`). */
      readonly whole: string;
      /** Check files at the pass; they count as covered whatever `covers:` says. */
      readonly own: readonly string[];
      /** Ignored files that the check reads, with their content at the pass; outside the tree, so hashed by themselves. */
      readonly ignored: Readonly<Record<string, string>>;
      readonly artifact: Artifact;
      /** What the channel's driver captured beside the log: a screenshot, a pane. Absent where it captured nothing. */
      readonly captured?: readonly Artifact[];
    }
  | {
      /** The agent's word, with an artifact that exists, is real and new (browser and computer only). */
      readonly kind: "claimed";
      readonly seq: number;
      readonly at: string;
      readonly tree: string;
      readonly covered: string;
      readonly artifact: Artifact;
    };

/** A file under `evidence/`. `path` is relative to the state folder. */
export interface Artifact {
  readonly path: string;
  readonly sha256: string;
}

export type CriterionState =
  /** `note`: why a run told nothing about the tree (a sandbox, a missing program); empty before any run. */
  | { readonly status: "open"; readonly note: string }
  | { readonly status: "pass"; readonly proof: Proof }
  | { readonly status: "fail"; readonly what: string; readonly tree: string | null }
  | { readonly status: "blocked"; readonly what: string };

interface CriterionBase {
  readonly id: string;
  readonly classes: readonly CriterionClass[];
  readonly scenario: string;
  readonly channel: Channel;
  readonly adversarial: readonly AdversarialClass[];
  readonly stop: string;
  /** Exact artifact path, relative to the state folder. */
  readonly expectedEvidence: string;
  /** Null: a draft, which nothing can prove yet (browser and computer are claimed without one). */
  readonly check: Check | null;
  /** Its run may stand beside others. Absent: it runs alone. */
  readonly parallel?: true;
  /** Version of the check; null for a draft. */
  readonly version: string | null;
  readonly author: Author;
  /** The user agreed to this version, or wrote it. */
  readonly approved: boolean;
  /** This version has failed or passed once on record, so that changing it is no longer free. */
  readonly tried: boolean;
  /** Identical failures in a row, as reported (see contract: caps). */
  readonly failure: { readonly key: string; readonly count: number } | null;
  /** What the base tree said of this version, kept over later failures so that it is taken once. */
  readonly before: Before | null;
  /** Failed runs of this version on the tree `tree`: a later pass there must hold more than once. */
  readonly failedOn: { readonly tree: string; readonly count: number } | null;
  /** Why it need not hold; counts only once the weakening `by` is approved. */
  readonly waived: { readonly why: string; readonly by: string } | null;
}

export type Criterion = CriterionBase & CriterionState;

export type GoalState =
  | { readonly status: "pending" }
  | { readonly status: "in_progress"; readonly since: string }
  | { readonly status: "review_blocked"; readonly followUp: string; readonly reason: string }
  | { readonly status: "blocked"; readonly reason: string }
  | { readonly status: "failed"; readonly reason: string }
  | { readonly status: "complete"; readonly at: string; readonly note: string }
  | { readonly status: "superseded"; readonly by: readonly string[] };

interface GoalBase {
  readonly id: string;
  readonly title: string;
  readonly objective: string;
  readonly author: Author;
  /** Classes that no criterion covers, with the reason that the plan gives. */
  readonly without: Readonly<Partial<Record<CriterionClass, string>>>;
  readonly successCriteria: readonly Criterion[];
  /** Failed checkpoints since the last fresh allowance. */
  readonly cycles: number;
}

export type Goal = GoalBase & GoalState;

export type WeakeningKind =
  | "forced"
  | "superseded"
  | "waived"
  | "amended"
  | "lost_state"
  | "rolled_back"
  | "policy";

/** Something that makes the plan easier to finish. It counts only once the user agreed. */
export interface Weakening {
  readonly id: string;
  readonly kind: WeakeningKind;
  readonly what: string;
  readonly seq: number;
  readonly approved: boolean;
}

export interface Review {
  readonly recommendation: string;
  readonly architectStatus: string;
  readonly evidence: string;
}

/** The final quality gate as the tool recorded it. */
export interface QualityGate {
  readonly seq: number;
  readonly tree: string;
  readonly commands: readonly string[];
  readonly review: Review;
  readonly cleaner: string;
  readonly artifact: Artifact;
}

/** What the ledger folds to, and what `goals.json` holds. */
export interface Plan {
  /** Random, so that two plans of one folder are never taken for each other. Empty: there is no plan. */
  readonly planId: string;
  readonly title: string;
  readonly deliverable: string;
  readonly constraints: readonly string[];
  readonly createdAt: string;
  readonly mode: GoalMode;
  /** The one text of the host goal in aggregate mode. */
  readonly objective: string;
  readonly base: { readonly commit: string | null; readonly tree: string };
  readonly verify: readonly Command[];
  readonly share: readonly string[];
  readonly setup: readonly Command[];
  readonly policy: Policy;
  readonly owner: { readonly session: string | null; readonly host: string; readonly at: string };
  readonly cancelled: { readonly at: string; readonly why: string; readonly by: Author } | null;
  readonly goals: readonly Goal[];
  readonly weakenings: readonly Weakening[];
  readonly amended: number;
  /** How many goals the plan began with; goals with higher ids were added since. */
  readonly begunWith: number;
  readonly gate: QualityGate | null;
  /** When the user last approved, and the ids of the witness records behind it. */
  readonly approvals: readonly { readonly id: string; readonly at: string }[];
}

/** `G002-C004`, the name of a criterion everywhere. */
export const criterionRef = (goal: { id: string }, criterion: { id: string }): string =>
  `${goal.id}-${criterion.id}`;

export const isClosed = (goal: Goal): boolean => goal.status === "complete" || goal.status === "superseded";

/** All goals are complete or superseded, and at least one was completed. */
export const isComplete = (plan: Plan): boolean =>
  plan.goals.some((goal) => goal.status === "complete") && plan.goals.every(isClosed);

/** A waiver counts once its weakening is approved. */
export function isWaived(plan: Plan, criterion: Criterion): boolean {
  const by = criterion.waived?.by;
  return by !== undefined && plan.weakenings.some((w) => w.id === by && w.approved);
}

/** Goals whose criteria count: everything but the superseded. */
export const countedGoals = (plan: Plan): readonly Goal[] =>
  plan.goals.filter((goal) => goal.status !== "superseded");

/** Browser and computer criteria may be claimed with an artifact; the other channels need a check that the tool runs. */
export const isClaimable = (criterion: {
  readonly channel: Channel;
  readonly check: Check | null;
}): boolean =>
  criterion.check === null && (criterion.channel === "browser" || criterion.channel === "computer");
