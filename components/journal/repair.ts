/** Mending: what is sound stays, what is not goes into a folder of copies, and what is lost is said. */

import * as fs from "node:fs";
import { basename } from "node:path";
import { fromSystem, Refusal } from "../errors.ts";
import { append, heal, type Pen, truncate } from "./append.ts";
import { replay, walk } from "./chain.ts";
import { Copies } from "./copies.ts";
import { newer } from "./damage.ts";
import { LedgerFile } from "./ledger-file.ts";
import { parseLine } from "./line.ts";
import { load, type Place } from "./load.ts";
import { removeFile, sha256, writeAll, writeFileAtomic } from "./safe-fs.ts";
import { readSnapshot, type Snapshot, snapshotBody, snapshotFile } from "./snapshot.ts";
import { EMPTY_HEAD, type Head, type Line, type Loaded, type RepairReport } from "./types.ts";

export interface RepairOptions<Event> {
  /**
   * When the ledger is gone and only the snapshot is left: the events that begin a new ledger. The workflow decides what
   * of an unproven state it takes over (for instance everything but the passes). Without it the snapshot is only kept.
   * @param snapshotState the snapshot's content, unchecked
   */
  readonly recover?: (snapshotState: unknown) => readonly Event[];
}

const MOST_LOST = 50;

/** What the sound lines from the beginning amount to. */
interface Prefix<State> {
  readonly state: State;
  readonly head: Head;
  /** The state's digest by the last sound line. */
  readonly digest: string | null;
  /** Bytes in sound lines. */
  readonly end: number;
  /** The lines after them, a sentence each. */
  readonly lost: readonly string[];
  /** The snapshot agrees with the line it names. */
  readonly snapshotFits: boolean;
}

/**
 * Mends ledger and snapshot, under the lock.
 * @throws Refusal `foreign_state`, `state_newer`, and what the file system refuses; nothing was lost then
 */
export function repairFiles<State, Event>(
  place: Place<State, Event>,
  pen: Pen,
  options: RepairOptions<Event>,
): RepairReport {
  assertOurs(place, () => pen.lock.beat());
  const { workflow } = place;
  const snapshot = readSnapshot<State>(place.snapshotPath, workflow.format);
  if (snapshot?.kind === "newer") throw newer(workflow.snapshotName, snapshot.v);
  const copies = new Copies(place.dir, pen.clock);
  const actions: string[] = [];
  if (closeLastLine(place)) actions.push("Ended the ledger's last line with its newline.");
  const prefix = soundPrefix(place, snapshot, () => pen.lock.beat());
  const { ledgerPath, snapshotPath } = place;
  const before = prefix.head.seq === 0 ? null : { state: prefix.state, head: prefix.head };
  const done = (lost: readonly string[]) => ({
    repaired: actions.length > 0,
    actions,
    lost,
    copies: copies.folder === null ? null : basename(copies.folder),
  });

  if (prefix.lost.length === 0) {
    const torn = tornBytes(ledgerPath);
    heal(place, pen.lock, prefix.head.seq + 1, prefix.end, torn);
    if (torn.length > 0)
      actions.push(
        `Cut ${torn.length} bytes of a torn last line off; they are in torn-${prefix.head.seq + 1}.txt.`,
      );
  } else {
    copies.keep(ledgerPath);
    copies.moveTorn(prefix.head.seq);
    pen.lock.assertHeld();
    truncate(ledgerPath, prefix.end);
    actions.push(`Kept ledger lines 1 to ${prefix.head.seq}, and moved what followed.`);
  }
  if (before === null) {
    if (snapshot === null) return done(cap(prefix.lost));
    const lost = ["the ledger: who did what and when, and all receipts", ...prefix.lost];
    copies.keep(snapshotPath);
    const events = snapshot.kind === "own" ? options.recover?.(snapshot.state) : undefined;
    if (events === undefined) {
      removeFile(snapshotPath);
      actions.push(`Moved ${workflow.snapshotName} away; there is no state now.`);
      return done(cap([...lost, "the state"]));
    }
    append(place, pen, null, 0, { cmd: "repair", events });
    actions.push(`Began a new ledger from ${workflow.snapshotName}.`);
    return done(cap(lost));
  }
  const foldFits = sha256(snapshotBody(before.state)) === prefix.digest;
  if (prefix.lost.length > 0 || !foldFits) {
    if (!foldFits)
      actions.push("The events lead to another state than the ledger said; recorded the one they lead to.");
    if (snapshot !== null) copies.keep(snapshotPath);
    append(place, pen, before, prefix.end, { cmd: "repair", events: [] });
    actions.push(`Rebuilt ${workflow.snapshotName} from the ledger.`);
  } else if (!prefix.snapshotFits) {
    if (snapshot !== null) copies.keep(snapshotPath);
    writeSnapshot(place, before);
    actions.push(`Rebuilt ${workflow.snapshotName} from the ledger.`);
  }
  return done(cap(prefix.lost));
}

