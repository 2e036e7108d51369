/** The commands that a repository asks for before any goal is complete. */

import type { Command } from "../../components/evidence/types.ts";
import { readConfig } from "../../components/ulw-loop/workspace.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";

/** Those of the file as it is now, and those that the session was seen to begin with: taking one away does not help. */
export async function gatesInForce(
  root: string,
  session: string,
  store: SessionStore,
): Promise<readonly Command[]> {
  const now = (await readConfig(root))?.gates ?? [];
  const then = store.gates(session, root) as readonly Command[];
  const all = new Map([...then, ...now].map((gate) => [JSON.stringify(gate), gate]));
  return [...all.values()];
}
