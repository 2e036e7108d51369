/**
 * What a terminal shows by itself of what is typed into it, as long as the program lets it. It is nobody's answer: `sleep 9`
 * shows every text that somebody types.
 */
import { patternTest } from "../../check.ts";
import type { TextPattern } from "../../types.ts";
import type { TmuxStep } from "./scenario.ts";

/** One line as it was typed. */
export interface TypedLine {
  /** What stood before it on its row, without the space at its end; null: not known. */
  readonly prefix: string | null;
  readonly text: string;
  /** The program has got it. */
  readonly sent: boolean;
}

const SENDS = /^(?:Enter|KPEnter|C-[mjd]|\^[mjd])$/i;
/** What a terminal makes a signal of, and shows as `^C`. */
const BREAKS = /^(?:C-|\^)[cz\\]$/i;
const TAKES_BACK = /^(?:BSpace|C-h|C-\?)$/i;

/** The lines that a terminal makes of a step's keys; the last one is still open, and may be empty. */
export function typedLines({ type, keys }: TmuxStep, begun = ""): readonly TypedLine[] {
  const lines: TypedLine[] = [];
  let text = begun + (type ?? "");
  for (const key of keys) {
    if (SENDS.test(key) || BREAKS.test(key)) {
      if (BREAKS.test(key)) text += `^${key.slice(-1).toUpperCase()}`;
      lines.push({ prefix: null, text, sent: true });
      text = "";
    } else if (TAKES_BACK.test(key)) text = [...text].slice(0, -1).join("");
    else if (/^C-u$/i.test(key)) text = "";
    else if (/^C-w$/i.test(key)) text = text.replace(/\S+\s*$/, "");
    else if (/^(?:Space|Tab)$/i.test(key)) text += " ";
    else if ([...key].length === 1) text += key;
    else if (/^C-[a-z]$/i.test(key)) text += `^${key.slice(-1).toUpperCase()}`;
    else if (/^Escape$/i.test(key)) text += "^[";
  }
  return [...lines, { prefix: null, text, sent: false }];
}

/**
 * Whether a pattern is on the screen for nothing but what the terminal echoed: the echo alone has it, and the screen without
 * the echo has it not. A row that does not begin as it did when the text was typed is the program's own.
 * @param rows of the screen, wrapped ones joined
 */
export function onlyEchoed(
  pattern: TextPattern,
  rows: readonly string[],
  typed: readonly TypedLine[],
): boolean {
  const own = [...rows];
  const echo: string[] = [];
  for (const { prefix, text } of typed) {
    if (text.trim() === "") continue;
    const form = new RegExp(`${prefix === null ? "()" : `^(${loose(prefix)}\\s*)`}(${loose(text.trim())})`);
    const at = own.findIndex((row) => form.test(row));
    const row = own[at];
    const found = row === undefined ? null : form.exec(row);
    if (row === undefined || found === null) continue;
    const end = found.index + found[0].length;
    echo.push(row.slice(0, end));
    own[at] = row.slice(0, end - (found[2] ?? "").length) + row.slice(end);
  }
  return echo.length > 0 && isOn(pattern, echo) && !isOn(pattern, own);
}

/** Whether a pattern is on these rows. A screen does not tell a space at a row's end, as in a prompt, from nothing. */
export function isOn(pattern: TextPattern, rows: readonly string[]): boolean {
  const test = patternTest(pattern);
  return test(rows.join("\n")) || test(rows.map((row) => `${row} `).join("\n"));
}

/** Whether the flags that `stty -a` lists have one set. */
export const hasFlag = (listed: string, flag: string): boolean =>
  new RegExp(`(?:^|\\s)${flag}(?=[\\s;]|$)`).test(listed);

/** White space is of any length: a tab comes back as spaces. */
const loose = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
