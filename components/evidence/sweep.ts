/** Finds and ends what a run left behind: only processes that carry its mark, or that belong to its own session. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Name of the variable that carries the mark. A run inside a run keeps the outer mark in front of its own. */
export const MARK = "PROOFGATE_RUN";

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** What belongs to a run. */
export interface RunMark {
  readonly mark: string;
  /** Pid of the run's main process, which leads its session and group; null when it never started. */
  readonly leader: number | null;
}

const TERM_GRACE_MS = 1000;
const KILL_GRACE_MS = 2000;
/** What is on its way out by itself gets this long and is not reported. */
const SETTLE_MS = 60;
const LONGEST_COMMAND = 160;

/** Ends everything of a run. Returns the command lines of what was ended and of what is still alive. */
export async function sweep(run: RunMark): Promise<{ ended: string[]; alive: string[] }> {
  let left = await find(run);
  if (left.length > 0) {
    await sleep(SETTLE_MS);
    left = await find(run);
  }
  const seen = new Map<number, string>();
  for (const [signal, grace] of [
    ["SIGTERM", TERM_GRACE_MS],
    ["SIGKILL", KILL_GRACE_MS],
  ] as const) {
    const deadline = Date.now() + grace;
    while (left.length > 0 && Date.now() < deadline) {
      for (const { pid, command } of left) {
        // Asked once to end, but killed again and again: what forks faster than it is listed must not get away.
        const first = !seen.has(pid);
        seen.set(pid, command);
        if (first || signal === "SIGKILL") send(pid, signal);
        // A stopped process would never see the request.
        if (signal === "SIGTERM" && first) send(pid, "SIGCONT");
      }
      await sleep(20);
      left = await find(run);
    }
    if (left.length === 0) break;
  }
  const alive = new Set(left.map(({ pid }) => pid));
  return {
    ended: [...seen].filter(([pid]) => !alive.has(pid)).map(([, command]) => command),
    alive: left.map(({ command }) => command),
  };
}

/** Kills a run at once, without waiting: for the moment in which this process itself is ending. */
export function sweepNow(run: RunMark): void {
  if (run.leader !== null) send(-run.leader, "SIGKILL");
  for (let round = 0; round < 3; round++) {
    const left = process.platform === "linux" ? findInProc(run) : [];
    if (left.length === 0) return;
    for (const { pid } of left) send(pid, "SIGKILL");
  }
}

/** Sends a signal; nobody being there is fine. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or not ours to end: the next look tells which.
  }
}

async function find(run: RunMark): Promise<Process[]> {
  return process.platform === "linux" ? findInProc(run) : process.platform === "win32" ? [] : findWithPs(run);
}

function findInProc({ mark, leader }: RunMark): Process[] {
  const found: Process[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Unreadable: another user's. Empty: a zombie or a kernel thread, which nobody can end.
    const environ = read(`/proc/${name}/environ`);
    const stat = read(`/proc/${name}/stat`);
    const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X" || stat === "") continue;
    // Nothing but the run's own children can be in a session that its main process leads.
    if (environ.includes(mark) || (leader !== null && Number(session) === leader))
      found.push({ pid, command: commandOf(name, stat) });
  }
  return found;
}

function commandOf(name: string, stat: string): string {
  const words = read(`/proc/${name}/cmdline`).replace(/\0+$/, "").replaceAll("\0", " ");
  return (words || stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))).slice(0, LONGEST_COMMAND);
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
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
            command: rest.replace(/\s[A-Za-z_][A-Za-z0-9_]*=.*$/, "").slice(0, LONGEST_COMMAND),
          });
      }
      settle(found);
    });
  });
}
