/** The files of the store outside the repository: whole JSON files, readable by their owner only. */

import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errno } from "../errors.ts";
import { token } from "../journal/token.ts";

/** `$XDG_STATE_HOME/proofgate`, by the XDG base directory specification `~/.local/state/proofgate` where that is unset. */
export function storeFolder(env: NodeJS.ProcessEnv): string {
  const home = env.HOME ?? homedir();
  return join(env.XDG_STATE_HOME || join(home, ".local", "state"), "proofgate");
}

/** SHA-256, hexadecimal. */
export const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Ids that are file names as they are; a shell can look for these without hashing. */
const PLAIN = /^[0-9A-Za-z][0-9A-Za-z-]{0,63}$/;

/** The name of a file that belongs to a session or a thread. Hosts' ids are UUIDs; any other never reaches a path as it is. */
export const idName = (id: string): string => (PLAIN.test(id) ? id : fileName(id));

/** The name of a file that belongs to a folder, or to anything else. */
export const fileName = (id: string): string => digest(id).slice(0, 32);

/** Null for a file that is missing, out of reach, or no JSON. */
export function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** Null for a file that is missing or out of reach. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Adds to a file in one write. @throws system errors, where the store is out of reach */
export function appendWhole(path: string, text: string): void {
  inFolder(path, () => appendFileSync(path, text, { mode: 0o600 }));
}

/** Replaces a file whole. @throws system errors, where the store is out of reach */
export function writeWhole(path: string, value: unknown): void {
  const temporary = `${path}.${token()}`;
  inFolder(path, () => writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 }));
  renameSync(temporary, path);
}

/** The folder is made when writing shows that it is missing: mostly it is there. */
function inFolder(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    write();
  }
}

/** The folder itself may be gone; its nearest parent that is there decides where it really lies. */
export function realFolder(path: string): string {
  const parts: string[] = [];
  let at = path;
  while (!existsSync(at)) {
    const parent = join(at, "..");
    if (parent === at) return path;
    parts.unshift(at.slice(parent.length).replace(/^[/\\]/, ""));
    at = parent;
  }
  return join(realpathSync(at), ...parts);
}
