/** What the demo works on: the package `ms`, two defects put into it, the plan to mend them, and the agent's work. */

import type { Edit, Published } from "./published.ts";

export const MS: Published = { name: "ms", version: "2.1.3" };

const SIGN = "var msAbs = Math.abs(ms);";
const NO_SIGN = "var msAbs = ms;";
const GUARD = "type === 'number' && isFinite(val)";
const NO_GUARD = "type === 'number'";

/** The defects that go into the package's `index.js`. */
export const DEFECTS: readonly Edit[] = [
  { from: SIGN, to: NO_SIGN, times: 2 },
  { from: GUARD, to: NO_GUARD, times: 1 },
];

/** The agent's edits, in order; the first mends one of two places. */
export const HALF_A_MEND: Edit = { from: NO_SIGN, to: SIGN, times: 2, firstOnly: true };
export const THE_OTHER_HALF: Edit = { from: NO_SIGN, to: SIGN, times: 1 };
/** Both places at once. */
export const NO_SIGN_MEND: Edit = { from: NO_SIGN, to: SIGN, times: 2 };
export const REJECT_MEND: Edit = { from: NO_GUARD, to: GUARD, times: 1 };
/** Afterwards somebody "tidies up". */
export const BREAK: Edit = { from: GUARD, to: NO_GUARD, times: 1 };

export const PLAN = `brief: Two bugs in ms.
verify: [node --test]
goals:
  - title: Negative durations
    criteria:
      - class: happy
        scenario: ms(-3 days) is "-3d", and "-3 days" in the long form.
        check: { run: node --test test/negative.test.js }
      - class: [edge, regression]
        scenario: Zero and positive durations print as before.
        check: { run: node --test test/positive.test.js }
    without: { adversarial: takes numbers of our own }
  - title: Numbers that are none
    criteria:
      - class: [happy, adversarial]
        adversarial: [malformed_input]
        scenario: ms(NaN) and ms(Infinity) throw.
        check: { run: node --test test/reject.test.js }
      - class: [edge, regression]
        scenario: Texts such as "1.5h" and "-1 week" parse as before.
        check: { run: node --test test/parse.test.js }
`;

const testFile = (title: string, body: string): string => `const test = require('node:test');
const assert = require('node:assert');
const ms = require('..');

test('${title}', () => {
${body
  .trim()
  .split("\n")
  .map((line) => `  ${line.trim()}`)
  .join("\n")}
});
`;

export const NEGATIVE_TEST = testFile(
  "negative durations keep their unit",
  `assert.equal(ms(-3 * 864e5), '-3d');
   assert.equal(ms(-3 * 864e5, { long: true }), '-3 days');`,
);

export const POSITIVE_TEST = testFile(
  "zero and positive durations print as before",
  `assert.equal(ms(0), '0ms');
   assert.equal(ms(3 * 864e5), '3d');
   assert.equal(ms(6e4, { long: true }), '1 minute');`,
);

export const REJECT_TEST = testFile(
  "numbers that are none are refused",
  `assert.throws(() => ms(NaN));
   assert.throws(() => ms(Infinity));`,
);

export const PARSE_TEST = testFile(
  "texts parse as before",
  `assert.equal(ms('1.5h'), 5400000);
   assert.equal(ms('-1 week'), -604800000);`,
);
