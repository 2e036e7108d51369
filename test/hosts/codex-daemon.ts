/** The background server that Codex's terminal interface starts: it outlives the terminal, and so do its helpers. */

import { ask } from "./ask.ts";
import { endGroup } from "./codex.ts";

/** For all of them to end, in milliseconds. */
const END_MS = 10_000;
const LOOK_MS = 100;

/**
 * Ends every process whose program or script lies in this home: the server runs from a copy there, and a new helper may
 * begin while another one is ended.
 * @returns there were some
 * @throws Error when they do not end
 */
export async function endDaemon(home: string): Promise<boolean> {
  const late = Date.now() + END_MS;
  for (let some = false; ; some = true) {
    const left = await runningIn(home);
    if (left.length === 0) return some;
    if (Date.now() > late) throw new Error(`they do not end: ${left.join(" ")}`);
    for (const pid of left) endGroup(pid);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Leaders of their groups; the others end with them. */
async function runningIn(home: string): Promise<number[]> {
  const { exit, text } = await ask("ps", ["-A", "-ww", "-o", "pid=,pgid=,stat=,args="], "/", END_MS);
  if (exit !== 0) throw new Error(`ps: ${text}`);
  return text.split("\n").flatMap((line) => {
    const [, pid, group, stat, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const ours = args?.includes(`${home}/`) && pid === group && !stat?.startsWith("Z");
    return ours ? [Number(pid)] : [];
  });
}
