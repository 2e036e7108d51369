/** Carries a plan out, in its order. The record comes first, so that an end in the middle can be undone or gone on from. */

import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fromSystem } from "../../../components/errors.ts";
import { digestIf, exists, missingFolders, replaceFile, replaceFolderWith, textIf } from "../files.ts";
import { putLink } from "../links.ts";
import { changedFile, copyName, keepCopy } from "../record.ts";
import { sha256 } from "../spots.ts";
import { withPlugin } from "./config-text.ts";
import type { OpenCodeAction, OpenCodePlan } from "./plan.ts";
import { type OpenCodeRecord, writeOpenCodeRecord } from "./record.ts";

/** @param onAction told before each action, for a person who watches */
export function applyOpenCode(
  plan: OpenCodePlan,
  onAction: (action: OpenCodeAction) => void = () => undefined,
): void {
  if (plan.actions.length === 0) return;
  const { spots, source } = plan;
  const configs = plan.actions.filter((action) => action.kind === "config");
  const before = new Map(configs.map(({ where }) => [where, digestIf(where)]));
  const folders = newFolders(plan);
  mkdirSync(dirname(spots.record), { recursive: true, mode: 0o700 });
  let record = begin(plan, folders);
  writeOpenCodeRecord(spots, record);
  for (const { where } of configs) keepFirst(plan, record, where);
  const restorable = new Map(configs.map(({ where }) => [where, isAsKept(plan, record, where)]));
  for (const action of plan.actions) {
    onAction(action);
    try {
      switch (action.kind) {
        case "record":
          break; // Written above, before anything else.
        case "copy":
          replaceFolderWith(source.files, action.where);
          break;
        case "config":
          replaceFile(action.where, action.text);
          break;
        case "link":
          putLink(action.where, action.target);
          break;
        default:
          action satisfies never;
      }
    } catch (error) {
      throw fromSystem(error, action.what);
    }
  }
  const files = Object.entries(record.files).map(([path, known]) => {
    if (!before.has(path)) return [path, known] as const;
    const standing = { before: before.get(path) ?? null, restorable: restorable.get(path) === true };
    return [path, { ...changedFile(path, known, standing), entry: known.entry }] as const;
  });
  record = { ...record, state: "installed", files: Object.fromEntries(files) };
  writeOpenCodeRecord(spots, record);
}

function begin(plan: OpenCodePlan, folders: readonly string[]): OpenCodeRecord {
  const { spots, source, host, root, scope, record: old } = plan;
  const files = { ...old?.files };
  for (const action of plan.actions)
    if (action.kind === "config")
      files[action.where] ??= {
        what: root === null ? "config" : "project",
        copy: exists(action.where) ? copyName(action.where) : null,
        after: null,
        entry: action.entry,
        ...(root === null ? {} : { project: root }),
      };
  const links = plan.actions.flatMap((action) =>
    action.kind === "link" ? [[action.where, action.target] as const] : [],
  );
  return {
    format: 1,
    state: "installing",
    plugin: source.version,
    digest: source.digest,
    host: host.version,
    // On for everything stays so, whichever project asks later.
    scope: scope === "user" ? "user" : (old?.scope ?? "project"),
    projects: [...new Set([...(old?.projects ?? []), ...(root === null ? [] : [root])])],
    files,
    folders: [...new Set([...(old?.folders ?? []), ...folders])],
    links: { ...old?.links, ...Object.fromEntries(links) },
    program: spots.program,
  };
}

/** What will be made on the way; where these folders are empty in the end, they go again. */
function newFolders({ spots, actions }: OpenCodePlan): string[] {
  // These bear our name: an installation that was ended before its record has left them empty.
  const named = [spots.copies, dirname(spots.copies), resolve(spots.copies, "..", ".."), dirname(spots.copy)];
  return [...named, ...actions.flatMap(({ where }) => missingFolders(dirname(where)))];
}

/** Keeps a copy before the first change. The record names it already: one that is not there was never needed. */
function keepFirst({ spots }: OpenCodePlan, record: OpenCodeRecord, path: string): void {
  const known = record.files[path];
  if (known === undefined || known.copy === null || known.after !== null) return;
  if (!exists(join(spots.copies, known.copy))) keepCopy(spots, path);
}

/** Nobody but us has changed the file since its copy was taken: then the copy may come back. */
function isAsKept({ spots }: OpenCodePlan, record: OpenCodeRecord, path: string): boolean {
  const known = record.files[path];
  if (known === undefined) return false;
  const kept = known.copy === null ? null : textIf(join(spots.copies, known.copy));
  const now = digestIf(path);
  return now === (kept === null ? null : sha256(kept)) || now === sha256(withPlugin(kept, path, known.entry));
}
