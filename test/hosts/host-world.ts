/** A test's world whose agent works in a real host: its commands run there, in the sandbox if there is one, and its goal goes through the gate. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostGoals, Said, World } from "../helpers/world.ts";
import { codexBinary } from "./codex-binary.ts";
import type { Live } from "./live.ts";
import { liveCodex } from "./live-codex.ts";
import { openCodeServer } from "./live-opencode.ts";
import { pluggedHome } from "./plugged-home.ts";

interface Inside {
  /** As the world's own `run`, by the agent in its sandbox. */
  run(
    args: readonly string[],
    options: { env?: Record<string, string>; cwd?: string; stdin?: string },
  ): Promise<Said>;
  readonly goals: HostGoals;
  remove(): Promise<void>;
}

/** @param world its environment is changed: what hooks know lies where the sandbox cannot write */
export async function insideCodex(world: World, base: string, program: string): Promise<Inside> {
  const binary = await codexBinary();
  if ("missing" in binary) throw new Error(binary.missing);
  const plugged = await pluggedHome(binary.path);
  const home = plugged.path;
  world.env.XDG_STATE_HOME = join(home, "state");
  const network = process.env.PROOFGATE_INSIDE_NETWORK === "1";
  return inside(world, base, program, {
    start: (cwd) => liveCodex(binary.path, { home, cwd, env: world.env, network }),
    remove: plugged.remove,
  });
}

/** @param world its environment is changed: its commands and the plugin use one store */
export async function insideOpenCode(world: World, base: string, program: string): Promise<Inside> {
  const server = await openCodeServer();
  world.env.XDG_STATE_HOME = server.state;
  return inside(world, base, program, { start: server.session, remove: async () => {} });
}

interface Host {
  /** A session in this folder. */
  start(cwd: string): Promise<Live>;
  remove(): Promise<void>;
}

function inside(world: World, base: string, program: string, host: Host): Inside {
  let live: Promise<Live> | null = null;
  /** The host is started where the first command runs: the folder that this user works in. */
  const session = (cwd = world.root): Promise<Live> => {
    live ??= host.start(cwd);
    return live;
  };
  const objectives = new Set<string>();
  const goals: HostGoals = {
    async create(objective) {
      if (objectives.has(objective)) return;
      objectives.add(objective);
      await (await session()).tool("create_goal", { objective });
    },
    async complete(objective) {
      await goals.create(objective);
      const agent = await session();
      const said = await agent.tool("update_goal", { status: "complete" });
      const now = await agent.tool("get_goal", {});
      return /"status":"complete"/.test(now) ? null : `${said}\n${now}`;
    },
  };
  return {
    goals,
    async run(args, { env: more = {}, cwd = world.root, stdin }) {
      const files = {
        out: join(base, "said.out"),
        err: join(base, "said.err"),
        exit: join(base, "said.exit"),
      };
      for (const file of Object.values(files)) rmSync(file, { force: true });
      const input = join(base, "said.in");
      writeFileSync(input, stdin ?? "");
      const settings = Object.entries({ ...world.env, ...more }).map(([name, value]) =>
        quote(`${name}=${value}`),
      );
      const line = `cd ${quote(cwd)} && env ${settings.join(" ")} node ${quote(program)} ${args.map(quote).join(" ")}`;
      const seen = await (await session(cwd)).sh(
        `( ${line} ) >${quote(files.out)} 2>${quote(files.err)} <${quote(input)}; echo $? >${quote(files.exit)}`,
      );
      try {
        const out = readFileSync(files.out, "utf8");
        const exit = Number(readFileSync(files.exit, "utf8"));
        return { exit, out, err: readFileSync(files.err, "utf8"), json: parsed(out) };
      } catch (error) {
        throw new Error(`the command did not end in the host: ${args.join(" ")}\n${seen}`, { cause: error });
      }
    },
    async remove() {
      await (await live)?.end();
      await host.remove();
    },
  };
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
