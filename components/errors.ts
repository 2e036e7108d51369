/**
 * What can be refused, and how a refusal is said: one code, what was expected, what was found, what to run next.
 *
 * Every refusal in the project is a `Refusal` made by the rule that refuses. The command line turns it into text or
 * JSON once, in `components/cli/print.ts`. `docs/errors.md` lists these codes and a test keeps the two equal.
 */

/** Exit status, as `docs/errors.md` tells: 1 refused by a rule or by the machine, 2 wrong usage, 3 state damaged. */
type Exit = 1 | 2 | 3;

interface CodeMeaning {
  readonly exit: Exit;
  readonly means: string;
}

export const CODES = {
  usage_unknown_command: { exit: 2, means: "The command does not exist." },
  usage_unknown_flag: { exit: 2, means: "The flag does not belong to this command." },
  usage_missing_value: { exit: 2, means: "A flag that needs a value came without one." },
  usage_missing_flag: { exit: 2, means: "A flag that the command cannot do without is missing." },
  usage_bad_value: { exit: 2, means: "A value is not one of those that the flag takes." },
  usage_conflict: { exit: 2, means: "Two of the flags given exclude each other." },
  unknown_goal: { exit: 2, means: "No goal has this id." },
  unknown_criterion: { exit: 2, means: "No criterion has this id." },
  invalid_id: { exit: 2, means: "An id or session name has characters that could leave its folder." },
  brief_empty: { exit: 2, means: "The brief or a text is empty." },
  brief_too_large: { exit: 2, means: "The brief is over 1 MiB." },
  brief_not_text: { exit: 2, means: "The brief is not UTF-8 text." },
  evidence_too_large: { exit: 2, means: "An evidence text is over 64 KiB." },
  evidence_not_text: { exit: 2, means: "An evidence text has control characters or is not UTF-8." },
  evidence_insufficient: { exit: 1, means: "The evidence named cannot support the claim." },
  file_unreadable: { exit: 2, means: "A file named on the command line cannot be read." },
  json_invalid: { exit: 2, means: "A JSON argument does not parse or has the wrong shape." },
  plan_invalid: { exit: 2, means: "The plan file does not have the form that docs/plan.md describes." },
  check_vacuous: { exit: 2, means: "A check that cannot fail proves nothing." },
  criterion_vague: { exit: 2, means: "A criterion does not name an observable pass or fail." },
  snapshot_invalid: {
    exit: 2,
    means: "A host goal snapshot does not parse or has a status that is not known.",
  },
  snapshot_mismatch: {
    exit: 1,
    means: "The host's goal is another one, or in another state, than the transition needs.",
  },
  no_plan: { exit: 1, means: "There is no plan here yet." },
  plan_exists: { exit: 1, means: "There is a plan here already." },
  plan_cancelled: { exit: 1, means: "The plan was cancelled; it goes on only after attach." },
  goal_not_open: { exit: 1, means: "The goal is not in a state that allows this transition." },
  criterion_draft: { exit: 1, means: "The criterion has no check yet, so nothing can prove it." },
  not_proven: { exit: 1, means: "Criteria are open, failing, stale or not shown to have failed before." },
  check_failed: { exit: 1, means: "A check ran and did not meet its expectations." },
  check_inconclusive: {
    exit: 1,
    means: "A check could not be judged: sandbox, missing program, or a tree that moved.",
  },
  measurement_invalid: {
    exit: 1,
    means: "A run of a measurement failed, or did not say its metric once, as a finite number above 0.",
  },
  quality_gate_open: { exit: 1, means: "The final quality gate is missing, not clean, or stale." },
  approval_needed: { exit: 1, means: "Something that weakens the plan waits for the user." },
  approval_not_user: { exit: 1, means: "An approval can only be given by the user, at a terminal." },
  steer_refused: { exit: 1, means: "The steering change breaks a rule of the plan." },
  session_taken: { exit: 1, means: "Another session owns this plan." },
  foreign_state: { exit: 1, means: "The files belong to another tool." },
  lock_timeout: {
    exit: 1,
    means: "Another command kept the state locked for too long, or another installer is at work.",
  },
  disk_full: { exit: 1, means: "The disk has no room; the state is as before." },
  no_permission: { exit: 1, means: "The state folder cannot be written; the state is as before." },
  io_error: { exit: 1, means: "The file system failed; the state is as before." },
  unsafe_path: { exit: 1, means: "A state file or artifact is a symbolic link or leaves the repository." },
  git_missing: { exit: 1, means: "Git is needed for this and was not found." },
  git_bare: { exit: 1, means: "A bare repository has no working tree to check." },
  git_failed: { exit: 1, means: "Git refused a command that Proofgate needs." },
  base_unknown: { exit: 2, means: "The base ref does not exist." },
  state_newer: { exit: 3, means: "The ledger was written by a newer version." },
  state_damaged: { exit: 3, means: "Ledger or snapshot were changed by hand, or are incomplete." },
  state_missing: { exit: 3, means: "A ledger that the witness store knows is gone or shorter than it was." },
  host_missing: { exit: 1, means: "The agent host was not found, or does not start." },
  host_failed: { exit: 1, means: "A command of the agent host failed that the installer needs." },
  host_config: { exit: 1, means: "The agent host's configuration cannot be read or changed safely." },
  plugin_missing: {
    exit: 1,
    means: "This copy of Proofgate brings no plugin for the host, or not a whole one.",
  },
  confirmation_needed: {
    exit: 1,
    means: "Changes outside the repository need a yes: at a terminal, or with --yes.",
  },
  install_conflict: { exit: 1, means: "Something else stands where the installer would put its own." },
  not_installed: { exit: 1, means: "The installer has no record of an installation here." },
  unhealthy: { exit: 1, means: "The doctor found something that keeps the gate from working." },
  internal: { exit: 1, means: "A defect of Proofgate itself; the state is as before." },
} as const satisfies Record<string, CodeMeaning>;

