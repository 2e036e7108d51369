/** The gate in the real Codex: no goal is complete before its proof, whatever the agent tries. */

import { afterAll, describe, expect } from "bun:test";
import { sandboxMissing } from "./codex.ts";
import { createGoal, type GatedCodex, gatedCodex, getGoal, type Step, sh, updateGoal } from "./gated.ts";
import { testUnless } from "./host-test.ts";
import { CHECKPOINT, CREATE, denied, FILES, FINISH, OBJECTIVE, staircase, status, WORK } from "./stories.ts";

const gateTest = testUnless(await sandboxMissing());
const made: GatedCodex[] = [];
afterAll(async () => {
  for (const one of made) await one.remove();
});

async function codex(files: Readonly<Record<string, string>> = FILES): Promise<GatedCodex> {
  const one = await gatedCodex(files);
  made.push(one);
  return one;
}

describe("an honest agent", () => {
  gateTest(
    "is refused before the proof, with what is missing, and let through after it",
    async () => {
      const host = await codex();
      const { outputs } = await host.play([
        sh(CREATE),
        createGoal(OBJECTIVE),
        updateGoal("complete"),
        getGoal,
        sh(WORK),
        ...FINISH,
        updateGoal("complete"),
        getGoal,
        CHECKPOINT,
        sh("proofgate status"),
      ]);
      expect(outputs[0]).toContain("gate armed");
      expect(outputs[2]).toMatch(denied);
      expect(status(outputs[3])).toBe("active");
      expect(status(outputs[8])).toBe("complete");
      expect(outputs[9]).toContain("ok: 1 criterion proven");
      expect(outputs[10]).toContain("gate ARMED");
      // The scripted model says that each of its turns takes 11 tokens.
      expect(outputs[10]).toMatch(/^Fix add .* · \d+ tokens$/m);
      expect(outputs[10]).toMatch(/G001 Fix add +proven 1\/1 .*· \d+ tokens$/m);
    },
    240_000,
  );

  gateTest(
    "may always say blocked, and one with a goal of its own is not held up",
    async () => {
      const host = await codex();
      const own = await host.play([createGoal("Write a poem"), updateGoal("complete"), getGoal]);
      expect(status(own.outputs[2])).toBe("complete");
      const blocked = await host.play([sh(CREATE), createGoal(OBJECTIVE), updateGoal("blocked"), getGoal]);
      expect(status(blocked.outputs[3])).toBe("blocked");
      const other = await host.play([createGoal("Write another poem"), updateGoal("complete"), getGoal]);
      expect(status(other.outputs[2])).toBe("complete");
    },
    240_000,
  );

  gateTest(
    "goes on in a new process, and is judged there as well",
    async () => {
      const host = await codex();
      await host.play([sh(CREATE), createGoal(OBJECTIVE), sh(WORK)]);
      const { outputs } = await host.play(
        [updateGoal("complete"), ...FINISH, updateGoal("complete"), CHECKPOINT],
        {
          resume: true,
        },
      );
      expect(outputs[0]).toMatch(denied);
      expect(status(outputs[3])).toBe("complete");
      expect(outputs[4]).toContain("ok: 1 criterion proven");
    },
    240_000,
  );
});

describe("a plan of ten goals", () => {
  const stairs = staircase(10);

  gateTest(
    "survives a new process, another thread in the same repository, and an early completion",
    async () => {
      const host = await codex(stairs.files);
      const first = await host.play([
        stairs.create,
        createGoal(OBJECTIVE),
        ...stairs.climb(1, 5),
        updateGoal("complete"),
      ]);
      expect(first.outputs[0]).toContain("10 goals");
      expect(first.outputs[6]).toContain("G005 complete");
      expect(first.outputs[7]).toMatch(denied);
      const session = /"threadId":"([^"]+)"/.exec(first.outputs[1] ?? "")?.[1] ?? "";
      const other = await host.play([createGoal("Write a poem"), updateGoal("complete"), getGoal]);
      expect(status(other.outputs[2])).toBe("complete");
      const last = await host.play(
        [...stairs.climb(6, 10), ...stairs.finish, updateGoal("complete"), stairs.checkpoint],
        { resume: session },
      );
      expect(last.outputs[4]).toContain("G010-C001  proven");
      expect(status(last.outputs[7])).toBe("complete");
      expect(last.outputs[8]).toContain("ok: 10 criteria proven");
    },
    240_000,
  );
});

