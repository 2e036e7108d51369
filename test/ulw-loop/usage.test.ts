/** What a plan costs: tokens by the host's count, time only while somebody works. */

import { expect, test } from "bun:test";
import { amount } from "../../components/report/text.ts";
import { spend, total, type Usage } from "../../components/ulw-loop/usage.ts";

const at = (minute: number, more: Partial<Parameters<typeof spend>[1]> = {}) => ({
  at: minute * 60_000,
  goal: "G001",
  thread: "root",
  tokens: null,
  subagent: false,
  idle: false,
  ...more,
});
const after = (...seen: Parameters<typeof spend>[1][]): Usage => {
  const [first = at(0), ...rest] = seen;
  return rest.reduce((known, one) => spend(known, one), spend(null, first));
};

test("what a thread used before the plan was seen is not the plan's", () => {
  expect(total(after(at(0, { tokens: 900 }), at(1, { tokens: 1000 })))).toEqual({ tokens: 100, ms: 60_000 });
});

test("what is spent between two looks belongs to the goal of the first", () => {
  const usage = after(
    at(0, { tokens: 0 }),
    at(2, { tokens: 50, goal: "G002" }),
    at(3, { tokens: 70, goal: "G002" }),
  );
  expect(usage.goals).toEqual({ G001: { tokens: 50, ms: 120_000 }, G002: { tokens: 20, ms: 60_000 } });
});

test("nobody works while the session waits for the user, or is not there", () => {
  expect(total(after(at(0), at(1), at(600, { idle: true }), at(601))).ms).toBe(120_000);
});

test("a subagent's tokens count from its first, and its time is the root's", () => {
  const usage = after(
    at(0, { tokens: 0 }),
    at(1, { thread: "child", tokens: 40, subagent: true }),
    at(2, { tokens: 5 }),
  );
  expect(total(usage)).toEqual({ tokens: 45, ms: 120_000 });
});

test("a thread that counts anew takes nothing back, and one that says nothing changes nothing", () => {
  expect(
    total(after(at(0, { tokens: 100 }), at(1, { tokens: 10 }), at(2, { tokens: 15 }), at(3))).tokens,
  ).toBe(5);
});

test("amounts are short", () => {
  expect([0, 999, 1000, 9940, 9960, 12_345, 999_499, 999_500, 1_234_567, 12_345_678].map(amount)).toEqual([
    "0",
    "999",
    "1k",
    "9.9k",
    "10k",
    "12k",
    "999k",
    "1M",
    "1.2M",
    "12M",
  ]);
});
