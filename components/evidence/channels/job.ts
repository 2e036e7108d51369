/** What the tool and a channel's driver tell each other: the job before the run, the report after it. */
import type { Check, Verdict } from "../types.ts";

/** Written by the tool, read by the driver. */
export interface Job {
  readonly check: Check;
  /** The criterion that it is for, like `G001-C002`: names what a person may come upon. Null: none is known. */
  readonly name: string | null;
  /** Absolute; where the programs of the scenario are started. */
  readonly cwd: string;
  /** Absolute; the repository, or the copy of it that is looked at. */
  readonly root: string;
  /** Existing folder for the report and what is captured. */
  readonly out: string;
}

/** Written by the driver as its last act. */
export interface Report {
  readonly verdict: Verdict;
  /** What was captured, by name in the folder: the first is the one to look at. */
  readonly files: readonly string[];
  /** How the command ended, on a channel that is judged by its command as well. */
  readonly exit?: number | null;
}

export const REPORT = "report.json";

/**
 * How the driver's process ends. The word that counts is this status, which nobody but the driver can give; the report,
 * a file that any program of the scenario could write, only says more about it.
 */
export const EXIT: Readonly<Record<Verdict["kind"], number>> = {
  met: 0,
  unmet: 10,
  not_run: 11,
  inconclusive: 12,
  blocked: 13,
};
