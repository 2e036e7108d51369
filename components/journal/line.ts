/** One ledger line as bytes: how it is written, and how it is told from a torn, changed, newer or foreign one. */

import { sha256 } from "./safe-fs.ts";
import type { Head, Line, LineMeta } from "./types.ts";

/** The version of the format that this program writes. */
export const VERSION = 1;

const HASH_KEY = ',"hash":"';
/** Length of `,"hash":"<64 hex>"}`. */
const HASH_TAIL = HASH_KEY.length + 64 + 2;

/** A torn last line that was cut off before this line was written. The bytes are kept in `torn-<seq>.txt`. */
export interface Healed {
  readonly bytes: number;
  readonly sha256: string;
  /** The first 200 characters. */
  readonly head: string;
}

export interface NewLine<Event> extends LineMeta {
  readonly prev: string;
  readonly format: string;
  readonly cmd: string;
  readonly events: readonly Event[];
  readonly healed: Healed | null;
  readonly state: string;
}

/** A line's bytes, newline included, and the hash that the next line names. */
export function encodeLine<Event>(line: NewLine<Event>): { bytes: Buffer; head: Head } {
  const { seq, prev, format, at, by, cmd, events, healed, state } = line;
  const members = {
    seq,
    prev,
    v: VERSION,
    format,
    at,
    by,
    cmd,
    events,
    ...(healed ? { healed } : {}),
    state,
  };
  const body = JSON.stringify(members).slice(0, -1);
  const hash = sha256(body);
  return { bytes: Buffer.from(`${body}${HASH_KEY}${hash}"}\n`), head: { seq, hash } };
}

export type Parsed<Event> =
  | { readonly kind: "line"; readonly line: Line<Event> }
  /** Ours, of a later version. */
  | { readonly kind: "newer"; readonly v: number }
  /** No mark of this format in it. */
  | { readonly kind: "foreign" }
  /** Ours, and not as it was written. */
  | { readonly kind: "bad"; readonly why: string; readonly line: Partial<Line<Event>> };

const HEX = /^[0-9a-f]{64}$/;

/** Reads one line without its newline, and checks its own hash; the chain is the caller's to check. */
export function parseLine<Event>(bytes: Buffer, format: string): Parsed<Event> {
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (!text.includes(`"format":"${format}"`)) return { kind: "foreign" };
    return { kind: "bad", why: "it is not JSON", line: {} };
  }
  if (typeof value !== "object" || value === null) return { kind: "foreign" };
  const line = value as Partial<Line<Event>> & { format?: unknown };
  if (line.format !== format) return { kind: "foreign" };
  if (typeof line.v === "number" && line.v > VERSION) return { kind: "newer", v: line.v };
  const bad = (why: string): Parsed<Event> => ({ kind: "bad", why, line });
  if (!hasShape(line)) return bad("a member is missing or has another type");
  const cut = bytes.lastIndexOf(HASH_KEY);
  if (bytes.length - cut !== HASH_TAIL) return bad("it does not end with its hash");
  if (sha256(bytes.subarray(0, cut)) !== line.hash) return bad("its hash does not match its bytes");
  return { kind: "line", line };
}

function hasShape<Event>(line: Partial<Line<Event>>): line is Line<Event> {
  return (
    Number.isSafeInteger(line.seq) &&
    line.v === VERSION &&
    [line.prev, line.state, line.hash].every((digest) => typeof digest === "string" && HEX.test(digest)) &&
    typeof line.at === "string" &&
    typeof line.cmd === "string" &&
    typeof line.by === "object" &&
    line.by !== null &&
    Array.isArray(line.events)
  );
}

/**
 * Whether bytes can be the beginning of our first line, cut short by a kill. A crash of the whole machine may leave
 * zero bytes where a line was to be.
 */
export function isTornFirstLine(bytes: Buffer, format: string): boolean {
  if (bytes.every((byte) => byte === 0)) return true;
  const start = `{"seq":1,"prev":"${"0".repeat(64)}","v":`;
  const text = bytes.toString("utf8");
  const length = Math.min(start.length, text.length);
  if (text.slice(0, length) !== start.slice(0, length)) return false;
  const mark = `"format":"${format}"`;
  const at = text.indexOf('"format":"');
  return at < 0 || mark.startsWith(text.slice(at, at + mark.length));
}
