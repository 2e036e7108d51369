/** Carries a plan out, in its order. The record comes first, so that an end in the middle can be undone or gone on from. */

import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromSystem, Refusal } from "../../components/errors.ts";
import { sameLines, withEnabled, withLineEndings, withoutOurs } from "./config-text.ts";
import type { Facts } from "./facts.ts";
import {
  digestFolder,
  digestIf,
  missingFolders,
  modeOf,
  replaceFile,
  replaceFolder,
  textIf,
} from "./files.ts";
import { hostCommand } from "./host.ts";
import { putLink } from "./links.ts";
import type { Action, Plan } from "./plan.ts";
import { type ChangedFile, changedFile, type InstallRecord, keepCopy, writeRecord } from "./record.ts";
import { projectConfig } from "./spots.ts";
import { trustHooks } from "./trust.ts";

/** @param onAction told before each action, for a person who watches */
export async function apply(
  facts: Facts,
  plan: Plan,
  env: NodeJS.ProcessEnv,
  onAction: (action: Action) => void = () => undefined,
): Promise<InstallRecord | null> {
  if (plan.actions.length === 0) return facts.record;
  const { spots, host, source } = facts;
  const changes = changesOf(facts, plan);
  const before = new Map([...changes.keys()].map((path) => [path, digestIf(path)]));
  const restorable = isRestorable(facts);
  const folders = newFolders(facts, plan);
  mkdirSync(dirname(spots.record), { recursive: true, mode: 0o700 });
  let record = begin(facts, plan, changes, folders);
  writeRecord(spots, record);
  for (const action of plan.actions) {
    onAction(action);
    try {
      switch (action.kind) {
        case "record":
          break; // Written above, before anything else.
        case "copy":
          replaceFolder(action.from, action.where);
          break;
        case "host":
          mkdirSync(spots.codexHome, { recursive: true });
          await hostCommand(host, action.args, spots, env);
          break;
        case "switch":
          replaceFile(action.where, withEnabled(textIf(action.where) ?? "", action.where, action.enabled));
          break;
        case "role":
          replaceFile(action.where, readFileSync(action.from));
          break;
        case "link":
          putLink(action.where, action.target);
          break;
        case "trust":
          requireWhole(facts);
          record = trusting(record, source.plugin, await trustHooks(host, spots, env, action.keys));
          writeRecord(spots, record);
          break;
        default:
          action satisfies never;
      }
    } catch (error) {
      throw fromSystem(error, action.what);
    }
  }
  if (restorable) giveLineEndingsBack(facts, record);
  const files = Object.fromEntries(
    Object.entries(record.files).map(([path, known]) => [
      path,
      changes.has(path)
        ? changedFile(path, known, {
            before: before.get(path) ?? null,
            restorable: known.what !== "config" || restorable,
          })
        : known,
    ]),
  );
  record = { ...record, state: "installed", plugin: source.version, host: host.version, files };
  writeRecord(spots, record);
  return record;
}

/** Files that the plan changes, with what they are to us. */
function changesOf({ spots, root }: Facts, plan: Plan): Map<string, ChangedFile["what"]> {
  const changes = new Map<string, ChangedFile["what"]>();
  for (const action of plan.actions) {
    if (action.kind === "host" || action.kind === "trust") changes.set(spots.config, "config");
    if (action.kind === "role") changes.set(action.where, "role");
    if (action.kind === "switch")
      changes.set(action.where, root !== null && action.where === projectConfig(root) ? "project" : "config");
  }
  return changes;
}

/** What will be made on the way; where these folders are empty in the end, they go again. */
function newFolders({ spots }: Facts, plan: Plan): string[] {
  const byHost = [
    spots.cache,
    join(spots.codexHome, ".hook-trust"),
    join(spots.codexHome, ".tmp", "marketplaces"),
  ];
  const ours = [spots.codexHome, spots.copies, ...plan.actions.map((action) => dirname(action.where))];
  // These bear our name: an installation that was ended before its record has left them empty.
  const named = [spots.copies, dirname(spots.copies), join(spots.copies, "..", ".."), dirname(spots.market)];
  return [...named, ...[...ours, ...byHost].flatMap(missingFolders)];
}

