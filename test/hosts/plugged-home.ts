/** Homes of Codex's with the plugin in them: the host's own commands put it into one, and each home is a copy of that one. */

import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "./ask.ts";
import { makeHome } from "./codex.ts";

export const MARKETPLACE = join(import.meta.dirname, "..", "..", "dist", "codex");
/** Nobody listens there. */
const NO_MODEL = "http://127.0.0.1:9/v1";
const INSTALL_MS = 60_000;

export interface PluggedHome {
  readonly path: string;
  remove(): Promise<void>;
}

let pattern: Promise<string> | null = null;
/** Homes that are there: the pattern goes with the last of them, so that it stays behind in no way of running tests. */
let homes = 0;

/** @throws Error when the host does not take the plugin */
export async function pluggedHome(binary: string): Promise<PluggedHome> {
  homes++;
  pattern ??= makePattern(binary);
  try {
    const from = await pattern;
    const path = await makeHome(NO_MODEL);
    // What the host has in its own temporary folder belongs to a process that has ended.
    const ended = join(from, "codex", "tmp");
    await cp(from, path, { recursive: true, filter: (source) => source !== ended });
    let removed: Promise<void> | null = null;
    return { path, remove: () => (removed ??= rm(path, { recursive: true, force: true }).then(leave)) };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function leave(): Promise<void> {
  const last = pattern;
  if (--homes > 0 || last === null) return;
  pattern = null;
  const path = await last.catch(() => null);
  if (path !== null) await rm(path, { recursive: true, force: true });
}

async function makePattern(binary: string): Promise<string> {
  const home = await makeHome(NO_MODEL);
  try {
    // The installer puts roles where Codex reads them; a plugin cannot.
    await cp(join(MARKETPLACE, "plugins", "proofgate", "agents"), join(home, "codex", "agents"), {
      recursive: true,
    });
    const env = { ...process.env, HOME: home, CODEX_HOME: join(home, "codex") };
    for (const args of [
      ["plugin", "marketplace", "add", MARKETPLACE],
      ["plugin", "add", "proofgate@proofgate"],
    ]) {
      const { exit, text } = await ask(binary, args, home, INSTALL_MS, env);
      if (exit !== 0) throw new Error(`codex ${args.join(" ")}: ${text}`);
    }
    return home;
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}
