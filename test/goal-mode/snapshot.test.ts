/** Host goal snapshots: reading them, comparing them, and the objective texts. */

import { describe, expect, test } from "bun:test";
import { Refusal } from "../../components/errors.ts";
import {
  aggregateObjective,
  HOST_STATUSES,
  type HostGoal,
  type HostNeed,
  parseHostGoal,
  reconcile,
  sameObjective,
  storyObjective,
} from "../../components/goal-mode/snapshot.ts";

const refused = (json: unknown): Refusal => {
  try {
    parseHostGoal(json);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw Error("was accepted");
};

const goal = (status: HostGoal["status"], objective = "Ship it"): HostGoal => ({
  objective,
  status,
  threadId: null,
});

describe("reading a snapshot", () => {
  test("takes the output of get_goal as it is", () => {
    expect(
      parseHostGoal({
        goal: {
          threadId: "01a1",
          objective: "Ship the widget",
          status: "active",
          tokensUsed: 0,
          timeUsedSeconds: 0,
          createdAt: 1,
          updatedAt: 1,
        },
        remainingTokens: null,
        completionBudgetReport: null,
      }),
    ).toEqual({
      objective: "Ship the widget",
      status: "active",
      threadId: "01a1",
    });
  });

  test("takes a bare goal", () => {
    expect(parseHostGoal({ objective: "x", status: "complete" })).toEqual({
      objective: "x",
      status: "complete",
      threadId: null,
    });
  });

  test("takes the absence of a goal", () => {
    expect(parseHostGoal({ goal: null, remainingTokens: null })).toBeNull();
    expect(parseHostGoal(null)).toBeNull();
  });

  test.each([...HOST_STATUSES])("knows the status %s", (status) => {
    expect(parseHostGoal({ goal: { objective: "x", status } })?.status).toBe(status);
  });

  test("knows the database's spelling of the limits", () => {
    expect(parseHostGoal({ objective: "x", status: "usage_limited" })?.status).toBe("usageLimited");
    expect(parseHostGoal({ objective: "x", status: "budget_limited" })?.status).toBe("budgetLimited");
  });

  const unknown = [
    "completed",
    "Complete",
    "done",
    "COMPLETE",
    " complete",
    "in_progress",
    "",
    1,
    true,
    null,
    {},
    ["complete"],
    "constructor",
    "__proto__",
  ];

  test.each(unknown.map((status) => ({ status })))(
    "refuses the status in %j and names the known ones",
    ({ status }) => {
      const refusal = refused({ goal: { objective: "x", status } });
      expect(refusal.code).toBe("snapshot_invalid");
      expect(refusal.found).toContain(JSON.stringify(status));
      for (const known of HOST_STATUSES) expect(refusal.expected).toContain(known);
      expect(refusal.nextActions.length).toBeGreaterThan(0);
    },
  );

  const malformed = [
    undefined,
    "x",
    3,
    [],
    {},
    { goal: "x" },
    { goal: [] },
    { goal: {} },
    { goal: undefined },
    { objective: 3, status: "active" },
    { objective: null, status: "active" },
    { status: "active" },
    { objective: "x" },
  ];

  test.each(malformed.map((json) => ({ json })))("refuses %j", ({ json }) => {
    expect(refused(json).code).toBe("snapshot_invalid");
  });
});

describe("objectives", () => {
  test.each([
    ["Ship  the\nwidget", " Ship the widget\t"],
    ["caf\xE9", "cafe\u0301"],
    ["a\xA0b", "a b"],
    ["a\r\nb", "a\nb"],
  ])("%j is the same as %j", (a, b) => expect(sameObjective(a, b)).toBe(true));

  test.each([
    ["Ship it", "ship it"],
    ["Ship it", "Ship it!"],
    ["ab", "a b"],
    ["", "x"],
    ["\uFB01", "fi"],
  ])("%j is another one than %j", (a, b) => expect(sameObjective(a, b)).toBe(false));
});

describe("reconciling", () => {
  const needs: HostNeed[] = ["not_complete", "complete", "any"];

  test.each(needs)("a host without a goal fits the need %s", (need) => {
    expect(reconcile({ expectedObjective: "Ship it", need, goal: null })).toEqual({
      ok: true,
      note: "host goal absent",
    });
  });

  test("every status but complete fits an intermediate goal", () => {
    for (const status of HOST_STATUSES)
      expect(reconcile({ expectedObjective: "Ship  it", need: "not_complete", goal: goal(status) }).ok).toBe(
        status !== "complete",
      );
  });

  test("only complete fits the end", () => {
    for (const status of HOST_STATUSES)
      expect(reconcile({ expectedObjective: "Ship it", need: "complete", goal: goal(status) }).ok).toBe(
        status === "complete",
      );
  });

  test("every status fits where none is needed", () => {
    for (const status of HOST_STATUSES)
      expect(reconcile({ expectedObjective: "Ship it", need: "any", goal: goal(status) }).ok).toBe(true);
  });

  test("a paused or blocked goal at the end is told to call update_goal, get_goal and the same command", () => {
    for (const status of ["active", "paused", "blocked", "budgetLimited"] as const) {
      const outcome = reconcile({ expectedObjective: "Ship it", need: "complete", goal: goal(status) });
      if (outcome.ok) throw Error("was accepted");
      expect(outcome.refusal.code).toBe("snapshot_mismatch");
      expect(outcome.refusal.found).toContain(status);
      expect(outcome.refusal.nextActions[0]).toMatch(
        /update_goal\(\{"status":"complete"\}\).*get_goal.*same command/,
      );
    }
  });

  test("a goal completed early is told that nothing is lost", () => {
    const outcome = reconcile({ expectedObjective: "Ship it", need: "not_complete", goal: goal("complete") });
    if (outcome.ok) throw Error("was accepted");
    expect(outcome.refusal.message).toContain("Nothing is lost");
    expect(outcome.refusal.nextActions.join()).toContain("without --codex-goal-json");
  });

  test("another goal is named, bounded and without control characters", () => {
    const outcome = reconcile({
      expectedObjective: "Ship it",
      need: "any",
      goal: goal("active", `Other\x07 ${"long ".repeat(200)}`),
    });
    if (outcome.ok) throw Error("was accepted");
    expect(outcome.refusal.found).toContain("Other long");
    expect(outcome.refusal.found?.length ?? 999).toBeLessThan(200);
    expect(outcome.refusal.nextActions.join()).toContain("/goal clear");
  });

  test("no mismatch is a dead end, and none advises to record work as blocked", () => {
    for (const need of needs)
      for (const status of HOST_STATUSES)
        for (const objective of ["Ship it", "Other"]) {
          const outcome = reconcile({ expectedObjective: "Ship it", need, goal: goal(status, objective) });
          if (outcome.ok) continue;
          const { refusal } = outcome;
          expect(refusal.expected).toBeString();
          expect(refusal.found).toBeString();
          expect(refusal.nextActions.some((next) => next.includes("without --codex-goal-json"))).toBe(true);
          expect([refusal.message, ...refusal.nextActions].join(" ")).not.toMatch(
            /status[= ]*blocked|"blocked"|mark.*blocked|record.*blocked|checkpoint.*blocked/i,
          );
        }
  });
});

describe("objective texts", () => {
  const paths = { goals: ".omo/ulw-loop/goals.json", ledger: ".omo/ulw-loop/ledger.jsonl" };

  test("the aggregate objective names both files, is one line and stays within 400 characters", () => {
    const text = aggregateObjective(paths);
    expect(text).toContain(paths.goals);
    expect(text).toContain(paths.ledger);
    expect(text).not.toContain("\n");
    expect(text.length).toBeLessThanOrEqual(400);
    const session = "s".repeat(80);
    expect(
      aggregateObjective({
        goals: `.omo/ulw-loop/${session}/goals.json`,
        ledger: `.omo/ulw-loop/${session}/ledger.jsonl`,
      }).length,
    ).toBeLessThanOrEqual(400);
  });

  test("two sessions have two aggregate objectives", () => {
    expect(
      sameObjective(
        aggregateObjective(paths),
        aggregateObjective({ ...paths, goals: ".omo/ulw-loop/two/goals.json" }),
      ),
    ).toBe(false);
  });

  test("a story's objective names the goal, is one line and bounded", () => {
    expect(storyObjective({ id: "G001", title: "Import CSV", objective: "Import\na file." })).toBe(
      "G001: Import CSV. Import a file.",
    );
    expect(storyObjective({ id: "G001", title: "Import CSV", objective: "Import CSV" })).toBe(
      "G001: Import CSV",
    );
    expect(
      storyObjective({ id: "G001", title: "Import", objective: "🙂".repeat(4000) }).length,
    ).toBeLessThanOrEqual(4000);
  });
});
