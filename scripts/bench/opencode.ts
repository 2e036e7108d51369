/** What the plugin costs in the real OpenCode: each tool call and each turn beside the same host without it, and its load. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  makeOpenCodeHome,
  type OpenCodeHome,
  openCodeMissing,
  startOpenCode,
} from "../../test/hosts/opencode.ts";
import { startScriptedChat } from "../host/scripted-chat.ts";
import { median } from "./measure.ts";
import { type BenchWorld, makeRepo, writeState } from "./state.ts";
import type { Row } from "./table.ts";

const SECTION = "In OpenCode";
const ROUNDS = 7;
const WARM_UP = 2;
const STARTS = 5;
/** Tool calls in one turn. */
const CALLS = 8;

/** Milliseconds of one turn. */
interface Turn {
  /** From the prompt to the model. */
  readonly begin: number;
  /** Between two questions to the model with a tool call between them; the median of the turn. */
  readonly call: number;
  /** From the model's last word until the host rests. */
  readonly end: number;
  /** In the plugin's hooks for each tool call, by the host's own clock; null without the plugin. */
  readonly hooks: number | null;
}

/** One host, in one repository. */
interface Host {
  /** The agent takes the tool so often, then says that it is done. */
  turn(calls: number): Promise<Turn>;
  end(): Promise<void>;
}

/** @returns no rows where there is no OpenCode */
export async function openCode(world: BenchWorld, plugin: string): Promise<readonly Row[]> {
  if ((await openCodeMissing()) !== null) return [];
  const bare = await makeRepo(world, "oc-bare", 50, 2);
  const planned = await makeRepo(world, "oc-planned", 50, 2);
  await writeState(planned, 10, 40);
  const hosts = {
    bareWithout: await host(bare, []),
    bareWith: await host(bare, [timed(world, plugin)]),
    plannedWithout: await host(planned, []),
    plannedWith: await host(planned, [timed(world, plugin)], "proofgate ulw-loop complete-goals"),
  };
  const names = Object.keys(hosts) as (keyof typeof hosts)[];
  const rounds: Record<keyof typeof hosts, Turn>[] = [];
  try {
    for (let round = 0; round < ROUNDS + WARM_UP; round++) {
      const turns: Partial<Record<keyof typeof hosts, Turn>> = {};
      for (let i = 0; i < names.length; i++) {
        const name = names[(i + round) % names.length];
        if (name !== undefined) turns[name] = await hosts[name].turn(CALLS);
      }
      if (round >= WARM_UP) rounds.push(turns as Record<keyof typeof hosts, Turn>);
    }
  } finally {
    for (const one of Object.values(hosts)) await one.end();
  }
  const row = (
    what: string,
    without: keyof typeof hosts,
    withIt: keyof typeof hosts,
    ms: (turn: Turn) => number,
    budget?: Row["budget"],
  ): Row => {
    const ratio = median(rounds.map((round) => ms(round[withIt]) / ms(round[without])));
    return {
      section: SECTION,
      what: `${what}: added beside no plugin`,
      value: median(rounds.map((round) => ms(round[withIt]) - ms(round[without]))),
      unit: "ms",
      ...(budget === undefined ? {} : { budget }),
      detail: `${ratio.toFixed(2)} × the host's own ${median(rounds.map((round) => ms(round[without]))).toFixed(0)} ms`,
    };
  };
  const inHooks = (what: string, name: keyof typeof hosts, budget?: Row["budget"]): Row => ({
    section: SECTION,
    what: `${what}: in the plugin's hooks`,
    value: median(rounds.map((round) => round[name].hooks ?? Number.NaN)),
    unit: "ms",
    ...(budget === undefined ? {} : { budget }),
    detail: "those that the host waits for, by its own clock",
  });
  const early = { at: "most", value: 3 } as const;
  const call = (turn: Turn): number => turn.call;
  return [
    inHooks("a tool call, no state", "bareWith", early),
    row("a tool call, no state", "bareWithout", "bareWith", call),
    inHooks("a tool call, the session's own plan", "plannedWith"),
    row("a tool call, the session's own plan", "plannedWithout", "plannedWith", call),
    row("a turn, no state", "bareWithout", "bareWith", ({ begin, end }) => begin + end),
    row("a turn's beginning, the session's own plan", "plannedWithout", "plannedWith", ({ begin }) => begin),
    await loading(plugin),
  ];
}

/** Where the probes write what they counted: milliseconds in hooks so far. */
const TOLD = "PROOFGATE_BENCH_HOOKS";

