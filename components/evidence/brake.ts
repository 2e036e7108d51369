/** Slows a run down by stopping all of its processes for a share of the time: for a test of whether a slow-down is found. */
import { type ChildProcess, spawn } from "node:child_process";
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
 */
export function makeBrake(share: number): Brake {
  if (!(share >= 0 && share <= MOST)) throw new RangeError(`a share of 0 to ${MOST}, not ${share}`);
  const tree = openTree();
  let leader = 0;
  let others: readonly number[] = [];
  let stoppedAt: number | null = null;
  let beganAt = 0;
  let stoppedMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let keeper: ChildProcess | null = null;

  const stop = (): void => {
    stoppedAt = performance.now();
    send(-leader, "SIGSTOP");
    // Processes in groups of their own: the group's stop did not reach them. Twice, for what they started meanwhile.
    for (let round = 0; tree !== null && round < 2; round++) {
      others = tree.list().filter((pid) => pid !== leader);
      keeper?.stdin?.write(`-${leader} ${others.join(" ")}\n`);
      for (const pid of others) send(pid, "SIGSTOP");
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
      keeper = keep(pid);
      beganAt = performance.now();
      go();
    },
    release() {
      clearTimeout(timer);
      carryOn();
      keeper?.stdin?.end();
      keeper = null;
    },
  };
}

/**
 * A shell that lets the stopped processes go on once nobody is at the other end of its input: killed by force we could not,
 * and a stopped process would stay for ever. It reads a line of pids each time they change.
 */
function keep(leader: number): ChildProcess | null {
  const script =
    'last=$1; while read -r pids; do last=$pids; done; for pid in $last; do kill -s CONT -- "$pid"; done';
  try {
    const child = spawn("/bin/sh", ["-c", script, "sh", String(-leader)], {
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
