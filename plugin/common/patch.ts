/** A patch to the tool's own files. The shell is left alone: what it changes is found out. */

import { realpathSync } from "node:fs";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { storeFolder } from "../../components/witness/files.ts";
import { guard, patchTargets } from "../../hooks/guard.ts";
import type { Payload } from "./call.ts";

/** @returns why it is refused; null when it may go on */
export function refusedPatch(payload: Payload): string | null {
  const { command } = payload.input;
  return typeof command === "string" ? refusedPaths(patchTargets(command), payload.cwd) : null;
}

/** The same for a tool that names its files. @param cwd that relative paths start from */
export function refusedPaths(paths: readonly string[], cwd: string): string | null {
  const { root } = findRootFast(cwd);
  const decision = guard(paths, {
    roots: [...new Set([root, real(root)])],
    cwd,
    caseInsensitive: process.platform === "darwin" || process.platform === "win32",
    store: storeFolder(process.env),
  });
  return decision.kind === "deny" ? decision.message : null;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
