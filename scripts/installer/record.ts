/** What the installer did, so that it can be undone: one file, with copies of changed files beside it. */

import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { digestIf, modeOf, readIf, replaceFile, textIf } from "./files.ts";
import { type Spots, sha256 } from "./spots.ts";

export interface ChangedFile {
  readonly what: "config" | "project" | "role";
  /** Name of the copy of what was there before; null when there was nothing. */
  readonly copy: string | null;
  /** SHA-256 after installing; null while it is not known, because the installer was ended in the middle. */
  readonly after: string | null;
  /** The user or the host changed the file between two of our runs: the copy must never come back. */
  readonly touched?: true;
  /** Root of the project that the file belongs to. */
  readonly project?: string;
}

export interface InstallRecord {
  readonly format: 1;
  readonly state: "installing" | "installed";
  /** Version of the plugin. */
  readonly plugin: string;
  /** Version of the host at that time. */
  readonly host: string;
  readonly codexHome: string;
  readonly scope: "user" | "project";
  /** Roots of the repositories that the plugin is on for, in project scope. */
  readonly projects: readonly string[];
  readonly files: Readonly<Record<string, ChangedFile>>;
  /** Folders that were not there before. */
  readonly folders: readonly string[];
  /** Targets of our links. */
  readonly links: Readonly<Record<string, string>>;
  /** The program in our copy: another host's installation hands its links over to it when it goes. */
  readonly program?: string;
  /** The host's hash of each hook that the user trusted through us. */
  readonly trust: Readonly<Record<string, string>>;
  /** Digest of the plugin that was trusted; the host trusts no other. */
  readonly trustedPlugin: string | null;
  /** The host's own fingerprints of all plugins of ours that were ever trusted. */
  readonly fingerprints: readonly string[];
}

/** @throws Refusal `install_conflict` for a record that cannot be read */
export function readRecord(spots: Spots): InstallRecord | null {
  const text = textIf(spots.record);
  if (text === null) return null;
  try {
    const record: InstallRecord = JSON.parse(text);
    if (record.format === 1 && typeof record.files === "object") return record;
  } catch {
    // Said below.
  }
  throw new Refusal("install_conflict", "The record of what was installed cannot be read.", {
    expected: "a record that this version wrote",
    found: spots.record,
    next: [`move ${spots.record} away, then proofgate install codex`],
  });
}

export function writeRecord(spots: Spots, record: InstallRecord): void {
  replaceFile(spots.record, `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** What the copy of a file is called. */
export const copyName = (path: string): string => `${sha256(path).slice(0, 8)}-${basename(path)}`;

/** Keeps a copy of a file that the record does not know yet, before it is changed. @returns the copy's name, null when there is no file */
export function keepCopy(spots: Pick<Spots, "copies">, path: string): string | null {
  const bytes = readIf(path);
  if (bytes === null) return null;
  const name = copyName(path);
  mkdirSync(spots.copies, { recursive: true, mode: 0o700 });
  const at = join(spots.copies, name);
  replaceFile(at, bytes, modeOf(path) ?? 0o600);
  return name;
}

/** How a file stands after a run, given how it stood in the record and just before the run. */
export function changedFile(
  path: string,
  known: ChangedFile,
  standing: { readonly before: string | null; readonly restorable: boolean },
): ChangedFile {
  const untouched =
    known.touched !== true && (known.after === null ? standing.restorable : known.after === standing.before);
  const { touched: _, ...rest } = known;
  return { ...rest, after: digestIf(path), ...(untouched ? {} : { touched: true as const }) };
}
