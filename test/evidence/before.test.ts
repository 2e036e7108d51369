/** Tests what the base tree says of a check: red, pinned, own script, not run, unclear, or no base. */
import { expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type BeforeOptions, takeBefore } from "../../components/evidence/before.ts";
import { makeCheck, type PartialCheck } from "../../components/evidence/check.ts";
import type { Before } from "../../components/evidence/types.ts";
import { removeFoldersAfterwards, repo, sh, type TestRepo, tempFolder } from "./repo.ts";

removeFoldersAfterwards();

async function before(
  { root }: Pick<TestRepo, "root">,
  base: string | null,
  check: PartialCheck,
  more: Partial<BeforeOptions> = {},
): Promise<Before> {
  return takeBefore(makeCheck({ timeoutMs: 20000, ...check }), {
    root,
    base,
    share: [],
    setup: [],
    preview: false,
    ...more,
  });
}

async function brokenAdd(): Promise<{ work: TestRepo; base: string }> {
  const work = await repo({
    "add.js": "exports.add = (a, b) => a - b;\n",
    "package.json": '{"scripts":{"test":"node test/add.test.js"}}\n',
  });
  return { work, base: await work.sh("git rev-parse HEAD") };
}

const ADD_TEST = 'require("node:assert").strictEqual(require("../add.js").add(2, 2), 4);\n';

test("a test written during the work is red when the code was broken", async () => {
  const { work, base } = await brokenAdd();
  work.write({ "test/add.test.js": ADD_TEST, "add.js": "exports.add = (a, b) => a + b;\n" });
  for (const run of ["npm test", "node test/add.test.js", "node --test test/"]) {
    const seen = await before(work, base, { run });
    expect([run, seen.outcome]).toEqual([run, "red"]);
    expect(seen.base).toBe(base);
  }
  await work.commit();
  expect((await before(work, base, { run: "node test/add.test.js" })).outcome).toBe("red");
});

test("a check that already passed on the base is pinned", async () => {
  const { work, base } = await brokenAdd();
  work.write({ "test/add.test.js": 'require("node:assert").ok(require("../add.js").add);\n' });
  expect(await before(work, base, { run: "npm test" })).toMatchObject({
    outcome: "pinned",
    saw: "passes already",
  });
});

test("documentation is red before its line is there, and the file that is read is not laid over", async () => {
  const work = await repo({ "README.md": "# Title\n" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "README.md": "# Title\n\n## Install\n" });
  expect(await before(work, base, { run: "grep -q Install README.md" })).toMatchObject({
    outcome: "red",
    saw: "exit 1",
  });
});

test("a verify script that only says so is not red, however it is called", async () => {
  const work = await repo({ a: "1" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({
    "verify.sh": "#!/bin/sh\necho PASS\n",
    "go.sh": "#!/bin/sh\necho PASS\n",
    "tests/expected.txt": "PASS\n",
  });
  expect((await before(work, base, { run: "./verify.sh", expect: { stdout: "PASS" } })).outcome).toBe(
    "hollowed",
  );
  expect((await before(work, base, { run: "sh go.sh", expect: { stdout: "PASS" } })).outcome).toBe("not_run");
  expect((await before(work, base, { run: "sh go.sh", expect: { stdout: "PASS" }, files: [] })).outcome).toBe(
    "not_run",
  );
  expect((await before(work, base, { run: "echo PASS | diff - tests/expected.txt" })).outcome).toBe(
    "hollowed",
  );
});

test("a failing test that is deleted does not turn red into green", async () => {
  const { work } = await brokenAdd();
  work.write({
    "test/add.test.js": ADD_TEST,
    "test/ok.test.js": "",
    "package.json": '{"scripts":{"test":"for f in test/*.js; do node $f || exit 1; done"}}\n',
  });
  const base = await work.commit();
  rmSync(join(work.root, "test/add.test.js"));
  expect((await before(work, base, { run: "npm test" })).outcome).toBe("hollowed");
});

test("a program of one file that is mended and run directly is its own script", async () => {
  const work = await repo({ "sum.js": 'console.log("wrong");\n' });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "sum.js": 'console.log("3 rows");\n' });
  const seen = await before(work, base, { run: "node sum.js", expect: { stdout: "3 rows" } });
  expect(seen).toMatchObject({ outcome: "own_script" });
  expect(seen.saw).toContain("sum.js");
});

