/** The rules of ulw-loop on plans that live in memory only: transitions, steering, approvals, freshness. */

import { expect, test } from "bun:test";
import { Refusal } from "../../components/errors.ts";
import type { Check } from "../../components/evidence/types.ts";
import type { HostGoal } from "../../components/goal-mode/snapshot.ts";
import type { Writer } from "../../components/journal/types.ts";
import { assessPlan, type Present } from "../../components/ulw-loop/assess.ts";
import { checkpoint } from "../../components/ulw-loop/checkpoint.ts";
import { DEFAULT_POLICY } from "../../components/ulw-loop/config.ts";
import type { RunOutcome } from "../../components/ulw-loop/events.ts";
import { nextStep } from "../../components/ulw-loop/handoff.ts";
import { findCriterion, findGoal } from "../../components/ulw-loop/ids.ts";
import { goalDefects, planDefects } from "../../components/ulw-loop/judge.ts";
import { isComplete, isWaived, type Plan } from "../../components/ulw-loop/model.ts";
import { reportCriterion } from "../../components/ulw-loop/record.ts";
import { type Grounds, type Steering, steer, waive } from "../../components/ulw-loop/steer.ts";
import { takeUp } from "../../components/ulw-loop/take-up.ts";
import { isStronger } from "../../components/ulw-loop/weakening.ts";
import { agent, check, criterion, failed, fold, goal, now, passed, plan, prove, ran, user } from "./fold.ts";

const why: Grounds = { evidence: "seen", rationale: "because", author: "agent" };
const two = () =>
  plan([goal("One", [criterion("a"), criterion("b", { classes: ["edge"] })]), goal("Two", [criterion("c")])]);
const apply = (state: Plan, change: Steering): Plan => fold(state, steer(state, change, why).events);

const complete = (state: Plan, id: string): Plan =>
  fold(
    state,
    checkpoint(state, findGoal(state, id), {
      status: "complete",
      evidence: "done",
      host: undefined,
      present: now(),
      policy: DEFAULT_POLICY,
    }),
  );

const withGate = (state: Plan): Plan =>
  fold(state, [
    {
      type: "gate_recorded",
      tree: "t1",
      commands: [],
      receipts: [],
      review: { recommendation: "APPROVE", architectStatus: "CLEAR", evidence: "x" },
      cleaner: "x",
      artifact: { path: "evidence/quality-gate.json", sha256: "a" },
    },
  ]);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "allowed";
}

test("a goal is complete only when every criterion is proven on the present tree", () => {
  const state = prove(two(), ["G001-C001"]);
  expect(codeOf(() => complete(state, "G001"))).toBe("not_proven");
  const proven = prove(state, ["G001-C002"]);
  expect(complete(proven, "G001").goals[0]?.status).toBe("complete");
  expect(goalDefects(proven, findGoal(proven, "G001"), now("t2"), DEFAULT_POLICY).map((d) => d.code)).toEqual(
    ["stale", "stale"],
  );
});

test("a refused checkpoint names every defect at once", () => {
  const state = fold(two(), [ran(two(), "G001-C002", failed())]);
  try {
    complete(state, "G001");
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.problems.map((p) => p.where)).toEqual(["G001-C001", "G001-C002"]);
    expect(error.nextActions.length).toBeGreaterThan(0);
  }
});

test("a goal of pins alone waits for the user, and is complete once the user approved", () => {
  const pinned = prove(two(), ["G001-C001", "G001-C002"], passed("pinned"));
  expect(codeOf(() => complete(pinned, "G001"))).toBe("approval_needed");
  const versions = Object.fromEntries(
    ["C001", "C002"].map((c) => [`G001-${c}`, findCriterion(pinned, "G001", c).criterion.version ?? ""]),
  );
  const approved = fold(pinned, [
    { type: "plan_approved", approval: { id: "x", weakenings: [], criteria: versions } },
  ]);
  expect(complete(approved, "G001").goals[0]?.status).toBe("complete");
});

test("criteria that the user wrote count as approved from the start", () => {
  const state = prove(
    plan([goal("One", [criterion("a")])], { writer: user }),
    ["G001-C001"],
    passed("own_script"),
  );
  expect(goalDefects(state, findGoal(state, "G001"), now(), DEFAULT_POLICY)).toEqual([]);
});

test("one red happy criterion carries pinned regressions, a red edge alone does not", () => {
  const mixed = prove(prove(two(), ["G001-C001"]), ["G001-C002"], passed("pinned"));
  expect(goalDefects(mixed, findGoal(mixed, "G001"), now(), DEFAULT_POLICY)).toEqual([]);
  const edge = prove(prove(two(), ["G001-C002"]), ["G001-C001"], passed("pinned"));
  expect(goalDefects(edge, findGoal(edge, "G001"), now(), DEFAULT_POLICY).map((d) => d.code)).toEqual([
    "not_red",
  ]);
});

