/** Private temporary folders, which are gone at the latest when this process ends. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { owner } from "./owner.ts";

/** What these folders are called. */
export const TEMP_NAME = /^pg-[A-Za-z0-9]{6}$/;
/** In each of them: which process made it. */
export const OWNER = ".owner";
/** In that of a run: by what its processes are known. */
export const RUN = ".run";

const open = new Set<string>();
let watching = false;

/** Makes a folder that only this user can enter. The name is short: Unix sockets in it have a limit of some 100 bytes. */
export function makeTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pg-"));
  open.add(folder);
  // For the next command, where this process is killed (see leftovers.ts).
  writeFileSync(join(folder, OWNER), JSON.stringify(owner()), { mode: 0o600 });
  if (!watching) {
    watching = true;
    process.once("exit", removeAllTempFolders);
  }
  return folder;
}

/** Removes a folder made by `makeTempFolder`; what cannot be removed is left to the system. */
export function removeTempFolder(folder: string): void {
  open.delete(folder);
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 2 });
  } catch {
    // A file that a check made unwritable; never worth failing for.
  }
}

/** Removes every folder that is still there: a process that a signal ends has no other moment for it. */
export function removeAllTempFolders(): void {
  for (const left of open) removeTempFolder(left);
}
