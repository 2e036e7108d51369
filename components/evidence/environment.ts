/** The environment that a check runs in: nothing in it may make a program run other code than its own. */
import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { simpleCommands } from "./shell-words.ts";
import type { Command, Program } from "./types.ts";
import { within } from "./within.ts";
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
  "PYTHONOPTIMIZE",
  "PYTHONHOME",
  "PYTEST_ADDOPTS",
  "PYTEST_PLUGINS",
  "NODE_TEST_CONTEXT",
  "BUN_OPTIONS",
  "BUN_INSPECT_PRELOAD",
  "MAKEFLAGS",
  "GNUMAKEFLAGS",
  "MFLAGS",
  "MAKEFILES",
  "SHELLOPTS",
  "ZDOTDIR",
]);
/** Who is asking: a check that passes for an agent and not for a person, or the other way round, proves nothing. */
const ASKING = new Set([
  "AGENT",
  "AI_AGENT",
  "AIDER_CHAT",
  "CLAUDECODE",
  "CODEX_CI",
  "CODEX_SESSION_ID",
  "CODEX_THREAD_ID",
  "CURSOR_AGENT",
  "GEMINI_CLI",
  "OPENCODE",
  "OPENCODE_PID",
  "OPENCODE_SESSION_ID",
  // What a host's plugin gives to its agent's shell, and the host's binary that is the runtime of this very program.
  "BUN_BE_BUN",
  "PROOFGATE_HOST",
  "PROOFGATE_PROGRAMS",
]);
/** How the folder is called that OpenCode's plugin adds to PATH (plugin/opencode/programs.ts). */
const PROGRAMS = /[/\\](?:path|opencode-path-[0-9a-f]{32})$/;
/** Settings of npm and Yarn that put other code, or none, in the place of a script; npm takes any mix of capitals. */
const NPM_LOADING =
  /^(?:npm_config_|yarn_)_*(?:script[_-]shell|shell|node[_-]options|ignore[_-]scripts|if[_-]present|dry[_-]run|workspaces?|yarn[_-]path|rc[_-]filename|plugins)$/i;
/** Of Git's variables these say who and when, and lead to no code; tests that make commits need them. */
const GIT_IDENTITY = /^GIT_(?:(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)|CONFIG_NOSYSTEM|TERMINAL_PROMPT)$/;
/** Exported shell functions (`BASH_FUNC_npm%%`) shadow programs of the same name. */
const SHELL_FUNCTION = /^BASH_FUNC_/;
/** Options of Node that load code, choose other code, leave tests out, or let a failure pass. */
const NODE_LOADING =
  /^(?:-r|-C|--(?:require|import|loader|experimental-loader|conditions|experimental-policy|experimental-default-config-file|experimental-config-file|env-file|env-file-if-exists|openssl-config|snapshot-blob|unhandled-rejections|test-only|test-name-pattern|test-skip-pattern|test-reporter|test-shard|watch|check))$/;

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
    if (value === undefined || ASKING.has(name)) continue;
    const loads =
      LOADING.has(name) ||
      (name.startsWith("GIT_") && !GIT_IDENTITY.test(name)) ||
      SHELL_FUNCTION.test(name) ||
      NPM_LOADING.test(name) ||
      (name === "NODE_OPTIONS" && nodeOptions(value).some((option) => NODE_LOADING.test(option))) ||
      (name === "GOFLAGS" && /(^|\s)['"]?--?(?:exec|toolexec|overlay|run|skip|list|n|vettool)\b/.test(value));
    if (loads) dropped.push(name);
    else if (name === "PYTHONPATH") {
      const own = ownPythonPath(value, root === null ? [] : [root]);
      if (own !== value) dropped.push(name);
      if (own !== "") env[name] = own;
    } else env[name] = value;
  }
  if (env.PATH !== undefined) {
    const { PROOFGATE_PROGRAMS: ours = "" } = source;
    // By its name as well: an agent that names the system's own folder there would leave a fake program the only one.
    const entries = env.PATH.split(delimiter).filter((entry) => entry !== ours || !PROGRAMS.test(ours));
    env.PATH = orderedPath(entries.join(delimiter), root);
  }
  return { env, dropped: dropped.sort() };
}

