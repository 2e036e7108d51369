/** What a command reads before it decides: snapshot, the ledger's first and last lines, and what the snapshot lacks. */

import * as fs from "node:fs";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { replay, walk } from "./chain.ts";
import { pauseSync } from "./clock.ts";
import { damaged, foreign, newer } from "./damage.ts";
import { LEDGER_NAME, LedgerFile, type RawLine } from "./ledger-file.ts";
import { isTornFirstLine, parseLine, VERSION } from "./line.ts";
import { checkDir, sha256 } from "./safe-fs.ts";
import { type LastRead, type OwnSnapshot, readSnapshot, type Snapshot, snapshotBytes } from "./snapshot.ts";
import { EMPTY_HEAD, type Head, type Line, type Loaded, type Workflow } from "./types.ts";

/** Where one workflow's state lies. */
export interface Place<State, Event> {
  readonly root: string;
  readonly dir: string;
  readonly ledgerPath: string;
  readonly snapshotPath: string;
  readonly workflow: Workflow<State, Event>;
  /** What this process read last. */
  readonly memory: { last: LastRead<State> | null };
}

type Files = Pick<Place<never, never>, "ledgerPath" | "snapshotPath">;

export function placeOf<State, Event>(
  root: string,
  dir: string,
  workflow: Workflow<State, Event>,
): Place<State, Event> {
  const at = { ledgerPath: join(dir, LEDGER_NAME), snapshotPath: join(dir, workflow.snapshotName) };
  return { root, dir, workflow, memory: { last: null }, ...at };
}

export interface Loading<State> {
  /** Null: there is no state yet. */
  readonly loaded: Loaded<State> | null;
  /** Bytes of the ledger in whole lines. */
  readonly size: number;
  /** What follows them: a line that was cut short. */
  readonly torn: Buffer;
}

/**
 * Loads the state, checking as much as is cheap: the first line, the last line, the digest of the snapshot, and every line
 * that the snapshot lacks. Without a snapshot the whole chain is checked.
 * @param beat called between lines of a long replay
 * @throws Refusal `state_damaged`, `state_newer`, `foreign_state`, `unsafe_path`, `io_error`
 */
export function load<State, Event>(place: Place<State, Event>, beat: () => void): Loading<State> {
  if (!checkDir(place.root, place.dir)) return { loaded: null, size: 0, torn: Buffer.alloc(0) };
  // The snapshot first: a writer appends before it replaces the snapshot, so the ledger read later cannot be behind it.
  const snapshot = readSnapshot<State>(
    place.snapshotPath,
    place.workflow.format,
    place.workflow.lazy ?? null,
    place.memory,
  );
  const ledger = LedgerFile.open(place.ledgerPath);
  try {
    const size = ledger?.end ?? 0;
    const torn = ledger?.torn() ?? Buffer.alloc(0);
    if (ledger === null || size === 0) {
      assertNothing(place, snapshot, torn);
      return { loaded: null, size, torn };
    }
    assertOwn(place, ledger, snapshot);
    const loaded =
      snapshot === null
        ? replayAll(place.workflow, ledger, beat)
        : replayLacking(place, ledger, assertReadable(place, snapshot), beat);
    return { loaded, size, torn };
  } finally {
    ledger?.close();
  }
}

/**
 * Reads without the lock: what looks damaged while a writer or a repair moves the files is read again.
 * @param suspect whether a result that was returned, not thrown, looks damaged
 */
export function settled<T>(files: Files, attempt: () => T, suspect: (result: T) => boolean): T {
  let refuted = "";
  for (;;) {
    const before = stamp(files);
    let outcome: () => T;
    try {
      const result = attempt();
      if (!suspect(result)) return result;
      outcome = () => result;
    } catch (error) {
      if (!(error instanceof Refusal && error.code === "state_damaged")) throw error;
      outcome = () => {
        throw error;
      };
    }
    if (before === refuted && before === stamp(files)) return outcome();
    refuted = before;
    pauseSync(5);
  }
}

function stamp(files: Files): string {
  return [files.ledgerPath, files.snapshotPath]
    .map((path) => {
      const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? "none" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
    })
    .join(", ");
}

/** Without a whole line there may be no snapshot, and no bytes of another tool. */
function assertNothing<State, Event>(
  place: Place<State, Event>,
  snapshot: Snapshot<State> | null,
  torn: Buffer,
): void {
  const { format, snapshotName } = place.workflow;
  if (snapshot === null || snapshot.kind === "foreign") {
    const strange = !isTornFirstLine(torn, format);
    if (snapshot === null && !strange) return;
    throw foreign(strange ? LEDGER_NAME : snapshotName, format);
  }
  if (snapshot.kind === "newer") throw newer(snapshotName, snapshot.v);
  throw damaged("The ledger is gone, but its snapshot is here.", {
    found: `${snapshotName} and no line in ${LEDGER_NAME}`,
  });
}

const firstLineMark = (format: string): string =>
  `{"seq":1,"prev":"${EMPTY_HEAD.hash}","v":${VERSION},"format":"${format}",`;

