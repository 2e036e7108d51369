/** Around the turns of the real Codex: the user's words, stops, patches, and what is injected. */

import { afterAll, expect } from "bun:test";
import { sandboxMissing } from "./codex.ts";
import {
  createGoal,
  type GatedCodex,
  gatedCodex,
  getGoal,
  type Played,
  type Step,
  sh,
  updateGoal,
} from "./gated.ts";
import { testUnless } from "./host-test.ts";

const turnTest = testUnless(await sandboxMissing());
const made: GatedCodex[] = [];
afterAll(async () => {
  for (const one of made) await one.remove();
});

const FILES = {
  "package.json": '{"name":"adder","version":"1.0.0","type":"module"}\n',
  "src/add.js": "export const add = (a, b) => a - b;\n",
  "test/keep.test.js": 'import "../src/add.js";\n',
};

async function codex(more: Readonly<Record<string, string>> = {}): Promise<GatedCodex> {
  const one = await gatedCodex({ ...FILES, ...more });
  made.push(one);
  return one;
}

/** Everything that the model was sent, as text. */
const heard = (played: Played): string => JSON.stringify(played.requests.map((one) => one.body.input));

const PINS = `proofgate goal "Keep it" --check "node test/keep.test.js" && proofgate ulw-loop complete-goals && proofgate prove`;
const ADD_TEST =
  'import assert from "node:assert"; import { add } from "../src/add.js"; assert.equal(add(2, 3), 5);';
const START = `proofgate goal "Fix add" --check "node test/add.test.js" && proofgate ulw-loop complete-goals`;
const GATE =
  'proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR --review "read src/add.js and its test line by line" --cleaner "looked at src/add.js: nothing to clean"';

turnTest(
  "an agent that stops with proof open is held back, and let go when nothing moves",
  async () => {
    const host = await codex();
    const played = await host.play([sh(START)]);
    const text = heard(played);
    expect(text).toContain("Not complete: 0 of 1 proven.");
    expect(text).toContain("This loop lets go");
    // Two stops are held, the third one's answer says how to end; then it ends.
    expect(played.requests.length).toBe(5);
  },
  240_000,
);

turnTest(
  "only the user's own prompt approves, and then the goal may be complete",
  async () => {
    const host = await codex();
    const first = await host.play([
      sh(PINS),
      sh(GATE),
      createGoal("x"),
      sh("proofgate approve; echo proofgate approve"),
      updateGoal("complete"),
    ]);
    expect(first.outputs[3]).toContain("Only the user can approve");
    expect(first.outputs[4]).toMatch(/Tool call blocked by PreToolUse hook: Not complete/);
    const second = await host.play([updateGoal("complete"), getGoal], {
      resume: true,
      prompt: "proofgate approve",
    });
    expect(heard(second)).toContain("The user approved G001-C001");
    expect(JSON.parse(second.outputs[1] ?? "{}").goal?.status).toBe("complete");
  },
  240_000,
);

turnTest(
  "an order in the prompt names the skill, and a session that goes on is told where it stands",
  async () => {
    const host = await codex();
    const first = await host.play([sh(START)], {
      prompt: "ulw: fix the adder",
    });
    expect(heard(first)).toMatch(/proofgate:ulw-loop/);
    const second = await host.play([getGoal], { resume: true });
    expect(heard(second)).toMatch(/G001[^"]*next: proofgate prove/);
  },
  240_000,
);

turnTest(
  "a patch to the ledger is refused with the command to use, another one goes on",
  async () => {
    const host = await codex();
    const patch = (path: string): string => `*** Begin Patch\n*** Add File: ${path}\n+{}\n*** End Patch\n`;
    const code = (input: string): Step => ({
      turn: (id) => ({ id, custom: "exec", namespace: "functions", input }),
    });
    const apply = (path: string): string => `await tools.apply_patch(${JSON.stringify(patch(path))})`;
    const { outputs } = await host.play(
      [
        code(`text(await tools.exec_command({cmd: ${JSON.stringify(START)}, login: false}))`),
        code(`try { text(${apply(".omo/ulw-loop/goals.json")}) } catch (e) { text("caught " + e) }`),
        code(`text(${apply("src/new.js")})`),
      ],
      { model: "gpt-6.1-sol" },
    );
    expect(outputs[1]).toMatch(/caught .*only the tool writes it/);
    expect(outputs[2]).not.toMatch(/caught/);
  },
  240_000,
);

turnTest(
  "an independent review counts when the host saw the reviewer's verdict on the present tree",
  async () => {
    const host = await codex({ ".proofgate.yaml": "review: independent\n" });
    const review = (role: string): Step => ({
      turn: (id) => ({
        id,
        call: "spawn_agent",
        namespace: "multi_agent_v1",
        args: { agent_type: role, message: `REVIEW-THIS of the adder, by ${role}` },
      }),
    });
    const child = {
      mark: "REVIEW-THIS",
      says: "Read src/add.js and its test: no finding.\nVERDICT: APPROVE CLEAR",
    };
    const { outputs } = await host.play(
      [
        sh(
          `${START} && mkdir -p test && printf '%s' '${ADD_TEST}' > test/add.test.js && printf 'export const add = (a, b) => a + b;\\n' > src/add.js && proofgate prove`,
        ),
        sh(GATE),
        createGoal("x"),
        review("worker"),
        sh("sleep 2"),
        updateGoal("complete"),
        review("codex-ultrawork-reviewer"),
        sh("sleep 2"),
        updateGoal("complete"),
        getGoal,
      ],
      { child },
    );
    expect(outputs[5]).toMatch(/Not complete[\s\S]*independent review/);
    expect(JSON.parse(outputs[9] ?? "{}").goal?.status).toBe("complete");
  },
  240_000,
);
