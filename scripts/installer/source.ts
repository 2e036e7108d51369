/** The plugin as the package brings it: where it lies, its version, its roles, its hooks. */

import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { table } from "./config-text.ts";
import { digestFolder, digestIf, exists, filesBelow, textIf } from "./files.ts";
import { MARKET, PLUGIN, sha256 } from "./spots.ts";

export interface Source {
  /** Folder of the marketplace. */
  readonly folder: string;
  readonly version: string;
  /** Of the whole marketplace. */
  readonly digest: string;
  /** Of the plugin in it, as the host copies it. */
  readonly plugin: string;
  readonly roles: readonly { readonly name: string; readonly path: string; readonly sha: string }[];
  /** The host's keys of the plugin's hooks. */
  readonly hooks: readonly string[];
  /** The program, below the marketplace's folder. */
  readonly program: string;
  /** Of the hook definitions alone, which is what the host's first hash is about. */
  readonly hooksSha: string;
}

const PLUGIN_FOLDER = join("plugins", MARKET);

/**
 * Finds the marketplace beside the program that runs: in the package, or around a copy inside the plugin.
 * @param program path of the program, links allowed
 * @throws Refusal `plugin_missing`
 */
export function marketBeside(program: string): string {
  const folder = dirname(realpathSync(program));
  for (const candidate of [join(folder, "codex"), join(folder, "..", "..", "..")])
    if (exists(join(candidate, ".agents", "plugins", "marketplace.json"))) return candidate;
  throw new Refusal("plugin_missing", "This copy of Proofgate brings no plugin for Codex.", {
    expected: `${join(folder, "codex")} with a marketplace in it`,
    found: "no such folder",
    next: ["npx proofgate@latest install codex"],
  });
}

/** @throws Refusal `plugin_missing` */
export function readSource(folder: string): Source {
  const plugin = join(folder, PLUGIN_FOLDER);
  const manifest = json(join(plugin, ".codex-plugin", "plugin.json"));
  const hooksPath = join(plugin, "hooks", "hooks.json");
  const digest = digestFolder(folder);
  const pluginDigest = digestFolder(plugin);
  const program = ["proofgate.js", "proofgate.cjs", "proofgate.mjs", "proofgate"]
    .map((name) => join(PLUGIN_FOLDER, "bin", name))
    .find((path) => exists(join(folder, path)));
  if (
    digest === null ||
    pluginDigest === null ||
    program === undefined ||
    typeof manifest.version !== "string"
  )
    throw incomplete(plugin);
  const roles = exists(join(plugin, "agents"))
    ? filesBelow(join(plugin, "agents")).filter((name) => name.endsWith(".toml"))
    : [];
  return {
    folder,
    version: manifest.version,
    digest,
    plugin: pluginDigest,
    roles: roles.map((name) => {
      const path = join(plugin, "agents", name);
      return { name: basename(name), path, sha: digestIf(path) ?? "" };
    }),
    hooks: hookKeys(json(hooksPath)),
    hooksSha: sha256(textIf(hooksPath) ?? ""),
    program,
  };
}

/** As the host names them: event in snake case, number of the group, number of the handler. */
function hookKeys(file: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(table(file.hooks)).flatMap(([event, groups]) =>
    (Array.isArray(groups) ? groups : []).flatMap((group, index) => {
      const { hooks } = table(group);
      const name = event.replace(/(?<!^)([A-Z])/g, "_$1").toLowerCase();
      return (Array.isArray(hooks) ? hooks : []).map(
        (_, handler) => `${PLUGIN}:hooks/hooks.json:${name}:${index}:${handler}`,
      );
    }),
  );
}

function json(path: string): Record<string, unknown> {
  const text = textIf(path);
  if (text === null) throw incomplete(path);
  try {
    return table(JSON.parse(text));
  } catch {
    throw incomplete(path);
  }
}

const incomplete = (found: string): Refusal =>
  new Refusal("plugin_missing", "The plugin for Codex in this copy of Proofgate is not whole.", {
    expected: "a manifest with a version, hooks/hooks.json, bin/proofgate.js",
    found,
    next: ["npx proofgate@latest install codex"],
  });
