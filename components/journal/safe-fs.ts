/** What may become a path, and how a file is replaced: ids, slugs, folders without symbolic links, atomic writes. */

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { errno, fromSystem, Refusal } from "../errors.ts";
import { token } from "./token.ts";

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;
const SLUG_LENGTH = 40;
/** Signs that part words without meaning anything; other signs (`+`, `#`, …) tell two texts apart, so losing them is lossy. */
const SEPARATORS = /[\s.,:;!?'"()_/-]+/g;

/** Hex SHA-256 of text (as UTF-8) or bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * Lets an id through that is safe as one path component.
 * @param what what the id names, in words ("session id")
 * @returns the id unchanged
 * @throws Refusal `invalid_id`
 */
export function assertId(text: string, what: string): string {
  if (ID.test(text) && !text.includes("..")) return text;
  throw new Refusal("invalid_id", `This ${what} cannot be used in a path.`, {
    expected: "1 to 80 of A-Z a-z 0-9 . _ -, starting with a letter or digit, without ..",
    found: JSON.stringify(text.slice(0, 100)),
    next: [`choose another ${what}`],
  });
}

/**
 * A readable folder name for any text: lower-case ASCII, at most 40 characters, always a valid id.
 * Where letters, meaningful signs or length were lost, 8 hex digits of the text's SHA-256 keep two texts apart; the text
 * counts in its NFC form with white space collapsed, so Unicode form and line breaks do not make another slug.
 */
export function slugify(text: string): string {
  const whole = text.normalize("NFC").replace(/\s+/gu, " ").trim();
  const words = (from: string) => from.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  const plain = words(whole.toLowerCase());
  const lossless = /^[a-z0-9-]+$/.test(whole.toLowerCase().replace(SEPARATORS, "-"));
  if (lossless && plain !== "" && plain.length <= SLUG_LENGTH) return plain;
  const mark = sha256(whole).slice(0, 8);
  const readable = words(
    whole
      .normalize("NFKD")
      .replace(/\p{M}+/gu, "")
      .toLowerCase(),
  );
  return `${readable.slice(0, SLUG_LENGTH - 1 - mark.length).replace(/-+$/, "") || "goal"}-${mark}`;
}

function unsafe(path: string, found: string): Refusal {
  return new Refusal("unsafe_path", "State files and folders must be real ones inside the repository.", {
    expected: "no symbolic link, no special file, nothing outside the root",
    found: `${path}: ${found}`,
    next: [`replace ${path} by a real file or folder`],
  });
}

function lstat(path: string): fs.Stats | null {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw fromSystem(error, `look at ${path}`);
  }
}

function kindOf(stats: fs.Stats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  return stats.isDirectory() ? "a folder" : stats.isFile() ? "a file" : "a special file";
}

/** The folders from below `root` down to `dir`. Throws `unsafe_path` when `dir` is not inside `root`. */
function foldersBelow(root: string, dir: string): string[] {
  const way = relative(resolve(root), resolve(dir));
  if (way === "") return [];
  if (isAbsolute(way) || way.split(sep)[0] === "..") throw unsafe(dir, `outside ${root}`);
  const names = way.split(sep);
  return names.map((_, index) => join(root, ...names.slice(0, index + 1)));
}

/**
 * Makes sure that every folder from below `root` to `dir` that exists is a real folder. `root` itself may be a link.
 * @returns whether `dir` exists
 * @throws Refusal `unsafe_path`
 */
export function checkDir(root: string, dir: string): boolean {
  for (const folder of foldersBelow(root, dir)) {
    const stats = lstat(folder);
    if (stats === null) return false;
    if (!stats.isDirectory()) throw unsafe(folder, kindOf(stats));
  }
  return true;
}

/**
 * Looks at a state file without following links.
 * @returns its stats, or null when there is none
 * @throws Refusal `unsafe_path` for anything but a regular file
 */
