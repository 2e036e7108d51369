/** The snapshot's bytes: the fold of the ledger, behind one line that says where in the ledger it stands. */

import * as fs from "node:fs";
import { errno, fromSystem } from "../errors.ts";
import { VERSION } from "./line.ts";
import { checkFile, sha256 } from "./safe-fs.ts";
import type { Head } from "./types.ts";

/** What the first line holds, so what no state may call a member of its own. */
const HEADER_KEYS = ["format", "v", "seq", "hash"];
const HEADER = /^\{"format":"([^"\\]*)","v":(\d{1,15}),"seq":(\d{1,15}),"hash":"([0-9a-f]{64})",$/;
const NEWLINE = 10;

/** The state as the lines after the first one; a ledger line's `state` is the SHA-256 of this. */
export function snapshotBody(state: unknown): string {
  const keys = typeof state === "object" && state !== null && !Array.isArray(state) ? Object.keys(state) : [];
  const taken = HEADER_KEYS.filter((key) => keys.includes(key));
  if (keys.length === 0 || taken.length > 0)
    throw new TypeError(`A state must be a non-empty object without members ${HEADER_KEYS.join(", ")}.`);
  return `${JSON.stringify(state).slice(1)}\n`;
}

/** The whole file, which is one JSON object. */
export function snapshotFile(format: string, head: Head, body: string): string {
  return `{"format":"${format}","v":${VERSION},"seq":${head.seq},"hash":"${head.hash}",\n${body}`;
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
export function readSnapshot<State>(path: string, format: string): Snapshot<State> | null {
  if (checkFile(path) === null) return null;
  let bytes: Buffer;
  try {
    bytes = fs.readFileSync(path);
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw fromSystem(error, "read the snapshot");
  }
  return asWritten<State>(bytes, format) ?? reformatted<State>(bytes.toString("utf8"), format);
}

/** The fast way: our own first line, and the body digested as it lies there. */
function asWritten<State>(bytes: Buffer, format: string): Snapshot<State> | null {
  const cut = bytes.indexOf(NEWLINE);
  const header = HEADER.exec(bytes.subarray(0, Math.max(cut, 0)).toString("latin1"));
  if (header === null || header[1] !== format) return null;
  if (Number(header[2]) !== VERSION) return { kind: "newer", v: Number(header[2]) };
  const body = bytes.subarray(cut + 1);
  const state = parse(`{${body.toString("utf8")}`);
  if (state === null) return { kind: "broken" };
  const digest = sha256(body);
  return {
    kind: "own",
    head: { seq: Number(header[3]), hash: header[4] ?? "" },
    state: state as State,
    isStateOf: (wanted) => wanted === digest || wanted === digestOf(state),
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