test("a program that uses mended code is red although it is run directly", async () => {
  const work = await repo({
    "cli.js": 'console.log(require("./lib.js"));\n',
    "lib.js": "module.exports = 1;\n",
  });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "lib.js": "module.exports = 2;\n" });
  expect((await before(work, base, { run: "node cli.js", expect: { stdout: "2" } })).outcome).toBe("red");
});

test("a module of the product that is not there yet is red; so is an export that it lacks", async () => {
  const work = await repo({ "package.json": '{"type":"module"}\n', "old.js": "export const a = 1;\n" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({
    "test/new.test.js": 'import "../new.js";\n',
    "new.js": "export {};\n",
    "old.js": "export const a = 1, b = 2;\n",
    "test/old.test.js": 'import { b } from "../old.js";\nif (b !== 2) throw 1;\n',
  });
  expect((await before(work, base, { run: "node test/new.test.js" })).outcome).toBe("red");
  expect((await before(work, base, { run: "node test/old.test.js" })).outcome).toBe("red");
});

test("a missing command or npm script is not run", async () => {
  const work = await repo({ "package.json": '{"scripts":{}}\n' });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "package.json": '{"type":"module","scripts":{"test":"true","more":"node x.js"}}\n' });
  expect((await before(work, base, { run: "npm run seldom" })).outcome).toBe("not_run");
  expect((await before(work, base, { run: "no-such-tool-anywhere" })).outcome).toBe("not_run");
});

test("when a clean copy of today's tree fails as well, the base's failure says nothing", async () => {
  const work = await repo({ "a.js": "", ".gitignore": "built\n" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "a.js": "// new\n", built: "x" });
  const seen = await before(work, base, { run: "test -f built" });
  expect(seen.outcome).toBe("unclear");
  expect(seen.saw).toContain("clean copy of today's tree");
  expect(
    (await before(work, base, { run: "test -f built && grep -q new a.js" }, { setup: ["touch built"] }))
      .outcome,
  ).toBe("red");
  expect(
    (await before(work, base, { run: "test -f built && grep -q new a.js" }, { share: ["built"] })).outcome,
  ).toBe("red");
  expect(await before(work, base, { run: "test -f built" }, { setup: ["exit 4"] })).toMatchObject({
    outcome: "unclear",
  });
});

test("a coin does not fall red by luck", async () => {
  const work = await repo({ a: "1" });
  const base = await work.sh("git rev-parse HEAD");
  const count = join(tempFolder(), "count");
  const seen = await before(work, base, { run: `echo x >> ${count}; [ $(wc -l < ${count}) -ge 2 ]` });
  expect(seen).toMatchObject({ outcome: "unclear" });
  expect(seen.saw).toContain("flaky");
});

test("without a base there is nothing to compare; a lost base is unclear, not an error", async () => {
  const work = await repo({ a: "1" });
  expect(await before(work, null, { run: "true" })).toMatchObject({ outcome: "no_base", base: null });
  expect((await before(work, "0".repeat(40), { run: "true" })).outcome).toBe("unclear");
});

test("a preview tells what the base says before the work is done", async () => {
  const { work, base } = await brokenAdd();
  work.write({ "test/add.test.js": ADD_TEST });
  expect((await before(work, base, { run: "npm test" }, { preview: true })).outcome).toBe("red");
  expect((await before(work, base, { run: "test -f add.js" }, { preview: true })).outcome).toBe("pinned");
});

