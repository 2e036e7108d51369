/** Whether a host's gate watches over a plan: a hook was seen in the session that works on it. */

import { openSessions } from "../witness/sessions.ts";
import type { Plan } from "./model.ts";
import type { Workspace } from "./workspace.ts";

/** @returns when a hook was last seen in the plan's session, or in the writer's; milliseconds since the epoch, null for never */
export function armedAt(ws: Workspace, plan: Plan | null): number | null {
  const store = openSessions(ws.env);
  const sessions = [plan?.owner.session, ws.writer.session].filter((one) => typeof one === "string");
  const times = sessions.flatMap((one) => store.seen(one) ?? []);
  return times.length === 0 ? null : Math.max(...times);
}