/** A plugin that is ours with a clock around each hook. @returns its path */
function timed(world: BenchWorld, plugin: string): string {
  const probe = join(world.base, "timed.js");
  writeFileSync(
    probe,
    `import { writeFileSync } from "node:fs";
import plugin from ${JSON.stringify(join(plugin, "index.js"))};
let ms = 0;
const clocked = (hook) => async (...args) => {
  const from = performance.now();
  try { return await hook(...args); } finally { ms += performance.now() - from; }
};
export default { id: "timed", server: async (input, options) => {
  const hooks = await plugin.server(input, options);
  for (const [name, hook] of Object.entries(hooks))
    if (typeof hook === "function" && !["event", "experimental.text.complete"].includes(name)) hooks[name] = clocked(hook);
  const before = hooks["tool.execute.before"];
  // The end of a turn is none of a tool call's: what was counted is told when the last call is over.
  hooks["tool.execute.before"] = async (...args) => { await before(...args); writeFileSync(process.env.${TOLD}, String(ms)); };
  return hooks;
} };
`,
  );
  return probe;
}

/** @param first a shell line of the agent's, before anything is measured */
async function host(repo: string, plugins: readonly string[], first?: string): Promise<Host> {
  let left: readonly string[] = [];
  let asked: number[] = [];
  let said = 0;
  let atFirst = 0;
  const model = await startScriptedChat(() => {
    asked.push(performance.now());
    // One call is over, and what it and the turn's beginning took is told.
    if (asked.length === 2 && plugins.length > 0) atFirst = inHooks();
    const [command, ...rest] = left;
    left = rest;
    if (command !== undefined) return { call: "bash", args: { command, description: "a step" } };
    said = performance.now();
    return { say: "done" };
  });
  const made = await makeOpenCodeHome(model.url, { plugin: plugins });
  const counted = join(made.path, "in-hooks");
  const home = { ...made, env: { ...made.env, [TOLD]: counted } };
  const inHooks = (): number => Number(readFileSync(counted, "utf8"));
  const server = startOpenCode(home, ["serve", "--hostname", "127.0.0.1", "--port", "0"], home.path);
  const [, url = ""] = await server.printed(/listening on (http:\S+)/);
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}${path}?directory=${encodeURIComponent(repo)}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.json();
  };
  const { id } = (await post("/session", {})) as { id: string };
  const turn = async (commands: readonly string[]): Promise<Turn> => {
    left = commands;
    asked = [];
    const begun = performance.now();
    await post(`/session/${id}/message`, { parts: [{ type: "text", text: "do it" }] });
    const over = performance.now();
    // From the first call to the last one.
    const hooks =
      plugins.length === 0 || commands.length < 2 ? null : (inHooks() - atFirst) / (commands.length - 1);
    const gaps = asked.slice(1, commands.length + 1).map((at, index) => at - (asked[index] ?? at));
    return { begin: (asked[0] ?? over) - begun, call: median(gaps), end: over - said, hooks };
  };
  if (first !== undefined) await turn([first]);
  return {
    turn: (calls) => turn(Array.from({ length: calls }, () => "true")),
    async end() {
      await server.end();
      await model.end();
      await home.remove();
    },
  };
}

/** The host's own clock around what it does with the module at a start: import, factory, configuration. */
async function loading(plugin: string): Promise<Row> {
  const scratch = mkdtempSync(join(tmpdir(), "proofgate-bench-load-"));
  const told = join(scratch, "told");
  const probe = join(scratch, "probe.js");
  writeFileSync(
    probe,
    `import { appendFileSync } from "node:fs";
export default { id: "probe", server: async (input) => {
  const from = performance.now();
  const { default: plugin } = await import(${JSON.stringify(join(plugin, "index.js"))});
  const hooks = await plugin.server(input);
  const made = performance.now();
  return { config: async (config) => {
    const before = performance.now();
    await hooks.config(config);
    appendFileSync(${JSON.stringify(told)}, performance.now() - before + (made - from) + "\\n");
  } };
} };
`,
  );
  const model = await startScriptedChat(() => ({ say: "done" }));
  try {
    for (let start = 0; start < STARTS; start++) {
      const home: OpenCodeHome = await makeOpenCodeHome(model.url, { plugin: [probe] });
      await startOpenCode(home, ["run", "hello"], scratch).ended(120_000);
      await home.remove();
    }
    const times = readFileSync(told, "utf8").trim().split("\n").map(Number);
    return {
      section: SECTION,
      what: "loading: import, factory, configuration",
      value: median(times),
      unit: "ms",
      budget: { at: "most", value: 5 },
      detail: `median of ${times.length} starts, by the host's own clock`,
    };
  } finally {
    await model.end();
    rmSync(scratch, { recursive: true, force: true });
  }
}
