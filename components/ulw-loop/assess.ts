/** What each criterion is worth on the tree as it is now: open, failing, stale, claimed, proven. Computed, never stored. */

import type { Before, Check, Tree } from "../evidence/types.ts";
import {
  type Artifact,
  type Criterion,
  countedGoals,
  criterionRef,
  type Goal,
  isClaimable,
  isWaived,
  type Plan,
  type Proof,
} from "./model.ts";

/** The repository at this instant, as far as a judgement needs it. */
export interface Present {
  /** Null: not looked at, so freshness is not known. */
  readonly tree: Tree | null;
  /** Digest of what the check covers and consists of, now. */
  covered(check: Check | null, own: readonly string[]): string;
  /** Paths that the check covers and that differ from an earlier tree; null when that tree is not remembered. */
  changedSince(treeId: string, check: Check | null, own: readonly string[]): readonly string[] | null;
  /** A reviewer of the host's found this very tree clean; where nobody looked it is false. */
  readonly reviewed?: boolean;
  /** Why a verdict that was given does not count. */
  readonly reviewNote?: string;
  /** Content of an ignored file now; null when it is gone. */
  ignored(path: string): string | null;
  /** Whether the artifact is still the file that was recorded. */
  intact(artifact: Artifact): boolean;
}

/** Nothing is looked at: for answers that do not depend on the tree. */
export const unseen: Present = {
  tree: null,
  covered: () => "",
  changedSince: () => null,
  ignored: () => null,
  intact: () => true,
};

type Word = "open" | "draft" | "failing" | "blocked" | "stale" | "claimed" | "proven" | "waived";

export interface Assessed {
  readonly goal: Goal;
  readonly criterion: Criterion;
  readonly ref: string;
  readonly word: Word;
  /** What a person wants to know beside the word; may be empty. */
  readonly why: string;
  /** Null where freshness was not looked at, or there is nothing to be fresh. */
  readonly fresh: boolean | null;
  readonly level: "none" | "attested" | "captured";
}

/** Assesses every criterion of every goal that counts. */
export function assessPlan(plan: Plan, present: Present): readonly Assessed[] {
  return countedGoals(plan).flatMap((goal) => assessGoal(plan, goal, present));
}

export function assessGoal(plan: Plan, goal: Goal, present: Present): readonly Assessed[] {
  return goal.successCriteria.map((criterion) => assess(plan, goal, criterion, present));
}

function assess(plan: Plan, goal: Goal, criterion: Criterion, present: Present): Assessed {
  // Every answer has the same members in the same order, written out: of thousands, copied ones would take far longer.
  const ref = criterionRef(goal, criterion);
  const nothing = (word: Word, why: string): Assessed => ({
    goal,
    criterion,
    ref,
    word,
    why,
    fresh: null,
    level: "none",
  });
  if (isWaived(plan, criterion)) return nothing("waived", criterion.waived?.why ?? "");
  switch (criterion.status) {
    case "open":
      return criterion.check === null && !isClaimable(criterion)
        ? nothing("draft", "no check yet")
        : nothing("open", criterion.note || "not run yet");
    case "fail":
      return nothing("failing", criterion.what);
    case "blocked":
      return nothing("blocked", criterion.what);
    case "pass": {
      const claimed = criterion.proof.kind === "claimed";
      // No command of ours writes that.
      if (claimed && !isClaimable(criterion))
        return nothing("open", "claimed, and only a run of its check counts");
      const level = claimed ? "attested" : "captured";
      const stale = staleReason(criterion, criterion.proof, present);
      if (stale !== null) return { goal, criterion, ref, word: "stale", why: stale, fresh: false, level };
      const fresh = present.tree === null ? null : true;
      const why = claimed ? "the agent's word only" : beforeWords(criterion.before);
      return { goal, criterion, ref, word: claimed ? "claimed" : "proven", why, fresh, level };
    }
  }
}

function staleReason(criterion: Criterion, proof: Proof, present: Present): string | null {
  const captured = proof.kind === "captured" ? (proof.captured ?? []) : [];
  for (const artifact of [proof.artifact, ...captured])
    if (!present.intact(artifact)) return `${artifact.path} changed or is gone`;
  if (present.tree === null) return null;
  const own = proof.kind === "captured" ? proof.own : [];
  const believed = proof.kind === "claimed" || believesCovers(criterion);
  const check = criterion.check === null || believed ? criterion.check : { ...criterion.check, covers: null };
  if (present.covered(check, own) !== (believed ? proof.covered : proof.whole))
    return `${changedWords(present.changedSince(proof.tree, check, own))} changed`;
  if (proof.kind === "captured")
    for (const [path, sha256] of Object.entries(proof.ignored))
      if (present.ignored(path) !== sha256) return `${path} changed`;
  return null;
}

/**
 * A check that covers too little would stay fresh while the work under it breaks. What `covers:` says is believed where the
 * user agreed to it, and where the base passes with the covered files alone.
 */
function believesCovers(criterion: Criterion): boolean {
  return criterion.approved || criterion.check?.covers === null || criterion.before?.covers === "hold";
}

function changedWords(paths: readonly string[] | null): string {
  if (paths === null || paths.length === 0) return "the tree";
  const [first, ...rest] = paths;
  return rest.length === 0 ? String(first) : `${first} and ${rest.length} more`;
}

/** What a pass is called by what the base tree said: only one that failed there shows work, and a hollow one shows nothing. */
export function passWord(before: Before | null): "proven" | "pinned" | "hollow" {
  if (before === null || before.outcome === "red") return "proven";
  return before.outcome === "hollowed" ? "hollow" : "pinned";
}

/** What the base tree said, for people. */
export function beforeWords(before: Before | null): string {
  switch (before?.outcome) {
    case undefined:
      return "";
    case "red":
      return "failed before, passes now";
    case "pinned":
      return "passed before as well";
    case "own_script":
      return "only its own script or configuration changed";
    case "not_run":
      return "could not run before";
    case "no_base":
      return "no commit to compare with";
    case "unclear":
      return `before unclear, ${before?.saw}`;
    case "hollowed":
      return before?.saw ?? "";
  }
}

/** The pass failed on the base tree and that failure was the tree's doing. */
export const isRed = (criterion: Criterion): boolean =>
  criterion.status === "pass" && criterion.proof.kind === "captured" && criterion.before?.outcome === "red";
