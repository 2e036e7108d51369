/** What installing will do: a pure function of the facts. `--dry-run` prints this very list, `apply` carries it out. */

import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import type { Facts } from "./facts.ts";
import { MARKET, PLUGIN, projectConfig } from "./spots.ts";

export type Action = { readonly what: string; readonly where: string } & (
  | { readonly kind: "record" }
  | { readonly kind: "copy"; readonly from: string }
  | { readonly kind: "host"; readonly args: readonly string[] }
  | { readonly kind: "switch"; readonly enabled: boolean }
  | { readonly kind: "role"; readonly from: string }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "trust"; readonly keys: readonly string[] }
);

export interface Plan {
  readonly actions: readonly Action[];
  /** What is left alone, and what the user should know. */
  readonly notes: readonly string[];
  /** The host runs the hooks, once the actions are done. Null: the user trusted them in the host itself, so only it knows. */
  readonly trusted: boolean | null;
}

/**
 * @param consent the user agreed that the plugin's hooks are trusted
 * @throws Refusal `install_conflict`
 */
export function planInstall(facts: Facts, consent: boolean): Plan {
  const { spots, source, config, scope, root } = facts;
  refuseConflicts(facts);
  const actions: Action[] = [];
  const notes: string[] = [];
  const fresh = facts.market !== source.digest;
  if (fresh)
    actions.push({
      kind: "copy",
      what: `the plugin, version ${source.version}`,
      where: spots.market,
      from: source.folder,
    });
  if (config.source !== spots.market)
    actions.push(hostAction(["plugin", "marketplace", "add", spots.market], spots.config));
  const changed = facts.cached !== source.plugin;
  // The plugin has to be on while its hooks are trusted; `plugin add` switches it on.
  const known = isTrusted(facts);
  // Trust holds for the plugin as it is; another one is about to take its place.
  const trusted = known === null && changed ? false : known;
  const trusting = consent && trusted !== true;
  const wantOn = scope === "user";
  if (changed || config.enabled === null || (wantOn && !config.enabled) || (trusting && !config.enabled))
    actions.push(hostAction(["plugin", "add", PLUGIN], join(spots.cache, source.version)));
  if (trusting)
    actions.push({
      kind: "trust",
      what: `${source.hooks.length} hooks, through codex app-server`,
      where: spots.config,
      keys: source.hooks,
    });
  if (!wantOn && (config.enabled !== false || actions.some((action) => action.kind === "host")))
    actions.push({
      kind: "switch",
      what: `${PLUGIN} off for other projects`,
      where: spots.config,
      enabled: false,
    });
  if (root !== null && facts.project?.enabled !== true)
    actions.push({
      kind: "switch",
      what: `${PLUGIN} on for this project`,
      where: projectConfig(root),
      enabled: true,
    });
  planRoles(facts, actions, notes);
  planLinks(facts, actions, notes);
  const unfinished = facts.record?.state !== "installed" || facts.record.plugin !== source.version;
  const unlisted = root !== null && facts.record?.projects.includes(root) !== true;
  if (actions.length > 0 || unfinished || unlisted)
    actions.unshift({
      kind: "record",
      what: "what is done, with a copy of each file that changes",
      where: spots.record,
    });
  if (root !== null && !facts.projectTrusted)
    notes.push(
      `Codex reads ${projectConfig(root)} only once you trust this project there: start codex in it`,
    );
  const off = source.hooks.filter((key) => config.trust[key]?.enabled === false);
  if (off.length > 0) notes.push(`switched off by you, and left so: ${off.join(" ")}`);
  return { actions, notes, trusted: trusting ? true : trusted };
}

function refuseConflicts({ config, spots, record, scope, root }: Facts): void {
  if (config.source !== null && config.source !== spots.market)
    throw new Refusal("install_conflict", `Codex knows a marketplace "${MARKET}" from another place.`, {
      expected: `none, or ${spots.market}`,
      found: config.source,
      next: [
        `codex plugin marketplace remove ${MARKET}`,
        "then proofgate install codex; it keeps your other settings",
      ],
    });
  if (root !== null && spots.config === projectConfig(root))
    throw new Refusal(
      "install_conflict",
      "This folder's .codex is the home of Codex itself, not a project's.",
      {
        expected: "a repository",
        found: root,
        next: ["cd to the repository", "proofgate install codex  (for all your projects)"],
      },
    );
  if (scope === "project" && record?.scope === "user")
    throw new Refusal("install_conflict", "The plugin is on for all your projects already.", {
      expected: "no installation for the user",
      found: spots.record,
      next: ["proofgate uninstall codex", "proofgate install codex --scope project"],
    });
}

/** The words of a command as they would be typed. */
const hostAction = (args: readonly string[], where: string): Action => ({
  kind: "host",
  what: ["codex", ...args].map((word) => (/[^\w@./:+-]/.test(word) ? JSON.stringify(word) : word)).join(" "),
  where,
  args,
});

/** By our record of what was granted: only the host could tell more, and asking it writes files. */
function isTrusted({ source, config, record }: Facts): boolean | null {
  if (source.hooks.some((key) => config.trust[key] === undefined)) return false;
  if (source.hooks.every((key) => config.trust[key]?.hash === record?.trust[key]))
    return record?.trustedPlugin === source.plugin;
  return null;
}

function planRoles({ roles, record }: Facts, actions: Action[], notes: string[]): void {
  for (const { from, path, wanted, found } of roles) {
    if (found === wanted) {
      if (record?.files[path] === undefined) notes.push(`left alone: ${path} is there already`);
      continue;
    }
    const ours = record?.files[path];
    if (found === null || (ours?.what === "role" && ours.after === found))
      actions.push({
        kind: "role",
        what: found === null ? "agent role" : "agent role, new version",
        where: path,
        from,
      });
    else
      notes.push(
        ours === undefined
          ? `left alone: ${path} is not ours`
          : `left alone: ${path} was changed by you; the new version is ${from}`,
      );
  }
}

function planLinks({ links, source, spots }: Facts, actions: Action[], notes: string[]): void {
  const target = join(spots.market, source.program);
  for (const { name, path, state, by } of links) {
    if (state === "free" || state === "old")
      actions.push({ kind: "link", what: `link to ${target}`, where: path, target });
    // A `proofgate` that is there already is what we would link to.
    else if (state === "taken" && name !== "proofgate")
      notes.push(`left alone: ${name} is another program (${by})`);
  }
  if (!spots.path.includes(spots.bin))
    notes.push(`${spots.bin} is not on your PATH; the skills find it there all the same`);
}
