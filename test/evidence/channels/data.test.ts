/** Channel data with differences: what is dumped, how it is compared, what a plan may say. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../../components/errors.ts";
import { describeCheck } from "../../../components/evidence/channels/words.ts";
import { checkFiles } from "../../../components/evidence/check-files.ts";
import { runCommand } from "../../../components/evidence/runner.ts";
import { removeFoldersAfterwards, tempFolder } from "../repo.ts";
import { checkOf, exampleOf, play, playIn } from "./play.ts";

removeFoldersAfterwards();

/** Writes whatever its argument says into the data folder: a path with a text, or with null for a file that goes. */
const WRITER = {
  "write.cjs": `
const { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
for (const [name, text] of Object.entries(JSON.parse(process.argv[2]))) {
  const path = join(process.env.DATA, name);
  mkdirSync(dirname(path), { recursive: true });
  if (text === null) rmSync(path);
  else if (text === 0) utimesSync(path, 1, 1);
  else if (typeof text === "object") symlinkSync(text.to, path);
  else writeFileSync(path, text);
}
console.log("written");
`,
  "fixtures/state.json": '{"rows":[{"id":1,"name":"Grace"},{"id":2,"name":"Alan"}],"server":{"port":3000}}',
  "fixtures/config.yaml": "server:\n  port: 3000 # the port\n  host: local\n",
  "fixtures/tree/a.txt": "one\ntwo\n",
  "fixtures/tree/b.txt": "kept\n",
};

/** @param copy from fixtures, by name. @param writes what the command leaves. @param watch in YAML's short form */
const difference = (copy: string, writes: Record<string, unknown>, watch: string, more = "") =>
  play(
    "data",
    `{ run: [node, write.cjs, ${JSON.stringify(JSON.stringify(writes))}]${copy === "" ? "" : `, copy: ${copy}`}, watch: ${watch}${more} }`,
    WRITER,
  );

const ROWS = {
  rows: [
    { id: 2, name: "Alan T." },
    { id: 3, name: "Ada", at: 7 },
  ],
  server: { port: 3000 },
};

test("rows of a list are told by what names them, and an expected one names only what counts", async () => {
  const copy = "{ state.json: fixtures/state.json }";
  const { verdict, log, folder } = await difference(
    copy,
    { "state.json": JSON.stringify(ROWS) },
    "{ json: state.json, at: rows, by: id, added: [{ name: Ada }], removed: [1], changed: { 2: { name: Alan T. } } }",
  );
  expect(verdict).toEqual({ kind: "met" });
  expect(log).toContain("--- stdout\nwritten");
  expect(log).toContain('+ 3: {"id":3,"name":"Ada","at":7}');
  expect(log).toContain('- 1: {"id":1,"name":"Grace"}');
  expect(log).toContain('~ 2: {"id":2,"name":"Alan"} → {"id":2,"name":"Alan T."}');
  // The plan's file was only read, and nothing else is in the tree.
  expect(readFileSync(join(folder, "fixtures/state.json"), "utf8")).toBe(WRITER["fixtures/state.json"]);
  expect(existsSync(join(folder, "state.json"))).toBe(false);
});

test("what the plan does not name has to stay as it is", async () => {
  const copy = "fixtures/state.json";
  const writes = { "state.json": JSON.stringify(ROWS) };
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      "at: rows, by: id, added: 1, changed: 1",
      "state.json rows: removed",
      /^1: 1: \{"id":1,"name":"Grace"\}/,
    ],
    ["at: rows, by: id, added: 1, removed: 1", "state.json rows: changed", /^1: 2: .*Alan.* → .*Alan T\./],
    ["at: rows, by: id, added: 2, removed: 1, changed: 1", "state.json rows: added", /^1: 3: /],
    [
      "at: rows, by: id, added: { 3: { name: Bob } }, removed: 1, changed: 1",
      "state.json rows: added",
      /Ada/,
    ],
    ["at: rows, added: 1, removed: 2", "state.json rows: added", /^2: /],
    ["at: server, changed: { port: 8080 }", "state.json server: changed", /^none$/],
    ["at: rows, by: none, added: 1", "state.json rows, before", /Grace/],
  ];
  const seen = await Promise.all(
    cases.map(([watch]) => difference(copy, writes, `{ json: state.json, ${watch} }`)),
  );
  for (const [index, [, expectation, got]] of cases.entries()) {
    const verdict = seen[index]?.verdict;
    expect(verdict).toMatchObject({ kind: "unmet", expectation });
    expect(verdict?.kind === "unmet" ? verdict.got : "").toMatch(got);
  }
}, 30_000);

