/** Whether a reviewer of the host's looked at the very tree that is to be complete, and found nothing to change. */

import { openSessions } from "../witness/sessions.ts";
import type { Plan } from "./model.ts";
import type { Workspace } from "./workspace.ts";

/** What a hook keeps when the reviewer role ends. */
export interface SeenVerdict {
  readonly root: string;
  readonly tree: string;
  readonly clean: boolean;
  readonly line: string;
  readonly at: string;
}

/** The last verdict in the plan's session counts; a later tree was not looked at. */
export function isReviewed(ws: Workspace, plan: Plan, tree: string | undefined): boolean {
  const { session } = plan.owner;
  if (session === null || tree === undefined) return false;
  const seen = openSessions(ws.env).note("verdicts", session) as Partial<SeenVerdict> | null;
  return seen?.clean === true && seen.root === ws.place.root && seen.tree === tree;
}
