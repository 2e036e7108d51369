/**
 * The sandbox that the session's commands run in. Hooks run outside of it, and a check is the agent's code: what the gate
 * runs is put into the same sandbox with the host's own `codex sandbox`, by the host's own record of what it is.
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Refusal } from "../../components/errors.ts";
import { resolveProgram, trustedPath } from "../../components/evidence/environment.ts";
import { forbidFetching, keepFiltersIn } from "../../components/evidence/git.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import type { Confine } from "../../components/evidence/types.ts";
import { storeFolder } from "../../components/witness/files.ts";
import type { Payload } from "../common/call.ts";
import type { Surroundings } from "../common/host.ts";
import { newest } from "./transcript.ts";

/** What concerns only hooks. */
const OWN =
  /^(?:(?:CLAUDE_)?PLUGIN_(?:ROOT|DATA)|PROOFGATE_(?:HOST_ARGS|(?:LOGIN_)?PATH|(?:NODE|BUN)_OPTIONS))$/;

/** @param env the hook's own environment, which is that of the host */
export function surroundingsOf(payload: Payload, env: NodeJS.ProcessEnv): Surroundings {
  const own = { ...env };
  for (const name of Object.keys(own)) if (OWN.test(name)) delete own[name];
  // The hook itself starts without them; a check may need them.
  for (const name of ["NODE_OPTIONS", "BUN_OPTIONS"]) {
    const given = env[`PROOFGATE_${name}`];
    if (given !== undefined && given !== "") own[name] = given;
  }
  // What the agent's login shell finds, it finds first; then what only the host was started with.
  const paths = [env.PROOFGATE_LOGIN_PATH ?? "", env.PROOFGATE_PATH ?? env.PATH ?? ""].flatMap((path) =>
    path.split(delimiter),
  );
  own.PATH = [...new Set(paths.filter((path) => path !== ""))].join(delimiter);
  const turn = newest(payload.transcript, "turn_context");
  const profile = map(turn?.permission_profile);
  if (profile.type === "disabled" || profile.type === "external") return { confine: undefined, env: own };
  if (profile.type !== "managed") return { confine: unknownSandbox, env: own };
  if (profile.network !== "enabled") own.CODEX_SANDBOX_NETWORK_DISABLED = "1";
  const cwd = typeof turn?.cwd === "string" ? turn.cwd : payload.cwd;
  const program = hostProgram(env, findRootFast(payload.cwd).root);
  return { confine: confineWith(program, profile, cwd), env: own };
}

const confineWith =
  (program: string | null, profile: Readonly<Record<string, unknown>>, cwd: string): Confine =>
  (argv, place, writable) => {
    if (program === null) throw noHost();
    const state = { permissionProfile: opened(profile, writable), sandboxCwd: pathToFileURL(cwd).href };
    const confined = [program, "sandbox", "--sandbox-state-json", JSON.stringify(state), "--"];
    // The host starts the program in the session's folder, wherever we call it from.
    return [...confined, "/bin/sh", "-c", 'cd -- "$0" && exec "$@"', place, ...argv];
  };

/** The profile with folders of ours left open, but for what would make Git start programs: `.git` in them is only read. */
function opened(profile: Readonly<Record<string, unknown>>, writable: readonly string[]): unknown {
  const files = map(profile.file_system);
  if (!Array.isArray(files.entries)) return profile;
  const entry = (path: string, access: "read" | "write"): unknown => ({
    path: { type: "path", path },
    access,
  });
  const more = writable
    .map((folder) => realpathSync(folder))
    .flatMap((folder) => [
      entry(folder, "write"),
      ...(existsSync(join(folder, ".git")) ? [entry(join(folder, ".git"), "read")] : []),
    ]);
  return { ...profile, file_system: { ...files, entries: [...files.entries, ...more] } };
}

const unknownSandbox: Confine = () => {
  throw new Refusal(
    "check_inconclusive",
    "The gate does not know this session's sandbox, so it runs no check.",
    {
      expected: "a record of the session that says which sandbox its commands run in",
      found: "none that this version can read",
      next: ["proofgate doctor"],
    },
  );
};

const noHost = (): Refusal =>
  new Refusal("check_inconclusive", "The gate found no codex to put a sandbox around its checks.", {
    expected: "codex among the parents of this process, or on PATH",
    found: "neither",
    next: ["proofgate doctor"],
  });

/** How many parents up the host is looked for: its shell, ours, and what a version manager puts in between. */
const PARENTS = 8;

/** The host's program: a parent of this process where the system tells, else the one on PATH, never the repository's. */
function hostProgram(env: NodeJS.ProcessEnv, root: string): string | null {
  let pid = process.ppid;
  for (let up = 0; up < PARENTS && pid > 1; up++)
    try {
      const program = readlinkSync(`/proc/${pid}/exe`);
      if (/^codex(-[\w.-]+)?(\.exe)?$/.test(basename(program)) && existsSync(program)) return program;
      const [, parent] = /^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      pid = Number(parent ?? 0);
    } catch {
      break;
    }
  return resolveProgram("codex", trustedPath(env.PATH ?? "", [root]), root);
}

/** Older than any run: left by a hook that was ended by force. In milliseconds. */
const LEFT_MS = 24 * 3600_000;

/**
 * Makes this process fit to work outside the sandbox on what was written inside of it: temporary folders lie where no
 * sandboxed command can write, Git asks no server that the repository names, and its filters are started in the sandbox.
 */
export function workOutside(payload: Payload, env: NodeJS.ProcessEnv): void {
  forbidFetching();
  // Most repositories have no filter: the record is read where one is to be started.
  keepFiltersIn((argv, cwd, writable) => {
    const { confine } = surroundingsOf(payload, env);
    return confine === undefined ? argv : confine(argv, cwd, writable);
  });
  const folder = join(storeFolder(env), "tmp");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (name.startsWith("pg-") && Date.now() - since > LEFT_MS)
      rmSync(path, { recursive: true, force: true });
  }
  process.env.TMPDIR = folder;
}

const map = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
