/** A subagent ends: when it is the reviewer, its verdict is kept with the tree that it looked at. */

import { fingerprint } from "../../components/evidence/fingerprint.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import type { SeenVerdict } from "../../components/ulw-loop/reviewed.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { REVIEWER, verdictIn } from "../../hooks/verdict.ts";
import type { Payload } from "./payload.ts";

export async function keepVerdict(payload: Payload, store: SessionStore): Promise<void> {
  if (payload.agent === null || payload.role !== REVIEWER) return;
  const verdict = verdictIn(payload.lastMessage);
  if (verdict === null) return;
  const { root } = findRootFast(payload.cwd);
  const { id: tree } = await fingerprint(root);
  const seen: SeenVerdict = { root, tree, ...verdict, at: new Date().toISOString() };
  store.setNote("verdicts", payload.session, seen);
}
