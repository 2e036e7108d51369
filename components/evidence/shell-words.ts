/** Splits a shell line into its simple commands. Crude on purpose: it never runs or expands anything, it only reads. */
import type { Command } from "./types.ts";

/** One program call of a shell line. */
export interface SimpleCommand {
  /** Program and arguments, quotes taken off; expansions (`$x`, `$(…)`) stay as they are written. */
  readonly words: readonly string[];
  /** `NAME=value` words in front of the program. */
  readonly assignments: readonly string[];
  readonly redirects: readonly { readonly op: string; readonly target: string }[];
  /** What stands between the command before and this one; "" for the first, "$(" for what `$(…)` and `<(…)` hold. */
  readonly before: string;
  readonly negated: boolean;
}

type Token =
  | { readonly kind: "word"; readonly text: string; readonly bare: boolean }
  | { readonly kind: "op"; readonly text: string };

const OPERATORS = [
  "&&",
  "||",
  ";;",
  "|&",
  "&>>",
  "<<<",
  "<<-",
  "&>",
  ">>",
  "<<",
  ">&",
  "<&",
  ">|",
  "<>",
  ";",
  "|",
  "&",
  "\n",
  "(",
  ")",
  ">",
  "<",
];
const REDIRECTS = new Set([">", ">>", "<", "<<", "<<-", "<<<", ">&", "<&", "&>", "&>>", ">|", "<>"]);
/** Words that structure a line and are no program. */
const KEYWORDS = new Set([
  "if",
  "then",
  "else",
  "elif",
  "fi",
  "while",
  "until",
  "do",
  "done",
  "esac",
  "time",
  "{",
  "}",
]);

/** The simple commands of a shell line or an argument list; `sh -c LINE` is looked into. */
export function simpleCommands(run: Command): readonly SimpleCommand[] {
  if (typeof run === "string") return parseLine(run, 0);
  const line = shellLine(run);
  if (line !== null) return parseLine(line, 0);
  return [{ words: run, assignments: [], redirects: [], before: "", negated: false }];
}

/** The line that `sh -c LINE` (and bash, zsh, dash, with flags such as -lc) would run; null for any other words. */
function shellLine(words: readonly string[]): string | null {
  if (!/(^|\/)(ba|da|z|k)?sh$/.test(words[0] ?? "")) return null;
  const flag = words.findIndex((word, index) => index > 0 && /^-[a-z]*c$/.test(word));
  return flag < 0 ? null : (words[flag + 1] ?? null);
}

/** Deeper nesting of `$(…)` and `sh -c` than this is left alone. */
const MAX_DEPTH = 5;

function parseLine(line: string, depth: number): SimpleCommand[] {
  const nested: string[] = [];
  const tokens = tokenize(line, nested);
  const commands: SimpleCommand[] = [];
  let before = "";
  let words: string[] = [];
  let assignments: string[] = [];
  let redirects: { op: string; target: string }[] = [];
  let negated = false;
  const finish = (next: string): void => {
    if (words.length > 0 || assignments.length > 0 || redirects.length > 0) {
      const inner = depth < MAX_DEPTH ? shellLine(words) : null;
      if (inner !== null && inner !== line) {
        const parsed = parseLine(inner, depth + 1);
        commands.push(
          ...parsed.map((command, index) =>
            index === 0 ? { ...command, before, negated: command.negated !== negated } : command,
          ),
        );
      } else commands.push({ words, assignments, redirects, before, negated });
      words = [];
      assignments = [];
      redirects = [];
      negated = false;
      before = next;
    } else if (before === "" || next === "|") before = commands.length === 0 ? "" : next;
    else if (next !== ")" && next !== "(" && next !== "\n") before = next;
  };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined) break;
    if (token.kind === "op") {
      if (REDIRECTS.has(token.text)) {
        const target = tokens[index + 1];
        if (target?.kind === "word") {
          redirects.push({ op: token.text, target: target.text });
          index++;
        }
      } else finish(token.text === "\n" ? ";" : token.text);
      continue;
    }
    if (token.bare && words.length === 0) {
      if (token.text === "!") {
        negated = !negated;
        continue;
      }
      if (KEYWORDS.has(token.text)) continue;
      if (token.text === "for" || token.text === "case" || token.text === "select") {
        // The list of a loop is data; skip to what runs.
        while (index + 1 < tokens.length) {
          const next = tokens[index + 1];
          if (next?.kind === "op" && (next.text === ";" || next.text === "\n")) break;
          if (next?.kind === "word" && next.text === "do") break;
          index++;
        }
        continue;
      }
      if (/^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(token.text)) {
        assignments.push(token.text);
        continue;
      }
    } else if (words.length === 0 && /^[A-Za-z_][A-Za-z0-9_]*=/.test(token.text)) {
      assignments.push(token.text);
      continue;
    }
    words.push(token.text);
  }
  finish("");
  if (depth < MAX_DEPTH)
    for (const inside of nested)
      commands.push(
        ...parseLine(inside, depth + 1).map((command, index) =>
          index === 0 ? { ...command, before: "$(" } : command,
        ),
      );
  return commands;
}