test("values are compared, not how they are written; paths name them", async () => {
  const text = "{ server: { host: local, port: 8080 }, log: [{ level: info }] }";
  const watch = 'yaml: config.yaml, changed: { "server.port": 8080 }, added: ["log.0.level"]';
  const { verdict } = await difference("fixtures/config.yaml", { "config.yaml": text }, `{ ${watch} }`);
  expect(verdict).toEqual({ kind: "met" });
  const broken = await difference("fixtures/config.yaml", { "config.yaml": "a: [" }, `{ ${watch} }`);
  expect(broken.verdict).toMatchObject({ kind: "unmet", expectation: "config.yaml, after" });
});

test("files count by their content: added, removed, changed, and not when they are only touched", async () => {
  const copy = "{ out: fixtures/tree }";
  const { verdict, log } = await difference(
    copy,
    { "out/a.txt": "one\n2\n", "out/b.txt": null, "out/c/d.txt": "3 rows\n", "elsewhere.txt": "x" },
    '{ files: "out/**", added: { out/c/d.txt: /^\\d rows$/m }, removed: [out/b.txt], changed: { out/a.txt: "2" } }',
  );
  expect(verdict).toEqual({ kind: "met" });
  expect(log).toContain("-two\n+2\n");
  const touched = await difference(copy, { "out/a.txt": 0 }, '{ files: "out/**", changed: [out/a.txt] }');
  expect(touched.verdict).toMatchObject({ kind: "unmet", expectation: "out/**: changed", got: "none" });
  for (const watch of ["added: [out/x.txt]", "added: 1", 'added: { out/x.txt: "" }'])
    expect(
      (await difference(copy, { "out/x.txt": { to: "b.txt" } }, `{ files: "out/**", ${watch} }`)).verdict,
    ).toMatchObject({
      kind: "unmet",
      expectation: "out/**: added",
      got: "1: out/x.txt (a symbolic link)",
    });
}, 30_000);

test("a database is dumped by a query or as a whole, from a copy of it", async () => {
  const sql = (line: string): string => `run: [sqlite3, $DATA/store.db, ${JSON.stringify(line)}]`;
  const make =
    "create table rows(id integer primary key, name text); insert into rows values(1,'Ada'),(2,'Bob');";
  const query = "query: 'SELECT id, name FROM rows ORDER BY id'";
  const watch = `[{ sqlite: store.db, ${query}, added: [{ id: 2, name: Bob }, { name: Ada }] }, { sqlite: $DATA/store.db, added: [CREATE TABLE, "1,'Ada'", /Bob/] }]`;
  // A database that is not there before has nothing in it; one in write-ahead mode that nobody closed is whole.
  expect((await play("data", `{ ${sql(make)}, watch: ${watch} }`)).verdict).toEqual({ kind: "met" });
  const open = JSON.stringify([
    "sqlite3",
    "$DATA/store.db",
    `pragma journal_mode=wal; ${make}`,
    ".shell kill -9 $PPID",
  ]);
  const killed = await play("data", `{ run: ${open}, watch: ${watch} }`);
  expect(killed.verdict).toMatchObject({ kind: "unmet", expectation: "exit", got: "signal SIGKILL" });
  expect(killed.log).toContain("difference of store.db: 2 added");
  const wrong = await play(
    "data",
    `{ ${sql(make)}, watch: { sqlite: store.db, query: SELECT no FROM rows, added: 2 } }`,
  );
  expect(wrong.verdict).toMatchObject({
    expectation: "store.db, after",
    got: expect.stringContaining("no such column"),
  });
  // The variable ignored: another database has the rows.
  const other = await play(
    "data",
    `{ run: [sqlite3, other.db, ${JSON.stringify(make)}], watch: { sqlite: store.db, ${query}, added: 2 } }`,
  );
  expect(other.verdict).toMatchObject({
    kind: "unmet",
    expectation: "store.db: added",
    wanted: "2",
    got: "none",
  });
}, 30_000);

test("a link in the place of what is watched is not followed", async () => {
  const { verdict } = await difference(
    "",
    { "state.json": { to: "/etc/hostname" } },
    "{ json: state.json, added: 1 }",
  );
  expect(verdict).toMatchObject({ kind: "unmet", got: "a symbolic link to /etc/hostname" });
  const folder = await difference("", { in: { to: "/etc" } }, "{ files: in/**, added: 1 }");
  expect(folder.verdict).toMatchObject({ kind: "unmet", got: expect.stringMatching(/none|symbolic link/) });
});

