/** The forger's workshop: reads a ledger, changes it, and makes every hash, the snapshot and its digest fit again. */

import { createHash } from "node:crypto";
import { encodeLine } from "../../components/journal/line.ts";
import { snapshotBody, snapshotFile } from "../../components/journal/snapshot.ts";
import type { Line, Workflow } from "../../components/journal/types.ts";
import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import { ulwLoop } from "../../components/ulw-loop/reduce.ts";
import type { World } from "../helpers/world.ts";

/** Where the ledger lies. */
type Files = Pick<World, "read" | "write">;

export const STATE = ".omo/ulw-loop";
export type LedgerLine = Line<PlanEvent>;

export const readLedger = (world: Files, dir = STATE): LedgerLine[] =>
  world
    .read(`${dir}/ledger.jsonl`)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

type Bare<Event> = Pick<Line<Event>, "at" | "by" | "cmd" | "events">;

/** Writes ledger and snapshot anew from these lines; numbers, links, digests and hashes are all right afterwards. */
export function writeLedger<State, Event>(
  world: Files,
  workflow: Workflow<State, Event>,
  lines: readonly Bare<Event>[],
  dir: string,
): void {
  let state = workflow.initial;
  let prev = "0".repeat(64);
  let seq = 0;
  let bytes = "";
  let body = "";
  for (const { at, by, cmd, events } of lines) {
    seq++;
    for (const event of events) state = workflow.reduce(state, event, { seq, at, by });
    body = snapshotBody(state);
    const line = encodeLine({
      seq,
      prev,
      format: workflow.format,
      at,
      by,
      cmd,
      events,
      healed: null,
      state: sha256(body),
    });
    bytes += line.bytes.toString("utf8");
    prev = line.head.hash;
  }
  world.write(`${dir}/ledger.jsonl`, bytes);
  world.write(`${dir}/${workflow.snapshotName}`, snapshotFile(workflow.format, { seq, hash: prev }, body));
}

/** Changes the whole ledger, consistently. */
export function forge(
  world: Files,
  change: (lines: LedgerLine[]) => readonly Bare<PlanEvent>[],
  dir = STATE,
): void {
  writeLedger(world, ulwLoop, change(readLedger(world, dir)), dir);
}
