/** Everything that can happen to a performance goal, as the ledger tells it. */

import type {
  Baseline,
  Evaluation,
  Kept,
  PerformanceGoal,
  Rescue,
  Validation,
  WeakeningKind,
} from "./model.ts";

/** What the host's goal looked like at the end: matched, gone, or not looked at. */
export interface HostNote {
  readonly seen: "matched" | "absent" | "none";
  readonly note: string;
}

export type GoalEvent =
  | {
      readonly type: "goal_created";
      readonly goal: Pick<
        PerformanceGoal,
        | "goalId"
        | "slug"
        | "title"
        | "objective"
        | "hostObjective"
        | "contract"
        | "evaluator"
        | "guardFiles"
        | "base"
        | "author"
        | "owner"
        | "document"
      >;
    }
  | {
      readonly type: "goal_started";
      readonly session: string | null;
      readonly host: PerformanceGoal["owner"]["host"];
    }
  | { readonly type: "baseline_measured"; readonly baseline: Omit<Baseline, "at"> }
  | { readonly type: "evaluated"; readonly evaluation: Evaluation; readonly spentMs: number }
  | { readonly type: "kept"; readonly kept: Omit<Kept, "at"> }
  | { readonly type: "reverted"; readonly rescue: Omit<Rescue, "at"> }
  | { readonly type: "revert_undone"; readonly rescue: string }
  | { readonly type: "validated"; readonly validation: Omit<Validation, "recordedAt"> }
  | {
      readonly type: "goal_completed";
      readonly evidence: string;
      readonly host: HostNote;
      readonly tree: string;
    }
  | { readonly type: "goal_abandoned"; readonly why: string }
  | {
      readonly type: "goal_weakened";
      readonly id: string;
      readonly kind: WeakeningKind;
      readonly what: string;
    }
  | {
      readonly type: "goal_approved";
      readonly approval: { readonly id: string; readonly weakenings: readonly string[] };
    };
