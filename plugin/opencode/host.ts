/** OpenCode, as the work that all hosts share wants to know it. Its commands run as the user does: there is no sandbox. */

import type { HostSide } from "../common/host.ts";

/** @param tokens what the host's events told of a session so far */
export const openCode = (tokens: (session: string) => number | null): HostSide => ({
  name: "opencode",
  skillPrefix: "",
  surroundings: (_, env) => ({ confine: undefined, env: { ...env } }),
  tokens: ({ agent, session }) => tokens(agent ?? session),
  // The host ends after each turn; this plugin is what goes on.
  continues: () => false,
});
