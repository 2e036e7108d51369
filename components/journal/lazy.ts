/**
 * Reading a large state without parsing all of it. A workflow may name one array of its state whose elements are parsed
 * when something other than a few peeked members is asked of them; an element that stays as it is is written back with the
 * very bytes that it was read from. A plan of 1,000 goals is read and written by commands that care for one of them.
 *
 * This is only for bytes whose digest the ledger confirms, so that this program wrote them: no white space between tokens,
 * members in the order of the state. There the marks below cannot occur within a text, where each `"` is escaped.
 */

import { damaged } from "./damage.ts";

/** The array, and how its elements are found. */
export interface LazyArray {
  /** The array's name, for instance `goals`. */
  readonly member: string;
  /** How each element begins, and nothing else within them: `{"id":"G`. */
  readonly mark: string;
  /** Some members of the element that begins at byte `start`; null where it takes the whole element to know them. */
  peek(body: Buffer, start: number): Readonly<Record<string, unknown>> | null;
}

/** Asked of an element that is unparsed it answers with what is behind the proxy. (A WeakMap of thousands is slow to make.) */
const SOURCE = Symbol("source");

const sourceOf = (value: unknown): Element | undefined =>
  typeof value === "object" && value !== null
    ? (value as { readonly [SOURCE]?: Element })[SOURCE]
    : undefined;

/** What every proxy stands before; it is never looked at. */
const NOTHING = {};

/** Looks like the parsed element from every side; parses it at the first look that needs more than a peek. */
class Element implements ProxyHandler<object> {
  private whole: object | undefined;
  private peeked: Readonly<Record<string, unknown>> | null | undefined;

  constructor(
    private readonly body: Buffer,
    private readonly start: number,
    private readonly end: number,
    private readonly lazy: LazyArray,
  ) {}

  get bytes(): Buffer {
    return this.body.subarray(this.start, this.end);
  }

  get(_: object, member: string | symbol): unknown {
    if (member === SOURCE) return this;
    if (this.whole === undefined && typeof member === "string") {
      if (this.peeked === undefined) this.peeked = this.lazy.peek(this.body, this.start);
      const seen = this.peeked?.[member];
      if (seen !== undefined) return seen;
    }
    return Reflect.get(this.parsed(), member);
  }

  has(_: object, member: string | symbol): boolean {
    return Reflect.has(this.parsed(), member);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.parsed());
  }

  getOwnPropertyDescriptor(_: object, member: string | symbol): PropertyDescriptor | undefined {
    return Reflect.getOwnPropertyDescriptor(this.parsed(), member);
  }

  /** A state never changes: what is read is written back as it was read. */
  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  private parsed(): object {
    if (this.whole === undefined) {
      try {
        this.whole = JSON.parse(this.body.toString("utf8", this.start, this.end)) as object;
      } catch {
        throw damaged("The snapshot was changed.", { found: "text that is not JSON" });
      }
    }
    return this.whole;
  }
}

/**
 * @param body a snapshot's body: the state's JSON without its first `{`
 * @returns the state, or null where the body does not have the expected form
 */
export function parseLazily(body: Buffer, lazy: LazyArray): Record<string, unknown> | null {
  const opening = `"${lazy.member}":[`;
  const begin = body.indexOf(opening + lazy.mark);
  if (begin < 0) return null;
  const first = begin + opening.length;
  const between = `},${lazy.mark}`;
  const elements: object[] = [];
  const add = (from: number, to: number): void => {
    elements.push(new Proxy(NOTHING, new Element(body, from, to, lazy)));
  };
  let start = first;
  for (let next = body.indexOf(between, start); next >= 0; next = body.indexOf(between, start)) {
    add(start, next + 1);
    start = next + 2;
  }
  // The last element ends where the array does: at the first `}]` that leaves a whole object around it.
  const end = endOf(body, start);
  if (end < 0) return null;
  add(start, end);
  const rest = outer(`{${body.toString("utf8", 0, first)}${body.toString("utf8", end)}`);
  if (rest === null || !Object.hasOwn(rest, lazy.member)) return null;
  // Assigning keeps the member's place among the others.
  rest[lazy.member] = elements;
  return rest;
}

/** Where the object that begins at `start` ends. */
function endOf(body: Buffer, start: number): number {
  let depth = 0;
  let text = false;
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (text) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) text = false;
    } else if (byte === 0x22) text = true;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function outer(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The bytes of `JSON.stringify(state)`, in parts; elements that are as they were read are not made anew. */
export function stringified(state: object): readonly Buffer[] {
  const parts: Buffer[] = [];
  let text = "{";
  for (const [member, value] of Object.entries(state)) {
    if (value === undefined) continue;
    if (text !== "{" || parts.length > 0) text += ",";
    text += `${JSON.stringify(member)}:`;
    if (!Array.isArray(value) || !value.some((one) => sourceOf(one) !== undefined)) {
      text += JSON.stringify(value);
      continue;
    }
    text += "[";
    for (const [index, one] of value.entries()) {
      if (index > 0) text += ",";
      const source = sourceOf(one);
      if (source === undefined) text += JSON.stringify(one);
      else {
        parts.push(Buffer.from(text), source.bytes);
        text = "";
      }
    }
    text += "]";
  }
  parts.push(Buffer.from(`${text}}`));
  return parts;
}
