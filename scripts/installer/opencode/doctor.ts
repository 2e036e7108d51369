/** Is the gate in place in OpenCode? Names what the host itself keeps silent about. */

import { accessSync, constants, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { table } from "../config-text.ts";
import { fromRefusal, reached } from "../doctor.ts";
import { digestFolder, exists, textIf } from "../files.ts";
import { bad, type Finding, note, ok } from "../finding.ts";
import { type Host, onPath } from "../host.ts";
import { pluginsIn } from "./config-text.ts";
import { configFiles, configFolders, findOpenCode, isOn, openCodePath } from "./host.ts";
import { folderOf, isProofgate } from "./plan.ts";
import { readOpenCodeRecord } from "./record.ts";
import { manifestOf } from "./source.ts";
import type { OpenCodeSpots } from "./spots.ts";
import { tryModule } from "./try-module.ts";

const INSTALL = "proofgate install opencode";
/** In the scope that it was installed in. */
const AGAIN = "proofgate update opencode  (puts the plugin back), then proofgate doctor";
/** Of the host's own; it installs it into each folder of its configuration. */
const HOST_PACKAGE = "@opencode-ai/plugin";
/** Names of plugins that are about goals, or about going on by themselves. */
const RIVAL = /goal|loop|ralph|ulw|ultrawork|sisyphus|continu|oh-my-open/i;

/** Whether there is anything to look at: the host itself, or what we installed for it. */
export const concernsOpenCode = (spots: OpenCodeSpots): boolean =>
  openCodePath(spots) !== null || exists(spots.record);

/** @param alone nothing of ours is installed for another host, so it should be for this one */
export async function examineOpenCode(
  spots: OpenCodeSpots,
  env: NodeJS.ProcessEnv,
  root: string,
  alone: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const host = await findOpenCode(spots, env);
    findings.push(ok("OpenCode", `${host.version}, ${host.path}`));
    findings.push(...(await installedState(spots, host, env, root, alone)));
  } catch (error) {
    findings.push(fromRefusal("OpenCode", error));
  }
  return findings;
}

interface Entry {
  readonly file: string;
  readonly spec: string;
}

async function installedState(
  spots: OpenCodeSpots,
  host: Host,
  env: NodeJS.ProcessEnv,
  root: string,
  alone: boolean,
): Promise<Finding[]> {
  const what = "OpenCode plugin";
  const record = readOpenCodeRecord(spots);
  const entries = configFiles(spots, env, root).flatMap((file) =>
    pluginsIn(textIf(file), file).map((spec): Entry => ({ file, spec })),
  );
  const ours = entries.filter(
    ({ spec, file }) =>
      isProofgate(spec, file, spots.home) || folderOf(spec, file, spots.home) === spots.copy,
  );
  const [entry] = ours;
  if (entry === undefined) {
    if (record === null && !alone) return [note(what, `not set up for OpenCode: ${INSTALL}`)];
    const here =
      record?.scope === "project" ? `cd ${JSON.stringify(root)} && ${INSTALL} --scope project` : INSTALL;
    return [bad(what, "no configuration that OpenCode reads here names it", here)];
  }
  const findings: Finding[] = [];
  if (isOn(env.OPENCODE_PURE))
    findings.push(
      bad(what, "OPENCODE_PURE is set in this shell: OpenCode loads no plugin", "unset OPENCODE_PURE"),
    );
  const folder = folderOf(entry.spec, entry.file, spots.home);
  if (folder === spots.copy) findings.push(copyState(spots, entry));
  else findings.push(ok(what, `${JSON.stringify(entry.spec)} in ${entry.file}, put there by somebody else`));
  // The host takes the same folder once, however often it is named.
  for (const other of ours.slice(1))
    if (folderOf(other.spec, other.file, spots.home) !== folder)
      findings.push(
        bad(
          what,
          `twice: ${JSON.stringify(other.spec)} in ${other.file} too`,
          `take one of them out of "plugin"`,
        ),
      );
  if (folder !== null && exists(folder))
    findings.push(
      await tryModule(host, folder, env, folder === spots.copy ? AGAIN : `put ${folder} back as it was`),
    );
  findings.push(ripgrep(spots), ...slowStarts(spots, env, root), ...rivals(spots, env, root, entries, ours));
  if (folder === spots.copy) {
    const version = String(manifestOf(spots.copy).version);
    findings.push(...(await reached(spots, env, { program: spots.program, version, host: "opencode" })));
  }
  return findings;
}