test("the last goal asks for the quality gate, for earlier goals still proven, and for approvals", () => {
  let state = complete(prove(two(), ["G001-C001", "G001-C002"]), "G001");
  state = prove(state, ["G002-C001"]);
  expect(codeOf(() => complete(state, "G002"))).toBe("quality_gate_open");
  const gated = withGate(state);
  expect(isComplete(complete(gated, "G002"))).toBe(true);
  const weakened = fold(gated, [{ type: "plan_weakened", id: "W001", kind: "amended", what: "x" }]);
  expect(codeOf(() => complete(weakened, "G002"))).toBe("approval_needed");
});

test("checkpoints failed and blocked always pass, and five failed cycles exhaust the goal", () => {
  let state = two();
  for (let cycle = 0; cycle < 5; cycle++) {
    const taken = takeUp(state, { retryFailed: false, writer: agent, now: 0 });
    expect(taken.kind === "started" && taken.goal).toBe(
      cycle === 0 ? "G001" : cycle < 5 && findGoal(state, "G002").status === "pending" ? "G002" : "G001",
    );
    const id = "G001";
    state = fold(state, [{ type: "goal_started", goal: id, fresh: false }]);
    state = fold(
      state,
      checkpoint(state, findGoal(state, id), {
        status: "failed",
        evidence: "no",
        host: undefined,
        present: now(),
        policy: DEFAULT_POLICY,
      }),
    );
  }
  expect(findGoal(state, "G001").cycles).toBe(5);
  state = fold(
    state,
    checkpoint(state, findGoal(state, "G002"), {
      status: "blocked",
      evidence: "no key",
      host: undefined,
      present: now(),
      policy: DEFAULT_POLICY,
    }),
  );
  const stuck = takeUp(state, { retryFailed: false, writer: agent, now: 0 });
  expect(stuck.kind).toBe("blocked");
  const again = takeUp(state, { retryFailed: true, writer: agent, now: 0 });
  expect(again.kind === "started" && again.goal).toBe("G001");
  if (again.kind === "started") expect(findGoal(fold(state, again.events), "G001").cycles).toBe(0);
});

test("all complete is never said while a goal is blocked or failed", () => {
  const blocked = fold(plan([goal("One", [criterion("a")])]), [
    {
      type: "goal_checkpointed",
      goal: "G001",
      status: "blocked",
      evidence: "x",
      host: { seen: "none" },
      tree: null,
    },
  ]);
  expect(takeUp(blocked, { retryFailed: false, writer: agent, now: 0 }).kind).toBe("blocked");
  expect(isComplete(blocked)).toBe(false);
});

test("three identical reported failures end the goal; runs of prove and different failures do not", () => {
  let state = two();
  const report = (evidence: string): void => {
    const { goal: g, criterion: c } = findCriterion(state, "G001", "C001");
    state = fold(state, reportCriterion(state, g, c, { status: "fail", evidence }));
  };
  report("port 3000 in use");
  report("port 3001 in use");
  state = fold(state, [
    ran(state, "G001-C002", failed()),
    ran(state, "G001-C002", failed()),
    ran(state, "G001-C002", failed()),
    ran(state, "G001-C002", failed()),
  ]);
  report("another thing");
  expect(findGoal(state, "G001").status).not.toBe("failed");
  report("another thing");
  report("another thing");
  expect(findGoal(state, "G001").status).toBe("failed");
  expect(findCriterion(state, "G001", "C001").criterion.failure?.count).toBe(3);
});

test("a superseded goal stops counting, and the user's say is asked where nothing new replaces it", () => {
  const dropped = apply(two(), { kind: "mark_blocked_superseded", goalId: "G001", replacements: [] });
  expect(planDefects(dropped, now(), DEFAULT_POLICY).some((d) => d.where.startsWith("G001"))).toBe(false);
  expect(dropped.weakenings.map((w) => w.kind)).toEqual(["superseded"]);
  const byOther = apply(two(), { kind: "mark_blocked_superseded", goalId: "G001", replacements: ["G002"] });
  expect(byOther.weakenings).toHaveLength(1);
  const added = apply(two(), { kind: "add_subgoal", title: "New way", objective: "do it differently" });
  expect(
    apply(added, { kind: "mark_blocked_superseded", goalId: "G001", replacements: ["G003"] }).weakenings,
  ).toEqual([]);
});

