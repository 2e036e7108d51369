/** Which package scripts a command runs, in whichever package, and which words only look like one. */

import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { usualProtection } from "../../components/performance-goal/evaluator.ts";
import { packagePaths, packageScripts } from "../../components/performance-goal/package-scripts.ts";
import { removeFoldersAfterwards, tempFolder } from "../evidence/repo.ts";

removeFoldersAfterwards();

const MANIFESTS = {
  "package.json": {
    workspaces: ["packages/*"],
    scripts: {
      bench: "node bench.js",
      prebench: "node build.js",
      all: "npm run bench && node x.js",
      test: "node t.js",
    },
  },
  "packages/a/package.json": { name: "@x/a", scripts: { bench: "node a.js", test: "node ta.js" } },
  "packages/b/package.json": { name: "@x/b", scripts: { bench: "node b.js" } },
};

function workspace(): (command: string, cwd?: string) => ReturnType<typeof packageScripts> {
  const root = tempFolder();
  for (const [path, manifest] of Object.entries(MANIFESTS)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(manifest));
  }
  const files = new Map(Object.keys(MANIFESTS).map((path) => [path, ""]));
  return (command, cwd = "") => packageScripts(root, { command, cwd }, { id: "", files });
}

const A = { "packages/a#bench": "node a.js" };
const ROOT = { bench: "node bench.js", prebench: "node build.js" };

const COMMANDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "npm run bench": ROOT,
  "npm run --silent bench -- --long": ROOT,
  "npm --loglevel silent run bench": ROOT,
  "yarn bench": ROOT,
  "pnpm bench": ROOT,
  "bun run bench": ROOT,
  "timeout 60 npm run bench": ROOT,
  "CI=1 env X=1 npm run bench": ROOT,
  "npm t": { test: "node t.js" },
  "npm run all": { all: "npm run bench && node x.js", ...ROOT },
  "npm --prefix packages/a run bench": A,
  "npm --prefix=packages/a run bench": A,
  "pnpm -C packages/a bench": A,
  "bun --cwd packages/a run bench": A,
  "npm -w @x/a run bench": A,
  "npm run bench --workspace=packages/a": A,
  "pnpm --filter @x/a... bench": A,
  "pnpm -F './packages/a' run bench": A,
  "yarn workspace @x/a bench": A,
  "cd packages/a && npm run bench": A,
  "pnpm -w bench": ROOT,
  "npm run bench -ws": { ...ROOT, ...A, "packages/b#bench": "node b.js" },
  "bun bench.js": {},
  "bun run ./bench.js": {},
  "bun test": {},
  "yarn tsx bench.ts": {},
  "npm exec bench": {},
  "npx bench": {},
  "npm run nothing": {},
  "node bench.js": {},
};
for (const [command, scripts] of Object.entries(COMMANDS))
  test(`${command}: ${Object.keys(scripts).join(", ") || "no script"}`, () => {
    const found = workspace()(command);
    expect(found.scripts).toEqual(scripts);
    expect(found.only.has(command)).toBe(Object.keys(scripts).length > 0);
    expect(found.lines.map(({ run }) => run).sort()).toEqual(Object.values(scripts).sort());
  });

test("a line runs in the folder of its package, and is looked up from a folder below it", () => {
  const scripts = workspace();
  expect(scripts("npm -w @x/a run bench").lines).toEqual([{ run: "node a.js", cwd: "packages/a" }]);
  expect(scripts("npm run bench", "packages/a").scripts).toEqual({ bench: "node a.js" });
  expect(scripts("npm run bench", "packages/a/src").lines).toEqual([{ run: "node a.js", cwd: "packages/a" }]);
  expect(scripts("npm run bench && node x.js").only.size).toBe(0);
});

test("the files that hold them", () => {
  const root = tempFolder();
  mkdirSync(join(root, "packages/a"), { recursive: true });
  for (const folder of [".", "packages/a"]) writeFileSync(join(root, folder, "package.json"), "{}");
  expect(packagePaths(root, "src", ["bench", "packages/a#bench", "packages/a#test"])).toEqual([
    "package.json",
    "packages/a/package.json",
  ]);
  expect(packagePaths(root, "", ["bench#large"])).toEqual(["package.json"]);
  expect(packagePaths(root, "", [])).toEqual([]);
});

for (const command of [
  "bun run.js",
  "bun run ./run.js",
  "yarn node run.js",
  "pnpm tsx run.js",
  "npx tsx run.js",
])
  test(`what prints the metric is protected behind ${command}`, () => {
    const root = tempFolder();
    writeFileSync(join(root, "package.json"), '{"scripts":{"bench":"true"}}');
    writeFileSync(join(root, "run.js"), "console.log('METRIC cost=1');\n");
    const tree = { id: "", files: new Map(["package.json", "run.js"].map((path) => [path, "id"])) };
    expect(usualProtection(root, { command, cwd: "" }, tree, false)).toEqual(["run.js"]);
  });
