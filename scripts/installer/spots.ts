/** Where everything lies: the host's folders, the copy of the plugin, the record, the links. */

import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

/** Name of the marketplace and of the plugin in it; the host knows the plugin as `proofgate@proofgate`. */
export const MARKET = "proofgate";
export const PLUGIN = `${MARKET}@${MARKET}`;

export interface Spots {
  readonly codexHome: string;
  /** The host's configuration. */
  readonly config: string;
  /** The host's own copy of the plugin, by version. */
  readonly cache: string;
  readonly roles: string;
  /** Our copy of the marketplace: the package may lie in a cache that npm empties. */
  readonly market: string;
  /** Record of what was installed; copies of changed files lie in `copies`. */
  readonly record: string;
  readonly copies: string;
  /** Who is installing at this moment, for whatever host: they share the links. */
  readonly turn: string;
  /** Where links to programs go. */
  readonly bin: string;
  /** Folders of PATH, in order. */
  readonly path: readonly string[];
}

/** @param env HOME, CODEX_HOME, PATH and the XDG folders are read, nothing else */
export function spotsOf(env: NodeJS.ProcessEnv): Spots {
  const home = env.HOME || homedir();
  const codexHome = resolve(env.CODEX_HOME || join(home, ".codex"));
  // Each home of the host has a record and a copy of its own, so that taking one away leaves the others whole.
  const own =
    codexHome === resolve(join(home, ".codex")) ? "codex" : `codex-${sha256(codexHome).slice(0, 8)}`;
  const state = join(env.XDG_STATE_HOME || join(home, ".local", "state"), "proofgate", "install");
  return {
    codexHome,
    config: join(codexHome, "config.toml"),
    cache: join(codexHome, "plugins", "cache", MARKET, MARKET),
    roles: join(codexHome, "agents"),
    market: join(env.XDG_DATA_HOME || join(home, ".local", "share"), "proofgate", own),
    record: join(state, `${own}.json`),
    copies: join(state, `${own}-copies`),
    turn: join(state, "install.turn"),
    bin: resolve(env.XDG_BIN_HOME || join(home, ".local", "bin")),
    path: (env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
  };
}

export const projectConfig = (root: string): string => join(root, ".codex", "config.toml");
export const projectRoles = (root: string): string => join(root, ".codex", "agents");

export const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
