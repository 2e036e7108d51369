/** Which files a check consists of: what it names and executes, and the tests of the suite that it runs. */
import { posix } from "node:path";
import { RUNNERS } from "./channels/index.ts";
import { isTestFile, looksLikeCheck } from "./conventions.ts";
import { globs } from "./fingerprint.ts";
import { simpleCommands } from "./shell-words.ts";
import type { Check, Tree } from "./types.ts";
import { programName, unwrap, withoutRunner } from "./wrappers.ts";

export interface CheckFiles {
  /** Laid over the base tree, and hashed as the check's own. Sorted. */
  readonly own: readonly string[];
  /** What the command executes from the repository, whatever it is called. Sorted. */
  readonly scripts: readonly string[];
  /** What the command only reads to judge it: the work itself, never the check's own. Sorted. */
  readonly inspected: readonly string[];
}

/** Programs that look at files. A file named to them is what the check is about. */
const READERS = new Set(
  "grep egrep fgrep rg ag ack test [ [[ diff cmp comm cat jq yq xq wc head tail ls stat file find sha256sum sha1sum md5sum shasum sed awk gawk xmllint less cut sort uniq tr od xxd strings tee rm cp mv mkdir touch chmod ln echo printf cd pushd hexdump tac nl column tree du realpath readlink basename dirname dos2unix".split(
    " ",
  ),
);

const COMPARERS = new Set(["diff", "cmp", "comm"]);

/** Their plain words name tasks, even where a folder has the same name. */
const TASK_RUNNERS = new Set(
  "npm yarn pnpm make gmake just task rake nox tox gradle gradlew mvn mvnw turbo nx lerna invoke composer ninja bazel go cargo mix dotnet swift".split(
    " ",
  ),
);

/** Their first plain word names what they do, even where a folder has the same name: `bun test`, `playwright test`. */
const SUBCOMMANDERS = new Set(
  "bun deno rails flutter dart zig lein clojure playwright cypress meson stack cabal xcodebuild ng hardhat forge truffle react-scripts".split(
    " ",
  ),
);

/** Programs that execute the first file among their arguments, with the flags that take a value of their own. */
const INTERPRETERS: Readonly<
  Record<string, { readonly valued: readonly string[]; readonly inline: readonly string[] }>
> = {
  node: {
    valued: [
      "-r",
      "--require",
      "--import",
      "--loader",
      "--experimental-loader",
      "-C",
      "--conditions",
      "--env-file",
      "--test-name-pattern",
      "--test-reporter",
      "--test-timeout",
      "--test-concurrency",
    ],
    inline: ["-e", "--eval", "-p", "--print", "-pe"],
  },
  bun: {
    valued: ["--preload", "-r", "--cwd", "--env-file", "--config", "-c"],
    inline: ["-e", "--eval", "-p", "--print"],
  },
  deno: { valued: ["--config", "-c", "--import-map"], inline: ["eval"] },
  tsx: { valued: ["--tsconfig"], inline: ["-e"] },
  "ts-node": { valued: ["-P", "--project", "-O"], inline: ["-e"] },
  python: { valued: ["-W", "-X"], inline: ["-c", "-m"] },
  ruby: { valued: ["-I", "-r", "-C"], inline: ["-e"] },
  perl: { valued: ["-I", "-M"], inline: ["-e", "-E"] },
  php: { valued: ["-d", "-c"], inline: ["-r"] },
  bash: { valued: ["-o", "-O", "--rcfile"], inline: ["-c"] },
  sh: { valued: ["-o"], inline: ["-c"] },
  zsh: { valued: ["-o"], inline: ["-c"] },
  dash: { valued: ["-o"], inline: ["-c"] },
  source: { valued: [], inline: [] },
  ".": { valued: [], inline: [] },
  lua: { valued: ["-l"], inline: ["-e"] },
  wish: { valued: [], inline: [] },
  tclsh: { valued: [], inline: [] },
  Rscript: { valued: [], inline: ["-e"] },
  bats: { valued: ["-f", "--filter", "-j"], inline: [] },
};
const ALIASES: Readonly<Record<string, string>> = {
  python3: "python",
  python2: "python",
  nodejs: "node",
  pypy: "python",
  pypy3: "python",
  ash: "sh",
  ksh: "sh",
};

