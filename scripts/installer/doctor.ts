/** Is the gate in place, trusted and able to run? Asks the host, not our own record, wherever the host can tell. */

import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { readToml, table } from "./config-text.ts";
import { digestIf, textIf } from "./files.ts";
import { bad, type Finding, note, ok } from "./finding.ts";
import { findHost, type Host, hostEnv, onPath, runProgram } from "./host.ts";
import { NAMES } from "./links.ts";
import { concernsGoals } from "./matcher.ts";
import { readRecord } from "./record.ts";
import { readSource, type Source } from "./source.ts";
import { PLUGIN, projectRoles, type Spots } from "./spots.ts";
import { listHooks } from "./trust.ts";
import { tryHook } from "./try-hook.ts";

const OUTSIDE = "proofgate doctor  (in your own terminal: the host cannot be asked from inside its sandbox)";
const INSTALL = "proofgate install codex --trust-hooks";

/** @param root the repository, whose configuration counts too */
export async function examine(spots: Spots, env: NodeJS.ProcessEnv, root: string): Promise<Finding[]> {
  let host: Host;
  try {
    host = await findHost(spots, env);
  } catch (error) {
    return [fromRefusal("Codex", error)];
  }
  const findings: Finding[] = [ok("Codex", `${host.version}, ${host.path}`)];
  try {
    findings.push(...features(spots));
    const source = installedSource(spots);
    findings.push(...(await pluginState(spots, host, env, root, source)));
    if (source !== null) {
      findings.push(...(await hookState(spots, host, env, root, source)));
      findings.push(...roleState(spots, root, source), ...(await programState(spots, env, source)));
    }
  } catch (error) {
    const finding = fromRefusal("Codex", error);
    const sandboxed = (env.CODEX_SANDBOX_NETWORK_DISABLED || env.CODEX_THREAD_ID || "") !== "";
    findings.push(sandboxed ? { ...finding, mend: OUTSIDE } : finding);
  }
  return findings;
}

/** A refusal as a finding; anything else is a defect and is thrown on. */
export function fromRefusal(what: string, error: unknown): Finding {
  if (!(error instanceof Refusal)) throw error;
  const found = error.found === undefined ? error.message : `${error.message} ${error.found}`;
  return bad(what, found.split("\n")[0] ?? "", error.nextActions[0] ?? "proofgate help");
}

/** The plugin as our copy of it has it: what should be in place. */
function installedSource(spots: Spots): Source | null {
  return existsSync(spots.market) ? readSource(spots.market) : null;
}

function features(spots: Spots): Finding[] {
  const text = textIf(spots.config);
  const switches = table(text === null ? null : readToml(text, spots.config).features);
  return ["hooks", "plugins", "goals"]
    .filter((name) => switches[name] === false)
    .map((name) =>
      bad(`feature ${name}`, `switched off in ${spots.config}`, `codex features enable ${name}`),
    );
}

async function pluginState(
  spots: Spots,
  host: Host,
  env: NodeJS.ProcessEnv,
  root: string,
  source: Source | null,
): Promise<Finding[]> {
  const what = `plugin ${PLUGIN}`;
  if (source === null) return [bad(what, "not installed by proofgate install", INSTALL)];
  const answer = await runProgram(host.path, ["plugin", "list", "--json"], {
    cwd: root,
    env: hostEnv(spots, env),
  });
  const list = answer.exit === 0 ? table(parse(answer.out)).installed : null;
  const ours = (Array.isArray(list) ? list : []).map(table).find(({ pluginId }) => pluginId === PLUGIN);
  if (ours === undefined) return [bad(what, "the host does not list it as installed", INSTALL)];
  if (ours.enabled !== true) return [bad(what, "switched off here", installAgain(spots, root))];
  if (ours.version !== source.version)
    return [
      bad(
        what,
        `version ${String(ours.version)}, and ${source.version} should be there`,
        "proofgate update codex --trust-hooks",
      ),
    ];
  const half = readRecord(spots)?.state === "installing";
  return [
    half ? bad(what, "the installer was ended in the middle", INSTALL) : ok(what, `${source.version}, on`),
  ];
}

/** The same scope again; where the record is gone, the user's. */
function installAgain(spots: Spots, root: string): string {
  const record = readRecord(spots);
  return record?.scope === "project"
    ? `cd ${JSON.stringify(root)} && ${INSTALL} --scope project  (and trust the project in Codex)`
    : INSTALL;
}

