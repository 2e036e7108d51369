/** The hosts' binaries that tests run: the pinned ones of this folder's lock file, or those on PATH. */

import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ask, lastLine } from "./ask.ts";

const HOSTS = import.meta.dirname;
const ROOT = join(HOSTS, "..", "..");
export const MODULES = join(HOSTS, "node_modules");
const VERSION_MS = 20_000;

/** A host as the lock file has it. */
export interface PinnedHost {
  readonly name: string;
  /** The package whose version the binary tells. */
  readonly pinned: string;
  readonly installed: string;
  /** The lock file has it for this platform. */
  readonly here: boolean;
}

export type Found = { readonly path: string } | { readonly missing: string };

/** The installed binary, or else the one on PATH. */
export async function findBinary({ name, installed }: PinnedHost): Promise<Found> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of [installed, ...folders.map((folder) => join(folder, name))])
    if (await isExecutable(path)) return { path };
  return { missing: `no ${name} binary: npm ci --prefix test/hosts` };
}

/**
 * Installs the hosts if one of them is not there, quietly.
 * @param timeoutMs milliseconds for the whole installation
 * @returns null when they are there; else the reason why not
 */
export async function installPinned(hosts: readonly PinnedHost[], timeoutMs: number): Promise<string | null> {
  if ((await missingOf(hosts)) === null) return null;
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { exit, text } = await ask("npm", ["ci", "--prefix", HOSTS, ...quiet], ROOT, timeoutMs);
  if (exit !== 0) return `npm ci --prefix test/hosts failed: ${lastLine(text)}`;
  const missing = await missingOf(hosts);
  return missing === null ? null : `npm ci --prefix test/hosts left no ${missing} that starts`;
}

async function missingOf(hosts: readonly PinnedHost[]): Promise<string | null> {
  for (const host of hosts) if (host.here && !(await isThere(host))) return host.name;
  return null;
}

/** Asks the binary itself: a folder may be there without the part for this platform, or of another version. */
async function isThere({ installed, pinned }: PinnedHost): Promise<boolean> {
  if (!(await isExecutable(installed))) return false;
  const { dependencies, optionalDependencies } = JSON.parse(
    await readFile(join(HOSTS, "package.json"), "utf8"),
  );
  const { exit, text } = await ask(installed, ["--version"], HOSTS, VERSION_MS);
  return exit === 0 && text.trim().split(" ").at(-1) === { ...dependencies, ...optionalDependencies }[pinned];
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
