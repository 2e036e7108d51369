/** Finds checks that cannot fail, whatever the tree is like. */
import { RUNNERS } from "./channels/index.ts";
import { makeCheck } from "./check.ts";
import { runsSuite, scriptWord } from "./check-files.ts";
import { looksLikeCheck } from "./conventions.ts";
import { type SimpleCommand, simpleCommands } from "./shell-words.ts";
import type { Check, Command } from "./types.ts";
import { programName, unwrap } from "./wrappers.ts";

/** Programs that succeed by themselves: nothing about a tree makes them fail. */
const SUCCEEDS = new Set([
  "true",
  ":",
  "echo",
  "printf",
  "sleep",
  "date",
  "pwd",
  "whoami",
  "hostname",
  "uname",
  "yes",
  "seq",
  "env",
  "printenv",
  "id",
  "uptime",
  "set",
  "export",
  "exit",
  "cd",
  "clear",
  "history",
  "alias",
  "umask",
  "wait",
  "trap",
  "unset",
  "shopt",
  "declare",
  "local",
  "readonly",
]);
/** Of these, the ones that say nothing even beside an expectation on output: they print what they are given. */
const PRINTS_ITS_WORDS = new Set(["echo", "printf", "true", ":", "sleep", "exit", "set", "yes", "seq"]);
/** Programs that pass on what they read and succeed whatever it is. `sed` and `awk` may end with a status of their own. */
const PASSES_ON = new Set([
  "tail",
  "head",
  "cat",
  "tee",
  "sort",
  "uniq",
  "less",
  "more",
  "tr",
  "cut",
  "column",
  "nl",
  "wc",
  "fold",
  "rev",
  "tac",
  "ts",
  "base64",
  "strip-ansi",
  "pr",
  "fmt",
  "true",
  ":",
  "echo",
]);
const DRY = new Set([
  "--dry-run",
  "--dryrun",
  "--noop",
  "--no-op",
  "--just-print",
  "--recon",
  "--list-tests",
  "--listTests",
  "--collect-only",
  "--co",
]);
const TELLS = new Set(["--help", "--version"]);
const ALIKE = new Set(["true", ":", "exit 0", "return 0"]);

/**
 * Why a check cannot fail; null when it can. Only what is plain to see: the base tree tells the rest.
 * The honest look-alikes pass: `grep -q x f`, `echo hi | ./prog` or `npm test | tee log` with an expectation on stdout.
 */
export function vacuous(check: Check): string | null {
  if (check.scenario !== undefined) return RUNNERS[check.channel].fault(check) ?? null;
  const commands = simpleCommands(check.run).filter((command) => command.before !== "$(");
  const { stdout, stderr, json, produces } = check.expect;
  const looks =
    (stdout !== undefined && !matchesAll(stdout)) ||
    (stderr !== undefined && !matchesAll(stderr)) ||
    json !== undefined ||
    (produces !== undefined && Object.keys(produces).length > 0);
  if (commands.every(({ words }) => words.length === 0)) return "the command is empty";
  return (
    selfFulfilling(commands, looks) ??
    (looks || check.expect.exit !== 0 ? null : maskedExit(check, commands)) ??
    dryRun(commands, looks) ??
    onlyTells(commands, check)
  );
}

/** Texts that have nothing in common. What matches each of them matches whatever is printed. */
const ANY_TEXT = ["", "\n", "Error: 1 !== 2\n    at x:1\n", "ok", "\u00e9 ~"];

/** A pattern that every output meets, so that nothing is expected of it. */
function matchesAll(pattern: string): boolean {
  if (pattern === "") return true;
  const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(pattern) ?? [];
  if (source === undefined) return false;
  try {
    const form = new RegExp(source, flags?.replace(/[gy]/g, ""));
    return ANY_TEXT.every((text) => form.test(text));
  } catch {
    return false;
  }
}

