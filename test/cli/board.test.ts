/** The board that people read: its words, its columns, its colours, and what fits a screen. */

import { expect, test } from "bun:test";
import type { World } from "../helpers/world.ts";
import { CLAIM, DONE, goal, good, PIN, PNG, PROGRAM, planned, RED, steer } from "./kit.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with an escape character
const COLOUR = /\u001b\[\d+m/g;

/** A plan with a criterion for every word that the board knows. */
async function everyWord(): Promise<World> {
  const world = await planned([
    goal("导入 CSV 文件 🚀", [
      {
        ...RED,
        scenario: '导入 fixtures/a.csv,命令打印 "3 rows"。',
        check: { run: "sh test/rows.sh", covers: ["app.sh"] },
      },
      { ...PIN, check: { run: "sh test/old.sh", covers: ["app.sh"] } },
      {
        class: "edge",
        scenario: "cat data.txt prints 7 🚀.",
        check: { run: "grep -q 7 data.txt", files: [], covers: ["data.txt"] },
      },
      {
        class: "edge",
        scenario: "grep -q Usage guide.md exits 0.",
        check: { run: "grep -q Usage guide.md", covers: ["guide.md"] },
      },
      { class: "edge", channel: "http", scenario: "GET /rows/9 answers 404 e\u0301." },
      { ...CLAIM, class: "regression" },
      {
        class: "edge",
        scenario: "sh test/late.sh exits 0 and prints a line that is longer than the column.",
        check: { run: "sh test/late.sh" },
      },
    ]),
    goal("JSON export"),
    goal("Docs", [PIN], { without: { happy: "words", edge: "words" } }),
  ]);
  await world.approve();
  await good(world, "ulw-loop", "complete-goals");
  world.write("app.sh", DONE);
  world.write("data.txt", "7\n");
  world.write("guide.md", "nothing\n");
  world.write("shots/page.png", PNG);
  await world.ask("prove", "C001", "C002", "C003", "C004");
  world.write("data.txt", "8\n");
  await good(
    world,
    "ulw-loop",
    "record-evidence",
    "--criterion-id",
    "C006",
    "--status",
    "pass",
    "--evidence",
    "see shots/page.png | cleanup: none",
  );
  return world;
}
const world = everyWord();

test("the board has a line for each goal and each criterion of the current one, in columns", async () => {
  const { out, exit } = await (await world).run(["status"]);
  const shown = out
    .replace(/· \d+(\.\d+)? (ms|s)$/m, "· TIME")
    .replace(/approved \d\d:\d\d UTC/, "approved TIME")
    .replace(/ledger: line .*/, "ledger: LINE");
  expect(exit).toBe(0);
  expect(shown).toBe(
    `Ship the importer.      gate not armed (no host hook seen) · TIME
> G001 导入 CSV 文件 🚀  2/7, 1 claimed
    C001 导入 fixtures/a.csv,命令打印 "3 rows"。       proven    failed before, passes now
    C002 Run sh test/old.sh; the output still names…   pinned    passed before as well
    C003 cat data.txt prints 7 🚀.                     stale     data.txt changed
    C004 grep -q Usage guide.md exits 0.               failing   wanted exit 0, got exit 1
    C005 GET /rows/9 answers 404 e\u0301.                    draft     no check yet
    C006 Open /admin in a browser; the table lists 3…  claimed   the agent's word only
    C007 sh test/late.sh exits 0 and prints a line t…  open      not run yet
  G002 JSON export       open 0/2
  G003 Docs              open 0/1
criteria: 0 yours, 10 the agent's (you approved TIME) · pinned 1 · waived 0 · amended 0
ledger: LINE
next: proofgate ulw-loop steer --kind revise_criterion --criterion-id G001-C005 --scenario "…" --check "…" --evidence "…" --rationale "…"      (drafts without a check: G001-C005)
`,
  );
});

test("every word stands in one column, however wide the characters before it", async () => {
  const { out } = await (await world).run(["status"]);
  const columns = (pattern: RegExp): number[] =>
    out.split("\n").flatMap((line) => {
      const found = pattern.exec(line);
      return found === null ? [] : [Bun.stringWidth(line.slice(0, found.index + (found[1] ?? "").length))];
    });
  const words = columns(/^( {4}C\d{3} .*? {2})(?=(?:proven|pinned|stale|failing|draft|claimed|open) )/);
  expect(words).toHaveLength(7);
  expect(new Set(words).size).toBe(1);
  expect(new Set(columns(/^([> ] G\d{3} .*? {2})(?=(?:open |\d))/)).size).toBe(1);
  for (const line of out.split("\n").filter((l) => l.startsWith("    C")))
    expect(Bun.stringWidth(line)).toBeLessThanOrEqual(130);
});

test("a pipe gets no escape codes; a terminal gets colours, unless NO_COLOR says otherwise", async () => {
  const own = await world;
  for (const args of [
    "status",
    "next",
    "list",
    "ulw-loop criteria",
    "help",
    "verify",
    "check",
    "nothing-like-it",
  ]) {
    const said = await own.sh(`node '${PROGRAM}' ${args} 2>&1`);
    expect({ args, coloured: said.out.includes("\x1B[") }).toEqual({ args, coloured: false });
  }
  const forced = await own.run(["status"], { env: { FORCE_COLOR: "1" } });
  expect(forced.out).not.toContain("\x1B[");
  const terminal = (prefix: string) =>
    own.sh(`script -qec "${prefix}node '${PROGRAM}' status" /dev/null < /dev/null`);
  const coloured = (await terminal("TERM=xterm ")).out;
  expect(coloured).toContain("\x1B[32mproven");
  expect(coloured).toContain("\x1B[31mfailing");
  expect(coloured).toContain("\x1B[33mstale");
  expect((await terminal("TERM=xterm NO_COLOR=1 ")).out).not.toContain("\x1B[");
  const plain = (text: string) =>
    text
      .replace(COLOUR, "")
      .replaceAll("\r", "")
      .replace(/· [\d.]+ (ms|s|m\S*)$/m, "");
  expect(plain(coloured)).toBe(plain((await own.run(["status"])).out));
  expect(
    (await own.sh(`script -qec "TERM=xterm node '${PROGRAM}' status --json" /dev/null < /dev/null`)).out,
  ).not.toContain("\x1B[");
});

test("a plan of many goals fits a screen, with the current goal and those that are not well", async () => {
  const own = await planned(Array.from({ length: 60 }, (_, i) => goal(`Goal ${i + 1}`)));
  await good(own, "ulw-loop", "complete-goals");
  await good(own, "checkpoint", "--goal-id", "G040", "--status", "blocked", "--evidence", "waits for a key");
  const { out } = await own.run(["status"]);
  expect(out.split("\n").length).toBeLessThan(40);
  expect(out).toContain("> G001");
  expect(out).toMatch(/G040 .*blocked 0\/2: waits for a key/);
  const counted =
    [...out.matchAll(/… (\d+) goals? more/g)].reduce((sum, [, n]) => sum + Number(n), 0) +
    [...out.matchAll(/^[> ] G\d{3} /gm)].length;
  expect(counted).toBe(60);
});

test("the board says whose criteria they are, what was amended, and what is superseded", async () => {
  const own = await planned([goal("One"), goal("Two")]);
  await own.ask("prove", "C001");
  await steer(
    own,
    "--kind",
    "revise_criterion",
    "--criterion-id",
    "C001",
    "--check",
    "sh test/rows.sh && sh test/old.sh",
  );
  await steer(own, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G001");
  const before = (await own.run(["status"])).out;
  expect(before).toContain("G002 Two       superseded by G001");
  expect(before).toMatch(
    /criteria: 0 yours, 2 the agent's \(not approved\) · pinned 0 · waived 0 · amended 1/,
  );
  await own.approve();
  const after = (await own.run(["status"])).out;
  expect(after).toMatch(/2 the agent's \(you approved \d\d:\d\d UTC\)/);
  expect(after).not.toContain("waits for the user");
});
