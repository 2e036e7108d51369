/** What installing for OpenCode will do: `--dry-run` prints this very list, `apply` carries it out. */

import { realpathSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal } from "../../../components/errors.ts";
import { digestFolder, exists, textIf } from "../files.ts";
import type { Host } from "../host.ts";
import { linksNow } from "../links.ts";
import { pluginsIn, withPlugin } from "./config-text.ts";
import { configFiles, isOn } from "./host.ts";
import { type OpenCodeRecord, readOpenCodeRecord } from "./record.ts";
import { manifestOf, type OpenCodeSource, PLUGIN_NAME } from "./source.ts";
import { chosenConfig, entryFor, type OpenCodeSpots, projectConfigs, userConfigs } from "./spots.ts";

export type OpenCodeAction = { readonly what: string; readonly where: string } & (
  | { readonly kind: "record" }
  | { readonly kind: "copy" }
  | { readonly kind: "config"; readonly text: string; readonly entry: string }
  | { readonly kind: "link"; readonly target: string }
);

export interface OpenCodePlan {
  readonly spots: OpenCodeSpots;
  readonly host: Host;
  readonly source: OpenCodeSource;
  readonly record: OpenCodeRecord | null;
  readonly scope: "user" | "project";
  readonly root: string | null;
  readonly actions: readonly OpenCodeAction[];
  /** What is left alone, and what the user should know. */
  readonly notes: readonly string[];
}

/** @param root the repository, in project scope. @throws Refusal `host_config`, `install_conflict` */
export function planOpenCode(
  spots: OpenCodeSpots,
  host: Host,
  source: OpenCodeSource,
  env: NodeJS.ProcessEnv,
  root: string | null,
): OpenCodePlan {
  const record = readOpenCodeRecord(spots);
  refuseConflicts(spots, record, env, root);
  refuseDamaged(spots, source, record);
  const actions: OpenCodeAction[] = [];
  const notes: string[] = [];
  if (digestFolder(spots.copy) !== source.digest)
    actions.push({
      kind: "copy",
      what: `the plugin and the program, version ${source.version}`,
      where: spots.copy,
    });
  if (named(spots, root) === null) {
    const where = chosenConfig(spots, root);
    const entry = entryFor(spots, root);
    const text = withPlugin(textIf(where), where, entry);
    actions.push({ kind: "config", what: `one more "plugin": ${JSON.stringify(entry)}`, where, text, entry });
  }
  planLinks(spots, record, actions, notes);
  const unfinished =
    record?.state !== "installed" || record.plugin !== source.version || record.digest !== source.digest;
  const unlisted = root !== null && record?.projects.includes(root) !== true;
  if (actions.length > 0 || unfinished || unlisted)
    actions.unshift({
      kind: "record",
      what: "what is done, with a copy of each file that changes",
      where: spots.record,
    });
  noteSurroundings(env, root, notes);
  return { spots, host, source, record, scope: root === null ? "user" : "project", root, actions, notes };
}

/** The file of this scope that names our copy already. */
function named(spots: OpenCodeSpots, root: string | null): string | null {
  const files = root === null ? userConfigs(spots) : projectConfigs(root);
  return (
    files.find((path) =>
      pluginsIn(textIf(path), path).some((spec) => folderOf(spec, path, spots.home) === spots.copy),
    ) ?? null
  );
}

/** The folder or file that an entry of a configuration file stands for; null for a package of a registry. */
export function folderOf(spec: string, file: string, home: string): string | null {
  const meant = spec.replaceAll("{env:HOME}", home);
  if (meant.startsWith("file://")) {
    try {
      return fileURLToPath(meant);
    } catch {
      return null;
    }
  }
  return isAbsolute(meant) || meant.startsWith(".") ? resolve(dirname(file), meant) : null;
}

/** Whether an entry brings Proofgate, from wherever. */
export function isProofgate(spec: string, file: string, home: string): boolean {
  const folder = folderOf(spec, file, home);
  if (folder === null) return /^proofgate(@|$)/.test(spec);
  return [folder, dirname(folder)].some((one) => {
    const { name } = manifestOf(one);
    return name === PLUGIN_NAME || name === "proofgate";
  });
}

function refuseConflicts(
  spots: OpenCodeSpots,
  record: OpenCodeRecord | null,
  env: NodeJS.ProcessEnv,
  root: string | null,
): void {
  for (const path of configFiles(spots, env, root))
    for (const spec of pluginsIn(textIf(path), path))
      if (isProofgate(spec, path, spots.home) && folderOf(spec, path, spots.home) !== spots.copy)
        throw new Refusal("install_conflict", "OpenCode is told to load Proofgate from another place.", {
          expected: `no such entry, or ${spots.copy}`,
          found: `${JSON.stringify(spec)} in ${path}`,
          next: [`take it out of "plugin" in ${path}`, "proofgate install opencode"],
        });
  if (root !== null && record?.scope === "user")
    throw new Refusal("install_conflict", "The plugin is on for all your projects already.", {
      expected: "no installation for the user",
      found: spots.record,
      next: ["proofgate uninstall opencode", "proofgate install opencode --scope project"],
    });
  if (root !== null && [spots.home, spots.configHome].some((folder) => resolve(folder) === root))
    throw new Refusal("install_conflict", "This folder is your home or OpenCode's own, not a project's.", {
      expected: "a repository",
      found: root,
      next: ["cd to the repository", "proofgate install opencode  (for all your projects)"],
    });
}

/** Run from the copy that is installed, there is nothing else to mend it from: a changed one must not count as the plugin. */
function refuseDamaged(spots: OpenCodeSpots, source: OpenCodeSource, record: OpenCodeRecord | null): void {
  if (record === null || record.digest === source.digest || !exists(spots.copy)) return;
  if (realpathSync(source.folder) !== realpathSync(spots.copy)) return;
  throw new Refusal("plugin_missing", "This copy of Proofgate was changed since it was installed.", {
    expected: "the files that were installed",
    found: `others in ${spots.copy}`,
    next: ["npx proofgate@latest install opencode"],
  });
}

function planLinks(
  spots: OpenCodeSpots,
  record: OpenCodeRecord | null,
  actions: OpenCodeAction[],
  notes: string[],
): void {
  const target = spots.program;
  for (const { name, path, state, by } of linksNow(spots, target, record)) {
    if (state === "free" || state === "old")
      actions.push({ kind: "link", what: `link to ${target}`, where: path, target });
    // A `proofgate` that is there already is what we would link to.
    else if (state === "taken" && name !== "proofgate")
      notes.push(`left alone: ${name} is another program (${by})`);
  }
  if (!spots.path.includes(spots.bin))
    notes.push(`${spots.bin} is not on your PATH; the skills find it there all the same`);
}

/** Switches of this shell that make the host read other files, or none. */
function noteSurroundings(env: NodeJS.ProcessEnv, root: string | null, notes: string[]): void {
  for (const name of ["OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR"])
    if (env[name])
      notes.push(`${name} is set; OpenCode reads it besides, and it is left alone: ${env[name]}`);
  if (isOn(env.OPENCODE_PURE))
    notes.push("OPENCODE_PURE is set in this shell: OpenCode loads no plugin with it");
  if (root === null) return;
  if (isOn(env.OPENCODE_DISABLE_PROJECT_CONFIG))
    notes.push(
      "OPENCODE_DISABLE_PROJECT_CONFIG is set in this shell: OpenCode reads no project's file with it",
    );
  notes.push(
    "committed, the entry means nothing to those who have not installed Proofgate: OpenCode goes on without",
  );
}
