/** What was installed for OpenCode, so that it can be undone. Links, folders and program are named as in the record for Codex. */

import { Refusal } from "../../../components/errors.ts";
import { replaceFile, textIf } from "../files.ts";
import type { ChangedFile } from "../record.ts";
import type { OpenCodeSpots } from "./spots.ts";

export interface OpenCodeRecord {
  readonly format: 1;
  readonly state: "installing" | "installed";
  /** Version of the plugin. */
  readonly plugin: string;
  /** Of our copy as it was written. */
  readonly digest: string;
  /** Version of the host at that time. */
  readonly host: string;
  readonly scope: "user" | "project";
  /** Roots of the repositories that the plugin is on for, in project scope. */
  readonly projects: readonly string[];
  readonly files: Readonly<Record<string, ChangedFile & { readonly entry: string }>>;
  /** Folders that were not there before. */
  readonly folders: readonly string[];
  /** Targets of our links. */
  readonly links: Readonly<Record<string, string>>;
  /** The program in our copy: another host's installation hands its links over to it when it goes. */
  readonly program: string;
}

/** @throws Refusal `install_conflict` for a record that cannot be read */
export function readOpenCodeRecord({ record: path }: OpenCodeSpots): OpenCodeRecord | null {
  const text = textIf(path);
  if (text === null) return null;
  try {
    const record: OpenCodeRecord = JSON.parse(text);
    if (record.format === 1 && typeof record.files === "object") return record;
  } catch {
    // Said below.
  }
  throw new Refusal("install_conflict", "The record of what was installed cannot be read.", {
    expected: "a record that this version wrote",
    found: path,
    next: [`move ${path} away, then proofgate install opencode`],
  });
}

export function writeOpenCodeRecord({ record: path }: OpenCodeSpots, record: OpenCodeRecord): void {
  replaceFile(path, `${JSON.stringify(record, null, 2)}\n`, 0o600);
}
