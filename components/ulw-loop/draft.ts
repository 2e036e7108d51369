/** A plan before it is in the ledger: the drafts that a brief or a plan file is read into, and when a scenario is too vague. */

import type { Channel } from "../evidence/channels/names.ts";
import type { Check, Command } from "../evidence/types.ts";

export const CRITERION_CLASSES = ["happy", "edge", "regression", "adversarial"] as const;
export type CriterionClass = (typeof CRITERION_CLASSES)[number];

export const ADVERSARIAL_CLASSES = [
  "malformed_input",
  "prompt_injection",
  "cancel_resume",
  "stale_state",
  "dirty_worktree",
  "hung_commands",
  "flaky_tests",
  "misleading_success",
  "repeated_interruptions",
] as const;
export type AdversarialClass = (typeof ADVERSARIAL_CLASSES)[number];

export interface CriterionDraft {
  readonly classes: readonly CriterionClass[];
  readonly scenario: string;
  readonly channel: Channel;
  readonly adversarial: readonly AdversarialClass[];
  /** Null: the caps of the loop. */
  readonly stop: string | null;
  /** Path of the artifact, relative to the state folder. Null: named after goal and criterion. */
  readonly expectedEvidence: string | null;
  /** Null: a draft, which nothing proves yet (browser and computer are claimed without a check). */
  readonly check: Check | null;
  /** Its run may stand beside others. Absent: it runs alone. */
  readonly parallel?: true;
}

export interface GoalDraft {
  readonly title: string;
  readonly objective: string;
  readonly criteria: readonly CriterionDraft[];
  /** Classes that no criterion covers, with the reason. */
  readonly without: Readonly<Partial<Record<CriterionClass, string>>>;
}

export interface PlanDraft {
  readonly title: string;
  /** What the whole is for: introduction and context of the brief. May be empty. */
  readonly deliverable: string;
  readonly constraints: readonly string[];
  /** The full text, as `brief.md` keeps it. */
  readonly brief: string;
  readonly verify: readonly Command[];
  readonly share: readonly string[];
  readonly setup: readonly Command[];
  readonly goals: readonly GoalDraft[];
}

const DRAFT_OF: Record<CriterionClass, string> = {
  happy: "name the exact tool, steps, inputs and a binary pass or fail for",
  edge: "name the boundary input, the exact steps and a binary pass or fail for",
  regression: "name what worked before and must still work, with a command and its output, beside",
  adversarial: "name the hostile or interrupted case, how it is caused and a binary pass or fail for",
};

/**
 * The four criteria that a goal from prose starts with. They have no check, so nothing can prove them until each is
 * revised; the scenario says what has to be filled in.
 */
export function draftCriteria(title: string, objective: string): CriterionDraft[] {
  const subject = title.trim() || objective.trim().split("\n", 1)[0] || "this goal";
  return CRITERION_CLASSES.map((one) => ({
    classes: [one],
    scenario: `Draft (${one}): ${DRAFT_OF[one]}: ${subject}`,
    channel: "cli",
    adversarial: [],
    stop: null,
    expectedEvidence: null,
    check: null,
  }));
}