test("what a command prints is a dump: lines in their order, or a value", async () => {
  const cat = 'dump: "cat $DATA/a.txt"';
  const copy = "{ a.txt: fixtures/tree/a.txt }";
  const swapped = await difference(copy, { "a.txt": "two\none\n" }, `{ ${cat}, added: 1, removed: 1 }`);
  expect(swapped.verdict).toEqual({ kind: "met" });
  const added = await difference(copy, { "a.txt": "one\ntwo\nthree\n" }, `{ ${cat}, added: [/^three$/] }`);
  expect(added.verdict).toEqual({ kind: "met" });
  const value = await difference(
    "fixtures/state.json",
    { "state.json": JSON.stringify(ROWS) },
    '{ dump: "cat $DATA/state.json", as: json, at: rows, by: id, added: [3], removed: 1, changed: [2] }',
  );
  expect(value.verdict).toEqual({ kind: "met" });
});

test("a dump that changes by itself, fails, or is not there proves nothing", async () => {
  const counter = "n=$(cat $DATA/n); echo x >> $DATA/n; echo $n";
  const canned = await difference("", { n: "" }, `{ dump: "touch $DATA/n; ${counter}", added: 1 }`);
  expect(canned.verdict).toMatchObject({ kind: "unmet", expectation: "dump before", got: "another one" });
  const failing = await difference("", { a: "" }, '{ dump: "exit 3", added: 1 }');
  expect(failing.verdict).toMatchObject({ kind: "unmet", expectation: "dump before: exit", got: "3" });
  const missing = await difference("", { a: "" }, '{ dump: "node nowhere.js", added: 1 }');
  expect(missing.verdict).toEqual({ kind: "not_run", reason: "nowhere.js: no such script" });
});

test("the command counts as well: its exit status, what it prints, how long it takes", async () => {
  const watch = '{ files: "**", added: [x] }';
  const run = (line: string, more = ""): string => `{ run: ${JSON.stringify(line)}, watch: ${watch}${more} }`;
  const cases: readonly (readonly [string, object])[] = [
    [run("touch $DATA/x"), { kind: "met" }],
    [run("touch $DATA/x; exit 4"), { kind: "unmet", expectation: "exit", wanted: "0", got: "4" }],
    [run("touch $DATA/x; exit 4", ", exit: 4"), { kind: "met" }],
    [run("touch $DATA/x; echo 3 rows", ", stdout: 3 rows"), { kind: "met" }],
    // The log has the expectation in it; what counts is what the command printed.
    [run("touch $DATA/x", ", stdout: touch"), { kind: "unmet", expectation: "stdout", got: "nothing" }],
    [run("touch $DATA/x; sleep 30", ", timeout: 2s"), { kind: "unmet", expectation: "timeout" }],
    [run("node nowhere.js"), { kind: "not_run", reason: "nowhere.js: no such script" }],
    [run("no-such-program-here"), { kind: "not_run" }],
    ["{ run: touch x, copy: fixtures/none.db, watch: { sqlite: none.db, added: 1 } }", { kind: "not_run" }],
  ];
  const seen = await Promise.all(cases.map(([check]) => play("data", check)));
  for (const [index, [, verdict]] of cases.entries()) expect(seen[index]?.verdict).toMatchObject(verdict);
}, 30_000);

test("without the program that reads databases the criterion is blocked, and says what to install", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "bin"));
  for (const name of ["node", "sh"])
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\nexec ${Bun.which(name)} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, "write.cjs"), WRITER["write.cjs"]);
  mkdirSync(join(folder, "fixtures"));
  writeFileSync(join(folder, "fixtures/x.db"), "");
  const check = checkOf(
    "data",
    '{ run: [node, write.cjs, "{}"], copy: fixtures/x.db, watch: { sqlite: x.db, added: 1 } }',
  );
  const { verdict } = await playIn(folder, check, { ...process.env, PATH: join(folder, "bin") });
  expect(verdict).toEqual({
    kind: "blocked",
    reason: "sqlite3 is not installed: apt-get install sqlite3, or brew install sqlite",
  });
});

