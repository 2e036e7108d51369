/** A performance goal in the real Codex: refused until it is measured, measured by the gate in the session's sandbox. */

import { afterAll, expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sandboxMissing } from "./codex.ts";
import { createGoal, type GatedCodex, gatedCodex, getGoal, sh, updateGoal } from "./gated.ts";
import { testUnless } from "./host-test.ts";
import { denied, status } from "./stories.ts";

const gateTest = testUnless(await sandboxMissing());
const made: GatedCodex[] = [];
afterAll(async () => {
  for (const one of made) await one.remove();
});

/** What it costs is printed, so that the test does not depend on this machine. */
const FILES = {
  "bench.js": "console.log('METRIC cost=' + require('./cost.js'));\n",
  "cost.js": "module.exports = 100;\n",
  "test.js": "require('assert').ok(require('./cost.js') > 0);\n",
};
const OBJECTIVE =
  'Reach the performance goal in .omx/goals/performance/cheaper/state.json ("Make it cheaper"); it counts when the tool has measured it. The tool says what comes next: proofgate performance-goal status.';
const create = (evaluator: string) =>
  sh(
    `proofgate performance-goal create --slug cheaper --objective "Make it cheaper" --evaluator-command "${evaluator}" --evaluator-contract "a fifth less" --target -20% --guard "node test.js" && proofgate performance-goal start`,
  );
const cost = (value: number) => sh(`printf 'module.exports = ${value};\\n' > cost.js`);
const PASS = sh('proofgate performance-goal checkpoint --status pass --evidence "cheaper"');

gateTest(
  "is refused until it is measured, and complete when the gate has measured it as well",
  async () => {
    const host = await gatedCodex(FILES);
    made.push(host);
    const { outputs } = await host.play([
      create("node bench.js"),
      createGoal(OBJECTIVE),
      updateGoal("complete"),
      cost(95),
      sh("proofgate performance-goal evaluate"),
      updateGoal("complete"),
      cost(70),
      PASS,
      updateGoal("complete"),
      getGoal,
      sh("proofgate performance-goal complete && proofgate performance-goal status"),
    ]);
    expect(outputs[2]).toMatch(denied);
    expect(outputs[2]).toContain("nothing was evaluated yet");
    expect(outputs[4]).toMatch(/cost {3}100 → 95[\s\S]*IMPROVED, TARGET MISSED: −20%.*kept/);
    expect(outputs[5]).toMatch(denied);
    expect(outputs[7]).toMatch(/IMPROVED, TARGET MET: −20%, confirmed/);
    expect(status(outputs[9])).toBe("complete");
    expect(outputs[10]).toMatch(/Complete: cheaper[\s\S]*gate ARMED/);
  },
  240_000,
);

gateTest(
  "an evaluator that the gate runs itself stays in the sandbox, and an exchanged one is not run",
  async () => {
    const host = await gatedCodex(FILES);
    made.push(host);
    const out = join(host.home, "ESCAPED");
    const { outputs } = await host.play([
      create(`touch '${out}' 2>/dev/null; node bench.js`),
      createGoal(OBJECTIVE),
      cost(70),
      PASS,
      sh("printf 'console.log(\"METRIC cost=1\");\\n' > bench.js"),
      updateGoal("complete"),
      sh("git checkout -q -- bench.js || git show HEAD:bench.js > bench.js"),
      updateGoal("complete"),
      getGoal,
    ]);
    expect(outputs[5]).toMatch(/stale: the evaluator changed: bench\.js changed/);
    expect(status(outputs[8])).toBe("complete");
    expect(
      readdirSync(host.home, { recursive: true, encoding: "utf8" }).filter((path) =>
        path.includes("ESCAPED"),
      ),
    ).toEqual([]);
  },
  240_000,
);
