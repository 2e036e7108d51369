/** Writing under the lock: cutting a torn line off, appending one line, replacing the snapshot. */

import * as fs from "node:fs";
import { join } from "node:path";
import { fromSystem, Refusal } from "../errors.ts";
import { fold } from "./chain.ts";
import { encodeLine, type Healed } from "./line.ts";
import type { Place } from "./load.ts";
import type { Lock } from "./lock.ts";
import {
  checkFile,
  removeFile,
  sha256,
  stagedPrefix,
  stageFile,
  syncDir,
  writeAll,
  writeFileAtomic,
} from "./safe-fs.ts";
import { firstLine, snapshotBytes } from "./snapshot.ts";
import { EMPTY_HEAD, type Head, type Loaded, type Writer } from "./types.ts";

/** The right to write: the lock, and who and when. */
export interface Pen {
  readonly lock: Lock;
  readonly writer: Writer;
  readonly clock: () => Date;
  /** Told of the new head just before the line is written; see `JournalOptions.onAppend`. */
  readonly onAppend?: (from: Head, to: Loaded<unknown>) => void;
  /** Told, still under the lock, that the line is there. */
  readonly onAppended?: (to: Loaded<unknown>) => void;
}

const HEALED_CHARACTERS = 200;

function tornPath(dir: string, seq: number): string {
  return join(dir, `torn-${seq}.txt`);
}

/**
 * Cuts a torn last line off and keeps its bytes in `torn-<seq>.txt`, where `seq` is the line that comes next. The next
 * append records it from there, so that it is recorded also when this process ends before.
 * @param size where the whole lines end, in bytes
 */
export function heal<State, Event>(
  place: Place<State, Event>,
  lock: Lock,
  seq: number,
  size: number,
  torn: Buffer,
): void {
  if (torn.length === 0) return;
  const path = tornPath(place.dir, seq);
  const kept = checkFile(path) === null ? Buffer.alloc(0) : fs.readFileSync(path);
  // A former healing may have been killed between its two steps.
  if (!kept.subarray(-torn.length).equals(torn)) writeFileAtomic(path, Buffer.concat([kept, torn]));
  lock.assertHeld();
  truncate(place.ledgerPath, size);
}

/** Shortens a file and syncs it. */
export function truncate(path: string, size: number): void {
  try {
    const fd = fs.openSync(path, "r+");
    try {
      fs.ftruncateSync(fd, size);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw fromSystem(error, "shorten the ledger");
  }
}

function healedBefore(dir: string, seq: number): Healed | null {
  const path = tornPath(dir, seq);
  if (checkFile(path) === null) return null;
  const bytes = fs.readFileSync(path);
  return {
    bytes: bytes.length,
    sha256: sha256(bytes),
    head: bytes.toString("utf8").slice(0, HEALED_CHARACTERS),
  };
}

/**
 * Appends one line and replaces the snapshot. The append is the commit: before it every failure leaves the state as it was,
 * after it nothing can fail any more, since a snapshot that stays behind is caught up by the next command.
 * @param before the state that the events were decided on; null starts a ledger
 * @param size the ledger's size in bytes
 * @throws Refusal `disk_full`, `no_permission`, `io_error`, `lock_timeout`
 */
export function append<State, Event>(
  place: Place<State, Event>,
  pen: Pen,
  before: Loaded<State> | null,
  size: number,
  entry: { readonly cmd: string; readonly events: readonly Event[] },
): Loaded<State> {
  const { workflow } = place;
  const { kind, host, session } = pen.writer;
  const former = before?.head ?? EMPTY_HEAD;
  const meta = { seq: former.seq + 1, at: pen.clock().toISOString(), by: { kind, host, session } };
  // A replay sees what JSON keeps of the events; the first fold must see the same.
  const events = JSON.parse(JSON.stringify(entry.events)) as readonly Event[];
  const state = fold(workflow, before?.state ?? workflow.initial, events, meta);
  const body = snapshotBytes(state as object);
  const { bytes, head } = encodeLine({
    ...meta,
    prev: former.hash,
    format: workflow.format,
    cmd: entry.cmd,
    events,
    healed: healedBefore(place.dir, meta.seq),
    state: sha256(body),
  });
  const snapshot = stageFile(
    place.snapshotPath,
    Buffer.concat([Buffer.from(firstLine(workflow.format, head)), body]),
  );
  try {
    pen.lock.assertHeld();
    pen.onAppend?.(former, { state, head });
    appendBytes(place.ledgerPath, bytes, size);
    pen.onAppended?.({ state, head });
  } catch (error) {
    snapshot.discard();
    throw error;
  }
  try {
    snapshot.publish();
  } catch {
    // The line is in the ledger; the next command catches the snapshot up.
  }
  if (former.seq === 0) syncDir(place.dir);
  return { state, head };
}

/** Appends in one write and syncs; on failure the file has its former size again. */
function appendBytes(path: string, bytes: Buffer, size: number): void {
  checkFile(path);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = fs.constants;
  let fd: number | undefined;
  try {
    fd = fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | (O_NOFOLLOW ?? 0), 0o666);
    const now = fs.fstatSync(fd).size;
    if (now !== size)
      throw new Refusal(
        "lock_timeout",
        "Something else wrote to the ledger meanwhile; nothing was changed.",
        {
          expected: `${size} bytes`,
          found: `${now} bytes`,
          next: ["run the same command again"],
        },
      );
    try {
      writeAll(fd, bytes);
      fs.fsyncSync(fd);
    } catch (error) {
      fs.ftruncateSync(fd, size);
      throw error;
    }
  } catch (error) {
    throw fromSystem(error, "append to the ledger");
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Removes the temporary files that a killed command left. Only for the holder of the lock. */
export function removeLeavings<State, Event>(place: Place<State, Event>): void {
  const prefix = stagedPrefix(place.snapshotPath);
  for (const name of fs.readdirSync(place.dir))
    if (name.startsWith(prefix) && name.endsWith(".tmp")) removeFile(join(place.dir, name));
}
