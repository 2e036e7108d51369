/** What Codex's hooks cost: where nothing concerns us beside an empty hook, and with a plan beside an empty Node start. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Candidate, measure, over } from "./measure.ts";
import { type BenchWorld, makeRepo, writeState } from "./state.ts";
import type { Row } from "./table.ts";

const ROUNDS = 15;
const EMPTY_HOOK = "an empty hook (true)";
const EMPTY_NODE = "node -e 0";
const SESSION = "01a1f865-9437-7830-a3e6-9db0b3831fe6";
const SECTION = "Hooks in Codex";

/** @param plugin folder of the built plugin */
export async function hooks(world: BenchWorld, plugin: string): Promise<readonly Row[]> {
  const bare = await makeRepo(world, "bare", 50, 2);
  const planned = await makeRepo(world, "planned", 50, 2);
  await writeState(planned, 10, 40);
  const payload = (name: string, cwd: string, more: object): string => {
    const path = join(world.base, `${name}.json`);
    const common = { session_id: SESSION, turn_id: "1", transcript_path: null, cwd, model: "bench" };
    writeFileSync(path, JSON.stringify({ ...common, ...more }));
    return path;
  };
  const env = { ...world.env, PLUGIN_ROOT: plugin };
  const hook = (name: string, event: string, cwd: string, file: string): Candidate => ({
    name,
    cwd,
    env,
    command: () => ["sh", "-c", `sh '${join(plugin, "hooks", "run.sh")}' ${event} < '${file}'`],
  });
  const goal = { tool_name: "update_goal", tool_input: { status: "complete" } };
  const long = { tool_name: "Bash", tool_input: { command: "cat" }, tool_response: "x".repeat(200_000) };
  const patch = { tool_name: "apply_patch", tool_input: { command: `+${"x".repeat(200_000)}` } };
  const early = [
    hook("update_goal, no state", "pre-goal", bare, payload("a", bare, goal)),
    hook("a prompt, no state", "prompt", bare, payload("b", bare, { prompt: "make it better" })),
    hook("a command of 200 KB, no state", "post-shell", bare, payload("c", bare, long)),
    hook("a patch of 200 KB", "pre-patch", planned, payload("d", planned, patch)),
  ];
  const full = [
    hook(
      "get_goal seen, with a plan",
      "post-goal",
      planned,
      payload("e", planned, { tool_name: "get_goal", tool_input: {}, tool_response: { goal: null } }),
    ),
  ];
  const rounds = await measure(
    [
      { name: EMPTY_HOOK, cwd: bare, env, command: () => ["sh", "-c", "true"] },
      { name: EMPTY_NODE, cwd: bare, env, command: () => ["node", "-e", "0"] },
      ...early,
      ...full,
    ],
    ROUNDS,
  );
  return [
    ...early.map(
      ({ name }): Row => ({
        section: SECTION,
        what: `${name}: beyond an empty hook`,
        value: over(rounds, (t) => t(name) - t(EMPTY_HOOK)),
        unit: "ms",
        budget: { at: "most", value: 3 },
        detail: `no Node start, ${over(rounds, (t) => t(name) / t(EMPTY_NODE)).toFixed(2)} × an empty one`,
      }),
    ),
    ...full.map(
      ({ name }): Row => ({
        section: SECTION,
        what: name,
        value: over(rounds, (t) => t(name) / t(EMPTY_NODE)),
        unit: "x",
        budget: { at: "most", value: 1.25 },
        detail: "one Node start",
      }),
    ),
  ];
}
