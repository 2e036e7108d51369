/** Honest runs in repositories of every shape: workspaces, worktrees, submodules, odd names, line ends, languages. */

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import {
  Agent,
  doSlug,
  edge,
  happy,
  implement,
  LIBRARY,
  npmTest,
  PLAN,
  planOf,
  regression,
  SLUG,
  slugCriterion,
  slugTest,
  test,
} from "./agent.ts";

/** Writes below another folder than the world's root. */
const writerIn =
  (folder: string) =>
  (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };

honest("a monorepo, worked on from a package's folder, its packages linked in node_modules", async () => {
  const pack = (name: string): string =>
    JSON.stringify({ name: `@m/${name}`, version: "1.0.0", type: "module", exports: "./index.js" });
  const world = await makeWorld({
    "package.json": '{"name":"m","private":true,"workspaces":["packages/*"]}\n',
    ".gitignore": "node_modules\n",
    "packages/texts/package.json": pack("texts"),
    "packages/texts/index.js": "export const upper = (text) => text.toUpperCase();\n",
    "packages/app/package.json": pack("app"),
    "packages/app/index.js":
      'import { upper } from "@m/texts";\nexport const greet = (name) => "Hello " + upper(name);\n',
    "packages/app/test/greet.test.js": test("greet", '"a"', '"Hello A"', "../index.js"),
  });
  mkdirSync(join(world.root, "node_modules/@m"), { recursive: true });
  for (const name of ["texts", "app"])
    symlinkSync(`../../packages/${name}`, join(world.root, "node_modules/@m", name));
  const paths = happy('path("Big Cat") of @m/app returns "/big-cat".', {
    run: "node --test test/path.test.js",
    cwd: "packages/app",
  });
  const greets = regression('greet("a") still returns "Hello A".', {
    run: "node --test test/greet.test.js",
    cwd: "packages/app",
    covers: ["packages/**"],
  });
  world.write(PLAN, planOf([{ title: "Paths from names", criteria: [paths, greets] }]));
  const agent = new Agent(world, { cwd: join(world.root, "packages/app") });
  await agent.does("ulw-loop", "create-goals", "--plan", "../../.proofgate/plan.yaml");
  await agent.takes();
  world.write(
    "packages/texts/index.js",
    `${world.read("packages/texts/index.js")}export const slug = ${SLUG};\n`,
  );
  world.write(
    "packages/app/index.js",
    'import { slug, upper } from "@m/texts";\nexport const greet = (name) => "Hello " + upper(name);\nexport const path = (name) => "/" + slug(name);\n',
  );
  world.write("packages/app/test/path.test.js", test("path", '"Big Cat"', '"/big-cat"', "../index.js"));
  await agent.proves(["red", "pinned"]);
  return await agent.finishes();
});

