/** Finds the Codex binary that the host tests run, and installs the pinned one from this folder's lock file. */

import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ask, lastLine } from "./ask.ts";

const HOSTS = import.meta.dirname;
const ROOT = join(HOSTS, "..", "..");
const INSTALLED = join(HOSTS, "node_modules", ".bin", "codex");
const VERSION_MS = 20_000;

type Found = { readonly path: string } | { readonly missing: string };

let found: Promise<Found> | undefined;
let installing: Promise<string | null> | undefined;

/** The installed binary, or else the one on PATH. Looked for once. */
export function codexBinary(): Promise<Found> {
  found ??= find();
  return found;
}

/**
 * Installs the host binaries if they are not there, quietly and once in this process.
 * @param timeoutMs milliseconds for the whole installation
 * @returns null when they are there; else the reason why not
 */
export function installHosts(timeoutMs = 300_000): Promise<string | null> {
  installing ??= install(timeoutMs);
  return installing;
}

async function find(): Promise<Found> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const path of [INSTALLED, ...folders.map((folder) => join(folder, "codex"))])
    if (await isExecutable(path)) return { path };
  return { missing: "no codex binary: npm ci --prefix test/hosts" };
}

async function install(timeoutMs: number): Promise<string | null> {
  if (await isThere()) return null;
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { exit, text } = await ask("npm", ["ci", "--prefix", HOSTS, ...quiet], ROOT, timeoutMs);
  if (exit !== 0) return `npm ci --prefix test/hosts failed: ${lastLine(text)}`;
  return (await isThere()) ? null : "npm ci --prefix test/hosts left no codex that starts";
}

/** Asks the binary itself: a folder may be there without the part for this platform, or of another version. */
async function isThere(): Promise<boolean> {
  if (!(await isExecutable(INSTALLED))) return false;
  const wanted: unknown = JSON.parse(await readFile(join(HOSTS, "package.json"), "utf8")).dependencies[
    "@openai/codex"
  ];
  const { exit, text } = await ask(INSTALLED, ["--version"], HOSTS, VERSION_MS);
  return exit === 0 && text.trim().split(" ").at(-1) === wanted;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
