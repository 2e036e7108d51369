/** Host goal snapshots: reading one, comparing it with what a transition needs, and the objective texts we hand out. */

import { Refusal } from "../errors.ts";

export const HOST_STATUSES = [
  "active",
  "paused",
  "blocked",
  "usageLimited",
  "budgetLimited",
  "complete",
] as const;
type HostStatus = (typeof HOST_STATUSES)[number];

/** The host's goal as `get_goal` shows it. */
export interface HostGoal {
  readonly objective: string;
  readonly status: HostStatus;
  /** Thread that owns the goal; null where the snapshot does not say. */
  readonly threadId: string | null;
}

export type HostNeed = "not_complete" | "complete" | "any";

export interface Expectation {
  readonly expectedObjective: string;
  readonly need: HostNeed;
  /** Null: the host has no goal, or there is no host. */
  readonly goal: HostGoal | null;
}

export type Reconciliation =
  | { readonly ok: true; readonly note: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** The host's database writes the same states with underscores. No other spelling counts. */
const SPELLINGS: ReadonlyMap<unknown, HostStatus> = new Map<unknown, HostStatus>([
  ...HOST_STATUSES.map((status) => [status, status] as const),
  ["usage_limited", "usageLimited"],
  ["budget_limited", "budgetLimited"],
]);

/**
 * Reads `{"goal": {…}}`, the bare goal, or `{"goal": null}`.
 * @returns null when the host has no goal
 * @throws Refusal `snapshot_invalid`
 */
export function parseHostGoal(json: unknown): HostGoal | null {
  if (json === null) return null;
  if (!isMap(json)) throw invalid("a snapshot is a JSON object", kind(json));
  const goal = "goal" in json ? json.goal : json;
  if (goal === null) return null;
  if (!isMap(goal)) throw invalid('"goal" is an object or null', `"goal" is ${kind(goal)}`);
  const { objective, status, threadId } = goal;
  if (typeof objective !== "string")
    throw invalid('"objective" is a string', `"objective" is ${kind(objective)}`);
  const known = SPELLINGS.get(status);
  if (known === undefined)
    throw invalid(
      `"status" is one of ${HOST_STATUSES.join(", ")}`,
      status === undefined ? '"status" is missing' : `"status" is ${JSON.stringify(status).slice(0, 80)}`,
    );
  return { objective, status: known, threadId: typeof threadId === "string" ? threadId : null };
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const kind = (value: unknown): string =>
  value === undefined
    ? "missing"
    : value === null
      ? "null"
      : Array.isArray(value)
        ? "a list"
        : `a ${typeof value}`;

const invalid = (expected: string, found: string): Refusal =>
  new Refusal("snapshot_invalid", "The host goal snapshot cannot be read.", {
    expected,
    found,
    next: ["call get_goal and pass its output as it is", "run the same command without --codex-goal-json"],
  });

/** Objectives are equal when only white space or the Unicode form differs. */
export const sameObjective = (a: string, b: string): boolean => normal(a) === normal(b);

const normal = (text: string): string => text.normalize("NFC").replace(/\s+/gu, " ").trim();

/**
 * Whether the host's goal fits the transition. A missing goal always fits: the proof is ours, the host's goal is focus.
 * A mismatch says how to go on and never advises to record delivered work as blocked.
 */
export function reconcile({ expectedObjective, need, goal }: Expectation): Reconciliation {
  if (goal === null) return { ok: true, note: "host goal absent" };
  if (!sameObjective(goal.objective, expectedObjective)) {
    const finished = goal.status === "complete";
    return mismatch("The host's goal is another one; it does not belong to this plan.", {
      expected: `objective "${excerpt(expectedObjective)}"`,
      found: `objective "${excerpt(goal.objective)}", ${goal.status}`,
      next: [
        finished
          ? "that goal is complete: the user clears it with /goal clear, then create_goal with this plan's objective"
          : "finish that goal first, or the user clears it with /goal clear, then create_goal with this plan's objective",
        "run the same command without --codex-goal-json",
      ],
    });
  }
  if (need === "complete" && goal.status !== "complete")
    return mismatch("The host's goal is not complete yet.", {
      expected: "status complete",
      found: `status ${goal.status}`,
      next: [
        'update_goal({"status":"complete"}), then get_goal, then the same command with the new snapshot',
        "run the same command without --codex-goal-json",
      ],
    });
  if (need === "not_complete" && goal.status === "complete")
    return mismatch(
      "The host's goal was completed early, before the last goal of the plan. Nothing is lost: proofs are kept in the ledger.",
      {
        expected: "any status but complete",
        found: "status complete",
        next: [
          "run the same command without --codex-goal-json",
          "create_goal again with the same objective, then get_goal, then the same command with the new snapshot",
        ],
      },
    );
  return { ok: true, note: `host goal ${goal.status}` };
}

const mismatch = (
  message: string,
  detail: { expected: string; found: string; next: string[] },
): Reconciliation => ({
  ok: false,
  refusal: new Refusal("snapshot_mismatch", message, detail),
});

/** Enough of an objective to recognise it. */
function excerpt(text: string): string {
  const signs = Array.from(normal(text).replace(/\p{Cc}/gu, ""));
  return signs.length <= 120 ? signs.join("") : `${signs.slice(0, 119).join("")}…`;
}

/**
 * The one objective of a whole plan. It names the files and nothing that changes while the plan grows.
 * @param paths relative to the repository root; the text stays within 400 characters for paths of up to 130
 */
export const aggregateObjective = (paths: { readonly goals: string; readonly ledger: string }): string =>
  `Complete every goal of the plan in ${paths.goals} (audit trail: ${paths.ledger}), one after another, until each criterion is proven. ` +
  "The tool says what comes next: proofgate next.";

/** The objective of one goal in per-story mode; within the 4,000 characters that the host takes. */
export function storyObjective(goal: {
  readonly id: string;
  readonly title: string;
  readonly objective: string;
}): string {
  const head = `${goal.id}: ${normal(goal.title)}`;
  const text = normal(goal.objective);
  const full = text === "" || text === normal(goal.title) ? head : `${head}. ${text}`;
  const signs = Array.from(full);
  return signs.length <= 1000 ? full : `${signs.slice(0, 999).join("")}…`;
}
