/** What a repository asks for before any goal is complete, as a session was seen to begin with it: taking it away does not help. */

import { isDeepStrictEqual } from "node:util";
import type { Command } from "../../components/evidence/types.ts";
import { DEFAULT_POLICY, type Policy, policyOf, raisePolicy } from "../../components/ulw-loop/config.ts";
import { readConfig } from "../../components/ulw-loop/workspace.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";

/** Commands of the file as it is now, and those that were seen since the session began. */
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

export const policiesOf = (session: string, store: SessionStore): Readonly<Record<string, Policy>> =>
  (store.note("policies", session) as Record<string, Policy> | null) ?? {};

/** Keeps the strictest policy that a root was seen to have since the session began: a plan that begins later begins with less. */
export async function keepPolicy(root: string, session: string, store: SessionStore): Promise<void> {
  // A file that cannot be read is for the gate to complain of.
  const file = await readConfig(root).catch(() => null);
  if (file === null) return;
  const all = policiesOf(session, store);
  const { effective } = raisePolicy(all[root] ?? DEFAULT_POLICY, policyOf(file));
  if (!isDeepStrictEqual(effective, all[root]))
    store.setNote("policies", session, { ...all, [root]: effective });
}