function copyState(spots: OpenCodeSpots, { file }: Entry): Finding {
  const what = "OpenCode plugin";
  const record = readOpenCodeRecord(spots);
  if (!exists(spots.copy))
    return bad(
      what,
      `${spots.copy} is gone, and OpenCode says nothing of it`,
      record === null ? INSTALL : AGAIN,
    );
  if (record?.state === "installing") return bad(what, "the installer was ended in the middle", AGAIN);
  if (record !== null && digestFolder(spots.copy) !== record.digest)
    return bad(what, `${spots.copy} was changed since it was installed`, AGAIN);
  return ok(what, `${String(manifestOf(spots.copy).version)}, named in ${file}`);
}

/** Without it three of the host's tools fail, the one that reads skills among them. */
function ripgrep(spots: OpenCodeSpots): Finding {
  const path = onPath("rg", [...spots.path, spots.hostBin]);
  return path !== null
    ? ok("ripgrep", path)
    : bad(
        "ripgrep",
        "not there: skill, glob and grep fail until OpenCode could fetch it, which needs a network",
        "install ripgrep (its program is rg), or put it on PATH",
      );
}

/** Where a plugin is configured the host waits at each start until its own package is in every folder of its configuration. */
function slowStarts(spots: OpenCodeSpots, env: NodeJS.ProcessEnv, root: string): Finding[] {
  return configFolders(spots, env, root)
    .filter((folder) => isWritable(folder) && !isSupplied(folder))
    .map((folder) =>
      note(
        "OpenCode's start",
        `it first installs ${HOST_PACKAGE} into ${folder}: seconds, once; over a minute at every start where it reaches no package registry. Start it once where it does, or copy node_modules and both package files from there`,
      ),
    );
}

/** A folder that is not there yet is made by the host. */
function isWritable(folder: string): boolean {
  if (!exists(folder)) return true;
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** By the host's own rule: the folder is there, and the lock file names its package and all that package.json asks for. */
function isSupplied(folder: string): boolean {
  if (!exists(join(folder, "node_modules"))) return false;
  const locked = table(table(table(parse(join(folder, "package-lock.json"))).packages)[""]);
  const have = Object.keys(table(locked.dependencies));
  const wanted = Object.keys(table(manifestOf(folder).dependencies));
  return [HOST_PACKAGE, ...wanted].every((name) => have.includes(name));
}

function parse(path: string): unknown {
  try {
    return JSON.parse(textIf(path) ?? "null");
  } catch {
    return null;
  }
}

/** Other plugins run in the same process as ours: their hooks beside ours, and of two tools of one name only one is left. */
function rivals(
  spots: OpenCodeSpots,
  env: NodeJS.ProcessEnv,
  root: string,
  entries: readonly Entry[],
  ours: readonly Entry[],
): Finding[] {
  const folders = configFolders(spots, env, root);
  const files = folders.flatMap((folder) =>
    ["plugin", "plugins"].flatMap((name) =>
      namesIn(join(folder, name)).filter((file) => /\.[jt]s$/.test(file)),
    ),
  );
  const tools = folders
    .flatMap((folder) => ["tool", "tools"].flatMap((name) => namesIn(join(folder, name))))
    .filter((path) => /^(get|create|update)_goal\.[jt]s$/.test(basename(path)));
  const others = [...entries.filter((entry) => !ours.includes(entry)).map(({ spec }) => spec), ...files];
  const concerned = others.filter((name) => RIVAL.test(name));
  const rest = others.filter((name) => !concerned.includes(name));
  return [
    ...concerned.map((name) =>
      note(
        "another plugin",
        `${name}: by its name it is about goals or going on too; both will act in one session`,
      ),
    ),
    ...tools.map((path) =>
      note("another tool", `${path} has the name of a goal tool; the gate is only in ours`),
    ),
    ...(rest.length === 0 ? [] : [note("other plugins", `${rest.join(", ")}: they run beside ours`)]),
  ];
}

function namesIn(folder: string): string[] {
  return exists(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