export function checkFile(path: string): fs.Stats | null {
  const stats = lstat(path);
  if (stats !== null && !stats.isFile()) throw unsafe(path, kindOf(stats));
  return stats;
}

/**
 * Makes a state folder below `root`, with the `.gitignore` that keeps it out of Git.
 * @param options.track the user wants the state in Git: only locks and temporary files are ignored then
 * @throws Refusal `unsafe_path`, `no_permission`, `disk_full`, `io_error`
 */
export function ensureStateDir(root: string, dir: string, options: { track: boolean }): void {
  for (const folder of foldersBelow(root, dir)) ensureDir(folder);
  const path = join(dir, ".gitignore");
  const own = { all: "*\n", track: "lock/\n*.tmp\n" };
  const wanted = options.track ? own.track : own.all;
  if (checkFile(path) === null) writeFileAtomic(path, wanted);
  else {
    // Only a file that we wrote is replaced; the user's own one stays.
    const now = fs.readFileSync(path, "utf8");
    if (now !== wanted && (now === own.all || now === own.track)) writeFileAtomic(path, wanted);
  }
}

/** Makes one folder unless it is there. Throws `unsafe_path` when something else bears its name. */
export function ensureDir(path: string): void {
  const stats = lstat(path);
  if (stats?.isDirectory()) return;
  if (stats !== null) throw unsafe(path, kindOf(stats));
  try {
    fs.mkdirSync(path);
  } catch (error) {
    if (errno(error) !== "EEXIST") throw fromSystem(error, `make folder ${path}`);
    ensureDir(path);
  }
}

/** Content that lies on the disk under a temporary name and waits to take its place. */
export interface Staged {
  /** Takes the final name in one step. On failure the temporary file is gone and a refusal is thrown. */
  publish(): void;
  /** Drops the temporary file. */
  discard(): void;
}

/** How the temporary files of `stageFile(path)` begin; whoever crashed leaves one behind. */
export function stagedPrefix(path: string): string {
  return `.${basename(path)}.`;
}

/**
 * Writes and syncs the new content of `path` next to it, so that a full disk shows before anything changed.
 * @throws Refusal `disk_full`, `no_permission`, `io_error`; the temporary file is gone then
 */
export function stageFile(path: string, data: string | Uint8Array): Staged {
  const temporary = join(dirname(path), `${stagedPrefix(path)}${token()}.tmp`);
  const discard = () => removeFile(temporary);
  const guarded = (act: () => void) => {
    try {
      act();
    } catch (error) {
      discard();
      throw fromSystem(error, `write ${basename(path)}`);
    }
  };
  guarded(() => {
    const fd = fs.openSync(temporary, "wx");
    try {
      writeAll(fd, typeof data === "string" ? Buffer.from(data) : data);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
  return { publish: () => guarded(() => fs.renameSync(temporary, path)), discard };
}

/**
 * Replaces a file in one step: a reader sees the old or the new content, never a part.
 * @throws Refusal `disk_full`, `no_permission`, `io_error`; the file is as before then
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  stageFile(path, data).publish();
}

/** Writes all of `data` at the descriptor's place: in one call, unless the system took only a part. */
export function writeAll(fd: number, data: Uint8Array): void {
  for (let done = 0; done < data.length; ) done += fs.writeSync(fd, data, done, data.length - done);
}

/** Removes a file if it is there. (`fs.rmSync` loads a whole tree remover, which one-shot commands would pay for.) */
export function removeFile(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (errno(error) !== "ENOENT") throw fromSystem(error, `remove ${basename(path)}`);
  }
}

/** Makes a new or renamed entry of a folder durable, where the system can. */
export function syncDir(dir: string): void {
  let fd: number;
  try {
    fd = fs.openSync(dir, "r");
  } catch {
    return; // Windows cannot open folders.
  }
  try {
    fs.fsyncSync(fd);
  } catch {
    // Some file systems refuse to sync folders; the file itself is synced.
  } finally {
    fs.closeSync(fd);
  }
}
