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
  /** Why the verdict does not count, whatever it says. */
  readonly against?: string;
  readonly at: string;
}

/**
 * The last verdict in the plan's session counts; a later tree was not looked at.
 * @returns for a judgement's `Present`; `reviewNote` says why a verdict that was given does not count
 */
export function reviewOf(
  ws: Workspace,
  plan: Plan,
  tree: string | undefined,
): { readonly reviewed: boolean; readonly reviewNote?: string } {
  const { session } = plan.owner;
  if (session === null || tree === undefined) return { reviewed: false };
  const seen = openSessions(ws.env).note("verdicts", session) as Partial<SeenVerdict> | null;
  if (seen?.root !== ws.place.root || seen.tree !== tree) return { reviewed: false };
  return {
    reviewed: seen.clean === true,
    ...(seen.against === undefined ? {} : { reviewNote: seen.against }),
  };
}
