/** Takes away what the record says was installed for OpenCode, and nothing else: plan first, then carried out. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../../components/errors.ts";
import {
  digestIf,
  exists,
  freshOf,
  modeOf,
  readIf,
  removeEmpty,
  removeFileIf,
  replaceFile,
  temporaryOf,
  textIf,
} from "../files.ts";
import { type Heir, handOver, heirOf, leadsTo } from "../links.ts";
import { sha256 } from "../spots.ts";
import { isHollow, readJsonc, withoutPlugin, withPlugin } from "./config-text.ts";
import { type OpenCodeRecord, readOpenCodeRecord, writeOpenCodeRecord } from "./record.ts";
import type { OpenCodeSpots } from "./spots.ts";

type OpenCodeUndo = {
  readonly what: string;
  readonly where: string;
} /** The file as it was, byte for byte. `copy` is null where there was none. */ & (
  | { readonly kind: "restore"; readonly copy: string | null }
  | { readonly kind: "cut"; readonly rest: string; readonly remove: boolean }
  | { readonly kind: "remove" }
  | { readonly kind: "relink"; readonly heir: Heir }
  | { readonly kind: "forget" }
);

export interface OpenCodeUndoPlan {
  readonly actions: readonly OpenCodeUndo[];
  readonly notes: readonly string[];
  readonly record: OpenCodeRecord;
  /** The one project to leave; null when everything goes. */
  readonly project: string | null;
}

/**
 * @param project root of the one project to leave; null for everything
 * @throws Refusal `not_installed`, `host_config`
 */
export function planOpenCodeUninstall(spots: OpenCodeSpots, project: string | null): OpenCodeUndoPlan {
  const record = readOpenCodeRecord(spots);
  if (record === null || (project !== null && !record.projects.includes(project)))
    throw new Refusal("not_installed", "Nothing is installed here that a record of ours knows.", {
      expected: spots.record,
      found: record === null ? "no record" : `a record without ${project}`,
      next: ["proofgate install opencode --dry-run"],
    });
  // The last project takes everything along that only projects used.
  const whole =
    project === null || (record.scope === "project" && record.projects.every((root) => root === project));
  const notes: string[] = [];
  const actions: OpenCodeUndo[] = Object.entries(record.files)
    .filter(([, file]) => whole || file.project === project)
    .flatMap(([path, file]) => undoConfig(spots, path, file));
  if (whole) {
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
    if (exists(spots.copy))
      actions.push({ kind: "remove", what: "our copy of the plugin", where: spots.copy });
  }
  actions.push({
    kind: "forget",
    what: whole ? "the record and its copies" : `that ${project} has it`,
    where: spots.record,
  });
  return { actions, notes, record, project: whole ? null : project };
}

/** What an installer left that was ended while it wrote its record for the first time. */
export function clearUnfinished(spots: OpenCodeSpots): void {
  if (!exists(spots.record)) removeFileIf(temporaryOf(spots.record));
}

function undoConfig(
  spots: OpenCodeSpots,
  path: string,
  { copy, after, touched, entry }: OpenCodeRecord["files"][string],
): OpenCodeUndo[] {
  const now = textIf(path);
  if (now === null) return [];
  const kept = copy === null ? null : textIf(join(spots.copies, copy));
  const digest = digestIf(path);
  // Ended before the file was changed, or even copied: there is nothing to take back.
  if (copy !== null && (kept === null ? after === null : sha256(kept) === digest)) return [];
  const written = after ?? sha256(withPlugin(kept, path, entry));
  if (touched !== true && written === digest)
    return [{ kind: "restore", what: "the file as it was, byte for byte", where: path, copy }];
  const hadList = kept !== null && readJsonc(kept, path).plugin !== undefined;
  const rest = withoutPlugin(now, path, entry, !hadList);
  if (rest === now) return [];
  return [
    {
      kind: "cut",
      what: "only what is ours; the file was changed since",
      where: path,
      rest,
      remove: copy === null && isHollow(rest, path),
    },
  ];
}

export function applyOpenCodeUninstall(spots: OpenCodeSpots, plan: OpenCodeUndoPlan): void {
  const { record, project } = plan;
  for (const action of plan.actions) {
    // The record goes last: without it nobody knows what else is ours.
    if (action.kind === "forget") tidy(spots, plan);
    switch (action.kind) {
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
        // A whole folder goes only where it is the one that is ours alone.
        if (action.where === spots.copy) rmSync(action.where, { recursive: true, force: true });
        else if (action.where in record.links) removeFileIf(action.where);
        else throw new Error(`not ours to remove: ${action.where}`);
        break;
      case "relink":
        handOver(action.heir, action.where, record.folders);
        break;
      case "forget":
        if (project === null) {
          if (exists(spots.copies)) rmSync(spots.copies, { recursive: true });
          removeFileIf(spots.record);
        } else writeOpenCodeRecord(spots, leaving(record, project));
        break;
      default:
        action satisfies never;
    }
  }
}

/** Leavings of writers that were ended, and folders that we made and that hold nothing. */
function tidy(spots: OpenCodeSpots, { record, project }: OpenCodeUndoPlan): void {
  for (const path of [...Object.keys(record.files), spots.record]) removeFileIf(temporaryOf(path));
  if (project === null) rmSync(freshOf(spots.copy), { recursive: true, force: true });
  // The deepest first; what holds anything else stays.
  for (const folder of [...record.folders].sort((a, b) => b.length - a.length))
    if (project === null || folder.startsWith(join(project, ".opencode"))) removeEmpty(folder);
}

function leaving(record: OpenCodeRecord, project: string): OpenCodeRecord {
  return {
    ...record,
    projects: record.projects.filter((root) => root !== project),
    files: Object.fromEntries(Object.entries(record.files).filter(([, file]) => file.project !== project)),
  };
}
