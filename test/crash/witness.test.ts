/** The witness's record around one line: a command killed before its line is honest, a line taken back afterwards is not. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeWorld } from "../helpers/world.ts";

test("a command killed between the witness's record and its line strands nobody; the same ledger put back later is refused", async () => {
  const world = await makeWorld({ "a.test.js": "" });
  expect((await world.ask("goal", "Fix it", "--check", "node a.test.js")).exit).toBe(0);
  expect((await world.sh("cp -r .omo ../before")).exit).toBe(0);
  const folder = join(world.home, "state/proofgate/anchors");
  const record = join(folder, readdirSync(folder).find((name) => name.endsWith(".json")) ?? "");
  const former = readFileSync(record, "utf8");
  const note = ["steer", "--kind", "annotate_ledger", "--evidence", "seen it", "--rationale", "worth a line"];
  const after = await world.ask(...note);
  expect(after.exit).toBe(0);

  expect((await world.sh("mv .omo ../after && mv ../before .omo")).exit).toBe(0);
  expect((await world.ask("status")).json.error.code).toBe("state_missing");

  // As a kill leaves it: the line was announced from the former head, and never written.
  writeFileSync(record, JSON.stringify({ ...JSON.parse(former), next: after.json.ledger }));
  expect((await world.ask("status")).exit).toBe(0);
  expect((await world.ask(...note)).exit).toBe(0);
  expect((await world.ask("verify")).json.valid).toBe(true);
});
