/** Bundles what drives the channels: a program of its own, which the tool starts for a check that has a scenario. */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { BunPlugin } from "bun";

/** Libraries whose licences want to be passed on with them, and the files in which they say so. */
const NOTICES: readonly (readonly [name: string, files: readonly string[]])[] = [
  ["playwright-core", ["LICENSE", "NOTICE", "ThirdPartyNotices.txt", "lib/utilsBundle.js.LICENSE"]],
  ["axe-core", ["LICENSE", "LICENSE-3RD-PARTY.txt"]],
];

/**
 * playwright-core reads two of its own files when it is loaded, by their place beside it. In a bundle they are part of it.
 * Its other files belong to programs that nobody starts here.
 */
function playwrightInOnePiece(root: string): BunPlugin {
  const home = join(root, "node_modules/playwright-core");
  return {
    name: "playwright-core in one piece",
    setup(build) {
      build.onLoad({ filter: /playwright-core[/\\]lib[/\\]coreBundle\.js$/ }, async ({ path }) => {
        let text = await Bun.file(path).text();
        for (const name of ["package.json", "browsers.json"]) {
          const own = new RegExp(`require\\([\\w.]+\\.join\\(packageRoot, "${name}"\\)\\)`);
          if (!own.test(text)) throw new Error(`playwright-core no longer reads its ${name} in this way`);
          const data = JSON.stringify(JSON.parse(await Bun.file(join(home, name)).text()));
          text = text.replace(own, () => `(${data})`);
        }
        // The bundler would put this machine's path in its place.
        return {
          contents: text.replace(/\b__(?:dirname|filename)\b/g, '"/playwright-core/lib"'),
          loader: "js",
        };
      });
      build.onLoad({ filter: /playwright-core[/\\]lib[/\\]utilsBundle\.js$/ }, async ({ path }) => ({
        contents: (await Bun.file(path).text()).replace(/\b__(?:dirname|filename)\b/g, "__nowhere"),
        loader: "js",
      }));
    },
  };
}

/** Ends the process when something does not build. */
async function build(config: Parameters<typeof Bun.build>[0]): ReturnType<typeof Bun.build> {
  const built = await Bun.build({
    target: "node",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: false },
    ...config,
  });
  for (const message of built.logs) console.error(String(message));
  if (!built.success) process.exit(1);
  return built;
}

/** The libraries of channel browser in one file, packed: there is a copy of it in each host's plugin. */
async function packedLibrary(root: string, folder: string): Promise<void> {
  const { outputs } = await build({
    entrypoints: [join(root, "components/evidence/channels/browser/drive/library.ts")],
    plugins: [playwrightInOnePiece(root)],
  });
  const bytes = await outputs[0]?.arrayBuffer();
  if (outputs.length !== 1 || bytes === undefined) throw new Error("the libraries are not one file");
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  await Bun.write(join(folder, "library.mjs.br"), await promisify(brotliCompress)(bytes, { params }));
}

/**
 * @param root the project
 * @param folders where `channels/` is put: the package, and each host's plugin, which the host copies away from here
 */
export async function channelDrivers(root: string, folders: readonly string[]): Promise<void> {
  const [first = "", ...more] = folders.map((folder) => join(folder, "channels"));
  await build({
    entrypoints: [join(root, "components/evidence/channels/driver.ts")],
    outdir: first,
    // What only one channel needs is loaded by that one.
    splitting: true,
    naming: { entry: "[name].mjs", chunk: "chunk-[hash].mjs" },
    external: ["*/library.ts"],
  });
  await packedLibrary(root, first);
  for (const [name, files] of NOTICES)
    for (const file of files)
      await cp(join(root, "node_modules", name, file), join(first, "licenses", name, file));
  for (const folder of more) await cp(first, folder, { recursive: true });
}
