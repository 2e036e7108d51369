/**
 * Installers take turns. An installer that was ended by force may have left a command of the host behind, which still
 * writes the host's configuration: whoever comes next waits for that too, so that it undoes what is final.
 *
 * The installer runs as the user, never in a sandbox with process ids of its own: an id says here who is alive.
 */

import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { errno, fromSystem, Refusal } from "../../components/errors.ts";
import { removeEmpty, removeFileIf, textIf } from "./files.ts";
import type { Spots } from "./spots.ts";

type Place = Pick<Spots, "turn">;

interface Turn {
  /** Process id of the installer. */
  readonly pid: number;
  /** Process id of the host's command that it started last; null when none runs. */
  readonly host: number | null;
}

/** How long to wait for another installer, and for a command of the host that outlived one, in milliseconds. */
const WAIT_MS = 30_000;
/** Ids come round again: what was written so long ago speaks of nobody who lives, in milliseconds. */
const OLD_MS = 30 * 60_000;
const LOOK_MS = 50;

let held: Place | null = null;

/**
 * Runs `act` while no other installer runs.
 * @throws Refusal `lock_timeout` where another one is still at it after half a minute
 */
export async function inTurn<T>(spots: Place, act: () => Promise<T>): Promise<T> {
  await take(spots);
  held = spots;
  try {
    return await act();
  } finally {
    held = null;
    sweep(spots.turn);
    removeFileIf(spots.turn);
    // They bear our name, and an installer that was ended in the middle may have left them empty.
    removeEmpty(dirname(spots.turn));
    removeEmpty(dirname(dirname(spots.turn)));
  }
}

/** Notes which command of the host runs now. Does nothing outside a turn. @param pid null when it has ended */
export function noteHost(pid: number | null): void {
  if (held === null) return;
  fs.renameSync(written(held.turn, pid), held.turn);
}

/** A note of this process in a file of its own: put in place in one step, no reader ever sees half of it. */
function written(path: string, host: number | null): string {
  const own = `${path}.${process.pid}`;
  fs.writeFileSync(own, JSON.stringify({ pid: process.pid, host } satisfies Turn), { mode: 0o600 });
  return own;
}

/** Takes away what installers that are dead left between writing a note and putting it in place. For the one whose turn it is. */
function sweep(turn: string): void {
  const notes = `${basename(turn)}.`;
  const all = fs.existsSync(dirname(turn)) ? fs.readdirSync(dirname(turn)) : [];
  for (const name of all.filter((name) => name.startsWith(notes)))
    if (!alive(Number.parseInt(name.slice(notes.length), 10))) removeFileIf(join(dirname(turn), name));
}

async function take(spots: Place): Promise<void> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const text = textIf(spots.turn);
    const other = text === null ? null : read(spots.turn, text);
    if (text === null && create(spots.turn)) return;
    if (text !== null && !alive(other?.pid ?? null) && !alive(other?.host ?? null)) clear(spots.turn, text);
    else if (Date.now() > end) throw busy(spots.turn, other);
    else await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function create(path: string): boolean {
  try {
    fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const own = written(path, null);
    try {
      fs.linkSync(own, path);
    } finally {
      removeFileIf(own);
    }
    return true;
  } catch (error) {
    const code = errno(error);
    // ENOENT: another installer ended at this moment, and took its empty folder along.
    if (code === "EEXIST" || code === "ENOENT") return false;
    throw fromSystem(error, `write ${path}`);
  }
}

/** Takes a dead installer's note away. Should another one have been faster, its own note goes back. */
function clear(path: string, dead: string): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    fs.renameSync(path, aside);
    if (textIf(aside) !== dead) fs.linkSync(aside, path);
  } catch (error) {
    const code = errno(error);
    if (code !== "ENOENT" && code !== "EEXIST") throw fromSystem(error, `remove ${path}`);
  } finally {
    removeFileIf(aside);
  }
}

/** @returns null when the note speaks of nobody who may live */
function read(path: string, text: string): Turn | null {
  const since = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - since > OLD_MS) return null;
  try {
    const { pid, host } = JSON.parse(text);
    return { pid: Number(pid), host: host === null ? null : Number(host) };
  } catch {
    return null;
  }
}

function alive(pid: number | null): boolean {
  if (pid === null || !(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errno(error) === "EPERM";
  }
}

function busy(path: string, other: Turn | null): Refusal {
  return new Refusal("lock_timeout", "Another installer is at work.", {
    expected: `its end within ${WAIT_MS / 1000} s`,
    found: `process ${other?.pid ?? "unknown"}, noted in ${path}`,
    next: ["wait for it to end, then run the same command again"],
  });
}
