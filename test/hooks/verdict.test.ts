/** The reviewer's last line: exactly one of three forms, at the very end. */

import { expect, test } from "bun:test";
import { verdictIn } from "../../hooks/verdict.ts";

test("a clean verdict is the last line, alone", () => {
  for (const message of [
    "VERDICT: APPROVE CLEAR",
    "read src/a.ts\nVERDICT: APPROVE CLEAR\n\n",
    "a\r\nVERDICT: APPROVE CLEAR\r\n",
  ])
    expect(verdictIn(message)?.clean, message).toBe(true);
});

test("what rejects, or could not judge, is a verdict and not clean", () => {
  for (const message of ["VERDICT: REQUEST_CHANGES a.ts:3 is wrong", "x\nVERDICT: BLOCKED no diff to read"])
    expect(verdictIn(message)?.clean, message).toBe(false);
});

test("anything else is no verdict", () => {
  for (const message of [
    "",
    "APPROVE CLEAR",
    "VERDICT: APPROVE",
    "VERDICT: APPROVE CLEAR, with doubts",
    "**VERDICT: APPROVE CLEAR**",
    "VERDICT: APPROVE CLEAR\nbut look at a.ts",
    "verdict: approve clear",
    "VERDICT: REQUEST_CHANGES",
    "> VERDICT: APPROVE CLEAR",
  ])
    expect(verdictIn(message), message).toBeNull();
});
