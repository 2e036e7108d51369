/** Where everything lies for OpenCode: its configuration, our copy of the plugin, the record, the links. */

import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { exists } from "../files.ts";
import { sha256 } from "../spots.ts";

export interface OpenCodeSpots {
  readonly home: string;
  /** The user's folder of the host's configuration. */
  readonly configHome: string;
  /** Our copy of the plugin, with the program in it: the package may lie in a cache that npm empties. */
  readonly copy: string;
  /** The program in the copy. */
  readonly program: string;
  /** Record of what was installed; copies of changed files lie in `copies`. */
  readonly record: string;
  readonly copies: string;
  /** Who is installing at this moment, for whatever host: they share the links. */
  readonly turn: string;
  /** Where links to programs go. */
  readonly bin: string;
  /** Folders of PATH, in order. */
  readonly path: readonly string[];
  /** Where the host keeps programs that it fetched. */
  readonly hostBin: string;
}

/** @param env HOME, PATH and the XDG folders are read, nothing else */
export function openCodeSpots(env: NodeJS.ProcessEnv): OpenCodeSpots {
  const home = env.HOME || homedir();
  const configHome = resolve(env.XDG_CONFIG_HOME || join(home, ".config"), "opencode");
  // Each home of the host's configuration has a record and a copy of its own, so that taking one away leaves the others whole.
  const own =
    configHome === resolve(home, ".config", "opencode")
      ? "opencode"
      : `opencode-${sha256(configHome).slice(0, 8)}`;
  const state = join(env.XDG_STATE_HOME || join(home, ".local", "state"), "proofgate", "install");
  const copy = resolve(env.XDG_DATA_HOME || join(home, ".local", "share"), "proofgate", own);
  return {
    home,
    configHome,
    copy,
    program: join(copy, "bin", "proofgate.js"),
    record: join(state, `${own}.json`),
    copies: join(state, `${own}-copies`),
    turn: join(state, "install.turn"),
    bin: resolve(env.XDG_BIN_HOME || join(home, ".local", "bin")),
    path: (env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
    hostBin: join(env.XDG_CACHE_HOME || join(home, ".cache"), "opencode", "bin"),
  };
}

/** The user's configuration files: the host reads them all, and writes into the first that is there, as we do. */
export const userConfigs = ({ configHome }: OpenCodeSpots): readonly string[] =>
  ["opencode.jsonc", "opencode.json", "config.json"].map((name) => join(configHome, name));

/**
 * A repository's, in the order that we look in. Those in the root come first: where there is a folder `.opencode`, the host
 * installs a package of its own into it and waits for that at every start, so we do not make one.
 */
export const projectConfigs = (root: string): readonly string[] => [
  join(root, "opencode.jsonc"),
  join(root, "opencode.json"),
  join(root, ".opencode", "opencode.jsonc"),
  join(root, ".opencode", "opencode.json"),
];

/** The file to write into where none names us yet. */
export function chosenConfig(spots: OpenCodeSpots, root: string | null): string {
  const files = root === null ? userConfigs(spots) : projectConfigs(root);
  // The host makes `opencode.jsonc` for the user by itself; in a repository the plain name is the usual one.
  const fresh = root === null ? join(spots.configHome, "opencode.jsonc") : join(root, "opencode.json");
  return files.find(exists) ?? fresh;
}

/**
 * What stands in the configuration for our copy. A repository's file may be shared: the host puts the home folder of whoever
 * starts it into the place of `{env:HOME}`.
 */
export function entryFor({ copy, home }: OpenCodeSpots, root: string | null): string {
  const below = copy.startsWith(`${resolve(home)}/`);
  return root !== null && below ? `{env:HOME}${copy.slice(resolve(home).length)}` : copy;
}
