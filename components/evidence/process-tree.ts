/** The processes of a run as Linux lists them: who belongs to it, and how much memory they hold. */
import { readdirSync } from "node:fs";
import { systemFile } from "./system-file.ts";

/** What can be asked of a run's processes while they live. */
export interface ProcessTree {
  /** Says which process leads the run. */
  lead(pid: number): void;
  /** Pids of the leader and all its descendants that are there now. */
  list(): readonly number[];
}

/**
 * Follows a run's processes. Made before the run is started: whatever is there already is none of it, so a look reads only
 * what came since. A process counts by its parent when it is first seen, and stays when the parent ends; one whose parent
 * was gone by then counts by its session or group.
 * @returns null where the system does not list processes as files
 */
export function openTree(): ProcessTree | null {
  if (process.platform !== "linux") return null;
  let foreign = new Set(pids());
  let inside = new Set<number>();
  let leader = 0;
  const belongs = ({ parent, group, session }: Kin): boolean =>
    inside.has(parent) || session === leader || group === leader;
  return {
    lead(pid) {
      leader = pid;
      inside.add(pid);
      foreign.delete(pid);
    },
    list() {
      const there = pids();
      let open = there.filter((pid) => !inside.has(pid) && !foreign.has(pid)).flatMap(kin);
      for (let before = -1; before !== open.length; ) {
        before = open.length;
        for (const one of open) if (belongs(one)) inside.add(one.pid);
        open = open.filter(({ pid }) => !inside.has(pid));
      }
      // Sets of those that are there: the number of one that ended may come again, as somebody else.
      foreign = new Set(there.filter((pid) => !inside.has(pid)));
      inside = new Set(there.filter((pid) => inside.has(pid)));
      return [...inside];
    },
  };
}

/** Memory of a process in bytes: what it holds now, and the most that it ever held. Null for one that is gone. */
export function memoryOf(pid: number): { readonly now: number; readonly most: number } | null {
  const status = systemFile(`/proc/${pid}/status`);
  const kibibytes = (name: string): number => {
    const at = status.indexOf(name);
    return at < 0 ? 0 : Number.parseInt(status.slice(at + name.length, at + name.length + 16), 10);
  };
  const now = kibibytes("VmRSS:");
  const most = kibibytes("VmHWM:");
  return most > 0 ? { now: now * 1024, most: most * 1024 } : null;
}

/** The argument list of a process, its parts divided by NUL; "" for one that is gone. */
export const argumentsOf = (pid: number): string => systemFile(`/proc/${pid}/cmdline`);

interface Kin {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

function kin(pid: number): Kin[] {
  const stat = systemFile(`/proc/${pid}/stat`);
  const [, parent, group, session] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ", 4)
    .map(Number);
  if (parent === undefined || group === undefined || session === undefined) return [];
  return [{ pid, parent, group, session }];
}

function pids(): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) found.push(Number(name));
  }
  return found;
}
