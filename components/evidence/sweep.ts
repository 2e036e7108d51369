/** Finds and ends what a run left behind: what carries its mark, what belongs to its session, and what any of these started. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { carries, type RunMark } from "./mark.ts";
import { systemFile } from "./system-file.ts";

interface Process {
  readonly pid: number;
  readonly command: string;
  /** Its process group; null where that is not known. */
  readonly group: number | null;
}

const TERM_GRACE_MS = 1000;
const KILL_GRACE_MS = 2000;
const NOW_MS = 3000;
const LOOKS = 10;
const ASK = ["SIGTERM", "SIGCONT"] as const;
/** What is on its way out by itself gets this long and is not reported. */
const SETTLE_MS = 60;
const LONGEST_COMMAND = 160;

/** Ends everything of a run. Returns the command lines of what was ended and of what is still alive. */
export async function sweep(run: RunMark): Promise<{ ended: string[]; alive: string[] }> {
  const find = finder(run);
  let left = await find();
  if (left.length > 0) {
    await sleep(SETTLE_MS);
    left = await find();
  }
  const seen = new Map<number, string>();
  const killed = new Set<number>();
  for (const [signal, grace] of [
    ["SIGTERM", TERM_GRACE_MS],
    ["SIGKILL", KILL_GRACE_MS],
  ] as const) {
    const deadline = Date.now() + grace;
    while (left.length > 0 && Date.now() < deadline) {
      const fresh = left.filter(({ pid }) => !(signal === "SIGTERM" ? seen : killed).has(pid));
      // The first word counts: what is about to end has only its name left.
      for (const { pid, command } of left) if (!seen.has(pid)) seen.set(pid, command);
      // Asked once to end. A stopped process would never see the request.
      if (signal === "SIGTERM") for (const { pid } of fresh) for (const one of ASK) send(pid, one);
      else {
        kill(left);
        for (const { pid } of left) killed.add(pid);
      }
      // What forks on is not given the time for it.
      if (signal === "SIGTERM" || fresh.length === 0) await sleep(20);
      left = await find();
    }
    if (left.length === 0) break;
  }
  const alive = new Set(left.map(({ pid }) => pid));
  return {
    // Of what forked on each pid was another one.
    ended: [...new Set([...seen].filter(([pid]) => !alive.has(pid)).map(([, command]) => command))],
    alive: left.map(({ command }) => command),
  };
}

/** Kills a run at once, without waiting: for the moment in which this process itself is ending. */
export function sweepNow(run: RunMark): void {
  if (run.leader !== null) send(-run.leader, "SIGKILL");
  if (process.platform !== "linux") return;
  const find = finderInProc(run);
  const deadline = Date.now() + NOW_MS;
  for (let left = find(); left.length > 0 && Date.now() < deadline; left = find()) kill(left);
}

/**
 * Whole groups at once, which no fork escapes: what forks faster than it is listed is gone before its single pids are tried.
 * A group of the run's is nobody else's, since the run began with a session of its own.
 */
function kill(left: readonly Process[]): void {
  for (const group of new Set(left.map((one) => one.group)))
    if (group !== null && group > 1) send(-group, "SIGKILL");
  for (const { pid } of left) send(pid, "SIGKILL");
}

/** Sends a signal; nobody being there is fine. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or not ours to end: the next look tells which.
  }
}

/** How to look for the processes of a run that are there now. */
function finder(run: RunMark): () => Promise<readonly Process[]> {
  if (process.platform === "win32") return async () => [];
  if (process.platform !== "linux") return () => findWithPs(run);
  const find = finderInProc(run);
  return async () => find();
}

/**
 * Looks several times before it says that nobody is there: what forks and ends within a millisecond is easily gone between
 * the list and the look at it. After the first time only what is new is looked at, newest first.
 */
function finderInProc(run: RunMark): () => readonly Process[] {
  const others = new Map<number, number>();
  return () => {
    for (let look = 1; ; look++) {
      const found = lookInProc(run, others);
      if (found.length > 0 || look === LOOKS) return found;
    }
  };
}

/** @param others pids that are not the run's, with their parents; is brought up to date */
function lookInProc(run: RunMark, others: Map<number, number>): readonly Process[] {
  const found: Process[] = [];
  const there = new Set(readdirSync("/proc").flatMap((name) => (/^\d/.test(name) ? [Number(name)] : [])));
  for (const pid of others.keys()) if (!there.has(pid)) others.delete(pid);
  for (const pid of [...there].reverse()) {
    if (pid === process.pid || others.has(pid)) continue;
    // Empty: gone meanwhile.
    const stat = systemFile(`/proc/${pid}/stat`);
    const [state, parent, group, session, started] = fieldsOf(stat);
    // A zombie, which nobody can end.
    if (stat === "" || state === "Z" || state === "X") continue;
    // What is older than the run's maker is looked at no further.
    const young = Number(started) >= run.since;
    // Nothing but the run's own children can be in a session that its main process leads.
    if ((young && carries(pid, run)) || (run.leader !== null && Number(session) === run.leader))
      found.push({ pid, group: Number(group), command: commandOf(pid, stat) });
    else others.set(pid, Number(parent));
  }
  // What one of them started is the run's as well, whatever became of its mark.
  for (const { pid: started } of found)
    for (const [pid, parent] of others)
      if (parent === started) {
        others.delete(pid);
        const stat = systemFile(`/proc/${pid}/stat`);
        if (stat !== "") found.push({ pid, group: Number(fieldsOf(stat)[2]), command: commandOf(pid, stat) });
      }
  // Without the limit there is only the environment, which is empty for a moment while a program takes another's place.
  if (run.locks === null) others.clear();
  return found;
}

/** State, parent, group, session, time of its start; the name before them may have spaces in it. */
function fieldsOf(stat: string): readonly (string | undefined)[] {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 20);
  return [...fields.slice(0, 4), fields[19]];
}

function commandOf(pid: number, stat: string): string {
  const words = systemFile(`/proc/${pid}/cmdline`).replace(/\0+$/, "").replaceAll("\0", " ");
  return (words || stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))).slice(0, LONGEST_COMMAND);
}

/** macOS and the BSDs: `ps` shows the environment behind the command. */
function findWithPs({ mark, leader }: RunMark): Promise<Process[]> {
  return new Promise((settle) => {
    const child = spawn("ps", ["-Eww", "-ax", "-o", "pid=,sess=,stat=,command="], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    child.on("error", () => settle([]));
    child.on("close", () => {
      const found: Process[] = [];
      for (const line of text.split("\n")) {
        const [, id, session, state = "", rest = ""] = /^\s*(\d+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
        const pid = Number(id);
        if (!Number.isInteger(pid) || pid === child.pid || state.startsWith("Z")) continue;
        if (rest.includes(mark) || (leader !== null && Number(session) === leader))
          found.push({
            pid,
            group: null,
            command: rest.replace(/\s[A-Za-z_][A-Za-z0-9_]*=.*$/, "").slice(0, LONGEST_COMMAND),
          });
      }
      settle(found);
    });
  });
}
