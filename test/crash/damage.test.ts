/** Everything that can happen to a state's files: what is noticed and by whom, what heals, and what a repair brings back. */

import { afterAll, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import type { RepairOptions } from "../../components/journal/repair.ts";
import type { RepairReport } from "../../components/journal/types.ts";
import { type Box, digest, removeSandboxes, sandbox, sealed, type ToyEvent } from "../journal/toy.ts";

afterAll(removeSandboxes);

function refusal(act: () => unknown): Refusal {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw Error("it was not refused");
}

function codeOf(box: Box): string {
  const before = contents(box);
  const refused = refusal(() => box.open().read());
  expect(refusal(() => box.add()).code).toBe(refused.code);
  expect(contents(box)).toEqual(before);
  expect(refused.nextActions.length).toBeGreaterThan(0);
  return refused.code;
}

function contents(box: Box): (string | null)[] {
  return [box.ledger, box.snapshot].map((path) =>
    fs.existsSync(path) ? fs.readFileSync(path, "utf8") : null,
  );
}

function boxOf(lines: number): Box {
  const box = sandbox();
  for (let i = 1; i <= lines; i++) box.add(`note ${i}`);
  return box;
}

function rewrite(path: string, change: (text: string) => string): void {
  const before = fs.readFileSync(path, "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  fs.writeFileSync(path, after);
}

function repaired(box: Box, recover?: RepairOptions<ToyEvent>["recover"]): RepairReport {
  const report = box.open().repair({ recover });
  expect(report.repaired).toBe(true);
  expect(box.open().verify()).toMatchObject({ valid: true, problems: [] });
  expect(box.open().repair({ recover })).toEqual({ repaired: false, actions: [], lost: [], copies: null });
  return report;
}

test("a torn last line is ignored by read, cut off by the next command, recorded and kept", () => {
  const box = boxOf(3);
  fs.appendFileSync(box.ledger, '{"seq":4,"prev":"abc","note":"\xFC');
  expect(box.open().read()).toMatchObject({ state: { count: 3 }, head: { seq: 3 } });
  expect(box.open().verify()).toMatchObject({ valid: true, lines: 3 });
  expect(box.add("after")).toBe(4);
  const line = JSON.parse(box.lines()[3] ?? "");
  expect(line.healed).toEqual({
    bytes: Buffer.byteLength('{"seq":4,"prev":"abc","note":"\xFC'),
    sha256: digest('{"seq":4,"prev":"abc","note":"\xFC'),
    head: '{"seq":4,"prev":"abc","note":"\xFC',
  });
  expect(line.events[0].note).toBe("after");
  expect(fs.readFileSync(join(box.dir, "torn-4.txt"), "utf8")).toBe('{"seq":4,"prev":"abc","note":"\xFC');
  expect(box.open().verify()).toMatchObject({ valid: true, lines: 4 });
  expect(box.add()).toBe(5);
  expect(JSON.parse(box.lines()[4] ?? "").healed).toBeUndefined();
});

test("a command without events heals too, and the next line still records what was cut", () => {
  const box = boxOf(1);
  fs.appendFileSync(box.ledger, "{half");
  box.open().commit("look", () => ({ events: [], result: null }));
  expect(fs.readFileSync(box.ledger, "utf8").endsWith("\n")).toBe(true);
  fs.appendFileSync(box.ledger, "{again");
  box.add();
  expect(JSON.parse(box.lines()[1] ?? "").healed).toMatchObject({ bytes: 11, head: "{half{again" });
});

test("a ledger that holds nothing but a torn first line is as good as none", () => {
  const box = boxOf(1);
  const [line = ""] = box.lines();
  for (const torn of [line.slice(0, 5), line.slice(0, 110), line.slice(0, 200), "\x00\x00\x00\x00"]) {
    fs.rmSync(box.snapshot);
    fs.writeFileSync(box.ledger, torn);
    expect(box.open().read()).toBeNull();
    expect(box.add()).toBe(1);
    expect(box.open().verify()).toMatchObject({ valid: true, lines: 1 });
  }
});

test("a snapshot that was not replaced after the append is caught up", () => {
  const box = boxOf(2);
  const old = fs.readFileSync(box.snapshot);
  box.add();
  box.add();
  fs.writeFileSync(box.snapshot, old);
  expect(box.open().read()).toMatchObject({ state: { count: 4 }, head: { seq: 4 } });
  expect(box.open().verify().valid).toBe(true);
  expect(box.open().repair().repaired).toBe(false);
  expect(box.add()).toBe(5);
  expect(box.open().read()).toMatchObject({ state: { count: 5 } });
});

test("deleting the snapshot loses nothing, and is no damage", () => {
  const box = boxOf(5);
  const before = box.open().read();
  fs.rmSync(box.snapshot);
  expect(box.open().read()).toEqual(before);
  expect(box.open().verify().valid).toBe(true);
  expect(box.add()).toBe(6);
});

test("a reformatted snapshot is no damage", () => {
  const box = boxOf(3);
  rewrite(box.snapshot, (text) => JSON.stringify(JSON.parse(text), null, 4));
  expect(box.open().read()).toMatchObject({ state: { count: 3 } });
  expect(box.open().verify().valid).toBe(true);
  expect(box.open().repair().repaired).toBe(false);
  expect(box.add()).toBe(4);
});

test("a snapshot whose line ends were changed is no damage", () => {
  const box = boxOf(3);
  rewrite(box.snapshot, (text) => `${text.slice(0, -1)}\r\n`);
  expect(box.open().read()).toMatchObject({ state: { count: 3 } });
  expect(box.open().verify().valid).toBe(true);
});

test("a goal flipped to pass in an editor is noticed, and repair brings the true state back", () => {
  const box = sandbox();
  const set = (id: string) =>
    box.open().commit("goal", () => ({ events: [{ type: "goal", id, status: "open" }], result: 0 }));
  set("G001");
  const honest = set("G002").loaded;
  for (const format of [
    (text: string) => text,
    (text: string) => JSON.stringify(JSON.parse(text), null, 2),
  ]) {
    rewrite(box.snapshot, (text) => format(text.replace('"status":"open"', '"status":"pass"')));
    expect(codeOf(box)).toBe("state_damaged");
    expect(box.open().verify()).toMatchObject({
      valid: false,
      problems: [{ where: "goals.json", code: "state_damaged" }],
    });
    const edited = fs.readFileSync(box.snapshot, "utf8");
    const report = repaired(box);
    expect(report.lost).toEqual([]);
    expect(fs.readFileSync(join(box.dir, report.copies ?? "", "goals.json"), "utf8")).toBe(edited);
    expect(box.open().read()).toEqual(honest);
  }
});

test("a snapshot cut in the middle is damage, and is rebuilt", () => {
  const box = boxOf(3);
  rewrite(box.snapshot, (text) => text.slice(0, -10));
  expect(codeOf(box)).toBe("state_damaged");
  expect(repaired(box).lost).toEqual([]);
  expect(box.open().read()).toMatchObject({ state: { count: 3 }, head: { seq: 3 } });
});

test("lines removed from the end are noticed by every command", () => {
  const box = boxOf(4);
  rewrite(box.ledger, () => `${box.lines().slice(0, 2).join("\n")}\n`);
  expect(codeOf(box)).toBe("state_damaged");
  expect(refusal(() => box.open().read())).toMatchObject({
    exit: 3,
    nextActions: ["proofgate ulw-loop repair"],
  });
  repaired(box);
  expect(box.open().read()).toMatchObject({ state: { count: 2 } });
});

test("a line removed from the middle is named by verify; repair keeps what came before and says what was lost", () => {
  const box = boxOf(5);
  rewrite(
    box.ledger,
    () =>
      `${box
        .lines()
        .filter((_, index) => index !== 2)
        .join("\n")}\n`,
  );
  const cut = fs.readFileSync(box.ledger, "utf8");
  const { valid, problems } = box.open().verify();
  expect(valid).toBe(false);
  expect(problems[0]).toMatchObject({
    where: "ledger.jsonl:3",
    message: "Line 3: it says that it is line 4.",
  });
  const report = repaired(box);
  expect(report.lost.length).toBe(2);
  expect(report.lost[0]).toContain("line 3 (add)");
  expect(fs.readFileSync(join(box.dir, report.copies ?? "", "ledger.jsonl"), "utf8")).toBe(cut);
  expect(box.lines().map((line) => JSON.parse(line).cmd)).toEqual(["add", "add", "repair"]);
  expect(box.open().read()).toMatchObject({ state: { count: 2 }, head: { seq: 3 } });
});

test("a changed byte in the first or last line is noticed by every command, in the middle by verify", () => {
  for (const [at, noticed] of [
    [1, true],
    [3, false],
    [5, true],
  ] as const) {
    const box = boxOf(5);
    rewrite(box.ledger, (text) => text.replace(`note ${at}`, "note X"));
    if (noticed) expect(codeOf(box)).toBe("state_damaged");
    expect(box.open().verify().problems[0]).toMatchObject({
      where: `ledger.jsonl:${at}`,
      code: "state_damaged",
    });
    const report = repaired(box, () => [{ type: "added", by: 0 }]);
    expect(report.lost.join("\n")).toContain(`line ${at} (add): its hash does not match its bytes`);
    expect(box.open().read()?.state.count).toBe(at - 1);
  }
});

test("a forged line with a right hash and a wrong chain is noticed", () => {
  const box = boxOf(3);
  const last = JSON.parse(box.lines()[2] ?? "");
  const events = [{ type: "added", by: 0 }];
  fs.appendFileSync(box.ledger, `${sealed({ ...last, seq: 4, prev: "f".repeat(64), events })}\n`);
  expect(codeOf(box)).toBe("state_damaged");
  expect(box.open().verify().problems[0]?.where).toBe("ledger.jsonl:4");
  expect(repaired(box).lost).toEqual(["line 4 (add): it does not follow the line before"]);
});

test("a forged line that fits the chain but claims another state is noticed, and repair records the true one", () => {
  const box = boxOf(3);
  const last = JSON.parse(box.lines()[2] ?? "");
  fs.appendFileSync(box.ledger, `${sealed({ ...last, seq: 4, prev: last.hash, state: "f".repeat(64) })}\n`);
  expect(codeOf(box)).toBe("state_damaged");
  expect(box.open().verify().valid).toBe(false);
  repaired(box);
  expect(box.open().read()).toMatchObject({ state: { count: 4 }, head: { seq: 5 } });
});

test("a last line and a snapshot forged to fit each other are told by verify, and repair records the true state", () => {
  const box = boxOf(3);
  const [one, two, three = ""] = box.lines();
  const forged = sealed({ ...JSON.parse(three), state: digest('"count":99,"goals":[]}\n') });
  fs.writeFileSync(box.ledger, [one, two, forged, ""].join("\n"));
  const { hash } = JSON.parse(forged);
  fs.writeFileSync(
    box.snapshot,
    `{"format":"proofgate-toy","v":1,"seq":3,"hash":"${hash}",\n"count":99,"goals":[]}\n`,
  );
  expect(box.open().read()?.state.count).toBe(99);
  const { problems } = box.open().verify();
  expect(problems).toMatchObject([{ where: "ledger.jsonl:3", code: "state_damaged" }]);
  repaired(box);
  expect(box.open().read()).toMatchObject({ state: { count: 3 }, head: { seq: 4 } });
});

test("a missing last newline of an acknowledged line is mended without loss", () => {
  const box = boxOf(3);
  rewrite(box.ledger, (text) => text.slice(0, -1));
  expect(codeOf(box)).toBe("state_damaged");
  expect(repaired(box)).toMatchObject({ lost: [], copies: null });
  expect(box.open().read()).toMatchObject({ state: { count: 3 }, head: { seq: 3 } });
});

test("an emptied or deleted ledger is damage; repair begins a new one from what the workflow recovers", () => {
  for (const empty of [() => "", null]) {
    const box = boxOf(3);
    if (empty === null) fs.rmSync(box.ledger);
    else rewrite(box.ledger, empty);
    expect(codeOf(box)).toBe("state_damaged");
    expect(box.open().verify().valid).toBe(false);
    let given: unknown;
    const report = repaired(box, (state) => {
      given = state;
      return [{ type: "added", by: 2 }];
    });
    expect(given).toEqual({ count: 3, goals: [] });
    expect(report.lost.join("\n")).toContain("the ledger");
    expect(fs.existsSync(join(box.dir, report.copies ?? "", "goals.json"))).toBe(true);
    expect(box.lines().map((line) => JSON.parse(line).cmd)).toEqual(["repair"]);
    expect(box.open().read()).toMatchObject({ state: { count: 2 }, head: { seq: 1 } });
  }
});

test("without a way to recover, repair moves a lonely snapshot away and says that the state is lost", () => {
  const box = boxOf(3);
  fs.rmSync(box.ledger);
  const report = repaired(box);
  expect(report.lost.at(-1)).toBe("the state");
  expect(fs.existsSync(join(box.dir, report.copies ?? "", "goals.json"))).toBe(true);
  expect(box.open().read()).toBeNull();
});

test("an empty ledger alone, and no files at all, are no state", () => {
  const box = sandbox();
  expect(box.open().exists()).toBe(false);
  expect(box.open().read()).toBeNull();
  expect(box.open().repair().repaired).toBe(false);
  expect(box.open().verify()).toMatchObject({ valid: true, lines: 0 });
  expect(fs.existsSync(box.dir)).toBe(false);
  fs.mkdirSync(box.dir, { recursive: true });
  fs.writeFileSync(box.ledger, "");
  expect(box.open().exists()).toBe(false);
  expect(box.open().read()).toBeNull();
});

test("a torn line's leavings do not pass for another line's after a repair", () => {
  const box = boxOf(3);
  fs.appendFileSync(box.ledger, "{torn");
  box.add("note 4");
  rewrite(box.ledger, (text) => text.replace("note 2", "note X"));
  repaired(box);
  box.add();
  box.add();
  expect(box.lines().map((line) => JSON.parse(line).healed)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a line or snapshot of a newer version is refused as newer, by repair too", () => {
  for (const where of ["last line", "first line", "snapshot"]) {
    const box = boxOf(where === "first line" ? 1 : 2);
    if (where === "snapshot") rewrite(box.snapshot, (text) => text.replace('"v":1', '"v":2'));
    else {
      const last = JSON.parse(box.lines().at(-1) ?? "");
      const kept = box.lines().slice(0, -1);
      fs.writeFileSync(
        box.ledger,
        [...kept, sealed({ ...last, v: 2, events: "in a new form" }), ""].join("\n"),
      );
    }
    expect(codeOf(box)).toBe("state_newer");
    expect(refusal(() => box.open().repair()).code).toBe("state_newer");
    expect(refusal(() => box.open().verify()).exit).toBe(3);
  }
});

test("files of another tool are refused as foreign and left as they are, without a lock beside them", () => {
  const foreign = [
    ['{"event":"goal_created"}\n{"event":"done"}\n', '{"version":1,"goals":[]}'],
    ['{"event":"goal_created"}\n', null],
    [null, '{"version":1,"goals":[]}'],
    ["notes of mine, no newline", null],
    ["", "not json at all"],
  ] as const;
  for (const [ledger, snapshot] of foreign) {
    const box = sandbox();
    fs.mkdirSync(box.dir, { recursive: true });
    if (ledger !== null) fs.writeFileSync(box.ledger, ledger);
    if (snapshot !== null) fs.writeFileSync(box.snapshot, snapshot);
    const names = fs.readdirSync(box.dir);
    expect(codeOf(box)).toBe("foreign_state");
    expect(refusal(() => box.open().read())).toMatchObject({
      exit: 1,
      nextActions: ["proofgate ulw-loop import"],
    });
    expect(refusal(() => box.open().repair()).code).toBe("foreign_state");
    expect(fs.readdirSync(box.dir)).toEqual(names);
    expect(contents(box)).toEqual([ledger, snapshot]);
  }
});

test("a foreign file in the place of one of ours is damage, not foreign state", () => {
  const box = boxOf(2);
  fs.writeFileSync(box.snapshot, '{"version":1,"goals":[]}');
  expect(codeOf(box)).toBe("state_damaged");
  repaired(box);
  expect(box.open().read()?.state.count).toBe(2);
  fs.writeFileSync(box.ledger, '{"event":"goal_created"}\n');
  expect(codeOf(box)).toBe("state_damaged");
});

test("a symbolic link in the place of ledger, snapshot, lock or a folder is refused, and its target untouched", () => {
  for (const name of ["ledger.jsonl", "goals.json", "lock", ".", ".."]) {
    const box = boxOf(2);
    const path = join(box.dir, name);
    const target = join(box.root, "elsewhere");
    fs.renameSync(path, target);
    fs.symlinkSync(target, path);
    const listing = () =>
      fs.statSync(target).isDirectory() ? fs.readdirSync(target) : fs.readFileSync(target, "utf8");
    const before = listing();
    expect(refusal(() => box.add()).code).toBe("unsafe_path");
    if (name !== "lock") expect(refusal(() => box.open().read()).code).toBe("unsafe_path");
    expect(listing()).toEqual(before);
  }
});