describe("an agent that lies is refused:", () => {
  const tricks: Readonly<Record<string, readonly string[]>> = {
    "the state moved away": ["mv .omo ../elsewhere-$$ 2>/dev/null || mv .omo elsewhere"],
    "the tree cleaned": ["rm -rf .omo"],
    "a smaller plan in the place of the first": [
      "rm -rf .omo; touch done.test.js; proofgate goal Done --check 'test -e done.test.js'; proofgate ulw-loop complete-goals; proofgate prove --all",
    ],
    "the ledger rewritten by hand": ['sed -i \'s/"status":"open"/"status":"pass"/g\' .omo/ulw-loop/*.json*'],
    "the plan cancelled": ["proofgate ulw-loop cancel --evidence enough"],
    "the hooks' store written to": ['rm -rf "$HOME/state" "$XDG_STATE_HOME/proofgate"; mv .omo elsewhere'],
  };
  for (const [name, lines] of Object.entries(tricks))
    gateTest(
      name,
      async () => {
        const host = await codex();
        const { outputs } = await host.play([
          sh(CREATE),
          createGoal(OBJECTIVE),
          ...lines.map(sh),
          updateGoal("complete"),
          getGoal,
        ]);
        expect(outputs.at(-2)).toMatch(denied);
        expect(status(outputs.at(-1))).toBe("active");
      },
      240_000,
    );

  gateTest(
    "in the code mode, where the goal tools are called from JavaScript",
    async () => {
      const host = await codex();
      const code = (input: string): Step => ({
        turn: (id) => ({ id, custom: "exec", namespace: "functions", input }),
      });
      const { outputs } = await host.play(
        [
          code(`text(await tools.exec_command({cmd: ${JSON.stringify(CREATE)}, login: false}))`),
          code(`text(await tools.create_goal({objective: ${JSON.stringify(OBJECTIVE)}}))`),
          code(
            'try { text(await tools.update_goal({status: "complete"})) } catch (e) { text("caught " + e) }',
          ),
          code("text(await tools.get_goal({}))"),
        ],
        { model: "gpt-6.1-sol" },
      );
      expect(outputs[2]).toMatch(/caught .*Not complete/);
      expect(outputs[3]).toMatch(/"status":\s*"active"/);
    },
    240_000,
  );

  gateTest(
    "a hook that is killed while it judges, by an agent without a sandbox",
    async () => {
      const host = await codex();
      const kill = `(for i in $(seq 1 400); do pkill -9 -f '${host.home}/codex/.*hook/hook.js'; sleep 0.01; done) >/dev/null 2>&1 &`;
      const { outputs } = await host.play(
        [sh(CREATE), createGoal(OBJECTIVE), sh(kill), updateGoal("complete"), getGoal],
        {
          sandbox: "danger-full-access",
        },
      );
      expect(outputs[3]).toMatch(/Tool call blocked by PreToolUse hook: Not complete/);
      expect(status(outputs[4])).toBe("active");
    },
    240_000,
  );

  gateTest(
    "the repository's gates taken out of the configuration",
    async () => {
      const host = await codex({
        ...FILES,
        ".proofgate.yaml": "gates: [node gate.js]\n",
        "gate.js": "process.exit(1);\n",
      });
      const { outputs } = await host.play([
        createGoal("Make it better"),
        sh("echo 'track: false' > .proofgate.yaml"),
        updateGoal("complete"),
        sh("rm .proofgate.yaml"),
        updateGoal("complete"),
        sh("echo 'process.exit(0)' > gate.js"),
        updateGoal("complete"),
        getGoal,
      ]);
      expect(outputs[2]).toMatch(denied);
      expect(outputs[4]).toMatch(denied);
      expect(status(outputs[7])).toBe("complete");
    },
    240_000,
  );
});
