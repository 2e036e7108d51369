/** The package scripts that a command runs: what `npm run bench` stands for, in whichever package of the repository. */

import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { globs } from "../evidence/fingerprint.ts";
import { simpleCommands } from "../evidence/shell-words.ts";
import type { Tree } from "../evidence/types.ts";
import { programName, unwrap } from "../evidence/wrappers.ts";

/** A line of a script, and the folder that it runs in, from the root. */
export interface ScriptLine {
  readonly run: string;
  readonly cwd: string;
}

export interface PackageScripts {
  /** Texts of the scripts: by their names alone in the command's own package, else as `<folder>#<name>`. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly lines: readonly ScriptLine[];
  /** The lines, and the command, that do nothing else than run such scripts. */
  readonly only: ReadonlySet<string>;
}

const RUNNERS = new Set(["npm", "yarn", "pnpm", "bun"]);
/** Words of theirs that are no scripts, whatever a package calls its own. */
const OWN_WORDS = new Set(["install", "ci", "exec", "x", "dlx", "add", "create", "init"]);
/** Bun does these itself where no `run` stands before them. */
const BUN_WORDS = new Set([
  "test",
  "build",
  "link",
  "update",
  "remove",
  "publish",
  "patch",
  "pm",
  "outdated",
]);
const FOLDER_FLAGS = new Set(["--prefix", "--cwd", "-C", "--dir"]);
const PACKAGE_FLAGS = new Set(["-w", "--workspace", "--filter", "-F"]);
const EVERY_FLAGS = new Set(["-ws", "--workspaces", "-r", "--recursive"]);

/**
 * Scripts of the packages that the command runs, those before and after them, and those that they run.
 * @param tree where the packages of a workspace are looked for
 */
export function packageScripts(
  root: string,
  { command, cwd }: { readonly command: string; readonly cwd: string },
  tree: Tree,
): PackageScripts {
  const packages = openPackages(root, tree);
  const home = packages.above(cwd) ?? cwd;
  const found = new Map<string, string>();
  const lines: ScriptLine[] = [];
  const only = new Set<string>();
  const visit = (line: string, from: string): void => {
    let folder = from;
    let others = 0;
    for (const { words: raw } of simpleCommands(line)) {
      const words = unwrap(raw);
      if (words[0] === "cd") {
        folder = posix.join(folder, words[1] ?? "");
        continue;
      }
      const called = scriptsCalled(words, folder, packages);
      if (called.length === 0) others++;
      for (const { place, name } of called)
        for (const one of [`pre${name}`, name, `post${name}`]) {
          const text = packages.scripts(place)[one];
          const key = place === home ? one : `${place}#${one}`;
          if (text === undefined || found.has(key)) continue;
          found.set(key, text);
          lines.push({ run: text, cwd: place });
          visit(text, place);
        }
    }
    if (others === 0) only.add(line);
  };
  visit(command, cwd);
  return {
    scripts: Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))),
    lines,
    only,
  };
}

/** Paths of the package.json files that scripts are in, from the root. @param keys those of the scripts */
export function packagePaths(root: string, cwd: string, keys: readonly string[]): readonly string[] {
  const home = nearest(root, cwd) ?? cwd;
  const folders = keys.map((key) => {
    const end = key.lastIndexOf("#");
    const folder = key.slice(0, Math.max(end, 0));
    // A script's own name may have the sign in it.
    return end >= 0 && existsSync(join(root, folder, "package.json")) ? folder : home;
  });
  return [...new Set(folders)].map((folder) => posix.join(folder, "package.json"));
}

interface Packages {
  /** The package that a folder belongs to; null for none. */
  above(folder: string): string | null;
  /** Packages that are called so, by name, folder or pattern. */
  called(pattern: string): readonly string[];
  all(): readonly string[];
  scripts(place: string): Readonly<Record<string, string>>;
}

