/** What a commit writes, byte for byte, and what reading it back gives. */

import { afterAll, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { openJournal } from "../../components/journal/journal.ts";
import type { LineMeta, Workflow } from "../../components/journal/types.ts";
import { agent, digest, removeSandboxes, sandbox, type ToyEvent, toy } from "./toy.ts";

afterAll(removeSandboxes);
const clock = () => new Date("2026-02-03T04:05:06.789Z");

test("a line has its members in the documented order, names the line before, and ends with the hash of its bytes", () => {
  const box = sandbox();
  box
    .open({ clock })
    .commit("first", () => ({ events: [{ type: "added", by: 1, note: 'a","hash":"b' }], result: 0 }));
  box.open({ clock }).commit("second", () => ({ events: [{ type: "added", by: 2 }], result: 0 }));
  const [first = "", second = ""] = box.lines();
  expect(Object.keys(JSON.parse(first)).join(" ")).toBe("seq prev v format at by cmd events state hash");
  expect(
    first.startsWith(
      `{"seq":1,"prev":"${"0".repeat(64)}","v":1,"format":"proofgate-toy","at":"2026-02-03T04:05:06.789Z",`,
    ),
  ).toBe(true);
  for (const line of [first, second])
    expect(JSON.parse(line).hash).toBe(digest(line.slice(0, line.lastIndexOf(',"hash":"'))));
  expect(JSON.parse(second)).toMatchObject({
    seq: 2,
    prev: JSON.parse(first).hash,
    cmd: "second",
    by: agent,
  });
});

test("the snapshot is one JSON object whose body, after the first line, has the digest that the ledger names", () => {
  const box = sandbox();
  box.add();
  const { loaded } = box
    .open()
    .commit("goal", () => ({ events: [{ type: "goal", id: "G001", status: "open" }], result: 0 }));
  const text = fs.readFileSync(box.snapshot, "utf8");
  const { format, v, seq, hash, ...state } = JSON.parse(text);
  expect({ format, v, seq, hash }).toEqual({ format: "proofgate-toy", v: 1, ...loaded.head });
  expect(state).toEqual(loaded.state);
  const last = JSON.parse(box.lines()[1] ?? "");
  expect(digest(text.slice(text.indexOf("\n") + 1))).toBe(last.state);
});

test("commit hands decide the present state and returns the state after, with decide's answer", () => {
  const journal = sandbox().open();
  const first = journal.commit("add", (loaded) => ({ events: [{ type: "added", by: 3 }], result: loaded }));
  expect(first.result).toBeNull();
  expect(first.loaded).toMatchObject({ state: { count: 3 }, head: { seq: 1 } });
  const second = journal.commit("add", (loaded) => ({ events: [{ type: "added", by: 4 }], result: loaded }));
  expect(second.result).toEqual(first.loaded);
  expect(journal.read()).toEqual(second.loaded);
});

test("several events of one command are one line", () => {
  const box = sandbox();
  const event: ToyEvent = { type: "added", by: 1 };
  box.open().commit("add", () => ({ events: [event, event, event], result: 0 }));
  expect(box.lines().length).toBe(1);
  expect(box.open().read()?.state.count).toBe(3);
});

test("without events, or when decide refuses, nothing is written and the lock is free again", () => {
  const box = sandbox();
  expect(box.open().commit("look", () => ({ events: [], result: 7 }))).toMatchObject({
    result: 7,
    loaded: { head: { seq: 0 } },
  });
  expect(box.open().read()).toBeNull();
  box.add();
  const before = [fs.readFileSync(box.ledger, "utf8"), fs.statSync(box.snapshot).mtimeMs];
  box.open().commit("look", () => ({ events: [], result: 0 }));
  expect(() =>
    box.open().commit("refused", () => {
      throw new Refusal("no_plan", "no", { next: ["x"] });
    }),
  ).toThrow("no");
  expect([fs.readFileSync(box.ledger, "utf8"), fs.statSync(box.snapshot).mtimeMs]).toEqual(before);
  expect(box.add()).toBe(2);
});

test("a reducer sees the events as a replay will see them, and the line that carries them", () => {
  const box = sandbox();
  const seen: [unknown, LineMeta][] = [];
  const watching: Workflow<typeof toy.initial, unknown> = {
    ...toy,
    reduce: (state, event, meta) => {
      seen.push([event, meta]);
      return { ...state, count: state.count + 1 };
    },
  };
  const journal = openJournal(box.dir, watching, {
    root: box.root,
    writer: agent,
    clock,
  });
  journal.commit("x", () => ({ events: [{ gone: undefined, when: new Date(0) }], result: 0 }));
  const live = seen.splice(0);
  fs.rmSync(box.snapshot);
  journal.read();
  expect(seen).toEqual(live);
  expect(live).toEqual([
    [{ when: "1970-01-01T00:00:00.000Z" }, { seq: 1, at: "2026-02-03T04:05:06.789Z", by: agent }],
  ]);
});

test("the state folder ignores itself in Git from the first commit on, unless the user tracks it", () => {
  for (const [track, wanted] of [
    [false, "*\n"],
    [true, "lock/\n*.tmp\n"],
  ] as const) {
    const box = sandbox();
    box.open({ track }).commit("add", () => ({ events: [{ type: "added", by: 1 }], result: 0 }));
    expect(fs.readFileSync(join(box.dir, ".gitignore"), "utf8")).toBe(wanted);
    expect(fs.readdirSync(box.dir).sort()).toEqual([".gitignore", "goals.json", "ledger.jsonl", "lock"]);
  }
});

test("lines and lineAt find every line, also those longer than a chunk", () => {
  const box = sandbox();
  const sizes = [10, 70000, 0, 200000, 5, 65536, 1, 131072, 3];
  for (const size of sizes) box.add("\xFC".repeat(size / 2));
  const journal = box.open();
  expect([...journal.lines()].map((line) => line.seq)).toEqual(sizes.map((_, index) => index + 1));
  for (const [index, size] of sizes.entries()) {
    const event = journal.lineAt(index + 1)?.events[0];
    expect(event?.type === "added" ? event.note?.length : null).toBe(Math.floor(size / 2));
  }
  expect(journal.lineAt(0)).toBeNull();
  expect(journal.lineAt(10)).toBeNull();
  expect(journal.verify()).toMatchObject({ valid: true, lines: 9 });
  fs.rmSync(box.snapshot);
  expect(journal.read()?.state.count).toBe(9);
});

test("a snapshot many long lines behind is caught up from the end of the ledger", () => {
  const box = sandbox();
  box.add();
  const old = fs.readFileSync(box.snapshot);
  for (let i = 0; i < 12; i++) box.add("x".repeat(i * 20000));
  fs.writeFileSync(box.snapshot, old);
  expect(box.open().read()).toMatchObject({ state: { count: 13 }, head: { seq: 13 } });
});

test("a stopped lines iteration closes the file", () => {
  const box = sandbox();
  box.add();
  box.add();
  const open = () => (process.platform === "linux" ? fs.readdirSync("/proc/self/fd").length : 0);
  const before = open();
  for (let i = 0; i < 20; i++) for (const line of box.open().lines()) if (line.seq === 1) break;
  expect(open()).toBeLessThan(before + 10);
});

test("a state that the snapshot could not tell from its own first line is a defect, not a damaged file", () => {
  const box = sandbox();
  for (const initial of [{}, { seq: 1 }, [1]]) {
    const odd: Workflow<unknown, number> = {
      format: "proofgate-odd",
      snapshotName: "goals.json",
      initial,
      reduce: (state) => state,
    };
    const journal = openJournal(box.dir, odd, { root: box.root, writer: agent });
    expect(() => journal.commit("x", () => ({ events: [1], result: 0 }))).toThrow(TypeError);
    expect(journal.read()).toBeNull();
  }
});
