/** Every command with its flags, once: parsing, help, suggestions and the tests read this table. */

import { PERFORMANCE } from "./spec-performance.ts";

export interface Flag {
  /** What stands for the value in help; absent for a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly many?: true;
  readonly help: string;
}

export interface CommandSpec {
  /** As typed, for instance `ulw-loop create-goals`. */
  readonly name: string;
  /** What may stand behind the name, for instance `[ID …]`. */
  readonly takes?: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
}

export const GLOBAL_FLAGS: Readonly<Record<string, Flag>> = {
  json: { help: "one JSON object in place of text" },
  "session-id": { value: "NAME", help: "the plan of one parallel session (or OMO_ULW_LOOP_SESSION_ID)" },
  help: { help: "this command's flags" },
};

const goalId: Flag = { value: "ID", help: "goal, the current one by default" };
const criterionId: Flag = { value: "ID", help: "criterion: C004, or G002-C004" };
const evidence: Flag = { value: "TEXT", help: "what was seen" };
const hostGoal: Flag = { value: "JSON", help: "the host's get_goal answer: inline, a path, or -" };

/** The form of a check as flags, the same words as in a plan file. */
const CHECK_FLAGS: Readonly<Record<string, Flag>> = {
  channel: { value: "NAME", help: "cli (default), data, http, tmux, browser, computer" },
  check: {
    value: "COMMAND",
    help: "the shell line that the tool runs; on other channels their keys: '{ start: …, get: /x }'",
  },
  "expect-exit": { value: "N", help: "exit code, 0 by default" },
  "expect-stdout": { value: "TEXT", help: "a substring, or /regex/" },
  "expect-stderr": { value: "TEXT", help: "a substring, or /regex/" },
  "expect-status": { value: "N", help: "http: status of the answer" },
  "expect-body": { value: "TEXT", help: "http: a substring of the body, or /regex/; browser: a text to see" },
  url: { value: "PATH", help: "http, browser: path that is asked for" },
  start: { value: "COMMAND", help: "the program to start; a server gets its port as $PORT" },
  ready: { value: "PATH", help: "path that answers once the server is ready, or a text that it prints" },
  timeout: { value: "TIME", help: "for instance 60s; 120s by default" },
  files: { value: "GLOBS", help: "the check's own files, comma-separated" },
  covers: { value: "GLOBS", help: "files whose change makes a pass stale, comma-separated; all by default" },
};

const ulw = (
  name: string,
  summary: string,
  flags: CommandSpec["flags"] = {},
  takes?: string,
): CommandSpec => ({
  name: `ulw-loop ${name}`,
  summary,
  flags,
  ...(takes === undefined ? {} : { takes }),
});

const scope: Flag = { value: "SCOPE", help: "user (default) or project: on in this repository only" };
const INSTALL_FLAGS: Readonly<Record<string, Flag>> = {
  "trust-hooks": { help: "Codex: also trust the plugin's hooks; without that it skips them in silence" },
  "dry-run": { help: "show what would be done, and do nothing" },
  yes: { help: "do not ask" },
};

