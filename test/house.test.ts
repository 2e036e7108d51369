/** The house rules that a machine can hold: which way imports point, no synchronous children, documents that match the code. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { COMMANDS } from "../components/cli/spec.ts";
import { CODES } from "../components/errors.ts";

const root = join(import.meta.dir, "..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const filesOf = (folder: string): { path: string; body: string }[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .map((path) => ({ path, body: text(path) }));
const sources = filesOf("components");
const installer = filesOf("scripts/installer");

/** What each room may import, besides itself and `errors.ts`. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  journal: [],
  evidence: [],
  words: [],
  "goal-mode": [],
  witness: ["journal"],
  "ulw-loop": ["journal", "evidence", "goal-mode", "witness", "words"],
  measure: ["evidence"],
  "performance-goal": ["journal", "evidence", "goal-mode", "witness", "words", "measure"],
  report: ["ulw-loop", "performance-goal", "measure", "evidence"],
  cli: [
    "report",
    "measure",
    "ulw-loop",
    "performance-goal",
    "evidence",
    "journal",
    "goal-mode",
    "witness",
    "words",
  ],
};

test("imports point one way: cli, report, ulw-loop, then the rooms that know no workflow", () => {
  const wrong = sources.flatMap(({ path, body }) => {
    const room = path.split("/")[1] ?? "";
    return [...body.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)]
      .map((match) => relative(root, resolve(root, dirname(path), match[1] ?? "")).replaceAll("\\", "/"))
      .filter((target) => target.startsWith("components/") && target !== "components/errors.ts")
      .map((target) => target.split("/")[1] ?? "")
      .filter((target) => target !== room && !(MAY[room] ?? []).includes(target))
      .map((target) => `${path} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test("plugins lead to policies and the engine, policies to the engine alone, and a policy touches nothing", () => {
  const targets = (body: string, path: string): string[] =>
    [...body.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
      relative(root, resolve(root, dirname(path), match[1] ?? "")).replaceAll("\\", "/"),
    );
  const wrong = (files: typeof sources, rooms: RegExp): string[] =>
    files.flatMap(({ path, body }) =>
      targets(body, path)
        .filter((target) => !rooms.test(target))
        .map((target) => `${path} imports ${target}`),
    );
  expect(wrong(filesOf("hooks"), /^(hooks|components)\//)).toEqual([]);
  expect(wrong(filesOf("plugin"), /^(plugin|hooks|components)\//)).toEqual([]);
  // The installer stands beside the engine: the command line calls it, nothing else does.
  const isCommand = ({ path }: { path: string }): boolean => path.startsWith("components/cli/commands/");
  expect(wrong(sources.filter(isCommand), /^(components|scripts\/installer)\//)).toEqual([]);
  expect(
    wrong(
      sources.filter((file) => !isCommand(file)),
      /^(components\/|package\.json$)/,
    ),
  ).toEqual([]);
  expect(wrong(installer, /^(scripts\/installer|components)\//)).toEqual([]);
  const impure = filesOf("hooks").filter(({ body }) => /from "node:|\bprocess\.|\bDate\.now\(/.test(body));
  expect(impure.map(({ path }) => path)).toEqual([]);
});

test("only the evidence room starts processes, and never synchronously", () => {
  const starters = sources
    .filter(({ body }) => /node:child_process/.test(body))
    .map(({ path }) => path.split("/")[1]);
  expect(new Set(starters)).toEqual(new Set(["evidence"]));
  const synchronous = [...sources, ...installer].filter(({ body }) =>
    /\b(spawnSync|execSync|execFileSync)\b\s*\(/.test(body),
  );
  expect(synchronous.map(({ path }) => path)).toEqual([]);
});

test("every source file begins by saying what it is for", () => {
  const all = [...sources, ...installer, ...filesOf("hooks"), ...filesOf("plugin")];
  expect(all.filter(({ body }) => !/^(#!.*\n)?\/\*\*/.test(body)).map(({ path }) => path)).toEqual([]);
});

test("docs/errors.md lists exactly the codes that a refusal can have", () => {
  const documented = [...text("docs/errors.md").matchAll(/^\| `(\w+)` \| (\d) \| (.+) \|$/gm)].map((m) => [
    m[1],
    Number(m[2]),
    m[3],
  ]);
  expect(documented).toEqual(Object.entries(CODES).map(([code, { exit, means }]) => [code, exit, means]));
});

test("every code is used somewhere", () => {
  const used = [...sources, ...installer]
    .map(({ path, body }) =>
      path === "components/errors.ts" ? (body.split("export type Code")[1] ?? "") : body,
    )
    .join("\n");
  expect(Object.keys(CODES).filter((code) => !used.includes(`"${code}"`))).toEqual([]);
});

test("every command that the documents name exists", () => {
  const names = new Set(COMMANDS.flatMap((c) => [c.name, c.name.replace("ulw-loop ", "")]));
  const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)];
  const unknown = documents.flatMap((path) =>
    [...text(path).matchAll(/(?:npx )?\bproofgate ((?:(?:ulw-loop|performance-goal) )?[a-z][a-z-]+)/g)]
      .map((m) => m[1] ?? "")
      .filter((name) => !names.has(name) && name !== "help" && !name.startsWith("ulw-loop help")),
  );
  expect(unknown).toEqual([]);
});

test("every file of the honest corpus is played in both hosts, by turns; channels in Codex by one that stands for all", () => {
  const files = (folder: string): string[] =>
    readdirSync(join(root, "test", folder)).filter((name) => name.endsWith(".test.ts"));
  const played = (host: string): string[] =>
    files("hosts").flatMap((name) =>
      name.startsWith(`${host}-honest-`) ? [name.slice(`${host}-honest-`.length)] : [],
    );
  const corpus = files("honest").sort();
  expect(played("opencode").sort()).toEqual(corpus);
  expect(played("codex").sort()).toEqual(corpus.filter((name) => !/^channel-(?!http)/.test(name)));
});
