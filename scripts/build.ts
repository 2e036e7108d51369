/** Bundles the command line into `dist/`: one entry, chunks loaded on demand, no dependency at run time. */

import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");
const modules = await mkdtemp(join(tmpdir(), "proofgate-build-"));

/** @returns the outputs; ends the process when something does not build */
async function build(config: Parameters<typeof Bun.build>[0]): Promise<number> {
  const built = await Bun.build(config);
  for (const message of built.logs) console.error(String(message));
  if (!built.success) process.exit(1);
  return built.outputs.reduce((sum, output) => sum + output.size, 0);
}

// Chunks first, as modules, which alone can be split. Then each chunk as CommonJS: Node starts it in two thirds of the
// time, because the loader for modules is not needed at all. One single file would be slower than both.
await build({
  entrypoints: [join(root, "components/cli/main.ts")],
  outdir: modules,
  target: "node",
  format: "esm",
  splitting: true,
  naming: { entry: "proofgate.js", chunk: "chunk-[hash].js" },
});
await rm(dist, { recursive: true, force: true });
const bytes = await build({
  entrypoints: (await readdir(modules)).map((name) => join(modules, name)),
  outdir: dist,
  root: modules,
  target: "node",
  format: "cjs",
  external: ["./chunk-*"],
  naming: "[name].[ext]",
  minify: { whitespace: true, syntax: true, identifiers: false },
});
const names = await readdir(dist);
for (const name of names) {
  const path = join(dist, name);
  const text = await Bun.file(path).text();
  const lazy = text.replace(/\bimport\("(\.\/chunk-[^"]+)"\)/g, 'Promise.resolve().then(()=>require("$1"))');
  const banner = name === "proofgate.js" && !lazy.startsWith("#!") ? "#!/usr/bin/env node\n" : "";
  await Bun.write(path, banner + lazy);
}
await Bun.write(join(dist, "package.json"), '{"type":"commonjs"}\n');
await chmod(join(dist, "proofgate.js"), 0o755);
await rm(modules, { recursive: true, force: true });
console.log(`dist: ${names.length} files, ${Math.round(bytes / 1024)} KiB`);