/** Commands that run a suite which they find by themselves. */
const SUITES: readonly RegExp[] = [
  /^(npm|yarn|pnpm|bun) (run(-script)? )?(test|t|tst|check|verify|e2e|spec|ci|lint|build|validate|typecheck|coverage)\b/,
  /^(npm|yarn|pnpm|bun) (run|run-script) /,
  /^bun test\b/,
  /^(pytest|py\.test|jest|vitest|mocha|ava|tap|jasmine|karma|playwright|cypress|cucumber(-js)?|qunit|uvu|nox|tox|ctest|rspec|phpunit|pest|rake|make|gmake|ninja|just|task|mvn|mvnw|gradle|gradlew|sbt|bazel|behave|nose2|nosetests|robot|bats|prove|busted|turbo|nx|lerna|invoke|composer|mix|elixir|swift|xcodebuild|flutter|dart|zig|stack|cabal|dune|meson|cmake)\b/,
  /^(go|cargo|deno|dotnet|mix|swift|flutter|dart|rails|zig|lein|clojure) (test|nextest|run|spec|vet|build)\b/,
  /^node (.* )?--test\b/,
  /^python (-\S+ )*-m (pytest|unittest|nose2|tox|nox|doctest|django|behave|coverage)\b/,
  /^python (.*\/)?manage\.py test\b/,
  /^(php )?artisan test\b/,
];

/**
 * Works out a check's files in a tree.
 * @param base paths that the base tree has, when known; nothing depends on it but that files gone today still count
 */
export function checkFiles(check: Check, tree: Tree, base: ReadonlySet<string> | null): CheckFiles {
  const exists = (path: string): boolean => tree.files.has(path) || (base?.has(path) ?? false);
  const all = [...tree.files.keys()];
  const named = examineAll(check, exists, (word) =>
    suffixIn(word, (path) => exists(path) || all.some((one) => one.startsWith(`${path}/`))),
  );
  const own = new Set<string>();
  if (check.files !== null) {
    const matches = globs(check.files);
    for (const path of all) if (matches(path)) own.add(path);
  } else {
    for (const path of named.scripts) {
      if (tree.files.has(path)) own.add(path);
      else if (check.scenario !== undefined)
        for (const below of all) if (below.startsWith(`${path}/`)) own.add(below);
    }
    for (const path of named.named) {
      if (tree.files.has(path)) {
        if (looksLikeCheck(path)) own.add(path);
      } else if (looksLikeCheck(path))
        for (const below of all) if (below.startsWith(`${path}/`)) own.add(below);
    }
    if (named.suite) for (const path of all) if (isTestFile(path)) own.add(path);
    // A test rarely stands alone: fixtures and helpers beside it, in a folder of tests, are its own as well.
    const testFolders = new Set([...own].filter(isTestFile).map(testFolderOf));
    testFolders.delete(null);
    if (testFolders.size > 0)
      for (const path of all) if (isTestFile(path) && testFolders.has(testFolderOf(path))) own.add(path);
  }
  // A scenario may name a folder, which stands for what is in it.
  const scripts = named.scripts.filter((path) => exists(path) && (check.files === null || !own.has(path)));
  return {
    own: [...own].sort(),
    scripts: [...new Set(scripts)].sort(),
    inspected: [...new Set(named.inspected)].filter((path) => !own.has(path)).sort(),
  };
}

/** What the command names, or, where there is a scenario, what that consists of. */
function examineAll(check: Check, exists: Exists, absolute: Absolute): Examined {
  const found = examine(check, exists, absolute);
  if (check.scenario === undefined) return found;
  const looks = RUNNERS[check.channel].instruments?.(check) ?? [];
  return started(
    check,
    found,
    looks.map((run) => examine({ ...check, run }, exists, absolute)),
  );
}

