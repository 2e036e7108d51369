/** The environment that a check runs in: nothing in it may make a program run other code than its own. */
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { simpleCommands } from "./shell-words.ts";
import type { Command, Program } from "./types.ts";
import { programName, unwrap } from "./wrappers.ts";

/** Variables that load code into programs that did not ask for it. */
const LOADING = new Set([
  "LD_PRELOAD",
  "LD_AUDIT",
  "DYLD_INSERT_LIBRARIES",
  "BASH_ENV",
  "ENV",
  "PERL5OPT",
  "RUBYOPT",
  "PYTHONSTARTUP",
  "npm_config_script_shell",
]);
/** Of Git's variables these say who and when, and lead to no code; tests that make commits need them. */
const GIT_IDENTITY = /^GIT_(?:(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)|CONFIG_NOSYSTEM|TERMINAL_PROMPT)$/;
/** Exported shell functions (`BASH_FUNC_npm%%`) shadow programs of the same name. */
const SHELL_FUNCTION = /^BASH_FUNC_/;
const NODE_LOADING = /(^|\s)(--require|-r|--import|--loader|--experimental-loader)(=|\s|$)/;

/** Codex's sandbox without network: sockets fail there with EPERM, even on loopback. */
export function sandboxed(env: Readonly<Record<string, string | undefined>>): boolean {
  return env.CODEX_SANDBOX_NETWORK_DISABLED === "1";
}

export interface CleanEnvironment {
  readonly env: Record<string, string>;
  /** Names of what was taken out. */
  readonly dropped: readonly string[];
}

/**
 * Cleans an environment for a run.
 * @param root repository root; PATH entries inside it move to the end unless they are an installer's own
 */
export function cleanEnvironment(
  source: Readonly<Record<string, string | undefined>>,
  root: string | null,
): CleanEnvironment {
  const env: Record<string, string> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined) continue;
    const loads =
      LOADING.has(name) ||
      (name.startsWith("GIT_") && !GIT_IDENTITY.test(name)) ||
      SHELL_FUNCTION.test(name) ||
      (name === "NODE_OPTIONS" && NODE_LOADING.test(value));
    if (loads) dropped.push(name);
    else env[name] = value;
  }
  if (env.PATH !== undefined) env.PATH = orderedPath(env.PATH, root);
  return { env, dropped: dropped.sort() };
}

/**
 * PATH with entries in temporary folders and in the repository moved to the end: a fake `npm` put first never shadows
 * the real one, while a tool that exists only there is still found. `node_modules/.bin` and virtual environments stay
 * where they are, since installers fill them.
 */
function orderedPath(path: string, root: string | null): string {
  const temporary = [tmpdir(), "/tmp", "/var/tmp", process.env.TMPDIR ?? ""]
    .filter((folder) => folder !== "")
    .map(real);
  const home = root === null ? null : real(root);
  const first: string[] = [];
  const last: string[] = [];
  for (const entry of path.split(delimiter)) {
    // An empty entry means the working directory, which is the repository.
    if (entry === "" || !isAbsolute(entry)) {
      last.push(entry === "" ? "." : entry);
      continue;
    }
    const place = real(entry);
    const inside = home !== null && within(place, home);
    const suspect = inside || temporary.some((folder) => within(place, folder));
    const installed =
      place.endsWith(join("node_modules", ".bin")) || existsSync(join(dirname(place), "pyvenv.cfg"));
    (suspect && !installed ? last : first).push(entry);
  }
  return [...new Set([...first, ...last])].join(delimiter);
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

const BUILTINS = new Set(
  ". : [ [[ alias bg break cd continue echo eval exec exit export false fg getopts hash jobs kill let local printf pushd popd pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait".split(
    " ",
  ),
);

/** The programs that a command names, resolved on the PATH that the run gets. Crude: one per simple command. */
export function resolvePrograms(run: Command, path: string, cwd: string): readonly Program[] {
  const names = new Set<string>();
  for (const { words } of simpleCommands(run)) {
    const [name] = unwrap(words);
    const outer = words[0];
    for (const word of [outer, name])
      if (
        word !== undefined &&
        word !== "" &&
        !word.includes("$") &&
        !(typeof run === "string" && BUILTINS.has(programName([word])))
      )
        names.add(word);
  }
  return [...names].map((name) => ({ name, path: resolveProgram(name, path, cwd) }));
}

/** Absolute path of a program as the system would find it; null when it would not. */
function resolveProgram(name: string, path: string, cwd: string): string | null {
  if (name.includes("/")) {
    const place = resolve(cwd, name);
    return executable(place) ? place : null;
  }
  for (const entry of path.split(delimiter)) {
    const place = resolve(cwd, entry, basename(name));
    if (executable(place)) return place;
  }
  return null;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
