/** One number that a run was measured with, and the refusal where there is none. */

import { Refusal } from "../errors.ts";

export interface Reading {
  readonly value: number;
  /** As printed; `ms` for times, `bytes` for memory. May be empty. */
  readonly unit: string;
}

/** A run that measures nothing. */
export const invalid = (expected: string, found: string): Refusal =>
  new Refusal("measurement_invalid", "A run measured nothing that could be compared.", {
    expected,
    found: found.slice(0, 300),
    next: ["mend the command, then run the same command again"],
  });
