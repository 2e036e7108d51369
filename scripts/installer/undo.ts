/** Takes away what the record says was installed, and nothing else: plan first, then carried out. */

import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { type Ours, oursIn, sameLines, withoutOurs } from "./config-text.ts";
import {
  digestIf,
  exists,
  filesBelow,
  freshOf,
  modeOf,
  readIf,
  removeEmpty,
  removeFileIf,
  replaceFile,
  temporaryOf,
  textIf,
} from "./files.ts";
import { type Host, hostCommand } from "./host.ts";
import { type Heir, handOver, heirOf, leadsTo } from "./links.ts";
import { type ChangedFile, type InstallRecord, readRecord, writeRecord } from "./record.ts";
import { MARKET, PLUGIN, type Spots } from "./spots.ts";

export type Undo = { readonly what: string; readonly where: string } & (
  | { readonly kind: "host"; readonly args: readonly string[] }
  /** The file as it was, byte for byte. `copy` is null where there was none. */
  | { readonly kind: "restore"; readonly copy: string | null }
  | { readonly kind: "cut"; readonly rest: string; readonly remove: boolean }
  | { readonly kind: "remove" }
  | { readonly kind: "relink"; readonly heir: Heir }
  | { readonly kind: "forget" }
);

export interface UndoPlan {
  readonly actions: readonly Undo[];
  readonly notes: readonly string[];
  readonly record: InstallRecord;
}

/**
 * @param host null when it is not there any more: what it would remove is then removed here
 * @param project root of the one project to leave; null for everything
 * @throws Refusal `not_installed`
 */
export function planUninstall(spots: Spots, host: Host | null, project: string | null): UndoPlan {
  const record = readRecord(spots);
  if (record === null || (project !== null && !record.projects.includes(project)))
    throw new Refusal("not_installed", "Nothing is installed here that a record of ours knows.", {
      expected: spots.record,
      found: record === null ? "no record" : `a record without ${project}`,
      next: ["proofgate install codex --dry-run"],
    });
  const notes: string[] = [];
  const actions: Undo[] = [];
  // The last project takes everything along that only projects used.
  const whole =
    project === null || (record.scope === "project" && record.projects.every((p) => p === project));
  for (const [path, file] of Object.entries(record.files))
    if (file.what !== "config" && (whole || file.project === project))
      actions.push(...undoFile(spots, path, file, notes));
  if (whole) undoShared(spots, host, record, actions, notes);
  else actions.push({ kind: "forget", what: `that ${project} has it`, where: spots.record });
  return { actions, notes, record };
}

function undoShared(
  spots: Spots,
  host: Host | null,
  record: InstallRecord,
  actions: Undo[],
  notes: string[],
): void {
  const text = textIf(spots.config);
  const ours = oursIn(text, spots.config);
  if (host !== null && (ours.enabled !== null || exists(spots.cache)))
    actions.push({
      kind: "host",
      what: `codex plugin remove ${PLUGIN}`,
      where: spots.cache,
      args: ["plugin", "remove", PLUGIN],
    });
  if (host !== null && ours.source !== null)
    actions.push({
      kind: "host",
      what: `codex plugin marketplace remove ${MARKET}`,
      where: spots.config,
      args: ["plugin", "marketplace", "remove", MARKET],
    });
  if (host === null && exists(spots.cache))
    actions.push({ kind: "remove", what: "the host's copy of the plugin", where: spots.cache });
  for (const baseline of baselines(spots, record, ours))
    actions.push({ kind: "remove", what: "the host's note of the plugin's contents", where: baseline });
  const config = record.files[spots.config];
  if (config !== undefined && text !== null) actions.push(undoConfig(spots, config, text));
  const heir = heirOf(spots);
  for (const [path, target] of Object.entries(record.links))
    if (leadsTo(path) === target)
      actions.push(
        heir === null
          ? { kind: "remove", what: "our link", where: path }
          : { kind: "relink", what: `our link, now to ${heir.program}`, where: path, heir },
      );
    else if (exists(path) && (heir === null || leadsTo(path) !== heir.program))
      notes.push(`left alone: ${path} is not our link any more`);
  if (exists(spots.market))
    actions.push({ kind: "remove", what: "our copy of the plugin", where: spots.market });
  actions.push({ kind: "forget", what: "the record and its copies", where: spots.record });
}

/** Files of the user's that we wrote into or made. */
function undoFile(spots: Spots, path: string, file: ChangedFile, notes: string[]): Undo[] {
  const now = textIf(path);
  if (now === null) return [];
  if (file.what !== "role") return [undoConfig(spots, file, now, path)];
  // Ended in the middle, the record does not know what was written; our copy of the plugin does.
  const written = file.after ?? digestIf(join(spots.market, "plugins", MARKET, "agents", basename(path)));
  if (digestIf(path) === written) {
    return file.copy === null
      ? [{ kind: "remove", what: "agent role", where: path }]
      : [{ kind: "restore", what: "the file as it was", where: path, copy: file.copy }];
  }
  notes.push(`left alone: ${path} was changed since; remove it if you do not want it`);
  return [];
}

