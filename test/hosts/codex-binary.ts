/** Finds the Codex binary that the host tests run, and installs the pinned hosts. */

import { join } from "node:path";
import { type Found, findBinary, installPinned, MODULES, type PinnedHost } from "./host-binaries.ts";
import { OPENCODE } from "./opencode-binary.ts";

const CODEX: PinnedHost = {
  name: "codex",
  pinned: "@openai/codex",
  installed: join(MODULES, ".bin", "codex"),
  here: true,
};

let found: Promise<Found> | undefined;
let installing: Promise<string | null> | undefined;

/** The installed binary, or else the one on PATH. Looked for once. */
export function codexBinary(): Promise<Found> {
  found ??= findBinary(CODEX);
  return found;
}

/**
 * Installs the host binaries if they are not there, quietly and once in this process.
 * @param timeoutMs milliseconds for the whole installation
 * @returns null when they are there; else the reason why not
 */
export function installHosts(timeoutMs = 300_000): Promise<string | null> {
  installing ??= installPinned([CODEX, OPENCODE], timeoutMs);
  return installing;
}
