/** A subagent begins and ends: when it is the reviewer, its verdict is kept with the tree that it looked at. */

import { fingerprint } from "../../components/evidence/fingerprint.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import type { SeenVerdict } from "../../components/ulw-loop/reviewed.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { isToldTheVerdict, REVIEWER, verdictIn } from "../../hooks/verdict.ts";
import type { Payload } from "./call.ts";

/** What was there when the reviewer was asked. Hosts that encrypt a subagent's task tell no hook of it. */
interface Begun {
  readonly tree: string;
  readonly told: boolean;
}

export async function reviewBegins(payload: Payload, store: SessionStore): Promise<void> {
  if (payload.agent === null || payload.role !== REVIEWER) return;
  const { id: tree } = await fingerprint(findRootFast(payload.cwd).root);
  const begun: Begun = { tree, told: isToldTheVerdict(payload.prompt) };
  store.setNote("reviews", payload.agent, begun);
}

export async function keepVerdict(payload: Payload, store: SessionStore): Promise<void> {
  if (payload.agent === null || payload.role !== REVIEWER) return;
  const verdict = verdictIn(payload.lastMessage);
  if (verdict === null) return;
  const { root } = findRootFast(payload.cwd);
  const { id: tree } = await fingerprint(root);
  const begun = store.note("reviews", payload.agent) as Begun | null;
  const against =
    begun?.told === true
      ? "the last one's task held the verdict's words; ask again without them"
      : begun !== null && begun.tree !== tree
        ? "the tree changed while the last one read it"
        : null;
  const seen: SeenVerdict = {
    root,
    tree,
    clean: verdict.clean && against === null,
    line: verdict.line,
    ...(against === null ? {} : { against }),
    at: new Date().toISOString(),
  };
  store.setNote("verdicts", payload.session, seen);
}