function openPackages(root: string, tree: Tree): Packages {
  const read = new Map<string, Readonly<Record<string, unknown>>>();
  const manifest = (place: string): Readonly<Record<string, unknown>> => {
    const known = read.get(place) ?? manifestIn(join(root, place));
    read.set(place, known);
    return known;
  };
  const all = (): string[] =>
    [...tree.files.keys()].flatMap((path) =>
      path === "package.json" ? [""] : path.endsWith("/package.json") ? [posix.dirname(path)] : [],
    );
  return {
    above: (folder) => nearest(root, folder),
    called(pattern) {
      const plain = pattern.replace(/^\.\.\.|\.\.\.$/g, "").replace(/^\{?\.\/|\}$|\^$/g, "");
      const matches = globs([plain]);
      return all().filter((place) => matches(place) || matches(String(manifest(place).name ?? "")));
    },
    all,
    scripts(place) {
      const { scripts } = manifest(place);
      const texts = Object.entries(scripts !== null && typeof scripts === "object" ? scripts : {});
      return Object.fromEntries(texts.filter(([, text]) => typeof text === "string"));
    },
  };
}

function manifestIn(folder: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return parsed !== null && typeof parsed === "object" ? { ...parsed } : {};
  } catch {
    return {};
  }
}

/** All of these programs look upwards for a package. */
function nearest(root: string, from: string): string | null {
  for (let folder = posix.join(from, "."); ; folder = posix.dirname(folder)) {
    const place = folder === "." ? "" : folder;
    if (place.startsWith("..")) return null;
    if (existsSync(join(root, place, "package.json"))) return place;
    if (place === "") return null;
  }
}

/**
 * `npm run bench`, `yarn bench`, `npm -w a test`: which scripts of which packages that is. Only such as are there: `bun x.js`
 * and `yarn tsx x.ts` name files and programs in the place of a script.
 */
function scriptsCalled(
  words: readonly string[],
  from: string,
  packages: Packages,
): readonly { readonly place: string; readonly name: string }[] {
  const program = programName(words);
  if (!RUNNERS.has(program)) return [];
  const plain: string[] = [];
  let folder = from;
  let places: readonly string[] | null = null;
  for (let at = 1; at < words.length && words[at] !== "--"; at++) {
    const word = words[at] ?? "";
    const equals = word.startsWith("-") ? word.indexOf("=") : -1;
    const flag = equals < 0 ? word : word.slice(0, equals);
    const value = (): string => (equals < 0 ? (words[++at] ?? "") : word.slice(equals + 1));
    if (FOLDER_FLAGS.has(flag)) folder = posix.join(folder, value());
    // Of pnpm's a flag without a value: the package that is the workspace's root.
    else if (program === "pnpm" && (flag === "-w" || flag === "--workspace-root")) places = [""];
    else if (PACKAGE_FLAGS.has(flag)) places = [...(places ?? []), ...packages.called(value())];
    else if (EVERY_FLAGS.has(flag)) places = packages.all();
    else if (!word.startsWith("-")) plain.push(word);
  }
  if (plain[0] === "workspace") places = packages.called(plain.splice(0, 2)[1] ?? "");
  if (plain[0] === "workspaces") places = packages.all();
  const own = packages.above(folder);
  return (places ?? (own === null ? [] : [own])).flatMap((place) => {
    const name = scriptAmong(program, plain, packages.scripts(place));
    return name === null ? [] : [{ place, name }];
  });
}

function scriptAmong(
  program: string,
  plain: readonly string[],
  scripts: Readonly<Record<string, string>>,
): string | null {
  const isThere = (name: string): boolean => Object.hasOwn(scripts, name);
  const run = plain.findIndex((word) => word === "run" || word === "run-script");
  // A flag's value may stand before it.
  const names = (run < 0 ? plain : plain.slice(run + 1)).map((word) =>
    /^t(st)?$/.test(word) ? "test" : word,
  );
  const [first = ""] = names;
  if (run < 0 && (OWN_WORDS.has(first) || (program === "bun" && BUN_WORDS.has(first)))) return null;
  return (run < 0 ? names.find(isThere) : names.slice(0, 1).find(isThere)) ?? null;
}
