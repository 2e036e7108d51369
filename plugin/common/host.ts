/** What one host's folder brings to the work that all of them share. */

import type { Confine } from "../../components/evidence/types.ts";
import type { Payload } from "./call.ts";

/** Where and in what surroundings the gate runs a command of the repository. */
export interface Surroundings {
  /** Undefined: the session has no sandbox. @throws Refusal `check_inconclusive` where it is not known */
  readonly confine: Confine | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export interface HostSide {
  /** As ledger lines name who wrote them. */
  readonly name: "codex" | "opencode";
  /** What stands before a skill's name where the host wants one. */
  readonly skillPrefix: string;
  /** @throws Error where the host's environment cannot be read */
  surroundings(payload: Payload, env: NodeJS.ProcessEnv): Surroundings;
  /** Everything that a thread used so far, by the host's own count; null where it does not say. */
  tokens(payload: Payload): number | null;
  /** The host begins the next turn of an active goal by itself. */
  continues(payload: Payload, hostGoal: string | null): boolean;
}
