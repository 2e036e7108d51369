/** A number out of the JSON that a run prints. */

import { pickPath } from "../evidence/json-paths.ts";
import { invalid, type Reading } from "./reading.ts";

/**
 * Reads the number at a path, `$.latency.p95` or `$.runs[0].ms`: in the whole text where that is JSON, else in its last line
 * that is not empty. A number in quotes is none.
 * @param whole whether nothing of the output is missing from the text
 * @throws Refusal `measurement_invalid`: no JSON; no finite number above 0 there; a key twice on the way there
 */
export function readJson(text: string, path: string, whole: boolean): Reading {
  const parsed = (whole ? parse(text.trim()) : null) ?? parse(lastLine(text));
  if (parsed === null)
    throw invalid(
      whole
        ? "JSON on standard output, as all of it or as its last line"
        : "JSON as the last line of standard output, at most 8 KiB long: of so much output only the ends are read",
      lastLine(text) || "no output",
    );
  if (repeats(parsed.text, path))
    throw invalid(`one value at ${path}`, "a key on the way there is in the JSON twice");
  const value = pickPath(parsed.value, path);
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
    throw invalid(`a finite number above 0 at ${path}`, value === undefined ? "nothing" : shown(value));
  return { value, unit: "" };
}

/** Infinity is what `JSON.parse` makes of a number that is too large, and no JSON. */
const shown = (value: unknown): string => (typeof value === "number" ? `${value}` : JSON.stringify(value));

const lastLine = (text: string): string =>
  text
    .trimEnd()
    .split(/[\r\n]/)
    .at(-1)
    ?.trim() ?? "";

function parse(text: string): { readonly text: string; readonly value: unknown } | null {
  if (text === "") return null;
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return null;
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * Whether an object on the way to a path has the key twice that leads on: parsers disagree on which of the two counts.
 * @param text JSON that parses
 */
function repeats(text: string, path: string): boolean {
  const wanted = partsOf(path);
  const plain = path.replace(/^\$\.?/, "");
  // Every open object or array: the keys in it so far (null in an array), and the place that is being read.
  const open: { readonly seen: Set<string> | null; at: string }[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKENS)) {
    const inner = open.at(-1);
    if (token === "{") open.push({ seen: new Set(), at: "" });
    else if (token === "[") open.push({ seen: null, at: "0" });
    else if (token === "}" || token === "]") open.pop();
    else if (token === "," && inner?.seen === null) inner.at = String(Number(inner.at) + 1);
    else if (token === ":" && inner?.seen) {
      inner.at = String(JSON.parse(last));
      const here = open.map(({ at }) => at);
      // A key with dots in it is found as a whole.
      const leads =
        here.every((part, index) => part === wanted[index]) || (here.length === 1 && inner.at === plain);
      if (leads && inner.seen.has(inner.at)) return true;
      inner.seen.add(inner.at);
    }
    last = token;
  }
  return false;
}

/** As `pickPath` divides a path. */
const partsOf = (path: string): readonly string[] =>
  path
    .replace(/^\$\.?/, "")
    .replace(/\[(\d+)\]/g, ".$1")
    .split(".")
    .filter((part) => part !== "");