function begin(
  facts: Facts,
  plan: Plan,
  changes: ReadonlyMap<string, ChangedFile["what"]>,
  folders: readonly string[],
): InstallRecord {
  const { spots, source, host, root, scope } = facts;
  const old = facts.record;
  const files: Record<string, ChangedFile> = { ...old?.files };
  for (const [path, what] of changes) {
    const inProject = root !== null && path.startsWith(join(root, ".codex"));
    files[path] ??= {
      what,
      // A role of ours is removed again, whatever lay there under an earlier version of ours.
      copy: keepCopy(spots, path),
      after: null,
      ...(inProject ? { project: root } : {}),
    };
  }
  const links = plan.actions.flatMap((action) =>
    action.kind === "link" ? [[action.where, action.target] as const] : [],
  );
  return {
    format: 1,
    state: "installing",
    plugin: old?.plugin ?? source.version,
    host: host.version,
    codexHome: spots.codexHome,
    // On for everything stays so, whichever project asks later.
    scope: scope === "user" ? "user" : (old?.scope ?? "project"),
    projects: [...new Set([...(old?.projects ?? []), ...(root === null ? [] : [root])])],
    files,
    folders: [...new Set([...(old?.folders ?? []), ...folders])],
    links: { ...old?.links, ...Object.fromEntries(links) },
    program: join(spots.market, source.program),
    trust: old?.trust ?? {},
    trustedPlugin: old?.trustedPlugin ?? null,
    fingerprints: old?.fingerprints ?? [],
  };
}

/** Only what this package brings is trusted, not what somebody may have put in its place since. */
function requireWhole({ spots, source }: Facts): void {
  const folder = join(spots.cache, source.version);
  const found = digestFolder(folder);
  if (found === source.plugin) return;
  throw new Refusal(
    "host_failed",
    "The host's copy of the plugin is not the plugin; its hooks were not trusted.",
    {
      expected: `the files of ${source.folder}`,
      found: found === null ? `no folder ${folder}` : `other files in ${folder}`,
      next: ["proofgate install codex --trust-hooks"],
    },
  );
}

function trusting(record: InstallRecord, plugin: string, trust: InstallRecord["trust"]): InstallRecord {
  // A hash of the host is that of the definition, `/`, that of the plugin's folder.
  const contents = Object.values(trust).flatMap((hash) => hash.split("/").slice(1));
  const fingerprints = [...new Set([...record.fingerprints, ...contents])];
  return { ...record, trust, trustedPlugin: plugin, fingerprints };
}

/** Nobody but us and the host on our behalf has changed the configuration since the copy was taken. */
function isRestorable({ spots, record }: Facts): boolean {
  const known = record?.files[spots.config];
  if (known === undefined) return true;
  if (known.touched === true) return false;
  const now = textIf(spots.config) ?? "";
  if (known.after !== null) return known.after === digestIf(spots.config);
  const copy = known.copy === null ? "" : (textIf(join(spots.copies, known.copy)) ?? "");
  return sameLines(withoutOurs(now, spots.config, !copy.includes("[hooks.state]")), copy);
}

/** Ended in the middle, we may have left the host's line endings in the file. */
function giveLineEndingsBack({ spots }: Facts, record: InstallRecord): void {
  const copy = record.files[spots.config]?.copy;
  const now = textIf(spots.config);
  if (copy === null || copy === undefined || now === null) return;
  const kept = join(spots.copies, copy);
  const wanted = withLineEndings(textIf(kept) ?? "", now);
  const mode = modeOf(kept) ?? undefined;
  if (wanted !== now || mode !== modeOf(spots.config)) replaceFile(spots.config, wanted, mode);
}
