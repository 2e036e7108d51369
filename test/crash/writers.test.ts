/** Many writers at once, and writers killed at random instants: nothing that was acknowledged is lost. */

import { afterAll, expect, test } from "bun:test";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Box, removeSandboxes, sandbox } from "../journal/toy.ts";
import { endWriters, startWriter } from "./processes.ts";

afterAll(async () => {
  await endWriters();
  removeSandboxes();
});

/** Every commit that a writer said it had made is the line that it said. */
function expectAcknowledged(box: Box, acknowledged: readonly string[]): void {
  const lines = box.lines().map((line) => JSON.parse(line));
  const missing = acknowledged.filter((said) => {
    const [seq, note] = said.split(" ");
    return lines[Number(seq) - 1]?.events[0].note !== note;
  });
  expect(missing).toEqual([]);
}

test("twenty processes that commit ten times each lose nothing", async () => {
  const box = sandbox();
  const runs = Array.from({ length: 20 }, (_, index) => startWriter("times", box.root, `w${index}`, 10));
  expect(await Promise.all(runs.map((run) => run.ended))).toEqual(runs.map(() => 0));
  const acknowledged = runs.flatMap((run) => run.printed());
  expect(acknowledged.length).toBe(200);
  expectAcknowledged(box, acknowledged);
  const report = box.open().verify();
  expect(report).toMatchObject({ valid: true, lines: 200, problems: [] });
  expect(box.open().read()?.state.count).toBe(200);
}, 60000);

test("two hundred kills at random instants: the next command heals, and no acknowledged commit is lost", async () => {
  const boxes = Array.from({ length: 20 }, () => sandbox());
  const outcomes = await Promise.all(
    boxes.map(async (box, index) => {
      const acknowledged: string[] = [];
      let unhealed = 0;
      for (let kill = 0; kill < 10; kill++) {
        const run = startWriter("forever", box.root, `w${index}.${kill}`);
        if (kill % 5 !== 4) await run.first;
        await sleep(Math.random() * 80);
        run.child.kill("SIGKILL");
        await run.ended;
        if (kill % 5 !== 4 && run.printed().length === 0) unhealed++;
        acknowledged.push(...run.printed());
      }
      if ((await startWriter("times", box.root, "last", 1).ended) !== 0) unhealed++;
      return { box, acknowledged, unhealed };
    }),
  );
  for (const { box, acknowledged, unhealed } of outcomes) {
    expect(unhealed).toBe(0);
    expectAcknowledged(box, acknowledged);
    const report = box.open().verify();
    expect(report.problems).toEqual([]);
    expect(box.open().read()?.state.count).toBe(report.lines);
    expect(fs.readdirSync(box.dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }
  expect(outcomes.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)).toBeGreaterThan(200);
}, 180000);