/**
 * What a scenario starts is the work that is looked at, unless it is called like a check; the scenario's own files are what
 * it is made of, and what it looks with. No suite runs by it.
 */
function started(check: Check, found: Examined, looks: readonly Examined[]): Examined {
  const files = RUNNERS[check.channel].files?.(check) ?? [];
  const own = files.flatMap((file) => relativePath(check.cwd, file) ?? []);
  const isOwn = (path: string): boolean => looksLikeCheck(path);
  const { scripts, named, inspected } = found;
  return {
    scripts: [...scripts.filter(isOwn), ...own, ...looks.flatMap((one) => one.scripts)],
    // A fixture is one, even where the work only reads it.
    named: [...[...named, ...inspected].filter(isOwn), ...looks.flatMap((one) => one.named)],
    inspected: [...scripts, ...named, ...inspected].filter((path) => !isOwn(path)),
    suite: false,
  };
}

/** An absolute path as one in the repository: the longest end of it that is there. System folders never are. */
function suffixIn(word: string, isThere: (path: string) => boolean): string | null {
  if (/^\/(usr|bin|sbin|etc|dev|proc|lib\d*|sys)\//.test(word)) return null;
  const parts = posix
    .normalize(word)
    .split("/")
    .filter((part) => part !== "");
  for (let from = 1; from < parts.length; from++) {
    const path = parts.slice(from).join("/");
    if (isThere(path)) return path;
  }
  return null;
}

/** Paths, relative to the root, that the command's words name or could name: also ones that Git ignores. */
export function namedFiles(check: Check): readonly string[] {
  const { scripts, named, inspected } = examineAll(
    check,
    () => true,
    () => null,
  );
  return [...new Set([...scripts, ...named, ...inspected])].sort();
}

/** The outermost folder on the way to a file that is called like tests are; null when there is none. */
function testFolderOf(path: string): string | null {
  const parts = path.split("/");
  for (let length = 1; length < parts.length; length++) {
    const folder = parts.slice(0, length).join("/");
    if (isTestFile(`${folder}/x`)) return folder;
  }
  return null;
}

interface Examined {
  readonly scripts: string[];
  readonly named: string[];
  readonly inspected: string[];
  /** A suite runs that was not told which files. */
  readonly suite: boolean;
}

type Exists = (path: string) => boolean;
type Absolute = (word: string) => string | null;

function examine(check: Check, exists: Exists, absolute: Absolute): Examined {
  const found: Examined & { suite: boolean } = {
    scripts: [],
    named: [],
    inspected: [],
    suite: false,
  };
  let cwd = check.cwd;
  for (const { words: raw, redirects } of simpleCommands(check.run)) {
    const words = withoutRunner(unwrap(raw));
    const name = programName(words);
    if (name === "cd" || name === "pushd") {
      const to = words[1] ?? "";
      cwd = to.startsWith("/") ? (absolute(to) ?? "") : (relativePath(cwd, to) ?? cwd);
      continue;
    }
    const place = (word: string): string | null =>
      word.startsWith("/") ? absolute(word) : relativePath(cwd, word);
    for (const { op, target } of redirects) {
      const path = op.startsWith("<") ? place(target) : null;
      if (path !== null && exists(path)) (looksLikeCheck(path) ? found.named : found.inspected).push(path);
    }
    const program = words[0] ?? "";
    const executed = program.includes("/") ? place(program) : null;
    if (executed !== null && exists(executed) && !executed.includes("node_modules/"))
      found.scripts.push(executed);
    const script = scriptWord(words);
    const scriptPath = script === null ? null : scriptAt(script, place, exists);
    if (scriptPath !== null) found.scripts.push(scriptPath);
    let toldWhich = script !== null && isTestFile(script);
    for (const word of words.slice(1)) {
      if (word === script || (word === words[1] && SUBCOMMANDERS.has(name) && !/[./]/.test(word))) continue;
      const path = pathIn(word, place);
      if (path === null || path === "") continue;
      if (READERS.has(name)) {
        // What an output is compared with says what is wanted: a golden file belongs to the check.
        if (exists(path))
          (COMPARERS.has(name) && isTestFile(path) ? found.named : found.inspected).push(path);
      } else if (!TASK_RUNNERS.has(name) || /[./]/.test(word)) {
        found.named.push(path);
        if (name === "node" && words.includes("--test") && exists(path)) found.scripts.push(path);
        if (isTestFile(path) || isTestFile(`${path}/x`)) toldWhich = true;
      }
    }
    if (!toldWhich && runsSuite(words)) found.suite = true;
  }
  return found;
}

/** Whether a simple command runs tests, or a task, that it finds by itself. */
export function runsSuite(words: readonly string[]): boolean {
  const name = programName(words);
  const line = [ALIASES[name] ?? name, ...words.slice(1)].join(" ");
  return SUITES.some((form) => form.test(line));
}

/** The script that an interpreter is told to execute, as it is written; null when it runs inline code or a suite. */
export function scriptWord(words: readonly string[]): string | null {
  const name = programName(words);
  if (name === "make" || name === "gmake") {
    const flag = words.findIndex((word) => word === "-f" || word === "--file");
    return flag < 0 ? null : (words[flag + 1] ?? null);
  }
  const canonical = (ALIASES[name] ?? name).replace(/^python3?\.\d+$/, "python");
  const interpreter = INTERPRETERS[canonical];
  if (interpreter === undefined) return null;
  // The test runner takes files and folders alike, and any number of them.
  if (canonical === "node" && words.includes("--test")) return null;
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? "";
    if (interpreter.inline.includes(word)) return null;
    if (interpreter.valued.includes(word)) index++;
    else if (word === "--") return words[index + 1] ?? null;
    else if (word.startsWith("-")) {
      // `bash -ec LINE`, `perl -ne CODE`: the code is in the words.
      if (/^-[a-z]*[ce]$/.test(word) && canonical !== "node" && canonical !== "bun") return null;
    } else if ((canonical === "bun" || canonical === "deno") && (word === "run" || word === "task")) {
      const next = words[index + 1] ?? "";
      return word === "run" && /[./]/.test(next) ? next : null;
    } else if ((canonical === "bun" || canonical === "deno") && !/[./]/.test(word)) return null;
    else return word;
  }
  return null;
}

