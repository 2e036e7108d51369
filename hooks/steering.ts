/** A user's steering directive turned into arguments of `proofgate ulw-loop steer`. The command itself decides; this only translates. */

import type { SteeringKind } from "../components/ulw-loop/steer.ts";
import { closest } from "../components/ulw-loop/suggest.ts";
import { bytes, line } from "./text.ts";

export type SteerArguments = { readonly argv: string[] } | { readonly refused: string };

/** Bytes of one value (design: bounds); a system takes no much longer argument either. */
const MOST_VALUE = 64 * 1024;
/** Characters of a refusal. */
const MOST = 600;

type Form = "text" | "number" | "ids" | "list" | "globs";

/** Flags of the command and the form of their values in the directive. */
const FLAGS = {
  evidence: "text",
  rationale: "text",
  "goal-id": "text",
  "criterion-id": "text",
  title: "text",
  objective: "text",
  children: "list",
  order: "ids",
  replacements: "ids",
  scenario: "text",
  "expected-evidence": "text",
  channel: "text",
  check: "text",
  "expect-exit": "number",
  "expect-stdout": "text",
  "expect-stderr": "text",
  "expect-status": "number",
  "expect-body": "text",
  url: "text",
  start: "text",
  ready: "text",
  timeout: "number",
  files: "globs",
  covers: "globs",
} as const satisfies Readonly<Record<string, Form>>;

type FlagName = keyof typeof FLAGS;
const NAMES = Object.keys(FLAGS).filter((name): name is FlagName => Object.hasOwn(FLAGS, name));

interface Shape {
  readonly needs: readonly FlagName[];
  readonly takes: readonly FlagName[];
}

/** The contract's table, and nothing besides. */
const KINDS: Readonly<Record<SteeringKind, Shape>> = {
  add_subgoal: { needs: ["title", "objective"], takes: [] },
  split_subgoal: { needs: ["goal-id", "children"], takes: [] },
  reorder_pending: { needs: ["order"], takes: [] },
  revise_pending_wording: { needs: ["goal-id"], takes: ["title", "objective"] },
  revise_criterion: {
    needs: ["criterion-id"],
    takes: [
      ...(["goal-id", "scenario", "expected-evidence", "channel", "check"] as const),
      ...(["expect-exit", "expect-stdout", "expect-stderr", "timeout", "files", "covers"] as const),
      ...(["expect-status", "expect-body", "url", "start", "ready"] as const),
    ],
  },
  annotate_ledger: { needs: [], takes: [] },
  mark_blocked_superseded: { needs: ["goal-id"], takes: ["replacements"] },
};
const KIND_NAMES = Object.keys(KINDS).filter((name): name is SteeringKind => Object.hasOwn(KINDS, name));
const GROUNDS: readonly FlagName[] = ["evidence", "rationale"];

/**
 * @param json what stood behind the directive's colon, parsed
 * @returns `argv` for the program, beginning with `ulw-loop steer`; or why nothing is run: expected, found
 */
export function steerArguments(json: unknown): SteerArguments {
  if (!isMap(json)) return refuse("one JSON object", kindOfValue(json), "");
  const given = new Map<string, unknown>();
  for (const [key, value] of Object.entries(json)) {
    const name = kebab(key);
    if (name !== "kind" && !isFlag(name)) {
      const near = closest(key, ["kind", ...NAMES.map(camel)]);
      return refuse("keys that steering knows", `"${key}"`, near === null ? "" : `Did you mean "${near}"?`);
    }
    if (given.has(name)) return refuse(`"${camel(name)}" once`, "two spellings of it", "");
    given.set(name, value);
  }
  const asked = given.get("kind");
  const kind = KIND_NAMES.find((one) => one === asked);
  if (kind === undefined) {
    const near = typeof asked === "string" ? closest(asked, KIND_NAMES) : null;
    return refuse(
      `"kind" to be one of ${KIND_NAMES.join(", ")}`,
      asked === undefined ? "no kind" : typeof asked === "string" ? `"${asked}"` : kindOfValue(asked),
      near === null ? "" : `Did you mean "${near}"?`,
    );
  }
  const { needs, takes } = KINDS[kind];
  const argv = ["ulw-loop", "steer", `--kind=${kind}`];
  const missing = [...needs, ...GROUNDS].filter((name) => isAbsent(given.get(name)));
  if (missing.length > 0)
    return refuse(
      `${kind} with ${[...needs, ...GROUNDS].map(camel).join(", ")}`,
      `no ${missing.map(camel).join(", no ")}`,
      "",
    );
  for (const name of NAMES) {
    const value = given.get(name);
    if (value === undefined) continue;
    if (![...needs, ...takes, ...GROUNDS].includes(name))
      return refuse(
        `for ${kind} only ${[...needs, ...takes, ...GROUNDS].map(camel).join(", ")}`,
        `"${camel(name)}"`,
        "",
      );
    const text = textOf(FLAGS[name], value);
    if ("wrong" in text) return refuse(`"${camel(name)}" to be ${text.wrong}`, kindOfValue(value), "");
    if (text.value.includes("\0")) return refuse(`"${camel(name)}" without NUL`, "a NUL character", "");
    if (bytes(text.value) > MOST_VALUE)
      return refuse(`"${camel(name)}" of at most 64 KiB`, `${bytes(text.value)} bytes`, "");
    // One word with the flag: a value that begins with dashes stays a value.
    argv.push(`--${name}=${text.value}`);
  }
  return { argv };
}

const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && value.trim() === "");

/** A list is handed over as JSON, never as the path or the `-` that the flag would also take. */
function textOf(form: Form, value: unknown): { readonly value: string } | { readonly wrong: string } {
  switch (form) {
    case "text":
      return typeof value === "string" ? { value } : { wrong: "a text" };
    case "number":
      return typeof value === "string" || (typeof value === "number" && Number.isFinite(value))
        ? { value: String(value) }
        : { wrong: "a number or a text" };
    case "ids": {
      const ids = typeof value === "string" ? value.split(",").map((id) => id.trim()) : value;
      return isTexts(ids) && ids.every((id) => /^G\d{1,9}$/i.test(id))
        ? { value: JSON.stringify(ids) }
        : { wrong: 'a list of goal ids like ["G002","G001"]' };
    }
    case "list":
      return Array.isArray(value) && value.every(isMap)
        ? { value: JSON.stringify(value) }
        : { wrong: 'a list like [{"title":"…","objective":"…"}]' };
    case "globs":
      if (typeof value === "string") return { value };
      return isTexts(value) && !value.some((glob) => glob.includes(","))
        ? { value: value.join(",") }
        : { wrong: "a list of globs without commas" };
  }
}

const isFlag = (name: string): name is FlagName => Object.hasOwn(FLAGS, name);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `goalId`, `goal_id` and `goal-id` are one key; anything else keeps its spelling and is unknown. */
const kebab = (key: string): string =>
  /^[a-z]+(?:[A-Z][a-z]+)*$|^[a-z]+(?:_[a-z]+)*$|^[a-z]+(?:-[a-z]+)*$/.test(key)
    ? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-")
    : key;

const camel = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const kindOfValue = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "a list"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;

function refuse(expected: string, found: string, hint: string): SteerArguments {
  const parts = [
    "The directive was not applied.",
    `Expected: ${line(expected, 260)}.`,
    `Found: ${line(found, 120)}.`,
    ...(hint === "" ? [] : [line(hint, 80)]),
    "Next: proofgate ulw-loop help steer",
  ];
  return { refused: parts.join(" ").slice(0, MOST) };
}