export type Code = keyof typeof CODES;

/** One thing that is wrong, when a refusal lists several at once. */
export interface Problem {
  readonly where: string;
  readonly code: string;
  readonly message: string;
}

interface RefusalDetail {
  /** What the rule wanted to see. */
  readonly expected?: string;
  /** What it saw. */
  readonly found?: string;
  /** Commands or acts that mend it, the best one first. Never empty. */
  readonly next: readonly string[];
  /** Every defect, when there are several; the text lists them all. */
  readonly problems?: readonly Problem[];
}

/** A refusal: thrown by a rule, printed once at the edge. The exit status follows from the code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly nextActions: readonly string[];
  readonly problems: readonly Problem[];

  constructor(
    readonly code: Code,
    message: string,
    detail: RefusalDetail,
  ) {
    super(message);
    this.expected = detail.expected;
    this.found = detail.found;
    this.nextActions = detail.next;
    this.problems = detail.problems ?? [];
  }

  get exit(): Exit {
    return CODES[this.code].exit;
  }

  /** The same with other words for what to run next. */
  withNext(change: (next: string) => string): Refusal {
    const { expected, found, problems } = this;
    return new Refusal(this.code, this.message, {
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
      problems,
      next: this.nextActions.map(change),
    });
  }
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`, …), or undefined for anything else. */
export function errno(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Turns a file system failure into a refusal that says so; anything else comes back as it was.
 * @param what what was being done, in words ("append to ledger.jsonl")
 */
export function fromSystem(error: unknown, what: string): unknown {
  const code = errno(error);
  if (error instanceof Refusal || code === undefined) return error;
  const found = `${what}: ${code}`;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG")
    return new Refusal("disk_full", "The disk is full; nothing was changed.", {
      found,
      next: ["free some space, then run the same command again"],
    });
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new Refusal("no_permission", "The state folder cannot be written; nothing was changed.", {
      found,
      next: ["give yourself write permission, then run the same command again"],
    });
  return new Refusal("io_error", "The file system failed; nothing was changed.", {
    found,
    next: ["run the same command again", "proofgate ulw-loop verify"],
  });
}
