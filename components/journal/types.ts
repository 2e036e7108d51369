/** The words of the journal: what a ledger line is, what a workflow brings, and what reading one tells. */

import type { LazyArray } from "./lazy.ts";

/** A ledger line's place in the chain. `seq` counts from 1; `hash` is 64 hex digits. `{seq: 0, hash: 64 zeros}` is the empty ledger. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

export const EMPTY_HEAD: Head = { seq: 0, hash: "0".repeat(64) };

/** Who wrote a line, as far as the command could tell from its own environment. */
export interface Writer {
  /** `user` only for an interactive terminal without an agent's marks; `agent` otherwise. */
  readonly kind: "user" | "agent";
  readonly host: "codex" | "opencode" | "terminal" | "none";
  readonly session: string | null;
}

/** What a reducer learns about the line that carries an event. */
export interface LineMeta {
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly by: Writer;
}

/** One parsed ledger line. `state` is the SHA-256 of the snapshot's body after this line (see docs/ledger.md). */
export interface Line<Event> extends LineMeta {
  readonly prev: string;
  /** Version of the line format, 1 today. */
  readonly v: number;
  readonly cmd: string;
  readonly events: readonly Event[];
  readonly state: string;
  readonly hash: string;
}

/**
 * What a workflow gives the journal: a pure fold over its events.
 * `State` must survive a round trip through JSON unchanged (no undefined, no Map, no Date).
 */
export interface Workflow<State, Event> {
  /** Marks the files as this workflow's own, for instance `proofgate-ulw-loop`. */
  readonly format: string;
  /** `goals.json` or `state.json`. */
  readonly snapshotName: string;
  readonly initial: State;
  /** An array of the state that may hold very many objects. */
  readonly lazy?: LazyArray;
  reduce(state: State, event: Event, meta: LineMeta): State;
}

export interface Loaded<State> {
  readonly state: State;
  readonly head: Head;
}

/** What a command decided under the lock: the events to append (none: nothing is written) and what it answers. */
export interface Decision<Event, Result> {
  readonly events: readonly Event[];
  readonly result: Result;
}

export interface VerifyReport {
  readonly valid: boolean;
  readonly lines: number;
  readonly head: Head;
  readonly problems: readonly { where: string; code: string; message: string }[];
}

export interface RepairReport {
  /** False: there was nothing to mend. */
  readonly repaired: boolean;
  /** What was done, a sentence each. */
  readonly actions: readonly string[];
  /** What could not be brought back, a sentence each. */
  readonly lost: readonly string[];
  /** Folder with a copy of every file that was replaced, relative to the state folder; null when none was. */
  readonly copies: string | null;
}