/** The names of the options in NODE_OPTIONS, split as Node does: double quotes, backslashes in them, `_` for `-`. */
function nodeOptions(value: string): string[] {
  const words = [""];
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    let char = value[at] ?? "";
    if (char === '"') {
      quoted = !quoted;
      continue;
    }
    if (char === "\\" && quoted) char = value[++at] ?? "";
    else if (/\s/.test(char) && !quoted) {
      words.push("");
      continue;
    }
    words.push((words.pop() ?? "") + char);
  }
  return words.map((word) => (word.split("=")[0] ?? "").replaceAll("_", "-"));
}

/**
 * The entries of a PYTHONPATH that lie in one of the folders, or belong to another user of the system: Python runs a
 * `sitecustomize` from any of them before the program.
 */
export function ownPythonPath(value: string, folders: readonly string[]): string {
  const homes = folders.map(real);
  return value
    .split(delimiter)
    .filter((entry) => {
      if (entry === "") return true;
      const place = real(resolve(homes[0] ?? "/", entry));
      return homes.some((home) => within(place, home)) || foreign(place);
    })
    .join(delimiter);
}

function foreign(place: string): boolean {
  try {
    return statSync(place).uid !== process.getuid?.();
  } catch {
    return false;
  }
}

const SHELLS = /^(?:\/(?:usr\/)?bin\/)?((?:ba|da|z|k)?sh)$/;

/**
 * Settings that outrank what an `.npmrc` says of the shell and of Node's options: npm would run any program as a shell.
 * One of the system's own shells may be asked for; anything else gives way to `/bin/sh`.
 * @param nodeOptions the cleaned NODE_OPTIONS
 */
export function npmSettings(
  source: Readonly<Record<string, string | undefined>>,
  root: string,
  nodeOptions: string | undefined,
): Record<string, string> {
  if (process.platform === "win32") return {};
  const asked = (file: string): string | undefined => {
    try {
      return /^\s*script[-_]shell\s*=\s*["']?([^"'\r\n]*?)["']?\s*$/m.exec(readFileSync(file, "utf8"))?.[1];
    } catch {
      return undefined;
    }
  };
  const given = Object.entries(source).find(([name]) => /^npm_config_script[-_]shell$/i.test(name))?.[1];
  const shell =
    given ?? asked(join(root, ".npmrc")) ?? asked(join(source.HOME ?? homedir(), ".npmrc")) ?? "sh";
  const name = SHELLS.exec(shell)?.[1] ?? "sh";
  const place = ["/bin", "/usr/bin"].map((folder) => join(folder, name)).find(executable) ?? "/bin/sh";
  // npm takes an empty variable for none, but trims a blank one to an empty setting, which outranks the files.
  return { npm_config_script_shell: place, npm_config_node_options: nodeOptions ?? " " };
}

/**
 * PATH with entries in temporary folders and in the repository moved to the end: a fake `npm` put first never shadows
 * the real one, while a tool that exists only there is still found. `node_modules/.bin` and virtual environments stay
 * where they are, since installers fill them.
 */
function orderedPath(path: string, root: string | null): string {
  return ordered(path, root === null ? [] : [root], true);
}

/** The same for our own programs, which no installer puts into a repository. */
export function trustedPath(path: string, roots: readonly string[]): string {
  return ordered(path, roots, false);
}

function ordered(path: string, roots: readonly string[], installers: boolean): string {
  const temporary = [tmpdir(), "/tmp", "/var/tmp", process.env.TMPDIR ?? ""]
    .filter((folder) => folder !== "")
    .map(real);
  const homes = roots.map(real);
  const first: string[] = [];
  const last: string[] = [];
  for (const entry of path.split(delimiter)) {
    // An empty entry means the working directory, which is the repository.
    if (entry === "" || !isAbsolute(entry)) {
      last.push(entry === "" ? "." : entry);
      continue;
    }
    const place = real(entry);
    const inside = homes.some((home) => within(place, home));
    const suspect = inside || temporary.some((folder) => within(place, folder));
    const installed =
      installers &&
      (place.endsWith(join("node_modules", ".bin")) || existsSync(join(dirname(place), "pyvenv.cfg")));
    (suspect && !installed ? last : first).push(entry);
  }
  return [...new Set([...first, ...last])].join(delimiter);
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
export function resolveProgram(name: string, path: string, cwd: string): string | null {
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