honest("a linked worktree of a repository", async () => {
  const world = await makeWorld(LIBRARY);
  const tree = join(world.root, "../worktree");
  await world.git("worktree", "add", "-q", "-b", "slug", tree);
  const write = writerIn(tree);
  write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }], { verify: ["npm test"] }));
  const agent = new Agent(world, { cwd: tree });
  await agent.creates();
  await agent.takes();
  write("src/texts.js", `${LIBRARY["src/texts.js"]}export const slug = ${SLUG};\n`);
  write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("a submodule that the code imports, and that is moved on by the work", async () => {
  const world = await makeWorld(LIBRARY);
  const other = await makeWorld({
    "index.js": 'export const dash = (text) => text.replaceAll(" ", "-");\n',
    "package.json": '{"type":"module"}\n',
  });
  await world.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", other.root, "lib");
  await world.commit("submodule");
  const lower = happy('lower("A") of lib returns "a".', "node --test test/lower.test.js");
  world.write(PLAN, planOf([{ title: "slug by way of the submodule", criteria: [slugCriterion, lower] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", "(text) => dash(text.toLowerCase())");
  world.write("src/texts.js", `import { dash } from "../lib/index.js";\n${world.read("src/texts.js")}`);
  world.write("test/slug.test.js", slugTest());
  world.write(
    "lib/index.js",
    `${world.read("lib/index.js")}export const lower = (text) => text.toLowerCase();\n`,
  );
  world.write("test/lower.test.js", test("lower", '"A"', '"a"', "../lib/index.js"));
  await agent.proves("red");
  await world.sh("git -C lib add -A && git -C lib commit -q -m lower && git add lib");
  await agent.proves(null);
  return await agent.finishes();
});

honest("a nested repository with dependencies of its own, which it ignores", async () => {
  const world = await makeWorld({ ...LIBRARY, ".gitignore": "node_modules\n" });
  world.write("tools/package.json", '{"type":"module","dependencies":{"dash":"1"}}\n');
  world.write("tools/.gitignore", "node_modules\n");
  world.write("tools/index.js", 'export { dash } from "dash";\n');
  world.write("tools/node_modules/dash/package.json", '{"name":"dash","type":"module","exports":"./i.js"}\n');
  world.write(
    "tools/node_modules/dash/i.js",
    'export const dash = (text) => text.toLowerCase().replaceAll(" ", "-");\n',
  );
  await world.sh("cd tools && git init -q && git add -A && git commit -q -m tools");
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", "(text) => dash(text)");
  world.write("src/texts.js", `import { dash } from "../tools/index.js";\n${world.read("src/texts.js")}`);
  world.write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("a test that writes a script to a fixed place in the temporary folder at each run", async () => {
  const world = await makeWorld(LIBRARY);
  const script = join(world.root, "../scratch/made.mjs");
  mkdirSync(dirname(script));
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", SLUG);
  world.write(
    "test/slug.test.js",
    `${slugTest()}import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(script)}, "// " + Date.now());\nawait import(${JSON.stringify(script)});\n`,
  );
  await agent.proves("red");
  await agent.proves(null);
  return await agent.finishes();
});

honest("a repository with 2,000 files", async () => {
  const files: Record<string, string> = { ...LIBRARY };
  for (let n = 0; n < 2000; n++) files[`data/${n % 40}/item-${n}.json`] = `{"id":${n}}\n`;
  const world = await makeWorld(files);
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

const LINES_TEST = `import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { lines } from "../src/texts.js";
const text = readFileSync(new URL("fixtures/lines.txt", import.meta.url), "utf8");
test("lines", () => assert.equal(lines(text), 2));
`;

honest("Windows line ends: autocrlf, and files that .gitattributes turns", async () => {
  const world = await makeWorld(LIBRARY);
  await world.git("config", "core.autocrlf", "true");
  world.write(".gitattributes", "*.txt text eol=crlf\n*.sh text eol=lf\n");
  world.write("test/fixtures/lines.txt", "a\r\nb\r\n");
  world.write("src/texts.js", LIBRARY["src/texts.js"].replaceAll("\n", "\r\n"));
  await world.commit("line ends");
  const counted = happy(
    "lines returns 2 for test/fixtures/lines.txt with its CRLF.",
    "node --test test/lines.test.js",
  );
  world.write(PLAN, planOf([{ title: "lines", criteria: [counted] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "lines", '(text) => text.split("\\r\\n").filter(Boolean).length');
  world.write("src/texts.js", world.read("src/texts.js").replaceAll(/\r?\n/g, "\r\n"));
  world.write("test/lines.test.js", LINES_TEST.replaceAll("\n", "\r\n"));
  await agent.proves("red");
  await world.commit("lines");
  return await agent.finishes();
});

honest("spaces, umlauts, quotes and Chinese in paths", async () => {
  const source = "src/größe & maß/统计.js";
  const world = await makeWorld({
    ...LIBRARY,
    [source]: "export const zero = () => 0;\n",
    'it\'s "quoted".txt': "x\n",
  });
  const counts = happy('count("größe") returns 5.', 'node --test "test/mit Leerzeichen/zähle 统计.test.js"');
  world.write(PLAN, planOf([{ title: "Zähle Zeichen", criteria: [counts] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(source, `${world.read(source)}export const count = (text) => [...text].length;\n`);
  world.write("test/mit Leerzeichen/zähle 统计.test.js", test("count", '"größe"', "5", `../../${source}`));
  await agent.proves("red");
  await world.commit("fertig");
  return await agent.finishes();
});

honest("the repository's own folder has spaces and signs in its name", async () => {
  const outer = await makeWorld({}, { git: false });
  const root = join(outer.root, "Mein Projekt (neu) & $HOME 项目");
  const write = writerIn(root);
  for (const [path, content] of Object.entries(LIBRARY)) write(path, content);
  await outer.git("-C", root, "init", "-q", "-b", "main");
  await outer.git("-C", root, "add", "-A");
  await outer.git("-C", root, "commit", "-q", "-m", "base");
  write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }], { verify: ["npm test"] }));
  const agent = new Agent(outer, { cwd: root });
  await agent.creates();
  await agent.takes();
  write("src/texts.js", `${LIBRARY["src/texts.js"]}export const slug = ${SLUG};\n`);
  write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("a shallow clone", async () => {
  const world = await makeWorld(LIBRARY);
  world.write("CHANGES.md", "1\n");
  await world.commit("more");
  const clone = join(world.root, "../clone");
  await world.git("clone", "-q", "--depth", "1", `file://${world.root}`, clone);
  const write = writerIn(clone);
  write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }]));
  const agent = new Agent(world, { cwd: clone });
  await agent.creates();
  await agent.takes();
  write("src/texts.js", `${LIBRARY["src/texts.js"]}export const slug = ${SLUG};\n`);
  write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

const NAMES_TEST = `set -e
test -n "$(git status --porcelain src/slug.js)$(git ls-files src/slug.js)"
cd "$(mktemp -d)"
git init -q
echo a > a
git add a
git commit -q -m a
`;

honest("tests that ask Git, and commit in a repository of their own under the caller's name", async () => {
  const world = await makeWorld(LIBRARY);
  const asks = happy("sh test/names.sh exits 0: Git knows src/slug.js.", "sh test/names.sh");
  world.write(PLAN, planOf([{ title: "slug in a file of its own", criteria: [asks] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("src/slug.js", `export const slug = ${SLUG};\n`);
  world.write("test/names.sh", NAMES_TEST);
  await agent.proves("red");
  return await agent.finishes();
});

const pythonTest = (name: string, input: string, output: string): string =>
  `import unittest
from texts import ${name}


class It(unittest.TestCase):
    def test_it(self):
        self.assertEqual(${name}("${input}"), "${output}")
`;

honest("a Python project with unittest, its caches not ignored", async () => {
  const world = await makeWorld({
    "texts/__init__.py": "def upper(text):\n    return text.upper()\n",
    "tests/__init__.py": "",
    "tests/test_upper.py": pythonTest("upper", "a", "A"),
  });
  const slugged = happy('slug("Big Cat") returns "big-cat".', "python3 -m unittest tests.test_slug");
  const suite = regression("python3 -m unittest discover exits 0.", "python3 -m unittest discover");
  world.write(
    PLAN,
    planOf([{ title: "slug", criteria: [slugged, suite] }], { verify: ["python3 -m unittest discover"] }),
  );
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(
    "texts/__init__.py",
    `${world.read("texts/__init__.py")}\n\ndef slug(text):\n    return text.lower().replace(" ", "-")\n`,
  );
  world.write("tests/test_slug.py", pythonTest("slug", "Big Cat", "big-cat"));
  await agent.proves("red");
  // The second check left caches that the first one's pass did not know; the answer says so.
  if (agent.next === "proofgate prove") await agent.proves("red");
  return await agent.finishes();
});

honest("a shell project with its own test runner", async () => {
  const world = await makeWorld({
    "bin/texts":
      '#!/bin/sh\ncase $1 in\n  upper) printf "%s\\n" "$2" | tr a-z A-Z ;;\n  *) echo "usage: texts upper TEXT" >&2; exit 2 ;;\nesac\n',
    "test/run.sh":
      '#!/bin/sh\n# Runs every case file; each names its own.\nstatus=0\nfor file in "$(dirname "$0")"/*.case; do\n  sh "$file" || { echo "not ok $file"; status=1; }\ndone\nexit $status\n',
    "test/upper.case": '[ "$(bin/texts upper a)" = A ]\n',
    Makefile: "test:\n\tsh test/run.sh\n",
  });
  await world.sh("chmod +x bin/texts test/run.sh");
  await world.commit("executable");
  const suite = happy('texts slug "Big Cat" prints big-cat: test/run.sh exits 0.', "./test/run.sh");
  world.write(PLAN, planOf([{ title: "slug", criteria: [suite] }], { verify: ["make test"] }));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("test/slug.case", '[ "$(bin/texts slug "Big Cat")" = big-cat ]\n');
  await agent.sees("fail");
  world.write(
    "bin/texts",
    world.read("bin/texts").replace("  *)", '  slug) printf "%s\\n" "$2" | tr "A-Z " "a-z-" ;;\n  *)'),
  );
  await agent.proves("red");
  return await agent.finishes();
});

const bunTest = (name: string, input: string, output: string): string =>
  `import { expect, test } from "bun:test";\nimport { ${name} } from "./texts.ts";\ntest("${name}", () => expect(${name}("${input}")).toBe("${output}"));\n`;

honest("TypeScript that Bun runs", async () => {
  const world = await makeWorld({
    "package.json": '{"name":"texts","type":"module","scripts":{"test":"bun test"}}\n',
    "src/texts.ts": "export const upper = (text: string): string => text.toUpperCase();\n",
    "src/upper.test.ts": bunTest("upper", "a", "A"),
  });
  world.env.PATH = `${join(import.meta.dir, "../../node_modules/.bin")}:${world.env.PATH}`;
  const slugged = happy('slug("Big Cat") returns "big-cat".', "bun test src/slug.test.ts");
  const suite = regression("bun test exits 0.", "bun test");
  const script = edge("npm test, which runs bun test, exits 0.", "npm test");
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugged, suite, script] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(
    "src/texts.ts",
    `${world.read("src/texts.ts")}export const slug = (text: string): string => text.toLowerCase().replaceAll(" ", "-");\n`,
  );
  world.write("src/slug.test.ts", bunTest("slug", "Big Cat", "big-cat"));
  await agent.proves("red");
  return await agent.finishes();
});

honest("symbolic links inside the repository, and an executable that is one", async () => {
  const world = await makeWorld({
    "bin/texts.sh": '#!/bin/sh\n[ "$1" = upper ] && echo "$2" | tr a-z A-Z\n',
    "docs/real.md": "x\n",
  });
  await world.sh(
    "chmod +x bin/texts.sh && ln -s texts.sh bin/texts && ln -s real.md docs/link.md && ln -s /nowhere/at/all broken",
  );
  await world.commit("links");
  const lower = happy("bin/texts lower A prints a.", "sh test/lower.sh");
  const upper = regression("bin/texts upper a prints A.", { run: "bin/texts upper a", stdout: "A" });
  world.write(PLAN, planOf([{ title: "lower", criteria: [lower, upper] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(
    "bin/texts.sh",
    '#!/bin/sh\ncase $1 in\n  upper) echo "$2" | tr a-z A-Z ;;\n  lower) echo "$2" | tr A-Z a-z ;;\nesac\n',
  );
  world.write("test/lower.sh", '[ "$(bin/texts lower A)" = a ]\n');
  await agent.proves(["red", "pinned"]);
  return await agent.finishes();
});
