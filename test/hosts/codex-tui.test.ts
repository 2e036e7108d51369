/** The gate where people use Codex: in a terminal, with its background server, which runs the hooks, and without it. */

import { afterAll, expect } from "bun:test";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { isAside, startScriptedModel } from "../../scripts/host/scripted-model.ts";
import { codexEnv, sandboxMissing } from "./codex.ts";
import { endDaemon } from "./codex-daemon.ts";
import {
  createGoal,
  getGoal,
  type Installed,
  installed,
  pointAt,
  type Steps,
  say,
  scriptOf,
  sh,
  trustPlugin,
  updateGoal,
} from "./gated.ts";
import { testUnless } from "./host-test.ts";
import { CHECKPOINT, CREATE, denied, FILES, FINISH, OBJECTIVE, status, WORK } from "./stories.ts";
import { startInTmux, tmuxMissing } from "./tmux.ts";

const terminalTest = testUnless((await tmuxMissing()) ?? (await sandboxMissing()));
const made: Installed[] = [];
afterAll(async () => {
  for (const one of made) await one.remove();
});

/** An active goal gets its next turn at once; when nothing came for so long, nothing will come. In milliseconds. */
const QUIET_MS = 1000;
const LOOK_MS = 50;
/** For the whole session, in milliseconds. */
const SESSION_MS = 100_000;

interface Session {
  /** What came back for each step. */
  readonly outputs: readonly string[];
  /** Something of the host outlived its terminal. */
  readonly daemon: boolean;
}

/** A session that a user begins with a prompt, until the host rests. */
async function session(steps: Steps, flags: readonly string[]): Promise<Session> {
  const codex = await installed(FILES);
  made.push(codex);
  await trustPlugin(codex);
  // Else it asks the user.
  const trusted = `\n[projects.${JSON.stringify(codex.repo)}]\ntrust_level = "trusted"\n`;
  await appendFile(join(codex.home, "codex", "config.toml"), trusted);
  const script = scriptOf(steps);
  const model = await startScriptedModel((seen) => (seen.aside ? { say: "Fix add" } : script.turn(seen)));
  const asked = (): number => model.requests.filter((one) => !isAside(one.body)).length;
  try {
    await pointAt(codex.home, model.url);
    const env = codexEnv(codex.home, { PATH: codex.path });
    // A prompt is no subcommand, whatever its words: by the subcommand the hooks tell which hosts go on.
    const terminal = await startInTmux(codex.binary, [...flags, "please exec it"], codex.repo, env);
    let daemon = false;
    try {
      const late = Date.now() + SESSION_MS;
      for (let since = Date.now(), known = 0; !script.ended() || Date.now() - since < QUIET_MS; ) {
        if (known !== asked()) [since, known] = [Date.now(), asked()];
        if (Date.now() > late)
          throw new Error(`no rest after ${known} requests:\n${await terminal.screen()}`, {
            cause: model.failure(),
          });
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    } finally {
      await terminal.end();
      daemon = await endDaemon(codex.home);
    }
    // One more than there are steps: the host let the agent rest.
    expect(asked()).toBe(steps.length + 1);
    // And the host began the next turn, not a stop that a hook held back.
    expect(JSON.stringify(model.requests.at(-1)?.body.input)).not.toContain("<hook_prompt");
    return { outputs: script.outputs, daemon };
  } finally {
    await model.end();
  }
}

for (const [name, flags] of [
  ["in the background server", []],
  ["in the terminal's own process", ["--no-daemon"]],
] as const)
  terminalTest(
    `a goal is refused before the proof, and complete after it: ${name}`,
    async () => {
      const { outputs, daemon } = await session(
        [
          sh(CREATE),
          createGoal(OBJECTIVE),
          updateGoal("complete"),
          getGoal,
          // The host begins the next turn by itself.
          say("enough for now"),
          sh(WORK),
          ...FINISH,
          updateGoal("complete"),
          getGoal,
          CHECKPOINT,
        ],
        flags,
      );
      expect(daemon).toBe(flags.length === 0);
      expect(outputs[0]).toContain("gate armed");
      expect(outputs[2]).toMatch(denied);
      expect(status(outputs[3])).toBe("active");
      expect(status(outputs[9])).toBe("complete");
      expect(outputs[10]).toContain("ok: 1 criterion proven");
    },
    240_000,
  );