/** Node and Bun find `./cli` as `./cli.js` or `./cli/index.js`. */
function scriptAt(
  word: string,
  place: (word: string) => string | null,
  exists: (path: string) => boolean,
): string | null {
  const path = place(word);
  if (path === null) return null;
  return (
    [path, `${path}.js`, `${path}.mjs`, `${path}.ts`, `${path}/index.js`, `${path}/__main__.py`].find(
      exists,
    ) ?? null
  );
}

/** A word as a path inside the repository: plain, behind `--flag=`, or before `::test` and `:12`. */
function pathIn(word: string, place: (word: string) => string | null): string | null {
  const value = word.startsWith("-") ? (/^--?[\w-]+=(.+)$/.exec(word)?.[1] ?? null) : word;
  if (value === null || value.length > 300 || /[\s$`*?"'{}|;]/.test(value)) return null;
  return place(value.replace(/::.*$/, "").replace(/:\d+(:\d+)?$/, ""));
}

/** Relative to the root; null for what lies outside it or cannot be a path. */
function relativePath(cwd: string, word: string): string | null {
  if (
    word === "" ||
    word.startsWith("/") ||
    word.startsWith("~") ||
    word.includes("://") ||
    word.includes("$")
  )
    return null;
  const path = posix.normalize(posix.join(cwd, word)).replace(/\/+$/, "");
  if (path === ".." || path.startsWith("../")) return null;
  return path === "." ? "" : path;
}