/** Every program in it succeeds by itself, or prints by itself what is then looked for. */
function selfFulfilling(commands: readonly SimpleCommand[], looks: boolean): string | null {
  const programs = commands.filter(({ words }) => words.length > 0);
  if (!programs.every((command) => alwaysSucceeds(command))) return null;
  // What a substitution or a file brings in is not of the command's own making.
  const reads = programs.some(
    ({ words, redirects }) =>
      words.some((word) => /\$\(|`|<\(/.test(word)) || redirects.some(({ op }) => op === "<"),
  );
  if (reads && looks) return null;
  const tells = programs
    .map(({ words }) => programName(unwrap(words)))
    .filter((name) => SUCCEEDS.has(name) && !PRINTS_ITS_WORDS.has(name) && name !== "cd");
  if (looks && tells.length > 0) return null;
  const [first] = programs;
  const name = first === undefined ? "" : unwrap(first.words).join(" ").slice(0, 60);
  if (first?.words[0] === "[" || first?.words[0] === "test" || first?.words[0] === "[[")
    return `\`${name}\` compares constants`;
  return looks ? `\`${name}\` prints what is wanted itself` : `\`${name}\` always succeeds`;
}

function alwaysSucceeds({ words, negated, redirects }: SimpleCommand): boolean {
  // A missing input file makes even `cat` fail.
  if (redirects.some(({ op, target }) => op === "<" && target !== "/dev/null")) return false;
  const plain = unwrap(words);
  const name = programName(plain);
  if (negated) return name === "false";
  if (name === "exit" || name === "return") return plain[1] === undefined || plain[1] === "0";
  if (name === "cd") return plain[1] === undefined || plain[1] === ".";
  if (name === "date" || name === "seq" || name === "env") return plain.length < 3;
  if (name === "cat" || name === "tee") return plain.length === 1;
  if (SUCCEEDS.has(name)) return true;
  if (name === "test" || name === "[" || name === "[[") return comparesConstants(plain);
  if (/^(node|bun|deno|python3?|ruby|perl|php)$/.test(name)) return emptyCode(plain);
  return false;
}

function comparesConstants(words: readonly string[]): boolean {
  const operands = words.slice(1).filter((word) => word !== "]" && word !== "]]");
  if (operands.some((word) => /[$`*?]/.test(word))) return false;
  const [a, operator, b] = operands;
  if (operands.length === 0) return false;
  if (operands.length === 1) return true;
  if (operands.length === 2) return (a === "-n" && operator !== "") || (a === "-z" && operator === "");
  if (operands.length > 3) return false;
  return ["=", "==", "-eq", "-ge", "-le"].includes(operator ?? "")
    ? a === b
    : ["!=", "-ne"].includes(operator ?? "") && a !== b;
}

/** `-e ""`, or code that only prints a literal or ends with 0. */
function emptyCode(words: readonly string[]): boolean {
  const flag = words.findIndex((word) => /^(-e|-p|-c|-r|--eval|--print|-pe)$/.test(word) || word === "eval");
  if (flag < 0) return false;
  const code = (words[flag + 1] ?? "").trim();
  if (code === "" || code === "0" || code === "1" || code === "pass" || code === "true") return true;
  const literal =
    /^(?:console\.log|print|puts|echo|process\.stdout\.write|printf)\s*\(?\s*(?:'[^']*'|"[^"]*"|`[^`$]*`|\d+)?\s*\)?;?$/;
  return (
    literal.test(code) ||
    /^(?:process\.exit|exit|sys\.exit|quit)\(0?\);?$/.test(code) ||
    /^import sys; ?sys\.exit\(0?\)$/.test(code)
  );
}

/**
 * Why a command's exit status says nothing of its programs', whatever is expected of its output; null when it does. What
 * stands in `$(…)` gives its output, and its status never counted.
 */
export function hiddenExit(run: Command): string | null {
  const plain = typeof run === "string" ? withoutSubstitutions(run) : run;
  return maskedExit(makeCheck({ run: plain }), simpleCommands(plain));
}

/** From the inside out; a quoted bracket in one ends it too early, which hides nothing that stands outside. */
function withoutSubstitutions(line: string): string {
  const shorter = line.replace(/\$\([^()]*\)/g, "x");
  return shorter === line ? line : withoutSubstitutions(shorter);
}

/** A status that is thrown away: `|| true`, `; true`, a pipeline into something that only passes text on. */
function maskedExit(check: Check, commands: readonly SimpleCommand[]): string | null {
  const programs = commands.filter(({ words }) => words.length > 0);
  const last = programs.at(-1);
  if (last === undefined || programs.length < 2) return null;
  const words = unwrap(last.words);
  const name = programName(words);
  if (last.negated) return null;
  if (last.before === "|" || last.before === "|&") {
    if (!passesOn(words) || JSON.stringify(check.run).includes("pipefail")) return null;
    return `\`| ${name}\` hides the exit status of what stands before it; expect something on stdout, or drop the pipe`;
  }
  const shown = words.join(" ").slice(0, 30);
  if (last.before !== "&&" && asksForExistence(words) && !errexit(programs) && !givesUp(programs)) {
    const test = programs.at(-2);
    if (test !== undefined && runsTests(test.words))
      return `\`${shown}\` decides, and not the tests before it; join them with \`&&\``;
  }
  const waits = name === "wait" && words.length === 1;
  if (!waits && !ALIKE.has(words.slice(0, 2).join(" ")) && !PRINTS_ITS_WORDS.has(name)) return null;
  if (!alwaysSucceeds(last)) return null;
  switch (last.before) {
    case "||":
      return `\`|| ${words.join(" ").slice(0, 30)}\` turns every failure into success`;
    case ";":
    case "&":
    case ")":
    case "}":
      return errexit(programs) || givesUp(programs)
        ? null
        : `it ends in \`${words.join(" ").slice(0, 30)}\`, whose success hides what stands before it`;
    case "&&":
      return programs.slice(0, -1).some((one) => one.before === "||" && alwaysSucceeds(one))
        ? "a `|| true` in it turns every failure into success"
        : null;
    default:
      return null;
  }
}

/** `test -d src`: true of nearly every tree. */
function asksForExistence(words: readonly string[]): boolean {
  const name = programName(words);
  if (name === "ls" || name === "stat") return true;
  return (name === "test" || name === "[" || name === "[[") && /^-[defrsx]$/.test(words[1] ?? "");
}

function runsTests(raw: readonly string[]): boolean {
  const words = unwrap(raw);
  const script = scriptWord(words);
  return script === null ? runsSuite(words) : looksLikeCheck(script);
}

function passesOn(words: readonly string[]): boolean {
  const name = programName(words);
  if (name === "sed") return !words.slice(1).some((word) => /\bq\s*\d|Q/.test(word));
  if (name === "awk" || name === "gawk") return !words.slice(1).some((word) => /exit/.test(word));
  return PASSES_ON.has(name);
}

/** `set -e` in force at the end makes the first failure the last word. */
function errexit(programs: readonly SimpleCommand[]): boolean {
  let on = false;
  for (const { words } of programs) {
    if (words[0] !== "set") continue;
    if (words.some((word) => /^-[a-z]*e/.test(word)) || (words.includes("-o") && words.includes("errexit")))
      on = true;
    if (words.some((word) => /^\+[a-z]*e/.test(word))) on = false;
  }
  return on;
}

/** A line with an `exit 1` of its own in it decides for itself what counts. */
function givesUp(programs: readonly SimpleCommand[]): boolean {
  return programs.some(
    ({ words }) =>
      (words[0] === "exit" || words[0] === "return") && words[1] !== undefined && words[1] !== "0",
  );
}

/** A run that only says what it would do. */
function dryRun(commands: readonly SimpleCommand[], looks: boolean): string | null {
  const dry = commands
    .map(({ words }) => unwrap(words))
    .find(
      (words) =>
        words.slice(1).some((word) => DRY.has(word)) ||
        (/^(g?make)$/.test(programName(words)) && words.includes("-n")),
    );
  const judged = commands.at(-1);
  if (dry === undefined || judged === undefined) return null;
  // A dry run of the repository's own program is the work itself, and what a dry run prints may be looked at.
  const own = (dry[0] ?? "").includes("/") || scriptWord(dry) !== null;
  if (own || looks || programName(unwrap(judged.words)) === "grep") return null;
  return `\`${dry.join(" ").slice(0, 60)}\` runs nothing`;
}

/** `tool --version`: tells about the machine, not about the tree. A program of the repository may well lack the flag. */
function onlyTells(commands: readonly SimpleCommand[], check: Check): string | null {
  const programs = commands.filter(({ words }) => words.length > 0);
  if (check.expect.stdout !== undefined || check.expect.json !== undefined) return null;
  const [only] = programs;
  if (programs.length !== 1 || only === undefined) return null;
  const words = unwrap(only.words);
  if (words.length !== 2 || !TELLS.has(words[1] ?? "") || (words[0] ?? "").includes("/")) return null;
  return `\`${words.join(" ")}\` only tells about a program`;
}
