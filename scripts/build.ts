/** Bundles the command line into `dist/`: one entry, further files loaded on demand, no dependency at run time. */

import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { channelDrivers } from "./build/channels.ts";
import { codexPlugin } from "./build/codex.ts";
import { late } from "./build/late.ts";
import { openCodePlugin } from "./build/opencode.ts";
import { pack } from "./build/pack.ts";

/** Packages that are needed in rare cases by modules that are often needed. */
const PACKAGES = ["picomatch", "fastest-levenshtein", "get-east-asian-width"];

/** Modules that most runs of those who import them do not need. */
const COLD = [
  "picomatch",
  "fastest-levenshtein",
  "evidence/check-files.ts",
  "evidence/fingerprint.ts",
  "evidence/vacuity.ts",
  "journal/copies.ts",
  "journal/repair.ts",
  "journal/verify.ts",
  "ulw-loop/plan-check.ts",
  "ulw-loop/prove.ts",
];

/** The other program: what drives the channels. */
const DRIVERS = /channels[/\\](?:driver|stage|\w+[/\\]drive(?:[/\\][\w.-]+)?)\.ts$/;

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");
const scratch = await mkdtemp(join(tmpdir(), "proofgate-build-"));
const modules = join(scratch, "modules");
const chunks = join(scratch, "chunks");

/** Ends the process when something does not build. */
async function build(config: Parameters<typeof Bun.build>[0]): Promise<void> {
  const built = await Bun.build(config);
  for (const message of built.logs) console.error(String(message));
  if (!built.success) process.exit(1);
}

/** A file that only passes another one on. As an entry it makes the bundler keep the other one in a chunk of its own. */
async function asEntry(index: number, target: string): Promise<string> {
  const path = join(scratch, `own-${index}.ts`);
  await Bun.write(path, `export * from ${JSON.stringify(target)};\n`);
  return path;
}

/** The chunks that hold these modules; the bundler notes above each module where it is from. */
async function chunksOf(modulesOrPackages: readonly string[]): Promise<ReadonlySet<string>> {
  const notes = modulesOrPackages.map((name) =>
    name.endsWith(".ts") ? `// components/${name}\n` : `// node_modules/${name}/`,
  );
  const found = new Set<string>();
  for (const name of await readdir(modules)) {
    const text = await Bun.file(join(modules, name)).text();
    if (name.startsWith("chunk-") && notes.some((note) => text.includes(note))) found.add(name);
  }
  return found;
}

// Chunks first, as modules, which alone can be split. Then each chunk as CommonJS: Node starts it in two thirds of the
// time, because the loader for modules is not needed at all. One single file would be slower than both.
const sources = (await readdir(join(root, "components"), { recursive: true })).filter(
  (name) => name.endsWith(".ts") && name !== join("cli", "main.ts") && !DRIVERS.test(name),
);
const own = await Promise.all(
  [
    ...sources.map((name) => join(root, "components", name)),
    ...PACKAGES.map((name) => Bun.resolveSync(name, root)),
  ].map((target, index) => asEntry(index, target)),
);
await build({
  entrypoints: [join(root, "components/cli/main.ts"), join(root, "plugin/codex/hook.ts"), ...own],
  root,
  outdir: modules,
  target: "node",
  format: "esm",
  splitting: true,
  naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
});
await build({
  entrypoints: (await readdir(modules))
    .filter((name) => !/^own-/.test(name))
    .map((name) => join(modules, name)),
  outdir: chunks,
  root: modules,
  target: "node",
  format: "cjs",
  external: ["./chunk-*"],
  naming: "[name].[ext]",
  minify: { whitespace: true, syntax: true, identifiers: false },
});
const texts = new Map<string, string>();
for (const name of await readdir(chunks))
  texts.set(name, late((await Bun.file(join(chunks, name)).text()).replace(/^#!.*\n/, "")));
const cold = await chunksOf(COLD);

/** Writes what an entry needs into a folder of its own. @returns bytes */
async function place(entry: string, folder: string, as: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const files = pack(texts, entry, cold);
  for (const [name, text] of files)
    if (name === entry) await Bun.write(join(folder, as), `#!/usr/bin/env node\n${text}`);
    else await Bun.write(join(folder, name), text);
  await Bun.write(join(folder, "package.json"), '{"type":"commonjs"}\n');
  await chmod(join(folder, as), 0o755);
  return [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

await rm(dist, { recursive: true, force: true });
const bytes = await place("main.js", dist, "proofgate.js");
await codexPlugin(root, join(dist, "codex"), {
  cli: (folder) => place("main.js", folder, "proofgate.js"),
  hook: (folder) => place("hook.js", folder, "hook.js"),
});
await openCodePlugin(root, join(dist, "opencode"));
await channelDrivers(root, [dist, join(dist, "codex", "plugins", "proofgate"), join(dist, "opencode")]);
await rm(scratch, { recursive: true, force: true });
console.log(`dist: ${Math.round(bytes / 1024)} KiB, and the plugins`);
