/** The forger's workshop: reads a ledger, changes it, and makes every hash, the snapshot and its digest fit again. */

import { createHash } from "node:crypto";
import { encodeLine } from "../../components/journal/line.ts";
import { snapshotBody, snapshotFile } from "../../components/journal/snapshot.ts";
import type { Line } from "../../components/journal/types.ts";
import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import { ulwLoop } from "../../components/ulw-loop/reduce.ts";
import type { World } from "../helpers/world.ts";

export const STATE = ".omo/ulw-loop";
export type LedgerLine = Line<PlanEvent>;

export const readLedger = (world: World, dir = STATE): LedgerLine[] =>
  world
    .read(`${dir}/ledger.jsonl`)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Writes ledger and snapshot anew from these lines; numbers, links, digests and hashes are all right afterwards. */
function writeLedger(
  world: World,
  lines: readonly Pick<LedgerLine, "at" | "by" | "cmd" | "events">[],
  dir = STATE,
): void {
  let state = ulwLoop.initial;
  let prev = "0".repeat(64);
  let seq = 0;
  let bytes = "";
  let body = "";
  for (const { at, by, cmd, events } of lines) {
    seq++;
    for (const event of events) state = ulwLoop.reduce(state, event, { seq, at, by });
    body = snapshotBody(state);
    const line = encodeLine({
      seq,
      prev,
      format: ulwLoop.format,
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
  world.write(`${dir}/goals.json`, snapshotFile(ulwLoop.format, { seq, hash: prev }, body));
}

/** Changes the whole ledger, consistently. */
export function forge(
  world: World,
  change: (lines: LedgerLine[]) => readonly Pick<LedgerLine, "at" | "by" | "cmd" | "events">[],
  dir = STATE,
): void {
  writeLedger(world, change(readLedger(world, dir)), dir);
}
