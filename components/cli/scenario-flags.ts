/** A check on a channel with a scenario, given as flags: the keys of a plan file, and a few of them as flags of their own. */

import { Refusal } from "../errors.ts";
import type { Channel } from "../evidence/channels/names.ts";
import type { Check } from "../evidence/types.ts";
import { readCheck } from "../ulw-loop/plan-check.ts";
import { checkSchema, explain, placeOf } from "../ulw-loop/plan-schema.ts";
import { readYaml } from "../ulw-loop/yaml-file.ts";
import { globs } from "./check-flags.ts";
import type { Context } from "./context.ts";

/** Flags and the keys that they stand for; all but the last two on channels http and browser alone. */
const KEYS = {
  url: "get",
  "expect-status": "status",
  "expect-body": "body",
  start: "start",
  ready: "ready",
} as const;

/** What the same flags mean to a page. */
const ON_PAGES: Readonly<Record<string, string>> = { get: "open", body: "see" };

/** Flags for the outcome of a command, which no scenario has. */
const OF_COMMANDS = ["expect-exit", "expect-stdout", "expect-stderr"];

/** Names of the given flags that belong to a scenario. */
export const scenarioFlags = (context: Context): readonly string[] =>
  Object.keys(KEYS).filter((flag) => context.value(flag) !== undefined);

/**
 * The check of `--check '{ start: …, get: /x, status: 404 }'`, of flags, or of both.
 * @returns undefined when none of it is given
 * @throws Refusal `usage_bad_value` with everything that is wrong at once; `usage_conflict`
 */
export function scenarioFromFlags(context: Context, channel: Channel): Check | undefined {
  const text = context.value("check");
  const timeout = context.value("timeout");
  const [files, covers] = [globs(context.value("files")), globs(context.value("covers"))];
  const foreign = OF_COMMANDS.find((flag) => context.value(flag) !== undefined);
  if (foreign !== undefined)
    throw new Refusal("usage_conflict", `--${foreign} belongs to a command.`, {
      expected: `the keys of channel ${channel} (docs/channels.md)`,
      found: `--${foreign}`,
      next: [`--check '{ … }' with the keys of a plan file, or --channel cli`],
    });
  const given: Record<string, unknown> = { ...(text === undefined ? {} : mapOf(text, channel)) };
  for (const [flag, answers] of Object.entries(KEYS)) {
    const key = channel === "browser" ? (ON_PAGES[answers] ?? answers) : answers;
    const value = context.value(flag);
    if (value === undefined) continue;
    if (key in given) throw twice(flag, key);
    given[key] = flag === "expect-status" && /^\d+$/.test(value) ? Number(value) : value;
  }
  for (const [key, value] of [
    ["timeout", timeout],
    ["files", files],
    ["covers", covers],
  ] as const) {
    if (value === undefined || value === null) continue;
    if (key in given) throw twice(key, key);
    given[key] = value;
  }
  if (Object.keys(given).length === 0) return undefined;
  const problems: string[] = [];
  const read = checkSchema.safeParse(given, { reportInput: true });
  if (!read.success)
    for (const issue of read.error.issues)
      for (const { where, message } of explain(issue, () => Object.keys(checkSchema.shape)))
        problems.push(`${where} ${message}`.trim());
  const check = read.success
    ? readCheck({ check: read.data }, channel, [], (path, message) => {
        problems.push(`${placeOf(path.slice(1))} ${message}`.trim());
      })
    : null;
  if (check !== null && problems.length === 0) return check;
  throw new Refusal("usage_bad_value", `The check of channel ${channel} is not valid.`, {
    expected: "the keys that docs/channels.md lists",
    found: problems.join("; ").slice(0, 800) || "nothing that this channel can run",
    next: ["mend it and run the same command again"],
  });
}

function mapOf(text: string, channel: Channel): Readonly<Record<string, unknown>> {
  const wrong = (found: string): Refusal =>
    new Refusal("usage_bad_value", `--check takes the keys of channel ${channel}.`, {
      expected: "--check '{ start: node server.js, get: /health, status: 200 }', as in a plan file",
      found: found.slice(0, 200),
      next: ["see docs/channels.md for the keys"],
    });
  if (!text.trimStart().startsWith("{")) throw wrong(`a command: ${JSON.stringify(text)}`);
  const problems: { message: string }[] = [];
  const { value } = readYaml(text, problems as Parameters<typeof readYaml>[1]);
  const [problem] = problems;
  if (problem !== undefined) throw wrong(problem.message);
  return value as Readonly<Record<string, unknown>>;
}

const twice = (flag: string, key: string): Refusal =>
  new Refusal("usage_conflict", `"${key}" is given twice.`, {
    expected: "one place for each key",
    found: `in --check and by --${flag}`,
    next: [`drop --${flag}`],
  });
