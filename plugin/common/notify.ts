/** `notify:` of the configuration: tells the user, who is elsewhere, that the work is done, blocked, or let go. */

import { findRootFast } from "../../components/evidence/git-folders.ts";
import { runCommand } from "../../components/evidence/runner.ts";
import type { Command } from "../../components/evidence/types.ts";
import { readConfig, readUserConfig } from "../../components/ulw-loop/workspace.ts";
import type { Payload } from "./call.ts";
import type { HostSide, Surroundings } from "./host.ts";

export type Occasion = "done" | "blocked" | "let_go";

/** A message takes a moment, and a hook must not wait for more. */
const LIMIT_MS = 10_000;

/**
 * Runs the commands with `PROOFGATE_EVENT` and `PROOFGATE_MESSAGE` in their environment: the user's own as it is, and the
 * repository's in the session's sandbox, since the agent can write it. What goes wrong with them is nobody's business here:
 * a broken bell must not hold the gate.
 */
export async function notify(
  payload: Payload,
  host: HostSide,
  event: Occasion,
  message: string,
): Promise<void> {
  const { root } = findRootFast(payload.cwd);
  const around = host.surroundings(payload, process.env);
  const [users, repositorys] = await Promise.all([
    readUserConfig(process.env).catch(() => null),
    readConfig(root).catch(() => null),
  ]);
  const ring = (command: Command | null | undefined, where: Surroundings): Promise<void> =>
    command == null ? Promise.resolve() : run(command, root, where, event, message);
  await Promise.all([
    ring(users?.notify, { ...around, confine: undefined }),
    ring(repositorys?.notify, around),
  ]);
}

async function run(
  command: Command,
  root: string,
  around: Surroundings,
  event: Occasion,
  message: string,
): Promise<void> {
  try {
    const words = message.replace(/\s+/g, " ").slice(0, 300);
    const extra = { PROOFGATE_EVENT: event, PROOFGATE_MESSAGE: words };
    const done = await runCommand(command, { ...around, cwd: root, timeoutMs: LIMIT_MS, root, extra });
    await done.dispose();
  } catch {
    // See above.
  }
}
