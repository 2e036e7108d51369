/** What the demo works on: the package `ms`, two defects put into it, the plan to mend them, and the agent's work. */

import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = "2.1.3";

/** One exact replacement in a file. It has to apply as often as said, or the demo would tell of something that is not so. */
export interface Edit {
  readonly from: string;
  readonly to: string;
  /** How often `from` stands in the file. */
  readonly times: number;
  /** Replace the first of them only. */
  readonly firstOnly?: boolean;
}

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

/** @throws Error when the text does not hold what is to be replaced, as often as expected */
export function edited(text: string, edit: Edit): string {
  const found = text.split(edit.from).length - 1;
  if (found !== edit.times)
    throw new Error(`expected ${JSON.stringify(edit.from)} ${edit.times} times, found it ${found} times`);
  return edit.firstOnly === true ? text.replace(edit.from, edit.to) : text.replaceAll(edit.from, edit.to);
}

/** Copies the package as it is published into an empty folder. @throws Error when it is missing or another version */
export function copyPackage(nodeModules: string, to: string): void {
  const from = join(nodeModules, "ms");
  const found: unknown = JSON.parse(readFileSync(join(from, "package.json"), "utf8")).version;
  if (found !== VERSION) throw new Error(`the demo is written for ms ${VERSION}, found ${String(found)}`);
  cpSync(from, to, { recursive: true });
}

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
