/** OpenCode's program, and which of its configuration files count in a folder. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../../../components/errors.ts";
import { exists } from "../files.ts";
import { type Host, lastLine, onPath, runProgram } from "../host.ts";
import { type OpenCodeSpots, projectConfigs, userConfigs } from "./spots.ts";

/** Where the host's own installer puts it; shells find it there only after their next start. */
export const openCodePath = ({ path, home }: OpenCodeSpots): string | null =>
  onPath("opencode", [...path, join(home, ".opencode", "bin")]);

/** @throws Refusal `host_missing` */
export async function findOpenCode(spots: OpenCodeSpots, env: NodeJS.ProcessEnv): Promise<Host> {
  const path = openCodePath(spots);
  const answer =
    path === null
      ? null
      : await apart(env, (own) => runProgram(path, ["--version"], { env: own, timeoutMs: 30_000 }));
  const version = /\d+\.\d+\.\d+\S*/.exec(answer?.out ?? "")?.[0];
  if (path !== null && answer?.exit === 0 && version !== undefined) return { path, version };
  throw new Refusal("host_missing", "OpenCode was not found, or does not start.", {
    expected: "opencode on PATH that answers opencode --version",
    found: path === null ? "no opencode on PATH" : `${path}: ${lastLine(`${answer?.out}\n${answer?.err}`)}`,
    next: ["install OpenCode, or put it on PATH, then run the same command again"],
  });
}

/** Runs the host in folders of its own: it makes some in the user's home whatever it is asked, and a look changes nothing. */
export async function apart<T>(
  env: NodeJS.ProcessEnv,
  act: (env: NodeJS.ProcessEnv, scratch: string) => Promise<T>,
): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), "proofgate-opencode-"));
  const folders = ["CONFIG", "DATA", "CACHE", "STATE"].map((name) => [
    `XDG_${name}_HOME`,
    join(scratch, name),
  ]);
  try {
    return await act({ ...env, ...Object.fromEntries(folders), OPENCODE_DISABLE_AUTOUPDATE: "1" }, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A switch of the host's, as it reads them. */
export const isOn = (value: string | undefined): boolean => /^(1|true)$/i.test(value ?? "");

/** The folders that the host takes configuration from, and installs its own package into. */
export function configFolders(
  spots: OpenCodeSpots,
  env: NodeJS.ProcessEnv,
  root: string | null,
): readonly string[] {
  const project = root === null || isOn(env.OPENCODE_DISABLE_PROJECT_CONFIG) ? [] : [join(root, ".opencode")];
  const own = env.OPENCODE_CONFIG_DIR ? [env.OPENCODE_CONFIG_DIR] : [];
  const others = [...project, join(spots.home, ".opencode"), ...own].filter(exists);
  return [...new Set([spots.configHome, ...others])];
}

/** Every configuration file that is there and that the host reads in a repository, in its order. */
export function configFiles(
  spots: OpenCodeSpots,
  env: NodeJS.ProcessEnv,
  root: string | null,
): readonly string[] {
  const project = root === null || isOn(env.OPENCODE_DISABLE_PROJECT_CONFIG) ? [] : projectConfigs(root);
  const folders = configFolders(spots, env, null).filter((folder) => folder !== spots.configHome);
  const files = [
    ...userConfigs(spots),
    ...(env.OPENCODE_CONFIG ? [env.OPENCODE_CONFIG] : []),
    ...project,
    ...folders.flatMap((folder) => ["opencode.json", "opencode.jsonc"].map((name) => join(folder, name))),
  ];
  return [...new Set(files)].filter(exists);
}
