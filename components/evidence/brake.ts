/** Slows a run down by stopping all of its processes for a share of the time: for a test of whether a slow-down is found. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { openTree } from "./process-tree.ts";
import { send } from "./sweep.ts";

const PERIOD_MS = 40;
/** More would let a run hardly go on. */
const MOST = 0.9;
/** A timer does not come sooner. */
const LEAST_MS = 1;

export interface Brake {
  /** Begins. Called as soon as the run's first process is there. */
  begin(leader: number): void;
  /** Ends, and lets all processes go on. May be called again. */
  release(): void;
}

/**
 * Gets ready to slow a run that is about to be started.
 * It slows what computes; a program that waits (a timer, the network) waits on while it is stopped.
 * @param share of the time in which the run is stopped, 0 to 0.9: 0.5 makes computing take twice as long
 * @param list path of a file to make, outside what the run can write: pids of the stopped processes
 */
export function makeBrake(share: number, list: string): Brake {
  if (!(share >= 0 && share <= MOST)) throw new RangeError(`a share of 0 to ${MOST}, not ${share}`);
  const tree = openTree();
  let leader = 0;
  let others: readonly number[] = [];
  let stoppedAt: number | null = null;
  let beganAt = 0;
  let stoppedMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let keeper: ChildProcess | null = null;

  // Written before they are stopped, and at once: what a pipe takes later may be lost when we are killed. They change seldom.
  let noted: string | null = null;
  const note = (more: readonly number[], anew: boolean): boolean => {
    const lines = more.map((pid) => `${pid}\n`).join("");
    if (anew ? lines === noted : lines === "") return true;
    try {
      (anew ? writeFileSync : appendFileSync)(list, lines);
      noted = anew ? lines : `${noted ?? ""}${lines}`;
      return true;
    } catch {
      noted = null;
      return false;
    }
  };
  const stop = (): void => {
    stoppedAt = performance.now();
    send(-leader, "SIGSTOP");
    // Processes in groups of their own: the group's stop did not reach them. Twice, for what they started meanwhile.
    for (let round = 0; tree !== null && round < 2; round++) {
      const more = tree.list().filter((pid) => pid !== leader && (round === 0 || !others.includes(pid)));
      // What cannot be noted is not stopped: a full disk must not be why somebody stays stopped.
      if (!note(more, round === 0)) break;
      others = round === 0 ? more : [...others, ...more];
      for (const pid of more) send(pid, "SIGSTOP");
    }
    // What is owed by all the time so far: a timer that came late is made up for.
    const elapsed = stoppedAt - beganAt;
    const owed = (share * elapsed - stoppedMs) / (1 - share);
    timer = setTimeout(go, Math.min(PERIOD_MS * 10, Math.max(LEAST_MS, owed)));
  };
  const carryOn = (): void => {
    if (stoppedAt === null) return;
    for (const pid of [-leader, ...others]) send(pid, "SIGCONT");
    stoppedMs += performance.now() - stoppedAt;
    stoppedAt = null;
  };
  const go = (): void => {
    carryOn();
    timer = setTimeout(stop, PERIOD_MS * (1 - share));
  };
  return {
    begin(pid) {
      if (share === 0 || process.platform === "win32") return;
      leader = pid;
      tree?.lead(pid);
      note([], true);
      keeper = keep(pid, list);
      beganAt = performance.now();
      go();
    },
    release() {
      clearTimeout(timer);
      carryOn();
      keeper?.kill("SIGKILL");
      keeper = null;
    },
  };
}

/**
 * A shell that lets the stopped processes go on once nobody is at the other end of its input: killed by force we could not,
 * and a stopped process would stay for ever.
 */
function keep(leader: number, list: string): ChildProcess | null {
  const script =
    'read -r end; kill -s CONT -- "-$1"; while read -r pid; do kill -s CONT -- "$pid"; done < "$2"';
  try {
    const child = spawn("/bin/sh", ["-c", script, "sh", String(leader), list], {
      cwd: "/",
      env: {},
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    child.unref();
    return child;
  } catch {
    return null;
  }
}
