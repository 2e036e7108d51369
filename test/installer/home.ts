/** A home of one's own for the installer: the real Codex on PATH, the built program with a small plugin beside it. */

import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { endGroup } from "../../scripts/installer/host.ts";
import { codexBinary, installHosts } from "../hosts/codex-binary.ts";

const DIST = join(import.meta.dir, "../../dist");

interface Action {
  readonly kind: string;
  readonly what: string;
  readonly where: string;
}

/** The parts of the program's answers that are looked at here. */
export interface Json {
  readonly ok?: boolean;
  readonly done?: boolean;
  readonly actions?: readonly Action[];
  readonly notes?: readonly string[];
  readonly trusted?: boolean;
  readonly healthy?: boolean;
  readonly findings?: readonly {
    readonly what: string;
    readonly status: string;
    readonly found: string;
    readonly mend?: string;
  }[];
  readonly error?: { readonly code: string; readonly nextActions: readonly string[] };
}

export interface Said {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  readonly json: Json;
}

export interface Home {
  /** Temporary folder of everything; its name has a space. */
  readonly base: string;
  readonly home: string;
  readonly codexHome: string;
  readonly config: string;
  /** Where the package lies, with `codex/` in it. */
  readonly pack: string;
  readonly state: string;
  readonly env: Record<string, string>;
  write(path: string, text: string): void;
  read(path: string): string;
  run(args: readonly string[], more?: Partial<Options>): Promise<Said>;
  /** The program with `--json`. */
  ask(...args: string[]): Promise<Said>;
  codex(...args: string[]): Promise<Said>;
  /** The program in a pseudo-terminal of its own, with answers typed to its questions. */
  talk(args: readonly string[], answers: readonly string[]): Promise<Said>;
}

interface Options {
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** Ends the program by force after so many milliseconds. */
  readonly killAfterMs: number;
}

/** Null when the tests can run, else the reason why not. */
export async function installerMissing(): Promise<string | null> {
  if (!existsSync(join(DIST, "proofgate.js"))) return "dist/proofgate.js is not built: bun scripts/build.ts";
  const failed = await installHosts();
  const found = await codexBinary();
  return "missing" in found ? (failed ?? found.missing) : null;
}

const bases: string[] = [];
/** For `afterAll` of each test file: this module is loaded once, whichever of them comes first. */
export function removeHomes(): void {
  const parent = realpathSync(tmpdir());
  for (const base of bases.splice(0)) {
    // Nothing but a folder made below may ever go.
    if (!base.startsWith(join(parent, "pg inst-"))) throw new Error(`not a test's folder: ${base}`);
    rmSync(base, { recursive: true, force: true });
  }
}

