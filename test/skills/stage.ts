/** Repositories that fit what the skills show, with our program on PATH under all the names that skills use. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { PROGRAM } from "../cli/kit.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import { fenced, read } from "./kit.ts";

/** The plan that the skill shows. */
export const SHOWN_PLAN = fenced(read("ulw-loop/SKILL.md"), "yaml")[0] ?? "";

const NODE_TEST = 'import { test } from "node:test";\nimport assert from "node:assert/strict";\n';
const SLUG = 'import { slug } from "../src/slug.js";\n';

/** Before the work; `trim` works already. */
const BASE: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module", "scripts": { "test": "node --test" } }\n',
  "src/slug.js": "export const trim = (text) => text.trim();\n",
  "test/trim.test.js": `${NODE_TEST}import { trim } from "../src/slug.js";\ntest("trim", () => assert.equal(trim(" a "), "a"));\n`,
};

/** The tests that drive the work. They load `slug` at run time, so that they run where it is missing, and fail. */
export const TESTS: Readonly<Record<string, string>> = {
  "test/slug.test.js": `${NODE_TEST}test("slug", async () => {\n  const { slug } = await import("../src/slug.js");\n  assert.equal(slug("A b"), "a-b");\n});\n`,
  "test/blank.test.js": `${NODE_TEST}test("blank", async () => {\n  const { slug } = await import("../src/slug.js");\n  assert.throws(() => slug(" "), /blank/);\n});\n`,
};

export const WORK: Readonly<Record<string, string>> = {
  "src/slug.js": `${BASE["src/slug.js"]}export function slug(text) {\n  if (trim(text) === "") throw new Error("blank");\n  return trim(text).toLowerCase().replaceAll(" ", "-");\n}\n`,
};

/** A second goal, for what differs between the last goal and the others. */
export const ACCENTS = {
  title: "Accents",
  criteria: [
    {
      class: ["happy", "edge"],
      scenario: 'node --test test/accents.test.js exits 0; slug("Ä b") is "a-b".',
      check: { run: "node --test test/accents.test.js" },
    },
  ],
  without: { regression: "the first goal's criteria hold it", adversarial: "its input is text" },
};
export const ACCENTS_TEST: Readonly<Record<string, string>> = {
  "test/accents.test.js": `${NODE_TEST}${SLUG}test("accents", () => assert.equal(slug("Ä b"), "a-b"));\n`,
};
export const ACCENTS_WORK: Readonly<Record<string, string>> = {
  "src/slug.js": (WORK["src/slug.js"] ?? "").replace(
    ".toLowerCase()",
    '.normalize("NFD").replace(/\\p{M}/gu, "").toLowerCase()',
  ),
};

export const CLAIMED = {
  class: "happy",
  scenario: 'Open /admin in a browser; the table lists 3 rows, and "no rows" when empty.',
  channel: "browser",
};

export const yaml = (plan: unknown): string => stringify(plan);

/** @param files besides those of the base */
export const slugWorld = (files: Readonly<Record<string, string>> = {}): Promise<World> =>
  worldWith({ ...BASE, ...files });

/** A parser that reads every line as often as it says. What is measured is a count: it is the same on every machine. */
const parser = (before: string, times: number): string =>
  `${before}export let reads = 0;\nexport function parse(text) {\n  const rows = [];\n  for (const line of text.split("\\n")) {\n    for (let at = 0; at < ${times}; at++) reads++;\n    rows.push(line.split(","));\n  }\n  return rows;\n}\n`;

const PARSER = "src/parse.js";
/** What the skill performance-goal has measured: its evaluator, a guard's test, and the product as it is before the work. */
const PARSE_BASE: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module", "scripts": { "test": "node --test" } }\n',
  [PARSER]: parser("", 10),
  "bench/parse.js":
    'import * as product from "../src/parse.js";\nconst text = "a,b\\n".repeat(500);\nif (product.parse(text).length !== 501) throw new Error("rows are lost");\nconsole.log("METRIC parse=" + product.reads);\n',
  "test/parse.test.js": `${NODE_TEST}import { parse } from "../src/parse.js";\ntest("parse", () => assert.deepEqual(parse("a,b\\nc"), [["a", "b"], ["c"]]));\n`,
};
/** Another way to write the same. */
export const NO_GAIN: Readonly<Record<string, string>> = { [PARSER]: parser("// tidier\n", 10) };
/** A gain of 10 %, which is not what the skill's target asks for. */
export const SMALL_GAIN: Readonly<Record<string, string>> = { [PARSER]: parser("", 9) };
export const GAIN: Readonly<Record<string, string>> = { [PARSER]: parser("", 7) };

export const parseWorld = (): Promise<World> => worldWith(PARSE_BASE);

async function worldWith(files: Readonly<Record<string, string>>): Promise<World> {
  const world = await makeWorld({ ...files });
  const bin = join(world.home, "bin");
  mkdirSync(bin);
  for (const name of ["proofgate", "omo"]) shim(join(bin, name), `exec node '${PROGRAM}' "$@"`);
  world.env.PATH = `${bin}:${world.env.PATH}`;
  return world;
}

/** A program of one shell line. */
export function shim(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  chmodSync(path, 0o755);
}

export function put(world: Pick<World, "write">, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) world.write(path, content);
}