test("one added goal replaces one goal, not the whole plan", () => {
  let state = apply(two(), { kind: "add_subgoal", title: "New way", objective: "x" });
  state = apply(state, { kind: "mark_blocked_superseded", goalId: "G001", replacements: ["G003"] });
  state = apply(state, { kind: "mark_blocked_superseded", goalId: "G002", replacements: ["G003"] });
  expect(state.weakenings).toHaveLength(1);
});

test("a split moves every criterion to the children", () => {
  const split = apply(two(), {
    kind: "split_subgoal",
    goalId: "G001",
    children: [
      { title: "First", objective: "f", criteria: ["C001"] },
      { title: "Second", objective: "s" },
    ],
  });
  expect(split.goals.map((g) => [g.id, g.status])).toEqual([
    ["G001", "superseded"],
    ["G003", "pending"],
    ["G004", "pending"],
    ["G002", "pending"],
  ]);
  const checks = split.goals
    .filter((g) => g.status !== "superseded")
    .flatMap((g) => g.successCriteria.map((c) => c.check?.run));
  expect(checks).toEqual(expect.arrayContaining(["a", "b", "c"]));
  expect(split.weakenings).toEqual([]);
});

test("a check may be changed freely until it ran; after that the user has to approve, unless it only asks for more", () => {
  const revise = (state: Plan, next: Check = check("other")) =>
    apply(state, { kind: "revise_criterion", goalId: "G001", criterionId: "C001", check: next });
  expect(revise(two()).weakenings).toEqual([]);
  const tried = fold(two(), [ran(two(), "G001-C001", failed())]);
  expect(revise(tried).weakenings.map((w) => w.kind)).toEqual(["amended"]);
  expect(revise(prove(two(), ["G001-C001"])).goals[0]?.successCriteria[0]?.status).toBe("open");
  const stricter = { ...check("a"), expect: { exit: 0, stdout: "3 rows" } };
  expect(revise(tried, stricter).weakenings).toEqual([]);
  expect(isStronger(stricter, check("a"))).toBe(false);
  const inconclusive = fold(two(), [ran(two(), "G001-C001", { kind: "not_run", what: "no such program" })]);
  expect(revise(inconclusive).weakenings).toEqual([]);
});

test("what the user agreed to cannot be changed freely even before it ran", () => {
  const mine = plan([goal("One", [criterion("a")])], { writer: user });
  const revised = apply(mine, {
    kind: "revise_criterion",
    goalId: "G001",
    criterionId: "C001",
    check: check("weaker"),
  });
  expect(revised.weakenings.map((w) => w.kind)).toEqual(["amended"]);
  expect(revised.goals[0]?.successCriteria[0]?.approved).toBe(false);
});

test("a waiver counts only once it is approved", () => {
  const state = two();
  const proposed = fold(state, waive(state, "G001", "C002", why).events);
  expect(isWaived(proposed, findCriterion(proposed, "G001", "C002").criterion)).toBe(false);
  const approved = fold(proposed, [
    { type: "plan_approved", approval: { id: "x", weakenings: ["W001"], criteria: {} } },
  ]);
  expect(isWaived(approved, findCriterion(approved, "G001", "C002").criterion)).toBe(true);
});

test("the objective stays one text while the plan grows", () => {
  const state = two();
  const grown = apply(state, { kind: "add_subgoal", title: "More", objective: "more" });
  expect(grown.objective).toBe(state.objective);
});

test("an open plan is replaced only by force, which is recorded; a complete one needs no force", () => {
  const open = two();
  expect(codeOf(() => plan([goal("New", [criterion("n")])], { existing: open }))).toBe("plan_exists");
  expect(
    plan([goal("New", [criterion("n")])], { existing: open, force: true }).weakenings.map((w) => w.kind),
  ).toEqual(["forced"]);
  const done = complete(withGate(prove(plan([goal("One", [criterion("a")])]), ["G001-C001"])), "G001");
  expect(plan([goal("New", [criterion("n")])], { existing: done }).weakenings).toEqual([]);
});

test("a host snapshot must fit: same objective, not complete before the end, complete at the end", () => {
  const first = prove(two(), ["G001-C001", "G001-C002"]);
  const at = (state: Plan, id: string, status: HostGoal["status"], objective = state.objective) =>
    codeOf(() =>
      checkpoint(state, findGoal(state, id), {
        status: "complete",
        evidence: "e",
        host: { goal: { objective, status, threadId: null } },
        present: now(),
        policy: DEFAULT_POLICY,
      }),
    );
  expect(at(first, "G001", "active")).toBe("allowed");
  expect(at(first, "G001", "complete")).toBe("snapshot_mismatch");
  expect(at(first, "G001", "active", "something else")).toBe("snapshot_mismatch");
  const last = withGate(prove(complete(first, "G001"), ["G002-C001"]));
  expect(at(last, "G002", "active")).toBe("snapshot_mismatch");
  expect(at(last, "G002", "complete", `  ${last.objective.replaceAll(" ", "\n")}`)).toBe("allowed");
});

