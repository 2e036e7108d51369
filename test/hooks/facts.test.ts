/** What the policies are told of a plan is what the engine's plan says. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { assessPlan } from "../../components/ulw-loop/assess.ts";
import { nextStep } from "../../components/ulw-loop/handoff.ts";
import type { Plan } from "../../components/ulw-loop/model.ts";
import { startText } from "../../hooks/directives.ts";
import { planFacts } from "../../hooks/facts.ts";
import type { PlanFacts } from "../../hooks/types.ts";
import { criterion, failed, fold, goal, now, plan, prove } from "../ulw-loop/fold.ts";

const facts = (state: Plan, tree = "t1"): PlanFacts => {
  const present = now(tree);
  const assessed = assessPlan(state, present);
  return planFacts({ plan: state, assessed, next: nextStep(state, assessed, present), ledger: "h", tree });
};

const two = plan([
  goal("First", [criterion("npm test -- a"), criterion("npm test -- b")]),
  goal("Second", [criterion("npm test -- c")]),
]);
const started = fold(two, [{ type: "goal_started", goal: "G001", fresh: false }]);
const checkpoint = (id: string, status: "complete" | "failed" | "blocked") =>
  ({
    type: "goal_checkpointed",
    goal: id,
    status,
    evidence: "e",
    host: { seen: "none" },
    tree: "t1",
  }) as const;

test("counts what holds, names the goal, and says what is open in it", () => {
  const half = prove(prove(started, ["G001-C001"]), ["G001-C002"], failed());
  expect(facts(half)).toMatchObject({
    title: "Plan",
    state: "open",
    stuck: false,
    waitsForUser: false,
    total: 3,
    proven: 1,
    goal: { id: "G001", title: "First", total: 2, proven: 1 },
    open: [{ ref: "G001-C002", what: "failing: wanted exit 0, got exit 1" }],
    next: { command: "proofgate prove" },
    ledger: "h",
    tree: "t1",
  });
  expect(facts(half, "t2").proven).toBe(0);
});

test("a blocked goal leaves the next one to do; with every goal blocked, the user has to come", () => {
  const one = fold(started, [checkpoint("G001", "blocked")]);
  expect(facts(one)).toMatchObject({ state: "open", stuck: false, goal: { id: "G002" } });
  expect(facts(fold(one, [checkpoint("G002", "blocked")]))).toMatchObject({ state: "open", stuck: true });
});

test("complete is complete only while it holds", () => {
  const done = fold(prove(started, ["G001-C001", "G001-C002", "G002-C001"]), [
    checkpoint("G001", "complete"),
    checkpoint("G002", "complete"),
  ]);
  expect(facts(done)).toMatchObject({ state: "complete", proven: 3, total: 3 });
  expect(facts(done, "t2")).toMatchObject({ state: "stale", proven: 0 });
  const text = startText({ plan: facts(done, "t2"), occasion: "resume", lastGiven: null }).text;
  expect(text).toContain("NOT complete any more");
});

test("a cancelled plan is cancelled", () => {
  expect(facts(fold(started, [{ type: "plan_cancelled", why: "enough" }])).state).toBe("cancelled");
});

test("waits for the user where only an approval is left", () => {
  const pinned = plan([goal("Only", [criterion("npm test -- a")])]);
  const half = fold(pinned, [{ type: "goal_started", goal: "G001", fresh: false }]);
  const held = prove(half, ["G001-C001"], {
    ...{ kind: "pass", tree: "t1", covered: "t1", whole: "t1", own: [], ignored: {}, repeats: 0 },
    before: { outcome: "pinned", saw: "exit 0", base: "c0ffee", checkFiles: "f", durationMs: 1 },
  });
  expect(facts(held)).toMatchObject({ waitsForUser: true, proven: 1, total: 1 });
});

test("the policies reach no file, process or clock: nothing that they import comes from Node", () => {
  const root = join(import.meta.dir, "../..");
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    expect(text, path).not.toMatch(/from "(?:node:|bun)|\bDate\.now\(|\bprocess\.|\brequire\(/);
    for (const match of text.matchAll(/^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)";/gms))
      visit(join(dirname(path), match[1] ?? ""));
  };
  for (const name of ["directives", "continuation", "guard", "steering", "facts"])
    visit(join(root, `hooks/${name}.ts`));
  expect(seen.size).toBeGreaterThan(10);
});
