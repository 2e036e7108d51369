/** Tests which code outside the repository counts as named by the work. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { codeOutside } from "../../components/evidence/outside-names.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "pg-outside-")));
afterAll(() => rmSync(base, { recursive: true }));
const root = join(base, "repo");
const write = (path: string, text: string): string => {
  const place = join(base, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
  return place;
};
const found = (text: string, command = "node test.js"): string[] => {
  write("repo/src/work.js", text);
  return codeOutside(root, command, ["src/work.js"]).map((path) => path.slice(base.length + 1));
};
const add = write("real/add.js", 'import "./more.js";\n');
write("real/more.js", "");
write("real/plain.py", "");
write("real/log.txt", "");
write("repo/src/inner.js", "");

test("an absolute import counts, with what is imported there", () => {
  expect(found(`export * from "${add}";`)).toEqual(["real/add.js", "real/more.js"]);
  expect(found(`import "file://${add}"`)).toEqual(["real/add.js", "real/more.js"]);
  expect(found(`require('${add.slice(0, -3)}')`)).toEqual(["real/add.js", "real/more.js"]);
});

test("a path that climbs out of the repository counts, one that stays inside does not", () => {
  expect(found('export * from "../../real/more.js";')).toEqual(["real/more.js"]);
  expect(found(`import "./inner.js"; import "${join(root, "src/inner.js")}"`)).toEqual([]);
});

test("a folder put on a search path counts by its code", () => {
  expect(found(`sys.path.insert(0, "${join(base, "real")}")`)).toEqual([
    "real/add.js",
    "real/more.js",
    "real/plain.py",
  ]);
});

test("the command's own words count", () => {
  expect(found("", `node ${add}`)).toEqual(["real/add.js", "real/more.js"]);
});

test("logs, data, system folders and addresses are no code of the work", () => {
  expect(
    found(`open("${join(base, "real/log.txt")}"); "https://a.b/real/add.js"; "/usr/bin/env"; "/tmp"`),
  ).toEqual([]);
});

test("a program counts by its mark to be run", () => {
  const tool = write("real/tool", "#!/bin/sh\n");
  expect(found(tool)).toEqual([]);
  chmodSync(tool, 0o755);
  expect(found(tool)).toEqual(["real/tool"]);
});
