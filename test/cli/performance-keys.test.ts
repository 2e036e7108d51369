/** What docs/performance.md says of the answers for programs is what the commands answer. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GAIN, parseWorld, put, SMALL_GAIN } from "../skills/stage.ts";

const text = readFileSync(join(import.meta.dir, "../../docs/performance.md"), "utf8");
const answers = text.split("\n## Answers for programs\n")[1]?.split("\n## ")[0] ?? "";
const keysIn = (words: string): string[] => [...words.matchAll(/`([a-zA-Z]+)`/g)].map((m) => m[1] ?? "");
const common = keysIn(
  /all that speak of one goal with (.*)\n?(.*)\. `lastV/.exec(answers)?.slice(1).join(" ") ?? "",
);

/** A command as the table names it, and its keys, sorted. */
const DOCUMENTED = new Map(
  [...answers.matchAll(/^\| (`.+`) \| (.*?) ?\|$/gm)].flatMap(([, names = "", said = ""]) => {
    const keys = keysIn(said.replace(/`goals`:.*/, "`goals`"));
    const all = ["ok", ...(said.startsWith("only ") ? keys : [...common, ...keys])].sort();
    return [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name ?? "", all] as const);
  }),
);

test("every command answers with the keys that the document lists", async () => {
  const world = await parseWorld();
  const seen: [string, string[]][] = [];
  const asks = async (name: string, ...flags: string[]): Promise<void> => {
    const { json, err } = await world.ask("performance-goal", ...name.split(" "), ...flags);
    expect({ name, ok: json.ok, err }).toEqual({ name, ok: true, err: "" });
    seen.push([name, Object.keys(json).sort()]);
  };
  await asks(
    "create",
    ...["--objective", "parse", "--evaluator-command", "node bench/parse.js", "--evaluator-contract", "less"],
    ...["--metric", "parse", "--target", "-20%"],
  );
  await asks("start");
  await asks("baseline");
  await asks("evaluate --self-test");
  put(world, SMALL_GAIN);
  await asks("revert");
  await asks("revert --undo");
  put(world, GAIN);
  await asks("evaluate");
  await asks("checkpoint", "--status", "pass", "--evidence", "one scan");
  await asks("status", "--codex-goal-json", '{"goal":null}');
  await asks("complete");
  for (const name of ["plot", "list", "verify", "repair"]) await asks(name);
  await world.ask(
    "performance-goal",
    "create",
    "--slug",
    "other",
    ...["--objective", "parse", "--metric", "parse"],
    ...["--evaluator-command", "node bench/parse.js", "--evaluator-contract", "less"],
  );
  await asks("abandon", "--slug", "other");
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(DOCUMENTED));
}, 60_000);

test("a goal's verdict and validation have the keys that the document lists", async () => {
  const world = await parseWorld();
  put(world, GAIN);
  await world.ask(
    ...["performance-goal", "create", "--objective", "parse", "--evaluator-command", "node bench/parse.js"],
    ...["--evaluator-contract", "less", "--metric", "parse", "--target", "-20%"],
  );
  await world.ask("performance-goal", "start");
  const { json } = await world.ask("performance-goal", "checkpoint", "--status", "pass", "--evidence", "x");
  for (const name of ["lastValidation", "verdict"]) {
    const said = new RegExp(`\`${name}\` has ([^;]*?)(?:;|; both)`, "s").exec(answers)?.[1] ?? "";
    const keys = keysIn(said.replace(/\([^)]*\)/g, ""));
    expect({ name, keys: Object.keys(json[name]).sort() }).toEqual({ name, keys: keys.sort() });
  }
}, 60_000);
