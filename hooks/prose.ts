/** The user's own words in a prompt: what they quote, paste or show as code is taken out. */

/** UTF-16 units that are looked at. Longer prompts are pastes, and what the user wants stands at their beginning. */
const MOST = 64 * 1024;
/** Stands for what was taken out: a sign that is part of no word. */
const GONE = "\ufffc";

/** Lines that machines write; with them goes the rest of the paragraph, which is their output. A `# ` is a heading. */
const MACHINE = new RegExp(
  [
    "^\\s*\\[?\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:", // a date and a time
    "^\\s*\\[?\\d\\d:\\d\\d:\\d\\d\\b", // a time
    "^\\s*\\[?(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\\b[\\]:\\s]", // a level
    "^\\s*(?:[\\w.+-]+@\\S+\\s?)?[$%❯➜] ", // a shell's prompt
    "^\\s*(?:npm (?:ERR!|error|warn)|error(?:\\[\\w+\\])?:|warning:|fatal:|Traceback |Exit code: |Wall time: |Output:|stdout:|stderr:)",
    "^\\s+at \\S.*[:(]", // a stack
    "^(?:diff --git |@@ -|--- [ab]/|\\+\\+\\+ [ab]/)", // a diff
    "^\\s*[^\\s:]+\\.\\w+:\\d+(?::\\d+)?:?\\s", // file:line
    '^\\s*(?:\\{.*\\},?|[{[])\\s*$|^\\s*"[^"]*"\\s*:', // JSON
    "^\\|.*\\|\\s*$", // a table
  ].join("|"),
);

export function ownWords(prompt: string): string {
  return ownLines(prompt.slice(0, MOST).replace(/\r\n?|\u2028|\u2029/g, "\n"))
    .split(/\n{2,}/)
    .map(withoutSpans)
    .join("\n\n");
}

/** Without fences, block quotes, indented code, tagged blocks and pasted output. Lines that go leave a blank one. */
function ownLines(text: string): string {
  const lines = text.split("\n");
  const closed = closingLines(lines);
  const kept: string[] = [];
  let fence = "";
  let pasted = false;
  let until = -1;
  for (const [index, line] of lines.entries()) {
    const mark = /^\s*(`{3,}(?=[^`]*$)|~{3,})/.exec(line)?.[1] ?? "";
    const blank = line.trim() === "";
    if (blank) pasted = false;
    if (fence !== "") {
      if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    } else if (index > until && mark !== "") fence = mark;
    else if (index > until && !pasted) {
      // Hosts and tools wrap what they hand over in tags; one that is never closed takes its line only.
      const tag = /^\s*<([A-Za-z][\w.:-]*)(?:\s[^>]*)?>/.exec(line)?.[1];
      if (tag !== undefined) until = Math.max(index, closed.get(tag) ?? index);
      else if (MACHINE.test(line)) pasted = true;
      else if (!/^\s*[>＞]/.test(line) && !isIndentedCode(line, kept.at(-1))) {
        kept.push(line);
        continue;
      }
    }
    kept.push("");
  }
  return kept.join("\n");
}

/** The last line that closes each tag: what is pasted may hold a closing tag of its own, to slip out of its block. */
function closingLines(lines: readonly string[]): ReadonlyMap<string, number> {
  const closed = new Map<string, number>();
  for (const [index, line] of lines.entries())
    for (const match of line.matchAll(/<\/([A-Za-z][\w.:-]*)\s*>/g)) closed.set(match[1] ?? "", index);
  return closed;
}

const isIndentedCode = (line: string, before: string | undefined): boolean =>
  /^(?: {4}|\t)/.test(line) && (before ?? "").trim() === "";

const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "“": "”",
  "‘": "’",
  "„": "“”",
  "‚": "‘’",
  "«": "»",
  "»": "«",
  "‹": "›",
  "「": "」",
  "『": "』",
  "＂": "＂",
};
/** These are apostrophes as well: they open before a word and close behind one. */
const DOUBTFUL = "'‘’";

/** Without inline code and quotations. One that is not closed in its paragraph is no quotation. */
function withoutSpans(paragraph: string): string {
  const kept: string[] = [];
  const unclosed = new Set<string>();
  for (let at = 0; at < paragraph.length; at++) {
    const opener = openerAt(paragraph, at);
    if (opener === null || unclosed.has(opener)) {
      kept.push(opener ?? paragraph.charAt(at));
      at += (opener?.length ?? 1) - 1;
      continue;
    }
    const end = opener.startsWith("`") ? codeEnd(paragraph, at, opener) : quoteEnd(paragraph, at, opener);
    if (end < 0) unclosed.add(opener);
    kept.push(end < 0 ? opener : GONE);
    at = end < 0 ? at + opener.length - 1 : end;
  }
  return kept.join("");
}

/** The run of backticks or the quotation mark that may begin a span here. */
function openerAt(text: string, at: number): string | null {
  const sign = text.charAt(at);
  if (sign === "`") return /^`+/.exec(text.slice(at, at + 64))?.[0] ?? null;
  if (!Object.hasOwn(QUOTES, sign)) return null;
  const apostrophe = isWordy(text.charAt(at - 1)) || /^\s?$/.test(text.charAt(at + 1));
  return DOUBTFUL.includes(sign) && apostrophe ? null : sign;
}

/** Last backtick of the run that closes the code; −1 when none does. */
function codeEnd(text: string, at: number, opener: string): number {
  let found = text.indexOf(opener, at + opener.length);
  while (found >= 0) {
    let end = found + opener.length;
    while (text.charAt(end) === "`") end++;
    if (end - found === opener.length) return end - 1;
    found = text.indexOf(opener, end);
  }
  return -1;
}

function quoteEnd(text: string, at: number, opener: string): number {
  const closers = QUOTES[opener] ?? "";
  const doubtful = DOUBTFUL.includes(opener);
  for (let end = at + 1; end < text.length; end++)
    if (closers.includes(text.charAt(end)) && !(doubtful && isWordy(text.charAt(end + 1)))) return end;
  return -1;
}

const isWordy = (sign: string): boolean => /^[\p{L}\p{N}]$/u.test(sign);