test("an absolute path into the repository does not run today's code on the base", async () => {
  const { work, base } = await brokenAdd();
  work.write({ "test/add.test.js": ADD_TEST, "add.js": "exports.add = (a, b) => a + b;\n" });
  expect((await before(work, base, { run: `cd ${work.root} && npm test` })).outcome).toBe("red");
  expect((await before(work, base, { run: `node ${work.root}/test/add.test.js` })).outcome).toBe("red");
  expect((await before(work, base, { run: ["node", `${work.root}/test/add.test.js`] })).outcome).toBe("red");
});

test("a link to a workspace package stays in the export; installed packages and programs are found", async () => {
  const work = await repo({
    ".gitignore": "node_modules\n",
    "package.json": '{"workspaces":["packages/*"]}\n',
    "packages/lib/index.js": "module.exports = 1;\n",
    "packages/lib/cli.js": "#!/usr/bin/env node\nconsole.log('cli', require('./index.js'));\n",
    "packages/lib/package.json": '{"name":"lib"}\n',
  });
  const base = await work.sh("git rev-parse HEAD");
  work.write({
    "node_modules/dep/index.js": "module.exports = 'dep';\n",
    "node_modules/@s/p/index.js": "module.exports = 'scoped';\n",
  });
  symlinkSync("../packages/lib", join(work.root, "node_modules/lib"));
  mkdirSync(join(work.root, "node_modules/.bin"));
  symlinkSync("../lib/cli.js", join(work.root, "node_modules/.bin/tool"));
  work.write({ "packages/lib/index.js": "module.exports = 2;\n" });
  const wanted =
    "if (require('lib') !== 2 || require('dep') !== 'dep' || require('@s/p') !== 'scoped') process.exit(7);\n";
  work.write({ "test/a.test.js": wanted });
  expect(await before(work, base, { run: "node test/a.test.js" })).toMatchObject({
    outcome: "red",
    saw: "exit 7",
  });
  expect(
    await before(work, base, { run: "npx --no-install tool", expect: { stdout: "cli 2" } }),
  ).toMatchObject({ outcome: "red" });
});

test("an installed folder that Git tracks comes from the base, not from today", async () => {
  const work = await repo({ "vendor/lib.js": "module.exports = 1;\n" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({
    "vendor/lib.js": "module.exports = 2;\n",
    "test/a.test.js": "if (require('../vendor/lib.js') !== 2) process.exit(1);\n",
  });
  expect((await before(work, base, { run: "node test/a.test.js" })).outcome).toBe("red");
});

test("a check may ask Git in the export, and export-ignore leaves no tests out", async () => {
  const work = await repo({
    ".gitattributes": "test export-ignore\n",
    "test/old.test.js": "process.exit(require('../a.js'));\n",
    "a.js": "module.exports = 1;\n",
  });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "a.js": "module.exports = 0;\n" });
  expect(
    await before(work, base, { run: "git rev-parse HEAD && test -d .git && node test/old.test.js" }),
  ).toMatchObject({ outcome: "red", saw: "exit 1" });
});

test("linked worktree, shallow clone and a read-only Git folder can all be compared", async () => {
  const { work } = await brokenAdd();
  const base = await work.commit();
  const linked = join(tempFolder(), "linked");
  await work.sh(`git worktree add -q ${linked}`);
  const shallow = join(tempFolder(), "shallow");
  await work.sh(`git clone -q --depth 1 file://${work.root} ${shallow}`);
  await sh(shallow, "chmod -R a-w .git");
  for (const root of [linked, shallow]) {
    const there = { ...work, root };
    await Bun.write(join(root, "add.js"), "exports.add = (a, b) => a + b;\n");
    await Bun.write(join(root, "test/add.test.js"), ADD_TEST);
    expect([root, (await before(there, base, { run: "npm test" })).outcome]).toEqual([root, "red"]);
  }
  await sh(shallow, "chmod -R u+w .git");
});

