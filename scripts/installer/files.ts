/** Files for the installer: whole reads, replacement in one step that keeps links and modes, folders as one digest. */

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { errno, fromSystem } from "../../components/errors.ts";
import { sha256 } from "./spots.ts";

/** @returns null when there is no such file */
export function readIf(path: string): Buffer | null {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    const code = errno(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw fromSystem(error, `read ${path}`);
  }
}

export const textIf = (path: string): string | null => readIf(path)?.toString("utf8") ?? null;

/** @returns hex SHA-256, null when there is no such file */
export function digestIf(path: string): string | null {
  const bytes = readIf(path);
  return bytes === null ? null : sha256(bytes);
}

export function exists(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Permission bits; null when there is no such file. */
export function modeOf(path: string): number | null {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : stats.mode & 0o7777;
}

/** The folders from `path` upwards that do not exist yet, the deepest first. */
export function missingFolders(path: string): string[] {
  const missing: string[] = [];
  for (let at = path; !exists(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  return missing;
}

/** Where the new content of a file lies before it takes its place; whoever is ended in the middle leaves it behind. */
export function temporaryOf(path: string): string {
  const real = exists(path) ? fs.realpathSync(path) : path;
  return join(dirname(real), `.${basename(real)}.proofgate.tmp`);
}

/**
 * Replaces a file in one step. A symbolic link stays one, and the file behind it is replaced.
 * @param mode by default that of the file that is there, or else one that all may read
 */
export function replaceFile(path: string, data: string | Uint8Array, mode?: number): void {
  try {
    fs.mkdirSync(dirname(path), { recursive: true });
    const real = exists(path) ? fs.realpathSync(path) : path;
    const temporary = temporaryOf(path);
    removeFileIf(temporary);
    const fd = fs.openSync(temporary, "wx", 0o600);
    try {
      fs.writeFileSync(fd, data);
      fs.fchmodSync(fd, mode ?? modeOf(real) ?? 0o644);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, real);
  } catch (error) {
    throw fromSystem(error, `write ${path}`);
  }
}

export function removeFileIf(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (errno(error) !== "ENOENT") throw fromSystem(error, `remove ${path}`);
  }
}

/** Removes a folder that holds nothing; any other stays. */
export function removeEmpty(path: string): void {
  try {
    fs.rmdirSync(path);
  } catch (error) {
    const code = errno(error);
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR")
      throw fromSystem(error, `remove ${path}`);
  }
}

/** Files below a folder, sorted, with `/` between names. Links are listed as themselves. */
export function filesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !fs.lstatSync(join(folder, name)).isDirectory())
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
}

/** Names and contents of a folder as one digest; null when there is no such folder. */
export function digestFolder(folder: string): string | null {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  return digestFiles(new Map(filesBelow(folder).map((name) => [name, join(folder, name)])));
}

/** The digest that a folder with these files has. @param files where each one lies, by its name in the folder */
export function digestFiles(files: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) {
    const path = files.get(name) ?? name;
    const what = fs.lstatSync(path).isSymbolicLink() ? fs.readlinkSync(path) : fs.readFileSync(path);
    hash.update(`${name}\0${sha256(what)}\n`);
  }
  return hash.digest("hex");
}

/** Where a folder's new copy lies before it takes its place. */
export const freshOf = (folder: string): string => `${folder}.new`;

/** Puts a copy of a folder in the place of another, which is gone or whole at every moment but one rename. */
export function replaceFolder(from: string, to: string): void {
  replaceFolderBy(to, `copy ${from} to ${to}`, (fresh) => fs.cpSync(from, fresh, { recursive: true }));
}

/** The same for a folder that is put together file by file. @param files where each one lies, by its name in the folder */
export function replaceFolderWith(files: ReadonlyMap<string, string>, to: string): void {
  replaceFolderBy(to, `write ${to}`, (fresh) => {
    for (const [name, from] of files) fs.cpSync(from, join(fresh, name));
  });
}

function replaceFolderBy(to: string, what: string, fill: (fresh: string) => void): void {
  try {
    const fresh = freshOf(to);
    fs.rmSync(fresh, { recursive: true, force: true });
    fs.mkdirSync(dirname(to), { recursive: true });
    fill(fresh);
    fs.rmSync(to, { recursive: true, force: true });
    fs.renameSync(fresh, to);
  } catch (error) {
    throw fromSystem(error, what);
  }
}
