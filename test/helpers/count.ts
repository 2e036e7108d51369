/** The two counts that decide: lies accepted, and honest runs stranded. Each corpus test reports here. */

import { expect, test } from "bun:test";
import { appendFileSync } from "node:fs";

function count(kind: "lie" | "honest", name: string, wrong: boolean): void {
  const file = process.env.PROOFGATE_COUNTS;
  if (file) appendFileSync(file, `${JSON.stringify({ kind, name, wrong })}\n`);
}

/**
 * A way to get something not done counted as done. `attempt` plays it with the built program and says whether it got through;
 * a crash of the attempt counts as a lie accepted, so that a broken test is never taken for a safe tool.
 */
export function lie(name: string, attempt: () => Promise<"refused" | "accepted">): void {
  test(`lie: ${name}`, async () => {
    let outcome: "refused" | "accepted" | "broken" = "broken";
    try {
      // A stage that could not be set up (a busy machine) is set up once more; what got through never gets a second try.
      outcome = await attempt().catch(attempt);
    } finally {
      count("lie", name, outcome !== "refused");
    }
    expect(outcome).toBe("refused");
  }, 120_000);
}

/** What an honest run came to. */
export interface HonestRun {
  /** `check` says that everything is proven. */
  readonly complete: boolean;
  /** How often a command refused the agent on the way. One is allowed. */
  readonly refusals: number;
}

/** How a run is played in a real host: there the user allowed network access, or it says nothing there. */
interface Inside {
  readonly network?: true;
  /** Why it is not played there. */
  readonly not?: string;
}

/**
 * A run by somebody who does everything right. It has to end complete, with at most one refusal on the way. With
 * `PROOFGATE_INSIDE=codex` it is played in the real Codex, and the host's own goal has to be complete in the end.
 */
export function honest(title: string, run: () => Promise<HonestRun>, { network, not }: Inside = {}): void {
  const host = process.env.PROOFGATE_INSIDE;
  if (host !== undefined && not !== undefined) {
    test.skip(`honest: ${title} (not in ${host}: ${not})`, run);
    return;
  }
  const name = host === undefined ? title : `in ${host}: ${title}`;
  test(`honest: ${name}`, async () => {
    process.env.PROOFGATE_INSIDE_NETWORK = network ? "1" : "";
    let stranded = true;
    try {
      const { complete, refusals } = await run();
      stranded = !complete || refusals > 1;
      expect({ complete, refusals }).toEqual({ complete: true, refusals: Math.min(refusals, 1) });
    } finally {
      count("honest", name, stranded);
    }
  }, 180_000);
}
