/** The snapshot's bytes: the fold of the ledger, behind one line that says where in the ledger it stands. */

import * as fs from "node:fs";
import { errno, fromSystem } from "../errors.ts";
import { damaged } from "./damage.ts";
import { type LazyArray, parseLazily, stringified } from "./lazy.ts";
import { VERSION } from "./line.ts";
import { checkFile, sha256 } from "./safe-fs.ts";
import type { Head } from "./types.ts";

/** What the first line holds, so what no state may call a member of its own. */
const HEADER_KEYS = ["format", "v", "seq", "hash"];
/** Bytes of a body from which on its lazy array is left unparsed. */
const LAZY_FROM = 64 * 1024;
const HEADER = /^\{"format":"([^"\\]*)","v":(\d{1,15}),"seq":(\d{1,15}),"hash":"([0-9a-f]{64})",$/;
const NEWLINE = 10;
const NEWLINE_BYTES = Buffer.from("\n");

function assertState(state: unknown): asserts state is object {
  const keys = typeof state === "object" && state !== null && !Array.isArray(state) ? Object.keys(state) : [];
  const taken = HEADER_KEYS.filter((key) => keys.includes(key));
  if (keys.length === 0 || taken.length > 0)
    throw new TypeError(`A state must be a non-empty object without members ${HEADER_KEYS.join(", ")}.`);
}

/** The state as the lines after the first one; a ledger line's `state` is the SHA-256 of this. */
export function snapshotBody(state: unknown): string {
  assertState(state);
  return `${JSON.stringify(state).slice(1)}\n`;
}

/** The same as bytes. What is as it was read is not made anew. */
export function snapshotBytes(state: object): Buffer {
  assertState(state);
  return Buffer.concat([...stringified(state), NEWLINE_BYTES]).subarray(1);
}

/** The whole file, which is one JSON object. */
export function snapshotFile(format: string, head: Head, body: string): string {
  return `${firstLine(format, head)}${body}`;
}

/** The line before the body. */
export const firstLine = (format: string, head: Head): string =>
  `{"format":"${format}","v":${VERSION},"seq":${head.seq},"hash":"${head.hash}",\n`;

/** The file as it was last read, with what came of it: one command reads it before the lock and under it. */
export interface LastRead<State> {
  bytes: Buffer;
  snapshot: Snapshot<State>;
}

export interface OwnSnapshot<State> {
  readonly kind: "own";
  readonly head: Head;
  readonly state: State;
  /** Whether the content is what a ledger line says it should be, however the file is formatted. */
  isStateOf(digest: string): boolean;
}

export type Snapshot<State> =
  | OwnSnapshot<State>
  /** Of a later version. */
  | { readonly kind: "newer"; readonly v: number }
  /** Ours, and not readable. */
  | { readonly kind: "broken" }
  /** No mark of this format in it. */
  | { readonly kind: "foreign" };

/**
 * Reads the file; whether it fits the ledger is the caller's to check.
 * @returns null when there is no file
 * @throws Refusal `unsafe_path`, `io_error`
 */
export function readSnapshot<State>(
  path: string,
  format: string,
  lazy: LazyArray | null = null,
  memory: { last: LastRead<State> | null } = { last: null },
): Snapshot<State> | null {
  if (checkFile(path) === null) return null;
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(path);
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw fromSystem(error, "read the snapshot");
  }
  if (memory.last?.bytes.equals(bytes)) return memory.last.snapshot;
  const snapshot =
    asWritten<State>(bytes, format, lazy) ?? reformatted<State>(bytes.toString("utf8"), format);
  memory.last = { bytes, snapshot };
  return snapshot;
}

/**
 * The fast way: our own first line, and the body digested as it lies there. Where the ledger confirms the digest, elements
 * of the lazy array are left unparsed.
 */
function asWritten<State>(bytes: Buffer, format: string, lazy: LazyArray | null): Snapshot<State> | null {
  const cut = bytes.indexOf(NEWLINE);
  const header = HEADER.exec(bytes.toString("latin1", 0, Math.max(cut, 0)));
  if (header === null || header[1] !== format) return null;
  if (Number(header[2]) !== VERSION) return { kind: "newer", v: Number(header[2]) };
  const body = bytes.subarray(cut + 1);
  const whole = (): Record<string, unknown> | null => parse(`{${body.toString("utf8")}`);
  const digest = sha256(body);
  let state: Record<string, unknown> | null = null;
  // A small state is parsed in less time than it takes to look for its elements.
  if (lazy === null || body.length < LAZY_FROM) {
    state = whole();
    if (state === null) return { kind: "broken" };
  }
  return {
    kind: "own",
    head: { seq: Number(header[3]), hash: header[4] ?? "" },
    get state() {
      state ??= whole();
      if (state === null) throw damaged("The snapshot was changed.", { found: "text that is not JSON" });
      return state as State;
    },
    isStateOf(wanted) {
      if (wanted === digest) {
        if (lazy !== null) state ??= parseLazily(body, lazy);
        return true;
      }
      state ??= whole();
      return state !== null && wanted === digestOf(state);
    },
  };
}

/** A formatter may have run over the file: what counts is the parsed content. */
function reformatted<State>(text: string, format: string): Snapshot<State> {
  const value = parse(text);
  if (value === null) return { kind: text.includes(`"${format}"`) ? "broken" : "foreign" };
  const { format: mark, v, seq, hash, ...state } = value;
  if (mark !== format) return { kind: "foreign" };
  if (typeof v === "number" && v > VERSION) return { kind: "newer", v };
  if (typeof seq !== "number" || typeof hash !== "string") return { kind: "broken" };
  const isStateOf = (wanted: string) => wanted === digestOf(state);
  return { kind: "own", head: { seq, hash }, state: state as State, isStateOf };
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function digestOf(state: object): string | null {
  return Object.keys(state).length === 0 ? null : sha256(`${JSON.stringify(state).slice(1)}\n`);
}
