/** Who made a temporary folder: enough to know later, without doubt, that this process is gone. */
import { readlinkSync } from "node:fs";
import { systemFile } from "./system-file.ts";

export interface Owner {
  readonly pid: number;
  /** When it started, in the system's own count; null where that is not told. */
  readonly started: string | null;
  /** The boot and the space that the pid belongs to: the same number elsewhere is somebody else. Null where there is one only. */
  readonly space: string | null;
}

let self: Owner | null = null;

/** This process. */
export function owner(): Owner {
  self ??= { pid: process.pid, started: startOf(process.pid), space: space() };
  return self;
}

/** Certainly gone: not only unseen from here, as it would be from a sandbox with pids of its own. */
export function isGone({ pid, started, space: there }: Owner): boolean {
  if (there !== space()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
  const now = startOf(pid);
  return started !== null && now !== null && started !== now;
}

/** The 22nd field of its line; the name before it may have spaces in it. */
function startOf(pid: number): string | null {
  const stat = systemFile(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function space(): string | null {
  const boot = systemFile("/proc/sys/kernel/random/boot_id").trim();
  if (boot === "") return null;
  try {
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return boot;
  }
}
