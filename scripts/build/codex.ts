/** Puts the plugin for Codex together: a marketplace of one plugin, as `codex plugin marketplace add` takes it. */

import { cp, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Fills a folder with a bundle. */
type Fill = (folder: string) => Promise<unknown>;

/** @param root the project; @param to the marketplace's folder */
export async function codexPlugin(
  root: string,
  to: string,
  bundles: { readonly cli: Fill; readonly hook: Fill },
): Promise<void> {
  const plugin = join(to, "plugins", "proofgate");
  const source = join(root, "plugin", "codex");
  await mkdir(join(to, ".agents", "plugins"), { recursive: true });
  await Bun.write(join(to, ".agents", "plugins", "marketplace.json"), json(MARKETPLACE));
  const { version } = await Bun.file(join(root, "package.json")).json();
  const manifest = await Bun.file(join(source, ".codex-plugin", "plugin.json")).json();
  await Bun.write(join(plugin, ".codex-plugin", "plugin.json"), json({ ...manifest, version }));
  await cp(join(source, "hooks"), join(plugin, "hooks"), { recursive: true });
  // Roles are no part of a plugin in Codex; the installer puts them where the host reads them.
  for (const [from, into] of [
    [join(source, "agents"), join(plugin, "agents")],
    [join(root, "skills"), join(plugin, "skills")],
  ] as const)
    if (await stat(from).catch(() => null)) await cp(from, into, { recursive: true });
  await bundles.hook(join(plugin, "hook"));
  await bundles.cli(join(plugin, "bin"));
}

const MARKETPLACE = {
  name: "proofgate",
  plugins: [
    {
      name: "proofgate",
      source: { source: "local", path: "./plugins/proofgate" },
      policy: { installation: "AVAILABLE", authentication: "ON_INSTALL" },
      category: "Productivity",
    },
  ],
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
