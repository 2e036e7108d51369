/** Tests how one run is judged: met, unmet, not run, inconclusive or blocked. */
import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCheck, type PartialCheck } from "../../components/evidence/check.ts";
import { pickPath, sameValue } from "../../components/evidence/json-paths.ts";
import { judge } from "../../components/evidence/judge.ts";
import { runCommand } from "../../components/evidence/runner.ts";
import type { Run, Verdict } from "../../components/evidence/types.ts";
import { removeFoldersAfterwards, tempFolder } from "./repo.ts";

removeFoldersAfterwards();

interface Given {
  readonly dir?: string;
  readonly changed?: Partial<Run>;
  readonly sandboxed?: boolean;
  readonly ownFiles?: readonly string[];
}

async function verdict(partial: PartialCheck, given: Given = {}): Promise<Verdict> {
  const check = makeCheck({ timeoutMs: 10_000, ...partial });
  const dir = given.dir ?? tempFolder();
  const run = await runCommand(check.run, { cwd: dir, timeoutMs: check.timeoutMs });
  const seen = await judge(
    check,
    { ...run, ...given.changed },
    {
      runDir: dir,
      stdoutPath: run.stdoutPath,
      stderrPath: run.stderrPath,
      sandboxed: given.sandboxed ?? false,
      ownFiles: given.ownFiles ?? [],
    },
  );
  await run.dispose();
  return seen;
}

