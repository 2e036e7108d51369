/** Everything that can happen to a plan, as the ledger tells it. */

import type { Before, Check, Run } from "../evidence/types.ts";
import type { Artifact, Author, Criterion, Goal, Plan, Review, WeakeningKind } from "./model.ts";

/** The record of one run of one check. The whole output lies in `artifact`. */
export interface Receipt extends Omit<Run, "stdout" | "stderr"> {
  readonly command: Check["run"];
  readonly cwd: string;
  readonly stdout: { readonly sha256: string; readonly size: number };
  readonly stderr: { readonly sha256: string; readonly size: number };
  readonly treeBefore: string;
  readonly treeAfter: string;
  readonly artifact: Artifact;
  /** What the channel's driver captured beside the log. Absent where it captured nothing. */
  readonly captured?: readonly Artifact[];
}

/** How a run ended for the criterion. */
export type RunOutcome =
  | {
      readonly kind: "pass";
      readonly tree: string;
      readonly covered: string;
      readonly whole: string;
      readonly before: Before;
      readonly own: readonly string[];
      readonly ignored: Readonly<Record<string, string>>;
      readonly repeats: number;
    }
  | {
      readonly kind: "fail";
      readonly expectation: string;
      readonly wanted: string;
      readonly got: string;
      readonly tree: string;
    }
  | { readonly kind: "flaky"; readonly what: string; readonly tree: string }
  | { readonly kind: "not_run" | "inconclusive" | "blocked"; readonly what: string }
  /** The tree moved while the check ran, so the result belongs to no tree. */
  | { readonly kind: "moved"; readonly paths: readonly string[] };

interface Steering {
  readonly evidence: string;
  readonly rationale: string;
}

/** What the user agreed to: weakenings by id, criteria by version. `id` names the record in the witness store. */
export interface Approval {
  readonly id: string;
  readonly weakenings: readonly string[];
  /** `G001-C002` to the approved check version (`draft` for a criterion without a check). */
  readonly criteria: Readonly<Record<string, string>>;
}

/** What the host's goal looked like at a transition: matched, gone, or not looked at. */
export type HostNote =
  | { readonly seen: "matched" | "other" | "absent"; readonly note: string }
  | { readonly seen: "none" };

export type PlanEvent =
  | {
      readonly type: "plan_created";
      readonly plan: Omit<
        Plan,
        "createdAt" | "begunWith" | "weakenings" | "amended" | "gate" | "approvals" | "cancelled"
      >;
      readonly replaces: string | null;
    }
  | { readonly type: "plan_recovered"; readonly plan: Plan; readonly from: "snapshot" | "import" }
  | ({ readonly type: "goal_added"; readonly goal: Goal } & Partial<Steering>)
  | { readonly type: "goal_started"; readonly goal: string; readonly fresh: boolean }
  | {
      readonly type: "criterion_ran";
      readonly goal: string;
      readonly criterion: string;
      readonly version: string;
      readonly outcome: RunOutcome;
      readonly receipt: Receipt;
      readonly note?: string;
    }
  /** A run that was broken off from outside (Ctrl-C): it says nothing, and the plan says that it was there. */
  | {
      readonly type: "criterion_interrupted";
      readonly goal: string;
      readonly criterion: string;
      readonly signal: string;
      readonly afterMs: number;
    }
  | {
      readonly type: "criterion_claimed";
      readonly goal: string;
      readonly criterion: string;
      readonly tree: string;
      readonly covered: string;
      readonly artifact: Artifact;
      readonly evidence: string;
      readonly notes?: string;
    }
  | {
      readonly type: "criterion_reported";
      readonly goal: string;
      readonly criterion: string;
      readonly status: "fail" | "blocked";
      readonly key: string;
      readonly evidence: string;
      readonly notes?: string;
    }
  | {
      readonly type: "goal_checkpointed";
      readonly goal: string;
      readonly status: "complete" | "failed" | "blocked";
      readonly evidence: string;
      readonly host: HostNote;
      readonly tree: string | null;
    }
  | {
      readonly type: "goal_review_blocked";
      readonly goal: string;
      readonly followUp: Goal;
      readonly evidence: string;
      readonly host: HostNote;
    }
  | ({
      readonly type: "goal_revised";
      readonly goal: string;
      readonly title?: string;
      readonly objective?: string;
    } & Steering)
  | ({
      readonly type: "criterion_revised";
      readonly goal: string;
      readonly criterion: string;
      readonly scenario?: string;
      readonly expectedEvidence?: string;
      readonly channel?: Criterion["channel"];
      readonly check?: Check;
      readonly version?: string;
      readonly by: Author;
    } & Steering)
  | ({ readonly type: "goals_reordered"; readonly order: readonly string[] } & Steering)
  | ({ readonly type: "goal_split"; readonly goal: string; readonly children: readonly Goal[] } & Steering)
  | ({
      readonly type: "goal_superseded";
      readonly goal: string;
      readonly replacements: readonly string[];
    } & Steering)
  | ({
      readonly type: "criterion_waived";
      readonly goal: string;
      readonly criterion: string;
      readonly weakening: string;
    } & Steering)
  | ({ readonly type: "ledger_annotated" } & Steering)
  | {
      readonly type: "plan_weakened";
      readonly id: string;
      readonly kind: WeakeningKind;
      readonly what: string;
    }
  | { readonly type: "plan_approved"; readonly approval: Approval }
  | {
      readonly type: "gate_recorded";
      readonly tree: string;
      readonly commands: readonly string[];
      readonly receipts: readonly Receipt[];
      readonly review: Review;
      readonly cleaner: string;
      readonly artifact: Artifact;
    }
  | {
      readonly type: "session_attached";
      readonly session: string | null;
      readonly host: string;
      readonly previous: string | null;
    }
  | { readonly type: "plan_cancelled"; readonly why: string };

/** A failed expectation in words. */
export const failureWords = (expectation: string, wanted: string, got: string): string =>
  expectation === "exit"
    ? `wanted exit ${wanted}, got ${/^\d+$/.test(got) ? `exit ${got}` : got}`
    : `${expectation}: wanted ${wanted}, got ${got}`;