function undoConfig(spots: Spots, file: ChangedFile, now: string, path = spots.config): Undo {
  const restore: Undo = {
    kind: "restore",
    what: "the file as it was, byte for byte",
    where: path,
    copy: file.copy,
  };
  if (file.touched !== true && file.after === digestIf(path)) return restore;
  const copy = file.copy === null ? "" : (textIf(join(spots.copies, file.copy)) ?? "");
  const rest = withoutOurs(now, path, !/^\s*\[hooks\.state\]/m.test(copy));
  if (file.touched !== true && file.after === null && sameLines(rest, copy)) return restore;
  return {
    kind: "cut",
    what: `only what is ours; the file was changed since`,
    where: path,
    rest,
    remove: file.copy === null && rest.trim() === "",
  };
}

/** The host notes the fingerprint of a trusted plugin in a file of its own; those with our fingerprint are ours. */
function baselines(spots: Spots, record: InstallRecord, ours: Ours): string[] {
  const folder = join(spots.codexHome, ".hook-trust");
  if (!exists(folder)) return [];
  // Trust that was given in the host itself stands only in its configuration.
  const now = Object.values(ours.trust).flatMap(({ hash }) => hash.split("/").slice(1));
  const fingerprints = new Set([...record.fingerprints, ...now]);
  return filesBelow(folder)
    .map((name) => join(folder, name))
    .filter((path) => fingerprints.has(textIf(path)?.trim() ?? ""));
}

export async function applyUninstall(
  spots: Spots,
  host: Host | null,
  plan: UndoPlan,
  project: string | null,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const whole = plan.actions.some(
    (action) => action.kind === "forget" && action.what.startsWith("the record"),
  );
  writeRecord(spots, undoing(plan));
  for (const action of plan.actions) {
    // The record goes last: without it nobody knows what else is ours.
    if (action.kind === "forget") tidy(spots, plan, whole ? null : project);
    switch (action.kind) {
      case "host":
        if (host !== null) await hostCommand(host, action.args, spots, env);
        break;
      case "restore": {
        const bytes = action.copy === null ? null : readIf(join(spots.copies, action.copy));
        if (action.copy === null || bytes === null) removeFileIf(action.where);
        else replaceFile(action.where, bytes, modeOf(join(spots.copies, action.copy)) ?? undefined);
        break;
      }
      case "cut":
        if (action.remove) removeFileIf(action.where);
        else replaceFile(action.where, action.rest);
        break;
      case "remove":
        removeOurs(spots, plan.record, action.where);
        break;
      case "relink":
        handOver(action.heir, action.where, plan.record.folders);
        break;
      case "forget":
        if (whole) {
          if (exists(spots.copies)) rmSync(spots.copies, { recursive: true });
          removeFileIf(spots.record);
        } else writeRecord(spots, leaving(plan.record, project));
        break;
      default:
        action satisfies never;
    }
  }
}

/** Leavings of writers that were ended, and folders that we made and that hold nothing. @param project null for all */
function tidy(spots: Spots, { record }: UndoPlan, project: string | null): void {
  for (const path of [...Object.keys(record.files), spots.record]) removeFileIf(temporaryOf(path));
  if (project === null) rmSync(freshOf(spots.market), { recursive: true, force: true });
  // The deepest first; what holds anything else stays.
  for (const folder of [...record.folders].sort((a, b) => b.length - a.length))
    if (project === null || folder.startsWith(join(project, ".codex"))) removeEmpty(folder);
  if (project === null) removeEmpty(dirname(spots.cache));
}

/**
 * The record while things are being taken away. What comes back byte for byte may be half changed by the host if this is
 * ended in the middle: the next run then compares what remains in place of one digest.
 */
function undoing({ record, actions }: UndoPlan): InstallRecord {
  const restored = actions.flatMap(({ kind, where }) => (kind === "restore" ? [where] : []));
  const files = Object.entries(record.files).map(
    ([path, file]) => [path, restored.includes(path) ? { ...file, after: null } : file] as const,
  );
  return { ...record, files: Object.fromEntries(files) };
}

function leaving(record: InstallRecord, project: string | null): InstallRecord {
  return {
    ...record,
    projects: record.projects.filter((root) => root !== project),
    files: Object.fromEntries(Object.entries(record.files).filter(([, file]) => file.project !== project)),
  };
}

/** Whole folders go only where they are the two that are ours alone. */
function removeOurs(spots: Spots, record: InstallRecord, path: string): void {
  if (path === spots.market || path === spots.cache) rmSync(path, { recursive: true, force: true });
  else if (
    path in record.files ||
    path in record.links ||
    dirname(path) === join(spots.codexHome, ".hook-trust")
  )
    removeFileIf(path);
  else throw new Error(`not ours to remove: ${path}`);
}
