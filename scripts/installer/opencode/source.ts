/** The plugin as the package brings it, and the program that goes into our copy with it. */

import { readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { Refusal } from "../../../components/errors.ts";
import { table } from "../config-text.ts";
import { digestFiles, exists, filesBelow, textIf } from "../files.ts";

/** The plugin's name in its own `package.json`. */
export const PLUGIN_NAME = "proofgate-opencode";

export interface OpenCodeSource {
  /** The plugin's own. */
  readonly folder: string;
  readonly version: string;
  /** Where each file lies, by its name in our copy. */
  readonly files: ReadonlyMap<string, string>;
  /** Of all these files. */
  readonly digest: string;
}

/**
 * Finds the plugin beside the program that runs: in the package, or around the program in a copy.
 * @param program path of the program, links allowed
 * @throws Refusal `plugin_missing`
 */
export function sourceBeside(program: string): OpenCodeSource {
  const bin = dirname(realpathSync(program));
  const plugin = [join(bin, "opencode"), dirname(bin)].find(
    (folder) => manifestOf(folder).name === PLUGIN_NAME,
  );
  const version = plugin === undefined ? undefined : manifestOf(plugin).version;
  if (plugin === undefined || typeof version !== "string" || !exists(join(plugin, "index.js")))
    throw new Refusal("plugin_missing", "This copy of Proofgate brings no plugin for OpenCode.", {
      expected: `${join(bin, "opencode")} with a module in it`,
      found: plugin === undefined ? "no such folder" : `${plugin}, not whole`,
      next: ["npx proofgate@latest install opencode"],
    });
  const files = new Map<string, string>();
  for (const name of filesBelow(plugin)) if (!name.startsWith("bin/")) files.set(name, join(plugin, name));
  for (const name of readdirSync(bin))
    if (name.endsWith(".js") || name === "package.json") files.set(`bin/${name}`, join(bin, name));
  return { folder: plugin, version, files, digest: digestFiles(files) };
}

/** A folder's `package.json`; empty where there is none that can be read. */
export function manifestOf(folder: string): Readonly<Record<string, unknown>> {
  try {
    return table(JSON.parse(textIf(join(folder, "package.json")) ?? "null"));
  } catch {
    return {};
  }
}
