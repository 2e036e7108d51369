/** Bundles what drives the channels: a program of its own, which the tool starts for a check that has a scenario. */

import { cp } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param root the project
 * @param folders where `channels/` is put: the package, and each host's plugin, which the host copies away from here
 */
export async function channelDrivers(root: string, folders: readonly string[]): Promise<void> {
  const [first = "", ...more] = folders.map((folder) => join(folder, "channels"));
  const built = await Bun.build({
    entrypoints: [join(root, "components/evidence/channels/driver.ts")],
    outdir: first,
    target: "node",
    format: "esm",
    // What only one channel needs is loaded by that one.
    splitting: true,
    naming: { entry: "[name].mjs", chunk: "chunk-[hash].mjs" },
    minify: { whitespace: true, syntax: true, identifiers: false },
  });
  for (const message of built.logs) console.error(String(message));
  if (!built.success) process.exit(1);
  for (const folder of more) await cp(first, folder, { recursive: true });
}
