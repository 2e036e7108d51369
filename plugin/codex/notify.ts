/** `notify:` of the configuration: tells the user, who is elsewhere, that the work is done, blocked, or let go. */

import { runCommand } from "../../components/evidence/runner.ts";
import { readConfig } from "../../components/ulw-loop/workspace.ts";

export type Occasion = "done" | "blocked" | "let_go";

/** A message takes a moment, and a hook must not wait for more. */
const LIMIT_MS = 10_000;

/**
 * Runs the command with `PROOFGATE_EVENT` and `PROOFGATE_MESSAGE` in its environment. What goes wrong with it is nobody's
 * business here: a broken bell must not hold the gate.
 */
export async function notify(root: string, event: Occasion, message: string): Promise<void> {
  try {
    const command = (await readConfig(root))?.notify ?? null;
    if (command === null) return;
    const run = await runCommand(command, {
      cwd: root,
      timeoutMs: LIMIT_MS,
      env: process.env,
      root,
      extra: { PROOFGATE_EVENT: event, PROOFGATE_MESSAGE: message.replace(/\s+/g, " ").slice(0, 300) },
    });
    await run.dispose();
  } catch {
    // A configuration that cannot be read is told by the gate.
  }
}