function folder(files: Readonly<Record<string, string>>): string {
  const dir = tempFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

test("every expectation has to hold, and the one that does not is named", async () => {
  expect(
    await verdict({ run: "echo 3 rows; echo warn >&2", expect: { stdout: "3 rows", stderr: "/^WARN$/im" } }),
  ).toEqual({ kind: "met" });
  expect(await verdict({ run: "exit 2" })).toEqual({
    kind: "unmet",
    expectation: "exit",
    wanted: "0",
    got: "2",
  });
  expect(await verdict({ run: "exit 2", expect: { exit: 2 } })).toEqual({ kind: "met" });
  expect(await verdict({ run: "echo 4 rows", expect: { stdout: "3 rows" } })).toMatchObject({
    expectation: "stdout",
    wanted: "3 rows",
    got: "4 rows",
  });
  expect(await verdict({ run: "true", expect: { stderr: "x" } })).toMatchObject({
    expectation: "stderr",
    got: "nothing",
  });
});

test("JSON and YAML output is compared by path", async () => {
  const json = { ok: true, "rows[1].id": 2, "rows.length": 2, "a.b": null };
  expect(
    await verdict({ run: `echo '{"ok":true,"rows":[{"id":1},{"id":2}],"a":{"b":null}}'`, expect: { json } }),
  ).toEqual({ kind: "met" });
  expect(
    await verdict({
      run: "printf 'ok: true\\nrows: [{id: 1}, {id: 2}]\\na: {b: null}\\n'",
      expect: { json },
    }),
  ).toEqual({ kind: "met" });
  expect(await verdict({ run: `echo '{"ok":"true"}'`, expect: { json: { ok: true } } })).toMatchObject({
    expectation: "json ok",
    got: '"true"',
  });
  expect(await verdict({ run: "echo not data", expect: { json: { ok: true } } })).toMatchObject({
    expectation: "json",
  });
  expect(pickPath({ "a.b": 1, a: { b: 2 } }, "a.b")).toBe(1);
  expect(pickPath({}, "constructor")).toBeUndefined();
  expect(sameValue({ a: 1, b: [1] }, { b: [1], a: 1 })).toBe(true);
  expect(sameValue({ a: undefined }, { b: 1 })).toBe(false);
});

test("a produced file must be new, real, inside, and hold what is wanted", async () => {
  const dir = folder({ "old.txt": "rows", "folder/x": "1" });
  utimesSync(join(dir, "old.txt"), 1000, 1000);
  symlinkSync("/etc/hostname", join(dir, "link"));
  const produces = (path: string, pattern = ""): Pick<PartialCheck, "expect"> => ({
    expect: { produces: { [path]: pattern } },
  });
  expect(await verdict({ run: "echo 3 rows > out.csv", ...produces("out.csv", "3 rows") }, { dir })).toEqual({
    kind: "met",
  });
  expect(await verdict({ run: "cp -p old.txt copy.txt", ...produces("copy.txt") }, { dir })).toEqual({
    kind: "met",
  });
  for (const [run, path, got] of [
    ["true", "old.txt", "an old file, not written by this run"],
    ["true", "nothing", "no such file"],
    [": > empty", "empty", "an empty file"],
    ["touch folder", "folder", "not a file"],
    ["true", "link", "a link that leaves the folder"],
    ["ln -sf old.txt inner", "inner", "a symbolic link"],
    ["true", "../../etc/passwd", "a path outside the folder"],
    ["echo 4 > out.csv", "out.csv", "4"],
  ] as const)
    expect([
      path,
      await verdict({ run, ...produces(path, path === "out.csv" ? "3 rows" : "") }, { dir }),
    ]).toMatchObject([path, { kind: "unmet", expectation: `produces ${path}`, got }]);
});

test("a timeout and a flood are unmet, something that cannot be ended blocks", async () => {
  expect(await verdict({ run: "sleep 5", timeoutMs: 100 })).toMatchObject({
    kind: "unmet",
    expectation: "timeout",
  });
  expect(await verdict({ run: "true" }, { changed: { flooded: true } })).toMatchObject({
    kind: "unmet",
    expectation: "output",
  });
  expect(await verdict({ run: "true" }, { changed: { alive: ["server"] } })).toMatchObject({
    kind: "blocked",
  });
});

test("what is missing before anything runs says nothing about the tree", async () => {
  const dir = folder({
    "package.json": '{"scripts":{"test":"no-such-runner"}}',
    "not-executable.sh": "echo x",
    Makefile: "all:\n\ttrue\n",
  });
  for (const run of [
    "no-such-command --x",
    "npm test",
    "npm run nope",
    "./not-executable.sh",
    "node nope.js",
    "node ./dir/nope.js arg",
    "python3 nope.py",
    "sh nope.sh",
    "bash nope.sh",
    "perl nope.pl",
    "cd . && node nope.mjs",
    "node --test nope.test.js",
    "make nope",
    `${process.execPath} nope.ts`,
  ])
    expect([run, await verdict({ run }, { dir })]).toMatchObject([run, { kind: "not_run" }]);
  expect(await verdict({ run: ["no-such-command"] })).toMatchObject({ kind: "not_run" });
});

test("what the product lacks is a failure, not a run that never was", async () => {
  const dir = folder({
    "a.test.js": 'require("./product.js");\n',
    "b.test.mjs": 'import { gone } from "./c.mjs";\n',
    "c.mjs": "export const there = 1;\n",
    "d.test.js": 'JSON.parse("{");\n',
    "e.test.py": "import product\n",
    "f.sh": "./build/product || exit 3\n",
    "g.test.js": 'require("node:child_process").execFileSync("no-such-product");\n',
  });
  const ownFiles = ["a.test.js", "b.test.mjs", "d.test.js", "e.test.py", "f.sh", "g.test.js"];
  for (const run of [
    "node a.test.js",
    "node b.test.mjs",
    "node d.test.js",
    "python3 e.test.py",
    "sh f.sh",
    "node g.test.js",
    "grep -q x README.md",
  ])
    expect([run, await verdict({ run }, { dir, ownFiles })]).toMatchObject([run, { kind: "unmet" }]);
});

test("a syntax error in the check's own file is no failure; one in the product is", async () => {
  const dir = folder({
    "a.test.js": "if (\n",
    "t/b.test.mjs": "const = 1;\n",
    "c.py": "def f(:\n",
    "d.sh": "if true; then\n",
    "e.test.js": 'require("./product.js");\n',
    "product.js": "if (\n",
  });
  const ownFiles = ["a.test.js", "t/b.test.mjs", "c.py", "d.sh", "e.test.js"];
  for (const run of [
    "node a.test.js",
    "node t/b.test.mjs",
    "node --test a.test.js",
    "python3 c.py",
    "sh d.sh",
    "bash d.sh",
    `${process.execPath} a.test.js`,
  ])
    expect([run, await verdict({ run }, { dir, ownFiles })]).toMatchObject([run, { kind: "not_run" }]);
  expect(await verdict({ run: "node e.test.js" }, { dir, ownFiles })).toMatchObject({ kind: "unmet" });
});

test("in a sandbox a forbidden socket or a hang is inconclusive, a plain failure stays one, and a pass a pass", async () => {
  expect(
    await verdict(
      { run: "echo 'Error: listen EPERM: operation not permitted 127.0.0.1' >&2; exit 1" },
      { sandboxed: true },
    ),
  ).toMatchObject({
    kind: "inconclusive",
    reason: expect.stringContaining("listen EPERM"),
  });
  expect(
    await verdict({ run: "echo 'Error: listen EPERM: operation not permitted 127.0.0.1' >&2; exit 1" }),
  ).toMatchObject({ kind: "unmet" });
  expect(await verdict({ run: "sleep 5", timeoutMs: 100 }, { sandboxed: true })).toMatchObject({
    kind: "inconclusive",
  });
  expect(await verdict({ run: "echo expected 4; exit 1" }, { sandboxed: true })).toMatchObject({
    kind: "unmet",
  });
  expect(await verdict({ run: "echo EPERM" }, { sandboxed: true })).toEqual({ kind: "met" });
});
