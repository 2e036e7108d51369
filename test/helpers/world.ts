/** A throw-away repository with its own HOME, and the built program to use on it. */

import { afterAll, onTestFinished } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A build of one's own may be named, so that a rebuild by somebody else does not pull it away in the middle. */
const PROGRAM = process.env.PROOFGATE_PROGRAM ?? join(import.meta.dir, "../../dist/proofgate.js");

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** The JSON answer; an empty object when there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by tests, which fail where a key is missing
  readonly json: any;
}

export interface World {
  readonly root: string;
  readonly home: string;
  readonly env: Record<string, string>;
  write(path: string, content: string | Buffer): void;
  read(path: string): string;
  git(...args: string[]): Promise<string>;
  commit(message?: string): Promise<void>;
  /** Runs the program as an agent does: no terminal. `--json` is added when `json` asks for it. */
  run(args: readonly string[], options?: RunOptions): Promise<Said>;
  /** The same with `--json`. */
  ask(...args: string[]): Promise<Said>;
  /** The user's approval, typed into a real pseudo-terminal. */
  approve(answer?: string): Promise<Said>;
  /** Runs any command in the repository. */
  sh(command: string): Promise<Said>;
  /** Set where the agent works in a real host. */
  readonly host?: HostGoals;
  remove(): Promise<void>;
}

/** The host's own goals. */
export interface HostGoals {
  /** Once for each objective. */
  create(objective: string): Promise<void>;
  /** @returns what the host said when it refused; null when the goal is complete */
  complete(objective: string): Promise<string | null>;
}

interface RunOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly json?: boolean;
}

const worlds: World[] = [];
afterAll(async () => {
  for (const world of worlds.splice(0)) await world.remove();
  if (process.env.PROOFGATE_INSIDE === "opencode")
    await (await import("../hosts/live-opencode.ts")).endOpenCodeServer();
});

/** @param options.git false: a plain folder; `empty`: a repository without a commit; by default files are committed */
export async function makeWorld(
  files: Record<string, string> = {},
  options: { git?: boolean | "empty" } = {},
): Promise<World> {
  const base = mkdtempSync(join(tmpdir(), "pg-world-"));
  const root = join(base, "repo");
  const home = join(base, "home");
  mkdirSync(root);
  mkdirSync(home);
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    XDG_STATE_HOME: join(home, "state"),
    XDG_CONFIG_HOME: join(home, "config"),
    TMPDIR: process.env.TMPDIR ?? tmpdir(),
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Tester",
    GIT_AUTHOR_EMAIL: "tester@example.invalid",
    GIT_COMMITTER_NAME: "Tester",
    GIT_COMMITTER_EMAIL: "tester@example.invalid",
  };
  const world: World = {
    root,
    home,
    env,
    write(path, content) {
      const full = join(root, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content);
    },
    read: (path) => readFileSync(join(root, path), "utf8"),
    async git(...args) {
      const said = await spawnIn(["git", ...args], root, env);
      if (said.exit !== 0) throw new Error(`git ${args.join(" ")}: ${said.err}`);
      return said.out.trim();
    },
    async commit(message = "work") {
      await world.git("add", "-A");
      await world.git("commit", "-q", "--allow-empty", "-m", message);
    },
    run: (args, run = {}) =>
      spawnIn(
        ["node", PROGRAM, ...args, ...(run.json ? ["--json"] : [])],
        run.cwd ?? root,
        { ...env, ...run.env },
        run.stdin,
      ),
    ask: (...args) => world.run(args, { json: true }),
    approve: (answer = "y") =>
      // util-linux `script` gives the command a terminal of its own; the delay lets the question come first.
      spawnIn(
        ["sh", "-c", `(sleep 0.4; echo ${answer}) | script -qec "node '${PROGRAM}' approve" /dev/null`],
        root,
        env,
      ),
    sh: (command) => spawnIn(["sh", "-c", command], root, env),
    remove: async () => rmSync(base, { recursive: true, force: true }),
  };
  worlds.push(world);
  for (const [path, content] of Object.entries(files)) world.write(path, content);
  if (options.git !== false) {
    await world.git("init", "-q", "-b", "main");
    if (options.git !== "empty") await world.commit("base");
  }
  return process.env.PROOFGATE_INSIDE === undefined ? world : inside(world, base);
}

/** The same corpus, played in a real host: what the agent runs, it runs there. */
async function inside(world: World, base: string): Promise<World> {
  const { insideCodex, insideOpenCode } = await import("../hosts/host-world.ts");
  const make = process.env.PROOFGATE_INSIDE === "opencode" ? insideOpenCode : insideCodex;
  const host = await make(world, base, PROGRAM);
  const there: World = {
    ...world,
    host: host.goals,
    run: (args, { json = false, ...options } = {}) => host.run(json ? [...args, "--json"] : args, options),
    ask: (...args) => there.run(args, { json: true }),
    async remove() {
      await host.remove();
      await world.remove();
    },
  };
  worlds.splice(worlds.indexOf(world), 1);
  // A host that waits for more takes memory and time from those after it: it ends with its test.
  onTestFinished(() => there.remove());
  return there;
}

async function spawnIn(
  command: string[],
  cwd: string,
  env: Record<string, string>,
  stdin?: string,
): Promise<Said> {
  // Liars delete whole folders: never anywhere but in a world of this very helper, which has to be there still.
  if (!realpathSync(cwd).startsWith(join(realpathSync(tmpdir()), "pg-world-")))
    throw new Error(`not a folder of a test's world: ${cwd}`);
  const child = Bun.spawn(command, {
    cwd,
    env,
    stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, out, err, json: parse(out) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