test("cancel releases what is in progress, and nothing resumes by itself", () => {
  const started = fold(two(), [
    { type: "goal_started", goal: "G001", fresh: false },
    { type: "plan_cancelled", why: "stop" },
  ]);
  expect(started.goals[0]?.status).toBe("pending");
  expect(codeOf(() => takeUp(started, { retryFailed: false, writer: agent, now: 0 }))).toBe("plan_cancelled");
  const resumed = fold(started, [{ type: "session_attached", session: null, host: "none", previous: null }]);
  expect(takeUp(resumed, { retryFailed: false, writer: agent, now: 0 }).kind).toBe("started");
});

test("another session takes a silent owner's plan over, and is told to attach where the owner is at work", () => {
  const owned = fold(two(), [{ type: "session_attached", session: "A", host: "codex", previous: null }]);
  const at = Date.parse("2026-01-01T00:00:00.000Z");
  const other: Writer = { kind: "agent", host: "codex", session: "B" };
  expect(codeOf(() => takeUp(owned, { retryFailed: false, writer: other, now: at + 60000 }))).toBe(
    "session_taken",
  );
  const later = takeUp(owned, { retryFailed: false, writer: other, now: at + 960000 });
  expect(later.kind === "started" && later.attached).toBe(true);
  expect(takeUp(owned, { retryFailed: false, writer: { ...other, session: "A" }, now: at }).kind).toBe(
    "started",
  );
});

test("the next step is one command, and follows the plan", () => {
  const step = (state: Plan) => nextStep(state, assessPlan(state, now()), now()).command;
  const state = two();
  expect(step(state)).toContain("complete-goals");
  const started = fold(state, [{ type: "goal_started", goal: "G001", fresh: false }]);
  expect(step(started)).toBe("proofgate prove");
  expect(step(prove(started, ["G001-C001", "G001-C002"]))).toContain("checkpoint --goal-id G001");
});

test("an inconclusive run leaves an earlier pass as it was", () => {
  const proven = prove(two(), ["G001-C001"]);
  const after = fold(proven, [ran(proven, "G001-C001", { kind: "inconclusive", what: "sandbox" })]);
  expect(findCriterion(after, "G001", "C001").criterion.status).toBe("pass");
});

test("reordering moves only the named pending goals", () => {
  const three = plan([
    goal("One", [criterion("a")]),
    goal("Two", [criterion("b")]),
    goal("Three", [criterion("c")]),
  ]);
  expect(apply(three, { kind: "reorder_pending", order: ["G003", "G001"] }).goals.map((g) => g.id)).toEqual([
    "G003",
    "G002",
    "G001",
  ]);
  expect(codeOf(() => apply(three, { kind: "reorder_pending", order: ["G003", "G003"] }))).toBe(
    "steer_refused",
  );
});

test("covers: is believed where it carries the pass or the user agreed to it; elsewhere any change makes a pass stale", () => {
  const narrow = { ...check("a"), covers: ["docs/**"] };
  const state = plan([goal("One", [criterion("a", { check: narrow })])]);
  const present: Present = {
    ...now("t2"),
    covered: (c) => (c?.covers === null ? "t2" : "docs"),
  };
  const outcome: RunOutcome = { ...passed(), covered: "docs", whole: "t1" };
  const word = (s: Plan) => assessPlan(s, present)[0]?.word;
  const withCovers = (covers: "hold" | "narrow") =>
    fold(state, [
      ran(
        state,
        "G001-C001",
        outcome.kind === "pass" ? { ...outcome, before: { ...outcome.before, covers } } : outcome,
      ),
    ]);
  expect(word(withCovers("hold"))).toBe("proven");
  expect(word(withCovers("narrow"))).toBe("stale");
  const pinned = fold(state, [
    ran(state, "G001-C001", { ...passed("pinned"), covered: "docs", whole: "t1" }),
  ]);
  expect(word(pinned)).toBe("stale");
  const version = findCriterion(pinned, "G001", "C001").criterion.version ?? "";
  expect(
    word(
      fold(pinned, [
        { type: "plan_approved", approval: { id: "x", weakenings: [], criteria: { "G001-C001": version } } },
      ]),
    ),
  ).toBe("proven");
});