/** The first line tells whose ledger this is. */
function assertOwn<State, Event>(
  place: Place<State, Event>,
  ledger: LedgerFile,
  snapshot: Snapshot<State> | null,
): void {
  const { format } = place.workflow;
  // A long first line (a large plan) is read whole only by `verify`; its beginning tells whose and which line it is.
  const beginning = ledger.beginning();
  if (beginning.indexOf(10) < 0 && beginning.indexOf(firstLineMark(format)) === 0) return;
  const first = ledger.first();
  const parsed = parseLine(first?.bytes ?? Buffer.alloc(0), format);
  if (parsed.kind === "foreign") {
    const [last] = ledger.backwards();
    const lastIsOwn = last !== undefined && parseLine(last.bytes, format).kind !== "foreign";
    if (!lastIsOwn && (snapshot === null || snapshot.kind === "foreign")) throw foreign(LEDGER_NAME, format);
    throw damaged("The ledger's first line was replaced.", { found: "line 1 without this ledger's format" });
  }
  if (parsed.kind === "newer") throw newer("ledger line 1", parsed.v);
  if (parsed.kind === "bad") throw damaged("A ledger line was changed.", { found: `line 1: ${parsed.why}` });
  if (parsed.line.seq !== 1 || parsed.line.prev !== EMPTY_HEAD.hash)
    throw damaged("Lines at the beginning of the ledger are gone.", {
      found: `it begins with line ${parsed.line.seq}`,
    });
}

function assertReadable<State, Event>(
  place: Place<State, Event>,
  snapshot: Snapshot<State>,
): OwnSnapshot<State> {
  const { snapshotName, format } = place.workflow;
  if (snapshot.kind === "own") return snapshot;
  if (snapshot.kind === "newer") throw newer(snapshotName, snapshot.v);
  const found = snapshot.kind === "broken" ? "text that is not JSON" : `no "format":"${format}"`;
  throw damaged(`${snapshotName} was changed.`, { found: `${snapshotName}: ${found}` });
}

function replayAll<State, Event>(
  workflow: Workflow<State, Event>,
  ledger: LedgerFile,
  beat: () => void,
): Loaded<State> {
  let state = workflow.initial;
  let last: Line<Event> | undefined;
  for (const step of walk<Event>(ledger, workflow.format)) {
    if (step.kind === "bad")
      throw damaged("A ledger line was changed.", { found: `line ${step.seq}: ${step.why}` });
    last = step.line;
    state = replay(workflow, state, last);
    beat();
  }
  if (last === undefined) throw damaged("The ledger became shorter while it was read.", { found: "no line" });
  return { state, head: assertFold(state, last) };
}

function replayLacking<State, Event>(
  place: Place<State, Event>,
  ledger: LedgerFile,
  snapshot: OwnSnapshot<State>,
  beat: () => void,
): Loaded<State> {
  const { workflow } = place;
  const name = workflow.snapshotName;
  const lacking: Line<Event>[] = [];
  for (const raw of ledger.backwards()) {
    const line = ownLine<Event>(raw, workflow.format);
    const next = lacking.at(-1);
    if (next !== undefined && (next.prev !== line.hash || next.seq !== line.seq + 1))
      throw damaged("The ledger's chain is broken.", {
        found: `line ${next.seq} does not follow line ${line.seq}`,
      });
    beat();
    if (line.seq > snapshot.head.seq) {
      lacking.push(line);
      continue;
    }
    if (line.seq < snapshot.head.seq)
      throw damaged("Lines at the end of the ledger are gone.", {
        expected: `line ${snapshot.head.seq}, where ${name} stands`,
        found: `the last line is ${line.seq}`,
      });
    if (line.hash !== snapshot.head.hash || !snapshot.isStateOf(line.state))
      throw damaged(`${name} was changed.`, {
        expected: `the state that ledger line ${line.seq} names`,
        found: `${name} with other content`,
      });
    let state = snapshot.state;
    for (const later of lacking.reverse()) {
      state = replay(workflow, state, later);
      beat();
    }
    const last = lacking.at(-1);
    return { state, head: last === undefined ? snapshot.head : assertFold(state, last) };
  }
  throw damaged(`${name} was changed.`, { found: `${name} stands at line ${snapshot.head.seq}` });
}

/** Replayed events must lead to the state that the writer had. */
function assertFold<Event>(state: unknown, last: Line<Event>): Head {
  if (sha256(snapshotBytes(state as object)) !== last.state)
    throw damaged("The ledger's events lead to another state than it says.", {
      found: `line ${last.seq} (${last.cmd})`,
    });
  return { seq: last.seq, hash: last.hash };
}

/**
 * A line that must be ours and whole.
 * @throws Refusal `state_damaged`, `state_newer`
 */
export function ownLine<Event>(raw: RawLine, format: string): Line<Event> {
  const parsed = parseLine<Event>(raw.bytes, format);
  if (parsed.kind === "line") return parsed.line;
  if (parsed.kind === "newer") throw newer(LEDGER_NAME, parsed.v);
  const why = parsed.kind === "bad" ? parsed.why : "it is not a line of this ledger";
  const which =
    parsed.kind === "bad" && parsed.line.seq ? `line ${parsed.line.seq}` : `the line at byte ${raw.start}`;
  throw damaged("A ledger line was changed.", { found: `${which}: ${why}` });
}
