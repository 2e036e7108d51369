/** A performance goal as the ledger folds it: what was asked, what was measured, what is kept, what was said of it. */

import type { Writer } from "../journal/types.ts";
import type { Better } from "../measure/decide.ts";
import type { Target, TargetFinding } from "../measure/target.ts";

/** Fixed when the goal is made. Only the user can agree to another one. */
export interface Contract {
  /** What passes and what fails, in words. */
  readonly text: string;
  /** Shell line that the tool runs. */
  readonly command: string;
  /** Folder to run it in, from the root; "" is the root. */
  readonly cwd: string;
  /** Null: prose only, and the command's exit status is the verdict. */
  readonly measure: Measure | null;
  /** Commands that have to pass on the working tree before anything is measured. */
  readonly guards: readonly string[];
  /** Globs of the evaluator's own files. */
  readonly protect: readonly string[];
  /** Globs of the files whose change makes a verdict stale; null: all. */
  readonly covers: readonly string[] | null;
  readonly setup: readonly string[];
  readonly share: readonly string[];
  /** A run that takes longer is ended, in milliseconds. */
  readonly runMs: number;
}

export interface Measure {
  /** `wall`, `cpu`, `memory`, a name printed as METRIC, or a JSON path. */
  readonly metric: string;
  readonly unit: string;
  readonly better: Better;
  readonly target: Target | null;
  /** Share of change below which nothing is called one. */
  readonly minEffect: number;
  /** Chance that one evaluation of identical code calls it changed. */
  readonly alpha: number;
  /** Pairs that are run and not counted; null for the usual ones. */
  readonly warmUp: number | null;
  /** For the pairs of one measurement, in milliseconds. */
  readonly budgetMs: number;
}

/** The evaluator's own files as they are: path to content id, and the package scripts behind its command. */
export interface Evaluator {
  readonly files: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  /** Digest of both and of the command. */
  readonly version: string;
}

/** What the guards are made of, as it was when the contract was made. */
export interface GuardFiles {
  /** SHA-256 of each file's content, by path; the contents are in the state folder. */
  readonly files: Readonly<Record<string, string>>;
  /** A runner finds its tests and its configuration by itself. */
  readonly suite: boolean;
}

/** One measurement, without its single values: those are in the evidence file. */
export interface Measured {
  readonly word: "improved" | "regressed" | "same" | "inconclusive";
  readonly target: TargetFinding | null;
  readonly metric: string;
  readonly unit: string;
  readonly base: number;
  readonly now: number;
  /** Natural logarithms of the ratio new to base. */
  readonly interval: { readonly estimate: number; readonly low: number; readonly high: number } | null;
  readonly nowInterval: { readonly low: number; readonly high: number } | null;
  readonly exact: boolean;
  readonly pairs: number;
  readonly noise: number;
  readonly tookMs: number;
  readonly pairMs: number;
}

export interface GuardRun {
  readonly command: string;
  /** Why it does not hold; null when it passed. */
  readonly failed: string | null;
}

/** What one evaluation found, and of what. */
export interface Evaluation {
  readonly id: string;
  /** `invalid`: nothing was measured that counts; `reason` tells why. */
  readonly word: Measured["word"] | "invalid" | "holds" | "fails";
  readonly reason: string | null;
  readonly first: Measured | null;
  /** A fresh measurement of the same trees, made because the first one was good news. */
  readonly again: Measured | null;
  /** Against what is kept, where that was asked as well. */
  readonly versusKept: readonly Measured[];
  readonly guards: readonly GuardRun[];
  /** The contract holds: target met and confirmed, guards green. */
  readonly met: boolean;
  /** Better than what was kept, twice. */
  readonly kept: boolean;
  readonly tree: string;
  /** Digest of the part of the tree that the contract covers. */
  readonly covered: string;
  readonly evaluator: string;
  readonly machine: string;
  /** What is doubtful about it, a sentence each. */
  readonly doubts: readonly string[];
  /** File in the state folder with every value; null where nothing was measured. */
  readonly artifact: { readonly path: string; readonly sha256: string } | null;
}

/** An evaluation in the ledger. */
export type Recorded = Evaluation & { readonly seq: number; readonly at: string };

/** A tree that was found better, with what Git's own store lacks of it. */
export interface Kept {
  readonly tree: string;
  /** Git's hash of it, and the folder with its objects, from the state folder. */
  readonly treeHash: string;
  readonly objects: string;
  readonly evaluation: string;
  readonly at: string;
}

/** What `revert` put aside, so that it can be undone. */
export interface Rescue {
  readonly id: string;
  readonly patch: { readonly path: string; readonly sha256: string };
  readonly treeHash: string;
  readonly objects: string;
  /** Paths that were put back, with their content ids then and after. */
  readonly paths: readonly {
    readonly path: string;
    readonly was: string | null;
    readonly is: string | null;
  }[];
  readonly at: string;
}

export interface Validation {
  readonly status: "pass" | "fail" | "blocked";
  readonly evidence: string;
  readonly recordedAt: string;
  /** `captured`: rests on an evaluation of the tool; `attested`: on words. */
  readonly level: "captured" | "attested";
  readonly evaluation: string | null;
}

export interface Weakening {
  readonly id: string;
  readonly kind: WeakeningKind;
  readonly what: string;
  readonly approved: boolean;
}

/** An open goal exchanged for another contract, given up by somebody else than the user, or lost in part. */
export type WeakeningKind = "forced" | "abandoned" | "lost_state";

export interface Baseline {
  readonly measured: Measured;
  readonly machine: string;
  readonly at: string;
}

export interface PerformanceGoal {
  readonly goalId: string;
  readonly slug: string;
  readonly title: string;
  readonly objective: string;
  /** As the host's goal has to say it. */
  readonly hostObjective: string;
  readonly status: "created" | "active" | "complete" | "abandoned";
  readonly why: string | null;
  /** Who gave it up; null while nobody has. */
  readonly abandonedBy: "user" | "agent" | null;
  readonly contract: Contract;
  readonly evaluator: Evaluator;
  readonly guardFiles: GuardFiles;
  /** Commit that the gain is measured against. */
  readonly base: string;
  readonly author: "user" | "agent";
  readonly createdAt: string;
  readonly owner: { readonly session: string | null; readonly host: Writer["host"]; readonly at: string };
  /** SHA-256 of evaluator.md as it was written. */
  readonly document: string;
  readonly baseline: Baseline | null;
  readonly latest: Recorded | null;
  /** The evaluation that `lastValidation` rests on. */
  readonly passed: Recorded | null;
  readonly kept: Kept | null;
  readonly rescue: Rescue | null;
  readonly lastValidation: Validation | null;
  readonly evaluations: number;
  /** Evaluations since the last one that was kept, without those that measured nothing. */
  readonly fruitless: number;
  readonly spentMs: number;
  readonly weakenings: readonly Weakening[];
}

export const isClosed = (goal: PerformanceGoal): boolean =>
  goal.status === "complete" || goal.status === "abandoned";

/** Given up, and the user did it or agreed to it: it asks for nothing more. */
export const isGivenUp = (goal: PerformanceGoal): boolean =>
  goal.status === "abandoned" &&
  (goal.abandonedBy === "user" || goal.weakenings.some((one) => one.kind === "abandoned" && one.approved));

/** Nothing is owed any more. What an agent gave up may not be replaced by less. */
export const isSettled = (goal: PerformanceGoal): boolean => goal.status === "complete" || isGivenUp(goal);

/** So many evaluations in a row without a gain are a plateau. */
export const PLATEAU = 6;
