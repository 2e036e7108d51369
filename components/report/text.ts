/** Text for terminals: plan text with its control characters shown, columns, shortening. */

import { eastAsianWidth } from "get-east-asian-width";

/**
 * Plan text is somebody's input. Control characters, escape sequences and direction marks are shown, never sent to the
 * terminal; line breaks become spaces.
 */
export function shown(text: string): string {
  return text
    .replace(/[\t\r\n]+/g, " ")
    .replace(
      /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** Where a failing run usually says what went wrong. */
const TELLING =
  /\bnot ok\b|\bFAIL(ED|URE)?\b|\berror\b|Error\b|\bexpected\b|✗|✖|×|\bpanic|Traceback|\bassert/i;
/** Lines that only say where in a runtime or a library something stood. */
const NOISE =
  /^\s*(at .*(node:|node_modules\/)|#? ?(duration_ms|cancelled|skipped|todo|suites|type:|location:|failureType:|code:|\.\.\.$|---$))/;

/** The lines of an output that tell why it failed: from the first telling one on, or the last ones. Escapes are shown. */
export function tellingLines(text: string, count: number, columns = 160): readonly string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !NOISE.test(line));
  const first = lines.findIndex((line) => TELLING.test(line));
  const from = first < 0 ? Math.max(0, lines.length - count) : first;
  return lines.slice(from, from + count).map((line) => cut(shown(line), columns));
}

/** Columns that a text takes. Combining marks and joiners take none; an emoji of several parts counts as its parts. */
export function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const char of text)
    if (!/[\p{M}\p{Cf}]/u.test(char)) columns += eastAsianWidth(char.codePointAt(0) ?? 0);
  return columns;
}

export function cut(text: string, length: number): string {
  if (width(text) <= length) return text;
  const out: string[] = [];
  let used = 0;
  for (const char of text) {
    used += width(char);
    if (used > length - 1) break;
    out.push(char);
  }
  return `${out.join("").trimEnd()}…`;
}

export const pad = (text: string, length: number): string =>
  text + " ".repeat(Math.max(0, length - width(text)));

/** `1.1 s`, `320 ms`, `2m11s`. @param ms milliseconds */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

/** `850`, `12k`, `1.2M`. */
export function amount(count: number): string {
  if (count < 1000) return String(count);
  const [value, unit] = count < 999_500 ? [count / 1000, "k"] : [count / 1e6, "M"];
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)}${unit}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
