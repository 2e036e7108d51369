/** The engine in process: fingerprints of small and large trees, and appends to the journal. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fingerprint } from "../../components/evidence/fingerprint.ts";
import { openJournal } from "../../components/journal/journal.ts";
import { placeOf } from "../../components/ulw-loop/place.ts";
import { ulwLoop } from "../../components/ulw-loop/reduce.ts";
import { measure, median, over } from "./measure.ts";
import { type BenchWorld, makeRepo, writeState } from "./state.ts";
import type { Row } from "./table.ts";

const ROUNDS = 15;
const APPENDS = 300;

/** @param root this repository */
export async function engine(world: BenchWorld, root: string): Promise<readonly Row[]> {
  const large = await makeRepo(world, "large", 6000, 10);
  const node = over(
    await measure(
      [{ name: "node", command: () => ["node", "-e", "0"], cwd: world.base, env: world.env }],
      ROUNDS,
    ),
    (t) => t("node"),
  );
  return [
    await tree("fingerprint of this repository", root, 50, node),
    await tree("fingerprint of 6,000 files, 10 of them changed", large, 300, node),
    await appends(world),
  ];
}

async function tree(what: string, root: string, budget: number, node: number): Promise<Row> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS + 2; round++) {
    const started = performance.now();
    await fingerprint(root);
    if (round >= 2) times.push(performance.now() - started);
  }
  const ms = median(times);
  return {
    section: "The engine, in process",
    what,
    value: ms,
    unit: "ms",
    budget: { at: "most", value: budget },
    detail: `${(ms / node).toFixed(2)} × an empty Node start`,
  };
}

/** Whole commits: lock, read, decide, append, sync, snapshot. */
async function appends(world: BenchWorld): Promise<Row> {
  const root = join(world.base, "journal");
  mkdirSync(root);
  await writeState(root, 10, 40);
  const journal = openJournal(placeOf(root, null).dir, ulwLoop, {
    root,
    writer: { kind: "agent", host: "none", session: null },
  });
  const started = performance.now();
  for (let i = 0; i < APPENDS; i++)
    journal.commit("bench", () => ({
      events: [{ type: "ledger_annotated", evidence: `note ${i}`, rationale: "to measure" }],
      result: null,
    }));
  return {
    section: "The engine, in process",
    what: "appends to the journal, synced, 10 goals",
    value: APPENDS / ((performance.now() - started) / 1000),
    unit: "/s",
    budget: { at: "least", value: 100 },
  };
}