/**
 * Another tool's files and those of a later version are not ours to mend.
 * @throws Refusal `foreign_state`, `state_newer`
 */
export function assertOurs<State, Event>(place: Place<State, Event>, beat: () => void): void {
  try {
    load(place, beat);
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "state_damaged")) throw error;
  }
}

function soundPrefix<State, Event>(
  place: Place<State, Event>,
  snapshot: Snapshot<State> | null,
  beat: () => void,
): Prefix<State> {
  const { workflow } = place;
  const lost: string[] = [];
  let found = { state: workflow.initial, head: EMPTY_HEAD, digest: null as string | null, end: 0 };
  let snapshotFits = false;
  const ledger = LedgerFile.open(place.ledgerPath);
  try {
    for (const step of ledger === null ? [] : walk<Event>(ledger, workflow.format)) {
      beat();
      const { line, raw } = step;
      if (lost.length > 0) {
        lost.push(`line ${line.seq ?? "?"} (${line.cmd ?? "unreadable"}): it came after a damaged line`);
        continue;
      }
      if (step.kind === "bad") {
        lost.push(`line ${step.seq} (${line.cmd ?? "unreadable"}): ${step.why}`);
        continue;
      }
      try {
        found = { ...applied(workflow, found.state, step.line), end: raw.end };
      } catch (error) {
        lost.push(
          `line ${step.line.seq} (${step.line.cmd}): ${error instanceof Refusal ? error.found : String(error)}`,
        );
        continue;
      }
      if (snapshot?.kind === "own" && snapshot.head.seq === found.head.seq)
        snapshotFits = snapshot.head.hash === found.head.hash && snapshot.isStateOf(step.line.state);
    }
  } finally {
    ledger?.close();
  }
  return { ...found, lost, snapshotFits };
}

function applied<State, Event>(workflow: Place<State, Event>["workflow"], state: State, line: Line<Event>) {
  return {
    state: replay(workflow, state, line),
    head: { seq: line.seq, hash: line.hash },
    digest: line.state,
  };
}

/** An editor may have dropped the last newline: a line that is whole otherwise is not torn. */
function closeLastLine<State, Event>(place: Place<State, Event>): boolean {
  const torn = tornBytes(place.ledgerPath);
  if (torn.length === 0 || parseLine(torn, place.workflow.format).kind !== "line") return false;
  try {
    const fd = fs.openSync(place.ledgerPath, "a");
    try {
      writeAll(fd, Buffer.from("\n"));
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    throw fromSystem(error, "end the ledger's last line");
  }
  return true;
}

function tornBytes(path: string): Buffer {
  const ledger = LedgerFile.open(path);
  try {
    return ledger?.torn() ?? Buffer.alloc(0);
  } finally {
    ledger?.close();
  }
}

function writeSnapshot<State, Event>(place: Place<State, Event>, { state, head }: Loaded<State>): void {
  writeFileAtomic(place.snapshotPath, snapshotFile(place.workflow.format, head, snapshotBody(state)));
}

function cap(lost: readonly string[]): readonly string[] {
  if (lost.length <= MOST_LOST) return lost;
  return [...lost.slice(0, MOST_LOST), `and ${lost.length - MOST_LOST} lines more`];
}
