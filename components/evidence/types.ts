/** The words of proof: what a check expects, what a run showed, and what running on the base tree told. */
import type { Channel } from "./channels/names.ts";

/**
 * Puts a sandbox around a program: what the host keeps its agent's commands in, so that a hook outside of it runs an
 * agent's code nowhere else.
 * @param cwd where the program starts
 * @param writable folders of ours that the program has to write to, beside those that the sandbox leaves open
 * @returns the argv to start in its place
 */
export type Confine = (
  argv: readonly string[],
  cwd: string,
  writable: readonly string[],
) => readonly string[];

/** A shell line, or an argument list that no shell sees. */
export type Command = string | readonly string[];

/** A substring, or `/regex/flags` written as such. */
export type TextPattern = string;

/** What must hold for a run to pass. Every member given must hold; `exit` defaults to 0 when the check is made. */
export interface Expectations {
  readonly exit: number;
  readonly stdout?: TextPattern;
  readonly stderr?: TextPattern;
  /** Standard output parsed as JSON (or YAML): a value for each dotted path. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Files that the run leaves, relative to its folder: a pattern for each path, `""` for "exists and is not empty". */
  readonly produces?: Readonly<Record<string, TextPattern>>;
}

/**
 * What a channel's driver does and what it wants to see: plain JSON, whose form each channel knows by itself
 * (`channels/<name>/scenario.ts`).
 */
export type Scenario = Readonly<Record<string, unknown>>;

/** A check in full, as it is fixed in the ledger. Its version is the digest of exactly these members. */
export interface Check {
  readonly channel: Channel;
  /** The command; where there is a scenario that starts a program, that program: the work itself, and not the check. */
  readonly run: Command;
  /** Folder to run in, relative to the repository root; "" is the root. */
  readonly cwd: string;
  readonly expect: Expectations;
  readonly timeoutMs: number;
  /** Globs of the files that the check itself consists of; null: worked out from the command (see check-files.ts). */
  readonly files: readonly string[] | null;
  /** Globs of the files whose change makes a pass stale; null: all. */
  readonly covers: readonly string[] | null;
  /** Absent where the command alone is the check. */
  readonly scenario?: Scenario;
}

/** One stream as it is kept: digest and size of the whole, bounded head and tail of the text. */
export interface Captured {
  readonly sha256: string;
  /** Bytes, of the whole stream. */
  readonly size: number;
  readonly head: string;
  /** Empty when the head holds everything. */
  readonly tail: string;
}

/** A program that a run resolved on PATH. `path` is null when nothing was found. */
export interface Program {
  readonly name: string;
  readonly path: string | null;
}

/** What one run of a command showed, before anybody judges it. */
export interface Run {
  readonly exit: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Output passed the cap and the run was ended for it. */
  readonly flooded: boolean;
  /** The program itself could not be started (`ENOENT`, `EACCES`), with the errno; null when it ran. */
  readonly spawnError: string | null;
  readonly durationMs: number;
  readonly stdout: Captured;
  readonly stderr: Captured;
  readonly programs: readonly Program[];
  /** Variables that were taken out of the environment because they would have run other code. */
  readonly dropped: readonly string[];
  /** What the run left behind and was ended, by command line. */
  readonly ended: readonly string[];
  /** What the run left behind and could not be ended. Not empty: blocked. */
  readonly alive: readonly string[];
}

/** The judgement of one run. */
export type Verdict =
  | { readonly kind: "met" }
  /** The program ran and an expectation was not met. `expectation` names it (`exit`, `stdout`, …). */
  | { readonly kind: "unmet"; readonly expectation: string; readonly wanted: string; readonly got: string }
  /** A missing command, a missing script of the check's own, a syntax error: says nothing about the tree. */
  | { readonly kind: "not_run"; readonly reason: string }
  /** The surroundings forbid the run (a sandbox without sockets): neither a failure nor a pass. */
  | { readonly kind: "inconclusive"; readonly reason: string }
  /** Something it started could not be ended. */
  | { readonly kind: "blocked"; readonly reason: string };

/** A tree at an instant. `id` is Git's tree hash (or `walk:<sha256>` outside Git). */
export interface Tree {
  readonly id: string;
  /** Path to content id, for every file that counts. Sorted by path. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * What the base tree said of a check.
 * `red`: it failed there, and passes in a clean copy of today's tree. `pinned`: it already passed. `own_script`: it failed
 * there only because its own script was another one. `not_run`: nothing could be run there. `no_base`: there is no base.
 * `unclear`: a clean copy of today's tree fails as well, so the base's failure says nothing. `hollowed`: a pin that is
 * worth nothing by itself: the base's version of its own files fails today, or it passes without the project as well.
 */
export interface Before {
  readonly outcome: "red" | "pinned" | "own_script" | "not_run" | "no_base" | "unclear" | "hollowed";
  /** What was seen, in a few words: `exit 1`, `wanted 404, got 500`, `passes already`. */
  readonly saw: string;
  /** Commit that was exported; null when there is none. */
  readonly base: string | null;
  /** Digest of the check's own files as they were laid over; with the tree's id where the answer depends on all of it. */
  readonly checkFiles: string;
  /**
   * Only for a red check with `covers:`. `hold`: the base with nothing but today's covered files passes, so what they name
   * is what turned the check green. `narrow`: it takes more than they name, and a pass goes stale with any file.
   */
  readonly covers?: "hold" | "narrow";
  /**
   * Only for a red check of which the base has a version that passes there and fails today: what failed. The wish of a goal
   * that changes behaviour; for a regression it is the loss of what it guards.
   */
  readonly lost?: string;
  readonly durationMs: number;
}
