/** Goals on their way: claims, steering, checkpoints, host snapshots, the quality gate and what failures lead to. */

import { expect, test } from "bun:test";
import { existsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../helpers/world.ts";
import {
  CLAIM,
  DONE,
  expectRefusal,
  goal,
  good,
  ledgerLines,
  PIN,
  PNG,
  planned,
  RED,
  REVIEWS,
  stateBytes,
  steer,
} from "./kit.ts";

const STATE = ".omo/ulw-loop";
const PAGE = goal("Admin page", [CLAIM], { without: { adversarial: "takes no input" } });
const done = ["--status", "complete", "--evidence", "see receipts"];

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly criteria: readonly { readonly id: string; readonly word: string }[];
}

const claim = (world: World, id: string, evidence: string) =>
  world.ask("ulw-loop", "record-evidence", "--criterion-id", id, "--status", "pass", "--evidence", evidence);
const words = async (world: World): Promise<Record<string, string>> => {
  const { goals } = await good(world, "status");
  return Object.fromEntries(goals.flatMap((g: Shown) => g.criteria.map((c) => [`${g.id}-${c.id}`, c.word])));
};
const ids = async (world: World): Promise<string[]> =>
  (await good(world, "status")).goals.map((g: Shown) => `${g.id} ${g.status}`);
const seconds = (world: World, path: string, at: number): void => utimesSync(join(world.root, path), at, at);

