/** Who holds the lock and dies, and who holds it long and lives: the first loses it after three seconds, the second never. */

import { afterAll, expect, test } from "bun:test";
import { removeSandboxes, sandbox } from "../journal/toy.ts";
import { endWriters, startWriter } from "./processes.ts";

afterAll(async () => {
  await endWriters();
  removeSandboxes();
});

test("the lock of a killed holder is taken over after three seconds, not before", async () => {
  const box = sandbox();
  box.add();
  const holder = startWriter("hold", box.root, "h", 60000);
  await holder.first;
  holder.child.kill("SIGKILL");
  await holder.ended;
  const start = performance.now();
  const next = startWriter("times", box.root, "n", 1);
  expect(await next.ended).toBe(0);
  const waited = performance.now() - start;
  expect(waited).toBeGreaterThan(2900);
  expect(waited).toBeLessThan(6000);
  expect(box.open().verify()).toMatchObject({ valid: true, lines: 2 });
}, 20000);

test("a live holder that takes five seconds is not robbed", async () => {
  const box = sandbox();
  box.add();
  const holder = startWriter("hold", box.root, "h", 5000);
  await holder.first;
  const waiting = startWriter("times", box.root, "n", 1);
  expect(await holder.ended).toBe(0);
  expect(holder.printed()).toEqual(["held", "released"]);
  expect(await waiting.ended).toBe(0);
  expect(box.open().verify()).toMatchObject({ valid: true, lines: 2 });
}, 30000);
