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
const ROUNDS = 9;
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
    bareWith: await host(bare, [plugin]),
    plannedWithout: await host(planned, []),
    plannedWith: await host(planned, [plugin], "proofgate ulw-loop complete-goals"),
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
  const early = { at: "most", value: 3 } as const;
  const call = (turn: Turn): number => turn.call;
  const around = ({ begin, end }: Turn): number => begin + end;
  return [
    row("a tool call, no state", "bareWithout", "bareWith", call, early),
    row("a tool call, the session's own plan", "plannedWithout", "plannedWith", call),
    row("a turn, no state", "bareWithout", "bareWith", around, early),
    row("a turn's beginning, the session's own plan", "plannedWithout", "plannedWith", ({ begin }) => begin),
    await loading(plugin),
  ];
}

/** @param first a shell line of the agent's, before anything is measured */
async function host(repo: string, plugins: readonly string[], first?: string): Promise<Host> {
  let left: readonly string[] = [];
  let asked: number[] = [];
  let said = 0;
  const model = await startScriptedChat(() => {
    asked.push(performance.now());
    const [command, ...rest] = left;
    left = rest;
    if (command !== undefined) return { call: "bash", args: { command, description: "a step" } };
    said = performance.now();
    return { say: "done" };
  });
  const home = await makeOpenCodeHome(model.url, { plugin: plugins });
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
    const gaps = asked.slice(1, commands.length + 1).map((at, index) => at - (asked[index] ?? at));
    return { begin: (asked[0] ?? over) - begun, call: median(gaps), end: over - said };
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