function tokenize(line: string, nested: string[]): Token[] {
  const tokens: Token[] = [];
  const hereDocs: string[] = [];
  let at = 0;
  let word: string | null = null;
  let bare = true;
  const end = (): void => {
    if (word !== null) {
      const last = tokens.at(-1);
      if (last?.kind === "op" && last.text.startsWith("<<") && last.text !== "<<<") hereDocs.push(word);
      tokens.push({ kind: "word", text: word, bare });
    }
    word = null;
    bare = true;
  };
  while (at < line.length) {
    const char = line[at] ?? "";
    if (char === "\\") {
      const next = line[at + 1] ?? "";
      if (next !== "\n") word = (word ?? "") + next;
      bare = false;
      at += 2;
    } else if (char === "'") {
      const close = line.indexOf("'", at + 1);
      const stop = close < 0 ? line.length : close;
      word = (word ?? "") + line.slice(at + 1, stop);
      bare = false;
      at = stop + 1;
    } else if (char === '"') {
      at++;
      word ??= "";
      bare = false;
      while (at < line.length && line[at] !== '"') {
        if (line[at] === "\\" && /["\\$`\n]/.test(line[at + 1] ?? "")) {
          word += line[at + 1];
          at += 2;
        } else if (startsExpansion(line, at)) {
          const stop = expansionEnd(line, at, nested);
          word += line.slice(at, stop);
          at = stop;
        } else word += line[at++];
      }
      at++;
    } else if (startsExpansion(line, at)) {
      const stop = expansionEnd(line, at, nested);
      word = (word ?? "") + line.slice(at, stop);
      at = stop;
    } else if ((char === "<" || char === ">") && line[at + 1] === "(") {
      const stop = expansionEnd(line, at, nested);
      word = (word ?? "") + line.slice(at, stop);
      at = stop;
    } else if (char === "#" && word === null) {
      const newline = line.indexOf("\n", at);
      at = newline < 0 ? line.length : newline;
    } else if (char === " " || char === "\t" || char === "\r") {
      end();
      at++;
    } else {
      const operator = OPERATORS.find((op) => line.startsWith(op, at));
      if (operator === undefined) {
        word = (word ?? "") + char;
        at++;
        continue;
      }
      // `2>file`: the digit belongs to the operator, not to the words.
      if (REDIRECTS.has(operator) && word !== null && /^\d$/.test(word)) word = null;
      end();
      tokens.push({ kind: "op", text: operator });
      at += operator.length;
      if (operator === "\n" && hereDocs.length > 0) at = skipHereDocs(line, at, hereDocs);
    }
  }
  end();
  return tokens;
}

function startsExpansion(line: string, at: number): boolean {
  return line[at] === "`" || (line[at] === "$" && (line[at + 1] === "(" || line[at + 1] === "{"));
}

/** The index after an expansion that starts at `at`; what `$(…)`, `<(…)` and backticks hold is added to `nested`. */
function expansionEnd(line: string, at: number, nested: string[]): number {
  if (line[at] === "`") {
    const close = line.indexOf("`", at + 1);
    const stop = close < 0 ? line.length : close;
    nested.push(line.slice(at + 1, stop));
    return stop + 1;
  }
  const open = line[at + 1] ?? "(";
  const close = open === "(" ? ")" : "}";
  let depth = 0;
  let quote = "";
  for (let index = at + 1; index < line.length; index++) {
    const char = line[index];
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === "\\") index++;
    else if (char === open) depth++;
    else if (char === close && --depth === 0) {
      const inside = line.slice(at + 2, index);
      if (open === "(" && !inside.startsWith("(")) nested.push(inside);
      return index + 1;
    }
  }
  return line.length;
}

function skipHereDocs(line: string, from: number, ends: string[]): number {
  let at = from;
  for (const mark of ends.splice(0)) {
    while (at < line.length) {
      const newline = line.indexOf("\n", at);
      const stop = newline < 0 ? line.length : newline;
      const text = line.slice(at, stop).trim();
      at = stop + 1;
      if (text === mark) break;
    }
  }
  return Math.min(at, line.length);
}
