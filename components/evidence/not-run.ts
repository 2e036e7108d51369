/** Tells a failure from a run that never took place: a missing command or script, a syntax error in the check itself. */
import { scriptWord } from "./check-files.ts";
import { simpleCommands } from "./shell-words.ts";
import type { Check, Run } from "./types.ts";
import { unwrap } from "./wrappers.ts";

interface Shown {
  readonly stdout: string;
  readonly stderr: string;
  readonly ownFiles: readonly string[];
}

/** What a runner prints when the very thing it was asked to run is not there. The first group names it, if there is one. */
const MISSING_TASK: readonly (readonly [RegExp, string])[] = [
  [/^(?:npm (?:ERR!|error) )?Missing script: "?([^"\n]+)"?/m, "no such script"],
  [/ERR_PNPM_NO_SCRIPT\S*\s+Missing script: (\S+)/, "no such script"],
  [/error Command "([^"\n]+)" not found/, "no such script"],
  [/Couldn't find a script named "?([^"\n]+?)"?\.?$/m, "no such script"],
  [/^error: Script not found "([^"\n]+)"/m, "no such script"],
  [
    /ERR_PNPM_NO_IMPORTER_MANIFEST_FOUND|npm (?:ERR!|error) enoent Could not read package\.json|Couldn't find a package\.json/,
    "no package.json",
  ],
  [/^make(?:\[\d+\])?: \*\*\* No rule to make target '([^'\n]+)'\.\s+Stop\.$/m, "no such target"],
  [/^make(?:\[\d+\])?: \*\*\* No targets specified and no makefile found/m, "no makefile"],
  [/^ERROR: file or directory not found: (\S+)/m, "no such test"],
  [/^No tests found, exiting with code 1/m, "no tests found"],
  [/^No test files found, exiting with code 1/m, "no tests found"],
  [/^=+ no tests ran in [\d.]+s =+$/m, "no tests ran"],
  [/^Could not find '([^'\n]+)'$/m, "no such test"],
  [/^Error: No test files found/m, "no tests found"],
];

/** Why a run that failed says nothing about the tree; null when it does. */
export function notRunReason(check: Check, run: Run, shown: Shown): string | null {
  if (run.spawnError !== null) {
    const program =
      typeof check.run === "string" ? "the shell or the folder to run in" : (check.run[0] ?? "");
    return `could not be started (${run.spawnError}): ${program}`;
  }
  if (run.timedOut || run.flooded || run.exit === 0) return null;
  const text = `${shown.stderr}\n${shown.stdout}`;
  return (
    missingCommand(run, text) ??
    missingScript(check, text) ??
    missingTask(text) ??
    syntaxError(text, shown.ownFiles)
  );
}

function missingCommand(run: Run, text: string): string | null {
  if (run.exit === 127) {
    const [, name] =
      /(?:^|: )([^:\n]+): (?:command )?not found$/m.exec(text) ??
      /([^:\s]+): No such file or directory$/m.exec(text) ??
      [];
    return name === undefined ? null : `${name.trim()}: command not found`;
  }
  if (run.exit === 126) {
    const [, name] =
      /([^:\s]+): (?:Permission denied|cannot execute[^\n]*|Is a directory)$/m.exec(text) ?? [];
    return name === undefined ? null : `${name}: cannot be executed`;
  }
  return null;
}

/** The script that the command itself executes is not there. A module that the script wants is another matter. */
function missingScript(check: Check, text: string): string | null {
  for (const { words } of simpleCommands(check.run)) {
    const script = scriptWord(unwrap(words));
    if (script === null) continue;
    const name = escaped(script.replace(/^(\.\/)+/, ""));
    // Paths come back absolute from some programs, and with the folder that the line changed into.
    const path = `(?:[^'"\\n]*/)?${name}`;
    const forms = [
      `Cannot find module '${path}'[^]*?requireStack: \\[\\]`,
      `Cannot find module '${path}'\\n +at [^\\n]*_resolveFilename`,
      `can't open file '${path}'`,
      `(?:cannot open|can't open|Can't open perl script) "?${path}"?`,
      `^[^\\n]*sh: (?:\\d+: |line \\d+: )?(?:\\d+: )?${path}: No such file or directory`,
      `^error: Module not found "${path}"`,
      `No such file or directory -- ${path} \\(LoadError\\)`,
      `Could not open input file: ${path}`,
      `couldn't read file "${path}": no such file`,
      `error: Module not found "file://${path}"`,
      `make: ${path}: No such file or directory`,
      `\\.: (?:can't open|cannot open) '?${path}'?`,
    ];
    if (forms.some((form) => new RegExp(form, "m").test(text))) return `${script}: no such script`;
  }
  return null;
}

function missingTask(text: string): string | null {
  for (const [form, words] of MISSING_TASK) {
    const match = form.exec(text);
    if (match !== null) return match[1] === undefined ? words : `${match[1].trim()}: ${words}`;
  }
  return null;
}

/** A file of the check's own that does not parse. An export that a product lacks is called a SyntaxError too, but is none. */
function syntaxError(text: string, ownFiles: readonly string[]): string | null {
  if (
    !/syntax ?error|IndentationError|TabError|Parse error|^error: (?:Unexpected|Expected|Unterminated)/im.test(
      text,
    )
  )
    return null;
  for (const path of ownFiles) {
    const file = escaped(path);
    // A path in the text may be absolute, or relative to a folder below the root: the name must match, and what stands before it.
    const name = `(?:[^\\s"'():]*/)?${path.includes("/") ? `(?:${file}|${escaped(path.slice(path.indexOf("/") + 1))})` : file}`;
    const forms = [
      // Node prints the place first, then the line, then the error, whose own frames are all internal.
      `^(?:# )?(?:file://)?${name}:\\d+(?:\\n(?!.*SyntaxError)[^\\n]*){0,6}\\n(?:# )?SyntaxError: (?!The requested module)[^\\n]*\\n(?:# )?\\s+at (?:[^\\n]*)(?:wrapSafe|compileSourceTextModule|node:internal|internalCompileFunction|makeContextifyScript|checkSyntax)`,
      `File "${name}", line \\d+\\n(?:(?!  File )[^\\n]*\\n){0,4}(?:E\\s+)?(?:SyntaxError|IndentationError|TabError):`,
      `^${name}: (?:line )?\\d+: [Ss]yntax error`,
      `^${name}:\\d+: syntax error`,
      // Bun names the place after the error.
      `^error: (?:Unexpected|Expected|Unterminated|Syntax Error)[^\\n]*\\n\\s+at ${name}:\\d+`,
      `PHP Parse error: [^\\n]* in ${name} on line`,
    ];
    if (forms.some((form) => new RegExp(form, "m").test(text)))
      return `${path}: syntax error in the check itself`;
  }
  return null;
}

const FORBIDDEN =
  /\bEPERM\b|operation not permitted|\bEROFS\b|read-only file system|\bEAI_AGAIN\b|\bENETUNREACH\b|could not resolve host|temporary failure in name resolution|couldn't connect to server/i;

/** What in a failed run points to a sandbox that forbids sockets or writing; null when nothing does. */
export function sandboxReason(run: Run, text: string): string | null {
  const line = text.split("\n").find((one) => FORBIDDEN.test(one));
  if (line !== undefined) return line.trim().slice(0, 160);
  return run.timedOut
    ? `still running after ${run.durationMs} ms, and the sandbox makes some programs hang`
    : null;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
