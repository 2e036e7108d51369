/** Whether a performance goal can have a say at all: most sessions have none, and load nothing of it. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import type { Payload } from "./call.ts";

/** How our objectives begin, whatever the paths in them: a goal that names one which is not there is not a foreign one. */
export const OURS = /^Reach the performance goal in \S*state\.json /;

export const mayHaveGoals = (payload: Payload, objective: string | null, store: SessionStore): boolean =>
  existsSync(join(findRootFast(payload.cwd).root, ".omx", "goals", "performance")) ||
  (objective !== null && OURS.test(objective)) ||
  store.bindings(payload.session).some((one) => one.workflow === "performance-goal") ||
  store.note("intents", payload.session) === "performance-goal";
