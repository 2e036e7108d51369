/** The built program, built first where it is missing or older than its sources. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** @returns the program's path. @throws Error when the build fails */
export async function ensureBuilt(root: string): Promise<string> {
  const program = join(root, "dist", "proofgate.js");
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = [
    "components",
    "hooks",
    "plugin",
    "skills",
    join("scripts", "build.ts"),
    join("scripts", "build"),
    "package.json",
    "package-lock.json",
  ];
  if (
    sources
      .filter((source) => existsSync(join(root, source)))
      .every((source) => newest(join(root, source)) < built)
  )
    return program;
  const child = Bun.spawn([process.execPath, join(root, "scripts", "build.ts")], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await child.exited) !== 0) throw new Error("the build failed");
  return program;
}

/** Youngest change in a file or folder, in milliseconds since the epoch. */
function newest(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
