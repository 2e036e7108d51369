/** What agents do in the hosts' tests: a plan of one goal, and one of several. */

import { sh } from "./steps.ts";

/** What the skill has the agent say to the host's own goal. */
export const OBJECTIVE =
  "Complete every goal of the plan in .omo/ulw-loop/goals.json (audit trail: .omo/ulw-loop/ledger.jsonl), one after another, until each criterion is proven. The tool says what comes next: proofgate next.";

/** What comes back of a completion that the gate refused. */
export const denied = /Tool call blocked by PreToolUse hook: Not complete/;

/** The status of the host's goal in what a goal tool printed. */
export const status = (text: string | undefined): string => JSON.parse(text ?? "{}").goal?.status ?? "none";

export const FILES = {
  "package.json": '{"name":"adder","version":"1.0.0","type":"module"}\n',
  "src/add.js": "export const add = (a, b) => a - b;\n",
};
const TEST =
  'import assert from "node:assert"; import { add } from "../src/add.js"; assert.equal(add(2, 3), 5);';
export const CREATE = `proofgate goal "Fix add" --check "node test/add.test.js"`;
export const WORK = `mkdir -p test && printf '%s' '${TEST}' > test/add.test.js && printf 'export const add = (a, b) => a + b;\\n' > src/add.js`;
const GATE = sh(
  'proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR --review "read each file of src and its test line by line" --cleaner "looked at each file of src: nothing to clean"',
);
export const FINISH = [sh("proofgate ulw-loop complete-goals && proofgate prove"), GATE];
export const CHECKPOINT = sh(
  'proofgate ulw-loop checkpoint --goal-id G001 --status complete --evidence "proven" && proofgate check',
);

/** As many goals as it is told to have, each with a check of its own. */
export function staircase(count: number) {
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  const goal = (n: number): string =>
    `  - title: Step ${n}\n    criteria:\n      - class: happy\n        scenario: Run the test of step ${n}; the command exits 0 and prints no error.\n        check: { run: node test/step${n}.test.js }\n        covers: [src/step${n}.js]\n    without: { edge: "a step is a constant", regression: "a step is new", adversarial: "a step takes no input" }\n`;
  const climb = (n: number): string =>
    [
      `printf 'export const step = ${n};\\n' > src/step${n}.js`,
      `printf 'import assert from "node:assert"; import { step } from "../src/step${n}.js"; assert.equal(step, ${n});\\n' > test/step${n}.test.js`,
      "proofgate ulw-loop complete-goals >/dev/null && proofgate prove",
      ...(n < count ? ['proofgate ulw-loop checkpoint --status complete --evidence "step done"'] : []),
    ].join(" && ");
  return {
    files: {
      ...FILES,
      ".proofgate/plan.yaml": `brief: ${count} steps.\ngoals:\n${numbers.map(goal).join("")}`,
      ...Object.fromEntries(numbers.map((n) => [`src/step${n}.js`, "export const step = 0;\n"])),
      "test/.keep": "",
    },
    create: sh("proofgate ulw-loop create-goals --plan .proofgate/plan.yaml"),
    /** From one step to another, each proven; every one but the last also closed. */
    climb: (from: number, to: number) => numbers.slice(from - 1, to).map((n) => sh(climb(n))),
    finish: [sh("proofgate prove --all | tail -3"), GATE],
    checkpoint: sh(
      'proofgate ulw-loop checkpoint --status complete --evidence "all steps done" && proofgate check',
    ),
  };
}
