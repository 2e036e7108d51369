/** Facts for the policies' tests: a plan in the middle of its work, and texts of every kind. */

import type { PlanFacts } from "../../hooks/types.ts";

export const plan = (changes: Partial<PlanFacts>): PlanFacts => ({
  planId: "p1",
  title: "Ship the importer",
  state: "open",
  stuck: false,
  waitsForUser: false,
  total: 8,
  proven: 3,
  goal: { id: "G002", title: "REST export", total: 4, proven: 1 },
  open: [
    { ref: "G002-C002", what: "stale: src/export.ts changed" },
    { ref: "G002-C003", what: "failing: wanted 413, got 500" },
  ],
  next: { why: "G002-C002 G002-C003", command: "proofgate prove" },
  ledger: "l1",
  tree: "t1",
  ...changes,
});

const PIECES = [
  ..."aZ0 \t\n\r\0\u001b[31m`'\"{}[]<>/\\$:.*-_=+#@!?,;()",
  "é",
  "ß",
  "漢",
  "ｶ",
  "👩‍👩‍👧‍👦",
  "🚀",
  "\ud800",
  "\udc00",
  "\u202e",
  "\u200d",
  "\ufe0f",
  "\u0301",
  "\u2028",
  "ulw",
  "ulw-loop ",
  "don't ",
  "```",
  "*** Update File: ",
  "*** Move to: ",
  ".omo/ulw-loop/",
  "../",
  "```\n",
  "<a>",
  "</a>",
  '{"a":',
];

/** Texts that are put together at random, the same ones at every run; some are long. */
export function* wild(count: number): Generator<string> {
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let made = 0; made < count; made++) {
    const length = made % 10 === 0 ? 2000 : random(60);
    yield Array.from({ length }, () => PIECES[random(PIECES.length)]).join("");
  }
}