async function hookState(
  spots: Spots,
  host: Host,
  env: NodeJS.ProcessEnv,
  root: string,
  source: Source,
): Promise<Finding[]> {
  const { hooks, warnings } = await listHooks(host, spots, env, root);
  const findings: Finding[] = [];
  const plugin = join(spots.cache, source.version);
  for (const key of source.hooks) {
    const hook = hooks.find((candidate) => candidate.key === key);
    const what = `hook ${key.slice(PLUGIN.length + 1).replace("hooks/hooks.json:", "")}`;
    if (hook === undefined) findings.push(bad(what, "the host does not have it", installAgain(spots, root)));
    else if (!hook.enabled) findings.push(bad(what, "switched off by you", "switch it on in codex: /hooks"));
    else if (hook.trust !== "trusted" && hook.trust !== "managed")
      findings.push(
        bad(what, `${hook.trust}: the host skips it in silence`, `${INSTALL}  (or in codex: /hooks)`),
      );
    else {
      findings.push(ok(what, hook.trust));
      // What nobody trusted is not run here either.
      findings.push(...(await tryHook(hook, env, plugin)));
    }
  }
  for (const rival of hooks.filter((hook) => hook.pluginId !== PLUGIN && hook.enabled && concernsGoals(hook)))
    findings.push(
      note(
        "another tool's hook",
        `${rival.event}${rival.matcher === null ? "" : ` (${rival.matcher})`} of ${rival.pluginId ?? rival.source}: it runs beside ours; a deny of either counts`,
      ),
    );
  for (const warning of warnings) findings.push(note("Codex warns", warning.slice(0, 200)));
  return findings;
}

function roleState(spots: Spots, root: string, source: Source): Finding[] {
  const record = readRecord(spots);
  const folder = record?.scope === "project" ? projectRoles(root) : spots.roles;
  return source.roles.map(({ name, sha }) => {
    const what = `role ${name.replace(/\.toml$/, "")}`;
    const found = digestIf(join(folder, name));
    if (found === null) return bad(what, `${join(folder, name)} is missing`, installAgain(spots, root));
    return found === sha ? ok(what, "in place") : note(what, `${join(folder, name)} is your own version`);
  });
}

/** Whether the program of the copy runs, and by which name an agent's shell reaches it. */
async function programState(spots: Spots, env: NodeJS.ProcessEnv, source: Source): Promise<Finding[]> {
  return reached(spots, env, {
    program: join(spots.market, source.program),
    version: source.version,
    host: "codex",
  });
}

/** @param own the program in our copy, the plugin's version, and the host that both were installed for */
export async function reached(
  spots: Pick<Spots, "bin" | "path">,
  env: NodeJS.ProcessEnv,
  own: { readonly program: string; readonly version: string; readonly host: string },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const install = `proofgate install ${own.host}`;
  const works = await runProgram(process.execPath, [own.program, "ulw-loop", "help"], {
    env,
    timeoutMs: 20_000,
  });
  findings.push(
    works.exit === 0
      ? ok("program", own.program)
      : bad("program", `${own.program}: exit ${works.exit}`, install),
  );
  const reached: string[] = [];
  for (const name of NAMES) {
    const path = onPath(name, spots.path);
    if (path === null) {
      const link = lstatSync(join(spots.bin, name), { throwIfNoEntry: false });
      if (link?.isSymbolicLink() === true && !existsSync(join(spots.bin, name)))
        findings.push(bad(`link ${name}`, `${join(spots.bin, name)} leads nowhere`, install));
      continue;
    }
    const [help, version] = await Promise.all(
      [["ulw-loop", "help"], ["--version"]].map((args) => runProgram(path, args, { env, timeoutMs: 20_000 })),
    );
    if (help?.exit !== 0 || !help.out.includes("ulw-loop"))
      findings.push(note(name, `${path} is another program, and is left alone`));
    else {
      reached.push(name);
      const found = version?.out.trim() ?? "";
      if (found !== "" && found !== own.version)
        findings.push(
          note(name, `${path} is version ${found}, the plugin ${own.version}: proofgate update ${own.host}`),
        );
    }
  }
  findings.push(
    reached.length > 0
      ? ok("on PATH", reached.join(", "))
      : bad(
          "on PATH",
          `none of ${NAMES.join(", ")}`,
          `export PATH="${spots.bin}:$PATH"  (in your shell's profile)`,
        ),
  );
  return findings;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