export async function makeHome(config?: string): Promise<Home> {
  const base = mkdtempSync(join(realpathSync(tmpdir()), "pg inst-"));
  bases.push(base);
  const home = join(base, "home");
  const codexHome = join(home, ".codex");
  const pack = join(base, "package");
  mkdirSync(codexHome, { recursive: true });
  mkdirSync(join(base, "work"));
  // As on any machine in use; what is ours below them comes and goes with us.
  for (const folder of ["state", "data"]) mkdirSync(join(home, folder));
  const bin = join(base, "bin");
  mkdirSync(bin);
  const codex = await codexBinary();
  if ("path" in codex) symlinkSync(codex.path, join(bin, "codex"));
  cpSync(DIST, pack, { recursive: true });
  rmSync(join(pack, "codex"), { recursive: true, force: true });
  makePlugin(pack, "0.1.0");
  const env: Record<string, string> = {
    PATH: [bin, dirname(realpathSync(Bun.which("node") ?? "node")), "/usr/bin", "/bin"].join(":"),
    HOME: home,
    XDG_STATE_HOME: join(home, "state"),
    XDG_DATA_HOME: join(home, "data"),
    TMPDIR: process.env.TMPDIR ?? tmpdir(),
    LANG: "C.UTF-8",
    // Whatever is not on loopback is refused at once.
    HTTP_PROXY: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1",
  };
  const path = join(codexHome, "config.toml");
  if (config !== undefined) writeFileSync(path, config, { mode: 0o600 });
  const run: Home["run"] = (args, more = {}) =>
    spawnIn(["node", join(pack, "proofgate.js"), ...args], { cwd: join(base, "work"), ...more }, env);
  return {
    base,
    home,
    codexHome,
    config: path,
    pack,
    state: join(home, "state", "proofgate", "install"),
    env,
    write(path, text) {
      const full = join(base, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    },
    read: (path) => readFileSync(join(base, path), "utf8"),
    run,
    ask: (...args) => run([...args, "--json"]),
    talk(args, answers) {
      // util-linux `script` gives the command a terminal; each answer waits for its question.
      const typed = answers.map((answer) => `sleep 0.6; echo ${answer}`).join("; ");
      const command = `node '${join(pack, "proofgate.js")}' ${args.join(" ")}`;
      const line = `(${typed}) | script -qec "${command}" /dev/null`;
      return spawnIn(["sh", "-c", line], { cwd: join(base, "work") }, env);
    },
    codex: (...args) => spawnIn(["codex", ...args], { cwd: join(base, "work") }, env),
  };
}

/** A plugin with the folders of the real one, into a package. */
export function makePlugin(pack: string, version: string): void {
  const market = join(pack, "codex");
  const plugin = join(market, "plugins", "proofgate");
  const put = (path: string, content: unknown): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  };
  const hook = (event: string) => ({
    type: "command",
    command: `sh "\${PLUGIN_ROOT}/hooks/run.sh" ${event}`,
    timeout: 20,
  });
  put(join(market, ".agents", "plugins", "marketplace.json"), {
    name: "proofgate",
    plugins: [
      {
        name: "proofgate",
        source: { source: "local", path: "./plugins/proofgate" },
        policy: { installation: "AVAILABLE", authentication: "ON_INSTALL" },
        category: "Productivity",
      },
    ],
  });
  put(join(plugin, ".codex-plugin", "plugin.json"), {
    name: "proofgate",
    version,
    description: "A stand-in.",
  });
  put(join(plugin, "hooks", "hooks.json"), {
    hooks: {
      PreToolUse: [{ matcher: "update_goal", hooks: [hook("pre-tool-use")] }],
      Stop: [{ hooks: [hook("stop")] }],
    },
  });
  put(join(plugin, "hooks", "run.sh"), "cat >/dev/null\nexit 0\n");
  put(
    join(plugin, "skills", "ulw-loop", "SKILL.md"),
    "---\nname: ulw-loop\ndescription: A stand-in.\n---\nText.\n",
  );
  put(
    join(plugin, "agents", "codex-ultrawork-reviewer.toml"),
    `name = "codex-ultrawork-reviewer"\ndescription = "Reviews."\ndeveloper_instructions = "Version ${version}."\n`,
  );
  for (const name of readdirSync(pack).filter((name) => /\.js$|^package\.json$/.test(name)))
    put(join(plugin, "bin", name), readFileSync(join(pack, name), "utf8"));
}

/** Every file, link and folder below a folder, by its path: what it holds, and its mode. */
export function everything(
  folder: string,
  keep: (path: string) => boolean = () => true,
): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(keep).sort();
  return Object.fromEntries(
    all.map((name) => {
      const path = join(folder, name);
      const stats = lstatSync(path);
      if (stats.isSymbolicLink()) return [name, `-> ${readlinkSync(path)}`];
      if (stats.isDirectory()) return [name, "folder"];
      const sha = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
      return [name, `${(stats.mode & 0o777).toString(8)} ${sha}`];
    }),
  );
}

/** What the host itself writes whenever it runs: databases, logs, its own skills. */
export const notTheHosts = (path: string): boolean =>
  !/\.sqlite|(^|\/)\.codex\/(\.tmp|skills|installation_id|log|sessions|version\.json|tmp)(\/|$)/.test(path);

async function spawnIn(
  command: string[],
  options: Partial<Options> & { readonly cwd: string },
  env: Record<string, string>,
): Promise<Said> {
  const child = Bun.spawn(command, {
    cwd: options.cwd,
    env: { ...env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  const timer =
    options.killAfterMs === undefined
      ? undefined
      : setTimeout(() => endGroup(child.pid), options.killAfterMs);
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  return { exit: child.signalCode === null ? exit : null, out, err, json: parse(out) };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