export const COMMANDS: readonly CommandSpec[] = [
  ulw("create-goals", "write the brief and the plan", {
    brief: { value: "TEXT", help: "the brief itself, Markdown" },
    "brief-file": { value: "PATH", help: "a file with the brief" },
    "from-stdin": { help: "the brief from standard input" },
    plan: { value: "PATH", help: "a plan file (docs/plan.md)" },
    "codex-goal-mode": { value: "MODE", help: "aggregate (default) or per-story" },
    force: { help: "replace an open plan; a copy is kept, and the user has to approve" },
  }),
  ulw("add-goal", "append a goal", {
    title: { value: "TEXT", help: "its title" },
    objective: { value: "TEXT", help: "what it is for" },
  }),
  ulw("status", "goals, criteria, ledger head, blockers, the host objective"),
  ulw("criteria", "one goal's criteria", { "goal-id": goalId }),
  ulw("complete-goals", "start or resume the next goal and print the hand-off", {
    "retry-failed": { help: "take blocked and failed goals up again, with a fresh allowance" },
  }),
  ulw(
    "prove",
    "run what is unproven or stale in the current goal, and record it",
    {
      "goal-id": goalId,
      try: { help: "run and record nothing" },
      all: { help: "of every goal" },
      before: { help: "only show what the base tree says" },
    },
    "[ID …]",
  ),
  ulw("record-evidence", "one result for one criterion; pass on a criterion with a check runs it", {
    "goal-id": goalId,
    "criterion-id": criterionId,
    status: { value: "STATUS", help: "pass, fail or blocked" },
    evidence,
    notes: { value: "TEXT", help: "anything more" },
  }),
  ulw("checkpoint", "a gated transition of a goal", {
    "goal-id": goalId,
    status: { value: "STATUS", help: "complete, failed or blocked" },
    evidence,
    "codex-goal-json": hostGoal,
    "quality-gate-json": { value: "JSON", help: "the reviews of the final gate: inline, a path, or -" },
  }),
  ulw("record-quality-gate", "run the plan's verify commands and record the reviews", {
    recommendation: { value: "WORD", help: "the code review's: APPROVE" },
    "architect-status": { value: "WORD", help: "the architect's: CLEAR" },
    review: { value: "TEXT", help: "what the review looked at and found, or its file" },
    cleaner: { value: "TEXT", help: "what the clean-up of changed files did" },
    "quality-gate-json": { value: "JSON", help: "all of it in the contract's form" },
  }),
  ulw("record-review-blockers", "a review was not clean: the goal waits, a follow-up goal appears", {
    "goal-id": goalId,
    title: { value: "TEXT", help: "the follow-up's title" },
    objective: { value: "TEXT", help: "what has to be mended" },
    evidence,
    "codex-goal-json": hostGoal,
  }),
  ulw("steer", "one validated change of the plan", {
    kind: {
      value: "KIND",
      help: "add_subgoal split_subgoal reorder_pending revise_pending_wording revise_criterion annotate_ledger mark_blocked_superseded",
    },
    evidence,
    rationale: { value: "TEXT", help: "why" },
    "goal-id": goalId,
    "criterion-id": criterionId,
    title: { value: "TEXT", help: "add_subgoal, revise_pending_wording" },
    objective: { value: "TEXT", help: "add_subgoal, revise_pending_wording" },
    children: { value: "JSON", help: 'split_subgoal: [{"title","objective"}]' },
    order: { value: "JSON", help: 'reorder_pending: ["G002","G001"]' },
    replacements: { value: "IDS", help: "mark_blocked_superseded: G004,G005" },
    scenario: { value: "TEXT", help: "revise_criterion" },
    "expected-evidence": { value: "PATH", help: "revise_criterion" },
    ...CHECK_FLAGS,
  }),
  ulw("waive", "propose that a criterion need not hold; the user has to approve", {
    "goal-id": goalId,
    "criterion-id": criterionId,
    evidence,
    rationale: { value: "TEXT", help: "why" },
  }),
  ulw("next", "the one next step"),
  ulw("list", "the plans of this repository, a line a session"),
  ulw("attach", "take a plan up: one that another session owned, or a cancelled one"),
  ulw("cancel", "release what is in progress and do not resume by itself", {
    evidence: { value: "TEXT", help: "why" },
  }),
  ulw("verify", "check the whole ledger, the snapshot and every artifact"),
  ulw("repair", "mend ledger and snapshot; copies are kept, losses are said"),
  ulw("import", "adopt another tool's plan, every pass reset"),
  {
    name: "goal",
    takes: "TITLE",
    summary: "a plan of one goal with one check",
    flags: { ...CHECK_FLAGS, objective: { value: "TEXT", help: "what it is for" } },
  },
  { name: "approve", summary: "the user's approval of criteria and weakenings, at a terminal", flags: {} },
  {
    name: "init",
    summary: "write .proofgate.yaml: what any goal in this repository has to pass",
    flags: { "dry-run": { help: "show it, write nothing" } },
  },
  { name: "check", summary: "exit 0 only when everything is proven on the tree as it is", flags: {} },
  {
    name: "ci",
    summary: "every check fails on the base and passes here; needs no ledger",
    flags: {
      plan: { value: "PATH", help: ".proofgate/plan.yaml by default" },
      base: { value: "REF", help: "commit to compare with" },
    },
  },
  {
    name: "compare",
    takes: "REF -- COMMAND",
    summary: "is the working tree faster than a commit? measured in turns until it is decided",
    flags: {
      metric: { value: "NAME", help: "a line METRIC NAME=NUMBER of its output; wall for the time it takes" },
      better: { value: "WORD", help: "lower (default) or higher" },
      "min-effect": { value: "PERCENT", help: "less than this is no change; 1% by default" },
      budget: { value: "TIME", help: "for the pairs, 60s by default" },
      setup: { value: "COMMAND", help: "run once in both copies, for instance a build" },
      share: { value: "NAMES", help: "ignored files and folders that both copies need, comma-separated" },
    },
  },
  ...PERFORMANCE,
  {
    name: "install",
    takes: "codex|opencode",
    summary: "set an agent host up: plugin, hooks, agent roles, links",
    flags: { scope, ...INSTALL_FLAGS },
  },
  {
    name: "update",
    takes: "codex|opencode",
    summary: "bring what is installed to this version",
    flags: INSTALL_FLAGS,
  },
  {
    name: "uninstall",
    takes: "codex|opencode",
    summary: "take away what was installed; every untouched file as it was before",
    flags: {
      scope: { value: "SCOPE", help: "project: leave this repository only; everything by default" },
      "dry-run": { help: "show what would be done, and do nothing" },
      yes: { help: "do not ask" },
    },
  },
  {
    name: "doctor",
    summary: "is the gate in place and able to run; what mends it where not",
    flags: { preflight: { help: "also whether this machine has what the plan's checks need" } },
  },
];

/** Words that stand before a workflow's commands. */
export const WORKFLOWS: readonly string[] = ["ulw-loop", "performance-goal"];

/** Commands that also answer without `ulw-loop` in front. */
export const SHORTCUTS: readonly string[] = [
  "status",
  "next",
  "prove",
  "verify",
  "repair",
  "list",
  "checkpoint",
  "steer",
];
