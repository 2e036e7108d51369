/** OpenCode for the installer's tests: the real one where it is there, and a stand-in that only tells its version. */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCodeBinary } from "../hosts/opencode-binary.ts";
import type { Home, Said } from "./home.ts";

/** The real binary, and why a test that needs it cannot run: the same one that the host tests take. */
export async function realOpenCode(): Promise<{
  readonly path: string | null;
  readonly missing: string | null;
}> {
  const found = await openCodeBinary();
  return "missing" in found ? { path: null, missing: found.missing } : { path: found.path, missing: null };
}

/** Puts OpenCode on the home's PATH; Codex stays or goes. */
export function putOpenCode(home: Home, path: string | null): void {
  const at = join(home.base, "bin", "opencode");
  if (path !== null) symlinkSync(path, at);
  else {
    writeFileSync(at, '#!/bin/sh\n[ "$1" = --version ] && echo 1.18.33\n');
    chmodSync(at, 0o755);
  }
}

/** What keeps the real one off every network. */
const OFFLINE = {
  OPENCODE_DISABLE_AUTOUPDATE: "1",
  OPENCODE_DISABLE_MODELS_FETCH: "1",
  OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
  OPENCODE_DISABLE_SHARE: "1",
  OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
};

/** A folder of the host's configuration as it is once the host has installed its own package there. */
export function supply(folder: string): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  const dependencies = { "@opencode-ai/plugin": "1.18.33" };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies }));
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ lockfileVersion: 3, packages: { "": { dependencies } } }),
  );
}

/** The configuration as the real host has it in a folder, with what plugins put into it. */
export async function hostConfig(home: Home, cwd: string): Promise<Record<string, unknown>> {
  supply(join(home.home, ".config", "opencode"));
  const child = Bun.spawn([join(home.base, "bin", "opencode"), "debug", "config"], {
    cwd,
    env: { ...home.env, ...OFFLINE },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return JSON.parse(await new Response(child.stdout).text());
}

/** By hand, so that no Codex is there. */
export const withoutCodex = (home: Home): Record<string, string> => {
  const bin = join(home.base, "only");
  mkdirSync(bin, { recursive: true });
  try {
    symlinkSync(join(home.base, "bin", "opencode"), join(bin, "opencode"));
  } catch {
    // Made by an earlier call.
  }
  return { PATH: `${bin}:${(home.env.PATH ?? "").replace(`${join(home.base, "bin")}:`, "")}` };
};

export const bads = (said: Said) => (said.json.findings ?? []).filter(({ status }) => status === "bad");
export const finding = (said: Said, what: string) =>
  said.json.findings?.find((one) => one.what.startsWith(what));