test("an unchanged submodule is there in the export", async () => {
  const work = await repo({ "a.js": "process.exit(1);\n" });
  await work.sh(
    "git init -q sub && echo 'module.exports = 1' > sub/i.js && git -C sub add . && git -C sub commit -q -m s && git -c advice.addEmbeddedRepo=false add sub && git commit -q -m link",
  );
  const base = await work.sh("git rev-parse HEAD");
  work.write({
    "a.js": "require('./sub/i.js');\n",
    "t.test.js": "require('./sub/i.js'); require('./a.js');\n",
  });
  expect(await before(work, base, { run: "node t.test.js" })).toMatchObject({
    outcome: "red",
    saw: "exit 1",
  });
});

test("a base that hangs is red by its timeout, and nothing is left running", async () => {
  const work = await repo({ "a.js": "setInterval(() => {}, 1000);\n" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "a.js": "", "a.test.js": "require('./a.js');\n" });
  const seen = await before(work, base, { run: "node a.test.js", timeoutMs: 700 });
  expect(seen.outcome).toBe("red");
  expect(seen.saw).toContain("timeout");
});

test("a suite whose npm script or settings became harmless is not red", async () => {
  const { work } = await brokenAdd();
  work.write({ "test/add.test.js": ADD_TEST, Makefile: "check:\n\tnode test/add.test.js\n" });
  const base = await work.commit();
  work.write({ "package.json": '{"scripts":{"test":"echo fine"}}\n', Makefile: "check:\n\t@echo fine\n" });
  expect(await before(work, base, { run: "npm test" })).toMatchObject({ outcome: "hollowed" });
  expect(await before(work, base, { run: "make check" })).toMatchObject({ outcome: "hollowed" });
});

test("a script that is added together with its tests and code is red", async () => {
  const work = await repo({ "package.json": '{"name":"x"}\n' });
  const base = await work.sh("git rev-parse HEAD");
  work.write({
    "package.json": '{"name":"x","scripts":{"test":"node test/a.test.js"}}\n',
    "test/a.test.js": 'require("../a.js");\n',
    "a.js": "",
  });
  expect((await before(work, base, { run: "npm test" })).outcome).toBe("red");
  const empty = await repo({ "README.md": "x\n" });
  const first = await empty.sh("git rev-parse HEAD");
  empty.write({
    "package.json": '{"scripts":{"test":"node test/a.test.js"}}\n',
    "test/a.test.js": 'require("../a.js");\n',
    "a.js": "",
  });
  expect((await before(empty, first, { run: "npm test" })).outcome).toBe("red");
});

test("what a check is laid over with cannot leave the export through a link", async () => {
  const outside = tempFolder();
  const work = await repo({ a: "1" });
  symlinkSync(outside, join(work.root, "tests"));
  const base = await work.commit();
  rmSync(join(work.root, "tests"));
  work.write({ "tests/a.test.js": "", a: "2" });
  expect((await before(work, base, { run: "node tests/a.test.js && grep -q 2 a" })).outcome).toBe("red");
  expect(await sh(outside, "ls -A")).toBe("");
});

test("an ignored program that the check runs is named as the reason", async () => {
  const work = await repo({ ".gitignore": "dist\n", "a.js": "1\n" });
  const base = await work.sh("git rev-parse HEAD");
  work.write({ "dist/app.js": "console.log(2)\n", "a.js": "2\n" });
  const seen = await before(work, base, { run: "node dist/app.js", expect: { stdout: "2" } });
  expect(seen.outcome).toBe("not_run");
  expect(seen.saw).toContain("dist/app.js is ignored by Git");
  expect(
    await before(
      work,
      base,
      { run: "node dist/app.js", expect: { stdout: "2" } },
      { setup: ["mkdir -p dist && sed 's/.*/console.log(&)/' a.js > dist/app.js"] },
    ),
  ).toMatchObject({ outcome: "red" });
});
