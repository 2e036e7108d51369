/** Finds the OpenCode binary that the host tests run. */

import { join } from "node:path";
import { type Found, findBinary, MODULES, type PinnedHost } from "./host-binaries.ts";

/**
 * The package with the binary itself. `opencode-ai`, which users install, brings two of 180 MB and picks one by a script of
 * its own; this one runs on every processor.
 */
const PACKAGE = "opencode-linux-x64-baseline";

export const OPENCODE: PinnedHost = {
  name: "opencode",
  pinned: PACKAGE,
  installed: join(MODULES, PACKAGE, "bin", "opencode"),
  here: process.platform === "linux" && process.arch === "x64",
};

let found: Promise<Found> | undefined;

/** The installed binary, or else the one on PATH. Looked for once. */
export function openCodeBinary(): Promise<Found> {
  found ??= findBinary(OPENCODE);
  return found;
}
