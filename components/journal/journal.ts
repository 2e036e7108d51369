/** The journal as commands use it: read a state, commit a decision, look at the lines, check and mend. */

import * as fs from "node:fs";
import { join } from "node:path";
import { append, heal, type Pen, removeLeavings } from "./append.ts";
import { LedgerFile } from "./ledger-file.ts";
import { load, ownLine, type Place, placeOf, settled } from "./load.ts";
import { LOCK_TIMES, Lock, type LockTimes } from "./lock.ts";
import { assertOurs, type RepairOptions, repairFiles } from "./repair.ts";
import { checkDir, ensureStateDir } from "./safe-fs.ts";
import { readSnapshot } from "./snapshot.ts";
import {
  type Decision,
  EMPTY_HEAD,
  type Head,
  type Line,
  type Loaded,
  type RepairReport,
  type VerifyReport,
  type Workflow,
  type Writer,
} from "./types.ts";
import { verifyFiles } from "./verify.ts";

export interface JournalOptions<State = unknown> {
  /** The repository root; the state folder lies below it. */
  readonly root: string;
  /** Who is named in the lines. */
  readonly writer: Writer;
  /** The time of the lines; the system's clock by default. */
  readonly clock?: () => Date;
  /** The user wants the state in Git; matters only when the first commit makes the folder. */
  readonly track?: boolean;
  /**
   * Told, under the lock and before each commit's line is written, from which head the ledger goes on to which. A witness
   * that writes both down can tell a line of a killed command from one that nobody's command wrote. Must not throw.
   */
  readonly onAppend?: (from: Head, to: Loaded<State>) => void;
  /** Told, still under the lock, that the line is there. Must not throw. */
  readonly onAppended?: (to: Loaded<State>) => void;
  /** Times of the lock, in milliseconds, where a test needs others. */
  readonly lock?: Partial<LockTimes>;
}

/**
 * One state folder. All methods are synchronous, and all of them throw the Refusals `state_damaged`, `state_newer`,
 * `foreign_state`, `unsafe_path` and `io_error` where the files give reason to.
 */
export interface Journal<State, Event> {
  /** Whether there are state files, of whatever kind; reads none of them. */
  exists(): boolean;

  /** The state as of now without waiting for a lock, or null when there is none. Writes nothing. */
  read(): Loaded<State> | null;

  /**
   * Appends what `decide` decides on the state as it is under the lock. When this returns, the line is on the disk; when it
   * throws, the state is as before. The folder is made when it is missing. Must not be called from within `decide`.
   * @param cmd the command's name, for the line
   * @param decide gets the state, or null when there is none; may throw to refuse
   * @returns the state after the line; without any state or event the workflow's initial one
   * @throws Refusal also `lock_timeout`, `disk_full`, `no_permission`, and what `decide` throws
   */
  commit<Result>(
    cmd: string,
    decide: (loaded: Loaded<State> | null) => Decision<Event, Result>,
  ): { loaded: Loaded<State>; result: Result };

  /** Checks everything: each line, the chain, the replayed state, the snapshot. Damage is reported, not thrown. */
  verify(): VerifyReport;

  /** Mends what `verify` and `read` complain of; a copy of everything replaced is kept. Doing it twice changes nothing more. */
  repair(options?: RepairOptions<Event>): RepairReport;

  /** All lines, the first one first, each with its own hash checked. Stop early at will. */
  lines(): Iterable<Line<Event>>;

  /** The line with this number, or null when there is none. */
  lineAt(seq: number): Line<Event> | null;
}

/**
 * Opens the journal of one workflow in one folder. Touches nothing yet.
 * @param dir the state folder, absolute
 */
export function openJournal<State, Event>(
  dir: string,
  workflow: Workflow<State, Event>,
  options: JournalOptions<State>,
): Journal<State, Event> {
  const place = placeOf(options.root, dir, workflow);
  const read = () =>
    settled(
      place,
      () => load(place, () => {}).loaded,
      () => false,
    );
  const locked = <Result>(act: (pen: Pen) => Result): Result => {
    const lock = Lock.acquire(dir, { ...LOCK_TIMES, ...options.lock });
    try {
      if (lock.tookOver) removeLeavings(place);
      return act({ lock, writer: options.writer, clock: options.clock ?? (() => new Date()) });
    } finally {
      lock.release();
    }
  };

  const warmUp = (): void => {
    if (place.memory.last !== null) return;
    try {
      readSnapshot(place.snapshotPath, workflow.format, workflow.lazy ?? null, place.memory);
    } catch {
      // Another command may be writing just now; under the lock it is looked at in earnest.
    }
  };

  return {
    exists: () => (sizeOf(place.ledgerPath) ?? 0) > 0 || sizeOf(place.snapshotPath) !== null,
    read,
    commit(cmd, decide) {
      if (!fs.existsSync(join(dir, "lock"))) {
        // Another tool's folder is left as it is, without so much as a lock.
        read();
        if (!checkDir(options.root, dir) || !fs.existsSync(join(dir, ".gitignore")))
          ensureStateDir(options.root, dir, { track: options.track ?? false });
      }
      // What is loaded and compiled now need not be while others wait for the lock.
      warmUp();
      return locked((pen) => {
        const beat = () => pen.lock.beat();
        const { loaded, size, torn } = load(place, beat);
        heal(place, pen.lock, (loaded?.head.seq ?? 0) + 1, size, torn);
        beat();
        const { events, result } = decide(loaded);
        if (events.length === 0)
          return { loaded: loaded ?? { state: workflow.initial, head: EMPTY_HEAD }, result };
        return {
          loaded: append(
            place,
            {
              ...pen,
              onAppend: options.onAppend as Pen["onAppend"],
              onAppended: options.onAppended as Pen["onAppended"],
            },
            loaded,
            size,
            {
              cmd,
              events,
            },
          ),
          result,
        };
      });
    },
    verify: () =>
      settled(
        place,
        () => verifyFiles(place),
        (report) => !report.valid,
      ),
    repair(repairOptions = {}) {
      const nothing = { repaired: false, actions: [], lost: [], copies: null };
      if (!checkDir(options.root, dir)) return nothing;
      if (!fs.existsSync(join(dir, "lock"))) assertOurs(place, () => {});
      return locked((pen) => repairFiles(place, pen, repairOptions));
    },
    lines: () => ({ [Symbol.iterator]: () => eachLine(place) }),
    lineAt: (seq) => (checkDir(place.root, place.dir) ? findLine(place, seq) : null),
  };
}

function sizeOf(path: string): number | null {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.size ?? null;
}

function* eachLine<State, Event>(place: Place<State, Event>): Generator<Line<Event>> {
  const ledger = checkDir(place.root, place.dir) ? LedgerFile.open(place.ledgerPath) : null;
  if (ledger === null) return;
  try {
    for (const raw of ledger.forwards()) yield ownLine<Event>(raw, place.workflow.format);
  } finally {
    ledger.close();
  }
}

/** Lines are numbered in order, so a few probes find one in a file of any size. */
function findLine<State, Event>(place: Place<State, Event>, seq: number): Line<Event> | null {
  const ledger = LedgerFile.open(place.ledgerPath);
  try {
    let low = 0;
    let high = ledger?.end ?? 0;
    while (low < high) {
      const raw = ledger?.around(Math.floor((low + high) / 2));
      if (!raw) return null;
      const line = ownLine<Event>(raw, place.workflow.format);
      if (line.seq === seq) return line;
      if (line.seq < seq) low = raw.end;
      else high = raw.start;
    }
    return null;
  } finally {
    ledger?.close();
  }
}
