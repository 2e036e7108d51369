/** Walking the whole chain: every line checked against the one before, and its events folded. */

import { Refusal } from "../errors.ts";
import { damaged, newer } from "./damage.ts";
import type { LedgerFile, RawLine } from "./ledger-file.ts";
import { parseLine } from "./line.ts";
import { EMPTY_HEAD, type Line, type Workflow } from "./types.ts";

export type Step<Event> =
  | { readonly kind: "line"; readonly line: Line<Event>; readonly raw: RawLine }
  | {
      readonly kind: "bad";
      /** The number that the line at this place should have. */
      readonly seq: number;
      readonly why: string;
      /** What could be read of it. */
      readonly line: Partial<Line<Event>>;
      readonly raw: RawLine;
    };

/**
 * All whole lines in order, each checked: own hash, number, and the former line's hash. After a bad line the walk goes on
 * from what that line claims.
 * @throws Refusal `state_newer`
 */
export function* walk<Event>(ledger: LedgerFile, format: string): Generator<Step<Event>> {
  let seq = 0;
  /** Null after a line that has no readable hash: the next one cannot be compared. */
  let hash: string | null = EMPTY_HEAD.hash;
  for (const raw of ledger.forwards()) {
    const parsed = parseLine<Event>(raw.bytes, format);
    const bad = (why: string, line: Partial<Line<Event>>): Step<Event> => ({
      kind: "bad",
      seq,
      why,
      line,
      raw,
    });
    seq++;
    if (parsed.kind === "newer") throw newer(`ledger line ${seq}`, parsed.v);
    if (parsed.kind === "foreign") {
      yield bad("it is not a line of this ledger", {});
      hash = null;
      continue;
    }
    const { line } = parsed;
    if (parsed.kind === "bad") yield bad(parsed.why, line);
    else if (line.seq !== seq) yield bad(`it says that it is line ${line.seq}`, line);
    else if (hash !== null && line.prev !== hash) yield bad("it does not follow the line before", line);
    else yield { kind: "line", line: parsed.line, raw };
    if (typeof line.seq === "number") seq = line.seq;
    hash = line.hash ?? null;
  }
}

/**
 * The state after a line that is in the ledger already.
 * @throws Refusal `state_damaged` when the workflow cannot take the line's events
 */
export function replay<State, Event>(
  workflow: Workflow<State, Event>,
  state: State,
  line: Line<Event>,
): State {
  try {
    return fold(workflow, state, line.events, line);
  } catch (error) {
    if (error instanceof Refusal && error.code === "state_damaged") throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw damaged("A ledger line holds events that cannot be applied.", {
      found: `line ${line.seq} (${line.cmd}): ${why}`,
    });
  }
}

/** The state after some events of one line. */
export function fold<State, Event>(
  workflow: Workflow<State, Event>,
  state: State,
  events: readonly Event[],
  meta: { readonly seq: number; readonly at: string; readonly by: Line<Event>["by"] },
): State {
  const { seq, at, by } = meta;
  return events.reduce((now, event) => workflow.reduce(now, event, { seq, at, by }), state);
}
