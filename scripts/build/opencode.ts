/** Puts the plugin for OpenCode together: a folder that the host loads as it is, with skills and agents beside the module. */

import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "@decimalturn/toml-patch";

/** What a role that only reads may run: the looking half of Git and of the shell. */
const READS = [
  "git diff",
  "git status",
  "git log",
  "git show",
  "git ls-files",
  "ls",
  "cat",
  "head",
  "tail",
  "grep",
  "rg",
  "find",
  "wc",
];

/** @param root the project; @param to the plugin's folder */
export async function openCodePlugin(root: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const built = await Bun.build({
    entrypoints: [join(root, "plugin/opencode/index.ts")],
    outdir: to,
    target: "bun",
    format: "esm",
    // The first file stays small: the host waits for it at every start.
    splitting: true,
    naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
    minify: { whitespace: true, syntax: true, identifiers: false },
  });
  for (const message of built.logs) console.error(String(message));
  if (!built.success) process.exit(1);
  const { version } = await Bun.file(join(root, "package.json")).json();
  const manifest = {
    name: "proofgate-opencode",
    version,
    type: "module",
    exports: { "./server": "./index.js" },
  };
  await Bun.write(join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(join(root, "skills"), join(to, "skills"), { recursive: true });
  await cp(join(root, "plugin/opencode/path"), join(to, "path"), { recursive: true });
  const roles = join(root, "plugin", "codex", "agents");
  for (const file of await readdir(roles)) {
    const role = parse(await Bun.file(join(roles, file)).text()) as Record<string, unknown>;
    await Bun.write(
      join(to, "agents", file.replace(/\.toml$/, ".json")),
      `${JSON.stringify(agentOf(role), null, 2)}\n`,
    );
  }
}

/** The same role in the host's form: one text for both. */
function agentOf(role: Readonly<Record<string, unknown>>): unknown {
  const bash = { "*": "deny", ...Object.fromEntries(READS.map((one) => [`${one}*`, "allow"])) };
  return {
    description: role.description,
    mode: "subagent",
    prompt: String(role.developer_instructions).trim(),
    ...(role.sandbox_mode === "read-only" ? { permission: { edit: "deny", bash } } : {}),
  };
}
