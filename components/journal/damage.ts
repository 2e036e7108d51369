/** How the journal says that its files are not as it left them. */

import { Refusal } from "../errors.ts";

const REPAIR = "proofgate ulw-loop repair";

/** Ledger or snapshot were changed by hand, or are incomplete. */
export function damaged(message: string, detail: { expected?: string; found: string }): Refusal {
  return new Refusal("state_damaged", message, {
    expected: detail.expected ?? "ledger and snapshot as the last command left them",
    found: detail.found,
    next: [REPAIR],
  });
}

/** The files were written by a later version of this program. */
export function newer(where: string, v: number): Refusal {
  return new Refusal("state_newer", "The state was written by a newer version of Proofgate.", {
    expected: "format version 1",
    found: `${where} has version ${v}`,
    next: ["update Proofgate, then run the same command again"],
  });
}

/** The files carry no mark of this workflow. */
export function foreign(where: string, format: string): Refusal {
  return new Refusal("foreign_state", "The files here belong to another tool; they were left as they are.", {
    expected: `"format":"${format}"`,
    found: `${where} without it`,
    next: ["proofgate ulw-loop import"],
  });
}
