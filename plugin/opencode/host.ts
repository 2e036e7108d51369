/** OpenCode, as the work that all hosts share wants to know it. Its commands run as the user does: there is no sandbox. */

import type { HostSide } from "../common/host.ts";
import type { Sessions } from "./sessions.ts";

/** @param sessions what the host's events told so far */
export const openCode = (sessions: Pick<Sessions, "tokens" | "delegates">): HostSide => ({
  name: "opencode",
  skillPrefix: "",
  surroundings: (_, env) => ({ confine: undefined, env: { ...env } }),
  tokens: ({ agent, session }) => sessions.tokens(agent ?? session),
  // The host ends after each turn, and this plugin is what goes on; but for a turn that waits for a subagent.
  continues: ({ session }) => sessions.delegates(session),
});