test("copies, fixtures and what a dump runs are the check's own; the command is the work", () => {
  const check = checkOf(
    "data",
    "{ run: node import.js fixtures/a.csv $DATA/store.db, copy: [fixtures/empty.db, seed], watch: { dump: node tools/dump.js, added: 1 } }",
  );
  const names = [
    "import.js",
    "fixtures/a.csv",
    "fixtures/empty.db",
    "seed/x",
    "tools/dump.js",
    "tools/other.js",
  ];
  const { own, inspected } = checkFiles(
    check,
    { id: "", files: new Map(names.map((name) => [name, "1"])) },
    null,
  );
  expect([...own]).toEqual(["fixtures/a.csv", "fixtures/empty.db", "seed/x", "tools/dump.js"]);
  expect([...inspected]).toEqual(["import.js"]);
});

test("a plan is told everything that is wrong with it", () => {
  const wrong = (check: string): string => {
    try {
      checkOf("data", check);
      return "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.problems.map(({ where, message }) => `${where}: ${message}`).join("\n");
    }
  };
  const watch = (text: string): string => wrong(`{ run: node x.js, watch: { ${text} } }`);
  expect(watch("json: a.json, addded: 1")).toContain('unknown key "addded"; did you mean "added"?');
  expect(watch("json: a.json, added: any")).toContain("must be a number of entries, a list of them");
  expect(watch("json: a.json, added: -1")).not.toBe("");
  expect(watch("added: 1")).toContain("must watch one thing: sqlite, json, yaml, files, dump");
  expect(watch("json: a.json, yaml: b.yaml, added: 1")).toContain("has json, yaml");
  expect(watch("json: /etc/passwd, added: 1")).toContain("must be a path in the data folder");
  expect(watch("json: ../x.json, added: 1")).toContain("must be a path in the data folder");
  expect(watch("json: a.json, query: SELECT 1, added: 1")).toContain("query belongs to sqlite");
  expect(watch("sqlite: a.db, query: .shell id, added: 1")).toContain("must be SQL");
  expect(watch("sqlite: a.db, query: SELECT 1, changed: 1")).toContain("changed needs by");
  expect(watch("dump: node d.js, changed: 1")).toContain("never changed");
  expect(watch("files: out/**, added: [/(/]")).toContain("not a regular expression");
  expect(watch("json: a.json")).toContain("a command which does nothing passes");
  expect(wrong("{ run: cp a.db $DATA/b.db, watch: { sqlite: b.db, added: 1 } }")).toContain(
    "only copies what is there",
  );
  expect(wrong("{ run: node x.js, copy: ../x, watch: { json: a.json, added: 1 } }")).toContain(
    "in the repository",
  );
  expect(wrong("{ watch: { json: a.json, added: 1 } }")).toContain("run");
  expect(wrong("{ run: node x.js, wach: { json: a.json } }")).toContain('did you mean "watch"?');
  // A command that must not change anything can fail, and is a check; so is the form without a difference.
  expect(wrong("{ run: node x.js, exit: 1, watch: { json: a.json } }")).toBe("");
  expect(wrong("{ run: node x.js, json: { a: 1 } }")).toBe("");
});

test("boards tell the difference in one line", () => {
  const words = (check: string): string => describeCheck(checkOf("data", check));
  expect(
    words(
      "{ run: node x.js, watch: { sqlite: a.db, query: SELECT 1, by: id, added: 3, changed: { 1: {} } } }",
    ),
  ).toBe("a.db +3 ~1 by node x.js");
  expect(words("{ run: node x.js, exit: 1, watch: [{ json: a.json, at: rows }, { files: out/** }] }")).toBe(
    "a.json rows unchanged and 1 more by node x.js",
  );
});

test("the example of the docs works, with the program that it names", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "fixtures"));
  mkdirSync(join(folder, "migrations"));
  const made = await runCommand(
    [
      "sqlite3",
      "fixtures/shop.db",
      "create table customers(id integer primary key, name text, mail text); insert into customers values(1,'Grace','grace@example.org'),(2,'Ada','ADA@EXAMPLE.ORG');",
    ],
    { cwd: folder, timeoutMs: 10_000 },
  );
  await made.dispose();
  writeFileSync(
    join(folder, "migrations/002.sql"),
    "create index by_mail on customers(mail);\nupdate customers set mail = lower(mail);\n",
  );
  const { verdict, log } = await playIn(folder, exampleOf("data"));
  expect(verdict).toEqual({ kind: "met" });
  expect(log).toContain("~ 2: ");
});
