/**
 * Code outside the repository that the work names by its path: an absolute import, a folder put on a search path. No
 * tree holds it, so that a proof would stay fresh whatever becomes of it; it goes into the receipt by itself.
 *
 * Only what is written out as a path is found. Where a path is computed the clean run in CI is what tells.
 */
import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./within.ts";

/** A file that is longer than this names nothing by hand. */
const MAX_READ = 1024 * 1024;
/** Larger ones are interpreters and the like, and would be read at every look. */
const MAX_LOADED = 8 * 1024 * 1024;
/** In all: a generated file may hold thousands of paths. */
const MAX_FOUND = 200;
/** Files that programs load. Logs, caches and data change by themselves, and would make honest proofs stale. */
const LOADED = new Set(
  ".js .mjs .cjs .jsx .ts .mts .cts .tsx .py .rb .pl .pm .php .lua .sh .bash .wasm .node .so .dylib .jar .class".split(
    " ",
  ),
);
/** What may be left out of an import. */
const ENDINGS = ["", ".js", ".mjs", ".cjs", ".ts", ".py", ".rb", "/index.js", "/index.ts", "/__init__.py"];
/** Belongs to the machine and not to the work. */
const SYSTEM =
  /^\/(usr|bin|sbin|lib\w*|etc|proc|dev|sys|run|boot|nix|snap|System|Library|Applications|var(?!\/tmp\/))(\/|$)/;
const PATH = /(?<![\w.~/@:-])(?:file:\/\/)?((?:~?\/|(?:\.\.?\/)+)[^\s"'`<>|;,(){}[\]\\$*?#]+)/g;

/**
 * @param root repository root, as a real path
 * @param command the check's own words
 * @param paths files of the repository whose text is looked at, relative to the root
 * @returns absolute paths of existing code files outside the root, sorted
 */
export function codeOutside(root: string, command: string, paths: Iterable<string>): string[] {
  const found = new Set(namedIn(command, join(root, "-"), root));
  const pending = [...[...paths].map((path) => join(root, path)), ...found];
  for (let file = pending.shift(); file !== undefined && found.size < MAX_FOUND; file = pending.shift())
    for (const outside of namedIn(textOf(file) ?? "", file, root)) {
      if (found.has(outside)) continue;
      found.add(outside);
      // What is loaded from there loads its neighbours.
      pending.push(outside);
    }
  return [...found].sort();
}

/** @param file where the text stands, which relative paths start from */
function namedIn(text: string, file: string, root: string): string[] {
  const outside = (place: string): boolean => !SYSTEM.test(place) && !within(place, root);
  return [...text.matchAll(PATH)].flatMap((match) =>
    placesOf(match[1] ?? "", file, root)
      .filter(outside)
      .flatMap(codeAt)
      .filter(outside),
  );
}

/** Where a written path may lead: from the file that has it, or from the root, where commands run. */
function placesOf(written: string, file: string, root: string): string[] {
  if (written.startsWith("~/")) return [join(homedir(), written.slice(2))];
  if (isAbsolute(written)) return [decoded(written)];
  return [...new Set([resolve(dirname(file), written), resolve(root, written)])];
}

function decoded(path: string): string {
  try {
    return path.includes("%") ? fileURLToPath(`file://${path}`) : resolve(path);
  } catch {
    return resolve(path);
  }
}

/** The code file at a place, or those in a folder that is named as one to search. */
function codeAt(place: string): string[] {
  for (const ending of ENDINGS) {
    const path = real(place + ending);
    if (path !== null && isLoaded(path)) return [path];
  }
  const folder = real(place);
  if (folder === null || !stat(folder)?.isDirectory() || isCommon(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter(isLoaded);
}

/** Folders that hold everybody's files. */
const isCommon = (folder: string): boolean =>
  ["/", "/tmp", "/var/tmp", tmpdir(), homedir(), dirname(homedir())].some((one) => real(one) === folder);

function isLoaded(path: string): boolean {
  const stats = stat(path);
  if (!stats?.isFile() || stats.size > MAX_LOADED) return false;
  return LOADED.has(extname(path)) || (stats.mode & 0o100) !== 0;
}

function textOf(path: string): string | null {
  try {
    const stats = lstatSync(path);
    return stats.isFile() && stats.size <= MAX_READ ? readFileSync(path, "utf8") : null;
  } catch {
    return null;
  }
}

function stat(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
