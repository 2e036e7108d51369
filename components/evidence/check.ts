/** Makes a check from what a plan or a command line gives, and names its version. */
import { createHash } from "node:crypto";
import { Refusal } from "../errors.ts";
import type { Check, Command, Expectations, Scenario, TextPattern } from "./types.ts";

/** What a caller must and may give; everything else has a default. */
export interface PartialCheck {
  readonly run: Command;
  readonly channel?: Check["channel"];
  readonly cwd?: string;
  readonly expect?: Partial<Expectations>;
  readonly timeoutMs?: number;
  readonly files?: readonly string[] | null;
  readonly covers?: readonly string[] | null;
  readonly scenario?: Scenario;
}

/** Two minutes: long enough for most suites, short enough that a hang does not eat a turn. */
const DEFAULT_TIMEOUT_MS = 120_000;

/** A check in full. Defaults: channel cli, run in the root, exit 0, 120 s, files worked out, covers everything. */
export function makeCheck(partial: PartialCheck): Check {
  const { exit = 0, stdout, stderr, json, produces } = partial.expect ?? {};
  return {
    channel: partial.channel ?? "cli",
    run: typeof partial.run === "string" ? partial.run.trim() : [...partial.run],
    cwd: normalCwd(partial.cwd ?? ""),
    // Members that are not given stay away altogether, so that they do not enter the version.
    expect: {
      exit,
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
      ...(json === undefined ? {} : { json }),
      ...(produces === undefined ? {} : { produces }),
    },
    timeoutMs: partial.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    files: partial.files ?? null,
    covers: partial.covers ?? null,
    ...(partial.scenario === undefined ? {} : { scenario: partial.scenario }),
  };
}

function normalCwd(cwd: string): string {
  return cwd
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** The version of a check: first 16 hex digits of the SHA-256 of its canonical JSON (keys sorted). */
export function checkVersion(check: Check): string {
  return createHash("sha256").update(canonicalJson(check)).digest("hex").slice(0, 16);
}

/** JSON with the keys of every object sorted, so that equal values have equal bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  );
}

/** The command as a person would type it, with its folder when that is not the root. */
export function describeCommand(check: Pick<Check, "run"> & { readonly cwd?: string }): string {
  const line = typeof check.run === "string" ? check.run : check.run.map(quoted).join(" ");
  return check.cwd === undefined || check.cwd === "" ? line : `(cd ${quoted(check.cwd)} && ${line})`;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const SLASHED = /^\/(.+)\/([a-z]*)$/s;

/** A pattern's test: a substring, or the regular expression of `/regex/flags`. */
export function patternTest(pattern: TextPattern): (text: string) => boolean {
  const [, source, flags = ""] = SLASHED.exec(pattern) ?? [];
  // An absolute path such as `/usr/bin/` reads like a regex with odd flags; then it is meant as text.
  if (source === undefined || !/^[dgimsuvy]*$/.test(flags)) return (text) => text.includes(pattern);
  const regex = new RegExp(source, flags.replace(/[gy]/g, ""));
  return (text) => regex.test(text);
}

/**
 * Makes sure that a pattern can be used.
 * @param where flag or key that it came from, for the message
 * @throws Refusal `usage_bad_value` for a regular expression that does not parse
 */
export function assertPattern(pattern: TextPattern, where = "the pattern"): void {
  try {
    patternTest(pattern);
  } catch (error) {
    throw new Refusal("usage_bad_value", `${where} is not a regular expression that can be read.`, {
      expected: "a substring, or /regex/flags",
      found: `${pattern}: ${error instanceof Error ? error.message : String(error)}`,
      next: ["mend the expression, or write plain text without slashes around it"],
    });
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };
/** Longer than this no hook, host or person waits. */
const MAX_TIMEOUT_MS = 6 * 3_600_000;

/**
 * `60s`, `2m`, `500ms`, `1h`, or a plain number of seconds, in milliseconds.
 * @throws Refusal `usage_bad_value`
 */
export function parseTimeout(text: string | number): number {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/.exec(String(text).trim()) ?? [];
  const factor = UNITS[unit];
  const ms = amount === undefined || factor === undefined ? Number.NaN : Math.round(Number(amount) * factor);
  if (ms >= 1 && ms <= MAX_TIMEOUT_MS) return ms;
  throw new Refusal("usage_bad_value", "A timeout is a time between 1ms and 6h.", {
    expected: "60s, 2m, 500ms, or seconds as a number",
    found: JSON.stringify(text),
    next: ["leave it out for 120s"],
  });
}
