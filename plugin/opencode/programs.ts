/** The program on PATH of the agent's shell, for a user who has named the plugin in the configuration and done nothing else. */

import { mkdirSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileName, storeFolder } from "../../components/witness/files.ts";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "path");

/**
 * @param env of the host, which the shell's variables are added to
 * @param given those that are added; the program comes last on PATH, behind any other one
 */
export function addProgram(env: NodeJS.ProcessEnv, given: Record<string, string>): void {
  const folder = FOLDER.includes(delimiter) ? linkTo(FOLDER, storeFolder(env)) : FOLDER;
  given.PATH = [given.PATH ?? env.PATH ?? "", folder].filter((part) => part !== "").join(delimiter);
  // What a check is not to see of this: see components/evidence/environment.ts.
  given.PROOFGATE_PROGRAMS = folder;
  given.PROOFGATE_HOST = process.execPath;
}

/** A folder that PATH cannot name: a package from a tarball lies in one with the tarball's own path in it. */
function linkTo(folder: string, store: string): string {
  const link = join(store, `opencode-path-${fileName(folder)}`);
  if (leadsTo(link) === folder) return link;
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const own = `${link}.${process.pid}`;
  symlinkSync(folder, own);
  renameSync(own, link);
  return link;
}

function leadsTo(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null;
  }
}