test("a browser criterion is claimed with an artifact that is there, new and real, and is never called proven", async () => {
  const world = await planned([PAGE]);
  await good(world, "ulw-loop", "complete-goals");
  world.write("shots/old.png", PNG);
  seconds(world, "shots/old.png", 1e9);
  expectRefusal(
    await claim(world, "C001", "see shots/old.png | cleanup: browser closed"),
    "evidence_insufficient",
    1,
  );
  world.write("shots/new.png", PNG);
  expectRefusal(await claim(world, "C001", "see shots/new.png"), "evidence_insufficient", 1);
  expectRefusal(
    await claim(world, "C001", "the page looks correct | cleanup: none"),
    "evidence_insufficient",
    1,
  );
  const said = await claim(world, "C001", "table with 3 rows, see shots/new.png | cleanup: browser closed");
  expect(said.json.results).toEqual([
    {
      goal: "G001",
      criterion: "C001",
      status: "pass",
      level: "attested",
      receipt: {
        artifact: { path: "evidence/G001-C001.png", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    },
  ]);
  expect(await Bun.file(join(world.root, STATE, "evidence/G001-C001.png")).bytes()).toEqual(
    new Uint8Array(PNG),
  );
  expect((await good(world, "status")).goals[0].criteria).toMatchObject([
    { status: "pass", level: "attested", fresh: true, word: "claimed" },
  ]);
  expect((await world.run(["status"])).out).toMatch(/C001 .* claimed\s+the agent's word only/);
});

test("a claim goes stale with the tree, and is void when its artifact is edited", async () => {
  const world = await planned([PAGE]);
  await good(world, "ulw-loop", "complete-goals");
  world.write("shots/new.png", PNG);
  await claim(world, "C001", "see shots/new.png | cleanup: none");
  world.write("app.sh", DONE);
  expect(await words(world)).toEqual({ "G001-C001": "stale" });
  await claim(world, "C001", "see shots/new.png | cleanup: none");
  expect(await words(world)).toEqual({ "G001-C001": "claimed" });
  world.write(`${STATE}/evidence/G001-C001.png`, Buffer.concat([PNG, Buffer.from("x")]));
  const verified = await world.ask("verify");
  expect(verified.json.problems).toMatchObject([{ where: "G001-C001", code: "artifact_changed" }]);
  expect(verified.exit).toBe(1);
  expectRefusal(await world.ask("checkpoint", ...done), "not_proven", 1);
});

test("nobody's words pass a criterion of another channel, with or without a check", async () => {
  const world = await planned([goal("CSV import", [RED, { ...PIN, channel: "http", check: undefined }])]);
  world.write("shots/new.png", PNG);
  const failed = await claim(world, "C001", "all tests are green, see shots/new.png | cleanup: none");
  expect({ exit: failed.exit, code: failed.json.error.code, results: failed.json.results }).toMatchObject({
    exit: 1,
    code: "check_failed",
    results: [{ status: "fail", receipt: { exit: 1 } }],
  });
  const draft = await claim(world, "C002", "HTTP 200, see shots/new.png | cleanup: none");
  expectRefusal(draft, "criterion_draft", 1);
  expect(draft.json.error.nextActions[0]).toContain("--kind revise_criterion");
  expect(await words(world)).toEqual({ "G001-C001": "failing", "G001-C002": "draft" });
});

test("a split keeps every criterion and its check, and voids passes", async () => {
  const world = await planned();
  await good(world, "prove", "C002");
  const children = JSON.stringify([
    { title: "Read", objective: "read", criteria: ["C001"] },
    { title: "Guard", objective: "guard" },
  ]);
  const said = await steer(world, "--kind", "split_subgoal", "--goal-id", "G001", "--children", children);
  expect(said.json.goals.map((g: Shown) => g.id)).toEqual(["G001", "G002", "G003"]);
  expect(await ids(world)).toEqual(["G001 superseded", "G002 pending", "G003 pending"]);
  const second = await good(world, "ulw-loop", "criteria", "--goal-id", "G002");
  const third = await good(world, "ulw-loop", "criteria", "--goal-id", "G003");
  expect(second.criteria).toMatchObject([
    { check: { run: "sh test/rows.sh" }, expectedEvidence: "evidence/G002-C001.txt" },
  ]);
  expect(third.criteria).toMatchObject([{ check: { run: "sh test/old.sh" }, status: "open" }]);
  expectRefusal(
    await steer(
      world,
      "--kind",
      "split_subgoal",
      "--goal-id",
      "G002",
      "--children",
      '[{"title":"a","objective":"a","criteria":["C001"]},{"title":"b","objective":"b","criteria":["C001"]}]',
    ),
    "steer_refused",
    1,
  );
  expectRefusal(
    await steer(world, "--kind", "split_subgoal", "--goal-id", "G001", "--children", children),
    "goal_not_open",
    1,
  );
});

test("children and orders may come from a file or standard input", async () => {
  const world = await planned([goal("One"), goal("Two"), goal("Three")]);
  world.write("order.json", '["G003","G002"]');
  expect((await steer(world, "--kind", "reorder_pending", "--order", "order.json")).exit).toBe(0);
  expect(await ids(world)).toEqual(["G001 pending", "G003 pending", "G002 pending"]);
  const args = [
    "steer",
    "--kind",
    "split_subgoal",
    "--goal-id",
    "G001",
    "--children",
    "-",
    "--evidence",
    "e",
    "--rationale",
    "r",
  ];
  const said = await world.run(args, {
    stdin: '[{"title":"a","objective":"a"},{"title":"b","objective":"b"}]',
    json: true,
  });
  expect(said.exit).toBe(0);
  expect(await ids(world)).toEqual([
    "G001 superseded",
    "G004 pending",
    "G005 pending",
    "G003 pending",
    "G002 pending",
  ]);
});

test("only pending goals change places", async () => {
  const world = await planned([goal("One"), goal("Two")]);
  await good(world, "ulw-loop", "complete-goals");
  expectRefusal(
    await steer(world, "--kind", "reorder_pending", "--order", '["G002","G001"]'),
    "steer_refused",
    1,
  );
});

test("superseding without a replacement, and waiving, keep the plan incomplete until the user agrees", async () => {
  const world = await planned([goal("One"), goal("Two")]);
  world.write("app.sh", DONE);
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove", "--all");
  const superseded = await steer(world, "--kind", "mark_blocked_superseded", "--goal-id", "G002");
  expect(superseded.json.said).toContain("the user must approve");
  await good(
    world,
    "ulw-loop",
    "waive",
    "--goal-id",
    "G001",
    "--criterion-id",
    "C002",
    "--evidence",
    "e",
    "--rationale",
    "not needed",
  );
  await good(world, "ulw-loop", "record-quality-gate", "--quality-gate-json", JSON.stringify(REVIEWS));
  const refused = await world.ask("checkpoint", "--goal-id", "G001", ...done);
  expectRefusal(refused, "approval_needed", 1);
  expect(refused.json.error.problems.map((p: { where: string }) => p.where)).toEqual(["W001", "W002"]);
  const board = (await world.run(["status"])).out;
  expect(board).toContain("waits for the user: W001 superseded");
  expect(board).toContain("waits for the user: W002 waived");
  expect((await world.approve()).exit).toBe(0);
  expect(await words(world)).toMatchObject({ "G001-C002": "waived" });
  await good(world, "checkpoint", "--goal-id", "G001", ...done);
  expect((await good(world, "check")).valid).toBeTrue();
});

test("a check that has run is changed only with the user's approval", async () => {
  const world = await planned();
  await world.ask("prove", "C001");
  const said = await steer(
    world,
    "--kind",
    "revise_criterion",
    "--criterion-id",
    "C001",
    "--check",
    "sh test/old.sh",
  );
  expect(said.json.said).toContain("the user must approve");
  expect((await good(world, "status")).weakenings).toMatchObject([
    { id: "W001", kind: "amended", approved: false },
  ]);
  const no = await world.approve("n");
  expect(no.exit).toBe(1);
  expect((await good(world, "status")).weakenings).toMatchObject([{ approved: false }]);
});

test("a goal that is taken up goes to its end: proof, gate, last checkpoint, check", async () => {
  const world = await planned(
    [
      goal("CSV import"),
      goal("Old rows", [{ ...RED, check: { run: "sh test/rows.sh", covers: ["app.sh"] } }, PIN]),
    ],
    { verify: ["sh test/old.sh"] },
  );
  const { objective } = await good(world, "status");
  const host = (status: string) => JSON.stringify({ goal: { objective, status, threadId: "t1" } });
  const first = await good(world, "ulw-loop", "complete-goals");
  expect(first.handoff.create_goal.objective).toBe(objective);
  world.write("app.sh", DONE);
  await good(world, "prove");
  expectRefusal(
    await world.ask("checkpoint", ...done, "--codex-goal-json", host("complete")),
    "snapshot_mismatch",
    1,
  );
  await good(world, "checkpoint", ...done, "--codex-goal-json", host("active"));
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove");
  const early = await world.ask("checkpoint", ...done, "--codex-goal-json", host("complete"));
  expectRefusal(early, "quality_gate_open", 1);
  const inline = await good(
    world,
    "ulw-loop",
    "record-quality-gate",
    "--quality-gate-json",
    JSON.stringify(REVIEWS),
  );
  expect(inline.qualityGate).toEqual({
    aiSlopCleaner: REVIEWS.aiSlopCleaner,
    verification: {
      status: "passed",
      commands: ["sh test/old.sh"],
      evidence: expect.stringContaining("run by proofgate"),
    },
    codeReview: REVIEWS.codeReview,
    criteriaCoverage: { totalCriteria: 4, passCount: 4, adversarialClassesCovered: [] },
  });
  world.write(".omo/ulw-loop/reviews.json", JSON.stringify(REVIEWS));
  await good(world, "ulw-loop", "record-quality-gate", "--quality-gate-json", ".omo/ulw-loop/reviews.json");
  const piped = await world.run(["ulw-loop", "record-quality-gate", "--quality-gate-json", "-"], {
    stdin: JSON.stringify(REVIEWS),
    json: true,
  });
  expect(piped.exit).toBe(0);
  expectRefusal(
    await world.ask("checkpoint", ...done, "--codex-goal-json", host("active")),
    "snapshot_mismatch",
    1,
  );
  expectRefusal(
    await world.ask(
      "checkpoint",
      ...done,
      "--codex-goal-json",
      JSON.stringify({ objective: "something else", status: "complete" }),
    ),
    "snapshot_mismatch",
    1,
  );
  const last = await world.run(["checkpoint", ...done, "--codex-goal-json", "-"], {
    stdin: host("complete"),
    json: true,
  });
  expect(last.json).toMatchObject({ ok: true, goal: "G002", status: "complete", complete: true });
  expect((await good(world, "check")).valid).toBeTrue();
  expect(await good(world, "ulw-loop", "complete-goals")).toMatchObject({ done: true });
  const again = ledgerLines(world).length;
  await good(world, "checkpoint", "--goal-id", "G001", ...done);
  expect(ledgerLines(world).length).toBeLessThanOrEqual(again + 1);
  world.write("app.sh", `echo "3 rows" # edited afterwards\n`);
  const stale = await world.ask("check");
  expect(stale.exit).toBe(1);
  expect(stale.json.problems.map((p: { code: string }) => p.code)).toContain("stale");
  expect((await world.run(["status"])).out).toContain("COMPLETE, BUT NO LONGER PROVEN");
});

test("host snapshots come inline, from a path or from standard input, bare or wrapped; none at all works", async () => {
  const world = await planned(["One", "Two", "Three", "Four", "Five", "Six"].map((title) => goal(title)));
  world.write("app.sh", DONE);
  const { objective } = await good(world, "status");
  const spaced = objective.replaceAll(" ", "\n  ");
  world.write(".omo/ulw-loop/goal.json", JSON.stringify({ objective, status: "paused" }));
  await good(world, "prove", "--all");
  const given: [flags: string[], stdin?: string][] = [
    [[]],
    [["--codex-goal-json", JSON.stringify({ goal: { objective: spaced, status: "active" } })]],
    [["--codex-goal-json", '{"goal":null}']],
    [["--codex-goal-json", ".omo/ulw-loop/goal.json"]],
    [["--codex-goal-json", "-"], JSON.stringify({ objective, status: "budgetLimited" })],
  ];
  for (const [flags, stdin] of given) {
    const goalId = (await good(world, "ulw-loop", "complete-goals")).goal.id;
    const said = await world.run(["checkpoint", "--goal-id", goalId, ...done, ...flags], {
      json: true,
      ...(stdin === undefined ? {} : { stdin }),
    });
    expect({ flags, exit: said.exit, goal: said.json.goal }).toEqual({ flags, exit: 0, goal: goalId });
  }
  const unknown = await world.ask(
    "checkpoint",
    ...done,
    "--codex-goal-json",
    JSON.stringify({ objective, status: "frozen" }),
  );
  expectRefusal(unknown, "snapshot_invalid", 2);
  expect(unknown.json.error.found).toContain("frozen");
});

test("per story each goal has its own host goal, which has to be complete at its checkpoint", async () => {
  const world = await planned([goal("One"), goal("Two")], {});
  await good(
    world,
    "ulw-loop",
    "create-goals",
    "--session-id",
    "story",
    "--plan",
    ".proofgate/plan.yaml",
    "--codex-goal-mode",
    "per-story",
  );
  const ask = (...args: string[]) => world.ask(...args, "--session-id", "story");
  world.write("app.sh", DONE);
  const first = (await ask("ulw-loop", "complete-goals")).json.handoff.create_goal.objective;
  expect(first).toStartWith("G001: One");
  await ask("prove", "--all");
  expectRefusal(
    await ask(
      "checkpoint",
      ...done,
      "--codex-goal-json",
      JSON.stringify({ objective: first, status: "active" }),
    ),
    "snapshot_mismatch",
    1,
  );
  expect(
    (
      await ask(
        "checkpoint",
        ...done,
        "--codex-goal-json",
        JSON.stringify({ objective: first, status: "complete" }),
      )
    ).exit,
  ).toBe(0);
  const second = (await ask("ulw-loop", "complete-goals")).json.handoff.create_goal.objective;
  expect(second).toStartWith("G002: Two");
  const reviews = JSON.stringify(REVIEWS);
  expectRefusal(
    await ask(
      "checkpoint",
      ...done,
      "--quality-gate-json",
      reviews,
      "--codex-goal-json",
      JSON.stringify({ objective: first, status: "complete" }),
    ),
    "snapshot_mismatch",
    1,
  );
  const last = await ask(
    "checkpoint",
    ...done,
    "--quality-gate-json",
    reviews,
    "--codex-goal-json",
    JSON.stringify({ objective: second, status: "complete" }),
  );
  expect(last.json).toMatchObject({ ok: true, complete: true });
});

test("a review that is not clean, or contradicts itself, is no gate", async () => {
  const world = await planned();
  world.write("app.sh", DONE);
  world.write("review.md", "# Review\nVerdict: REQUEST_CHANGES\n");
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove");
  const before = stateBytes(world.root);
  const review = (change: Partial<typeof REVIEWS.codeReview>) => ({
    ...REVIEWS,
    codeReview: { ...REVIEWS.codeReview, ...change },
  });
  for (const form of [
    review({ recommendation: "REJECT" }),
    review({ architectStatus: "CONCERNS" }),
    review({ evidence: "lol" }),
    review({ evidence: "the full report is in review.md here" }),
    { ...REVIEWS, aiSlopCleaner: { status: "failed", evidence: "could not run it today" } },
  ])
    expectRefusal(
      await world.ask("ulw-loop", "record-quality-gate", "--quality-gate-json", JSON.stringify(form)),
      "quality_gate_open",
      1,
    );
  expect(stateBytes(world.root)).toEqual(before);
});

test("a verify command that fails keeps the gate open and says what it printed", async () => {
  const world = await planned([goal("CSV import")], { verify: ["sh test/lint.sh"] });
  world.write("app.sh", DONE);
  world.write("test/lint.sh", "echo 'line 7 is too long' >&2; exit 3\n");
  await good(world, "prove");
  const said = await world.ask(
    "ulw-loop",
    "record-quality-gate",
    "--quality-gate-json",
    JSON.stringify(REVIEWS),
  );
  expectRefusal(said, "check_failed", 1);
  expect(said.json.error.found).toContain("line 7 is too long");
  expect((await good(world, "status")).goals[0].status).not.toBe("complete");
});

test("review blockers put a follow-up goal first, and the goal comes back when it is done", async () => {
  const world = await planned([goal("One"), goal("Two")]);
  world.write("app.sh", DONE);
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove");
  const said = await good(
    world,
    "ulw-loop",
    "record-review-blockers",
    "--title",
    "Findings",
    "--objective",
    "Mend them",
    "--evidence",
    "two findings",
    "--codex-goal-json",
    '{"goal":null}',
  );
  expect(said.followUp.id).toBe("G003");
  expect(await ids(world)).toEqual(["G001 review_blocked", "G003 pending", "G002 pending"]);
  const { blockers } = await good(world, "status");
  expect(blockers).toMatchObject([{ goal: "G001", status: "review_blocked" }]);
  expect((await good(world, "ulw-loop", "complete-goals")).goal.id).toBe("G003");
  for (const id of ["C001", "C002", "C003", "C004"])
    await steer(
      world,
      "--kind",
      "revise_criterion",
      "--goal-id",
      "G003",
      "--criterion-id",
      id,
      "--scenario",
      `sh test/rows.sh exits 0 (${id})`,
      "--check",
      "sh test/rows.sh",
    );
  await good(world, "prove");
  await good(world, "checkpoint", "--goal-id", "G003", ...done);
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove", "--all");
  await good(world, "checkpoint", "--goal-id", "G002", ...done);
  expect((await good(world, "ulw-loop", "complete-goals")).goal.id).toBe("G001");
});

test("three identical failures end the goal, five failed checkpoints end its allowance, and the user grants a fresh one", async () => {
  const world = await planned();
  await good(world, "ulw-loop", "complete-goals");
  const fail = (evidence: string) =>
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "fail",
      "--evidence",
      evidence,
    );
  expect((await fail("prints 0 rows")).json.goalStatus).toBe("in_progress");
  expect((await fail("prints 0 rows")).json.goalStatus).toBe("in_progress");
  expect((await fail("prints 0 rows")).json.goalStatus).toBe("failed");
  expect(await good(world, "ulw-loop", "complete-goals")).toMatchObject({
    blocked: [{ id: "G001", status: "failed" }],
  });
  expect((await good(world, "ulw-loop", "complete-goals", "--retry-failed")).goal.status).toBe("in_progress");
  for (let cycle = 1; cycle <= 5; cycle++) {
    await good(world, "checkpoint", "--status", "failed", "--evidence", `cycle ${cycle}: still 0 rows`);
    const taken = await good(world, "ulw-loop", "complete-goals");
    expect({ cycle, taken: taken.goal?.id, blocked: taken.blocked?.length }).toEqual(
      cycle < 5 ? { cycle, taken: "G001", blocked: undefined } : { cycle, taken: undefined, blocked: 1 },
    );
  }
});

test("prove works for many criteria at once, each command once, and says what it skips", async () => {
  const world = await planned([
    goal("CSV import", [RED, { ...RED, class: "regression" }, { ...CLAIM, class: "adversarial" }]),
  ]);
  world.write("app.sh", `echo run >> count.log; echo "3 rows"\n`);
  const said = await good(world, "prove");
  expect(said.results.map((r: { criterion: string; level: string }) => [r.criterion, r.level])).toEqual([
    ["C001", "captured"],
    ["C002", "captured"],
  ]);
  expect(said.skipped).toMatchObject([{ ref: "G001-C003" }]);
  expect(world.read("count.log")).toBe("run\n");
  expect(existsSync(join(world.root, STATE, "evidence/G001-C002.txt"))).toBeTrue();
});

test("the JSON forms of files named by dash are read from standard input once", async () => {
  const said = await (await planned()).run(
    ["checkpoint", ...done, "--codex-goal-json", "-", "--quality-gate-json", "-"],
    { stdin: "{}", json: true },
  );
  expectRefusal(said, "usage_conflict", 2);
});
