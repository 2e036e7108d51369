/** The fold: what each event makes of a performance goal. Total, pure, no clock and no disk. */

import type { LineMeta, Workflow } from "../journal/types.ts";
import type { GoalEvent } from "./events.ts";
import type { PerformanceGoal } from "./model.ts";

const EMPTY: PerformanceGoal = {
  goalId: "",
  slug: "",
  title: "",
  objective: "",
  hostObjective: "",
  status: "created",
  why: null,
  abandonedBy: null,
  contract: {
    text: "",
    command: "",
    cwd: "",
    measure: null,
    guards: [],
    protect: [],
    covers: null,
    setup: [],
    share: [],
    runMs: 0,
  },
  evaluator: { files: {}, scripts: {}, version: "" },
  guardFiles: { files: {}, suite: false },
  base: "",
  author: "agent",
  createdAt: "",
  owner: { session: null, host: "none", at: "" },
  document: "",
  baseline: null,
  latest: null,
  passed: null,
  kept: null,
  rescue: null,
  lastValidation: null,
  evaluations: 0,
  fruitless: 0,
  spentMs: 0,
  weakenings: [],
};

/** performance-goal as the journal wants it. */
export const performanceGoal: Workflow<PerformanceGoal, GoalEvent> = {
  format: "proofgate-performance-goal",
  snapshotName: "state.json",
  initial: EMPTY,
  reduce,
};

/** Each line that the owner's session writes is a sign of life. */
function reduce(before: PerformanceGoal, event: GoalEvent, meta: LineMeta): PerformanceGoal {
  const goal = changed(before, event, meta);
  const { owner } = goal;
  if (owner.session === null || owner.session !== meta.by.session) return goal;
  return { ...goal, owner: { ...owner, at: meta.at } };
}

function changed(goal: PerformanceGoal, event: GoalEvent, meta: LineMeta): PerformanceGoal {
  switch (event.type) {
    case "goal_created":
      return { ...EMPTY, ...event.goal, createdAt: meta.at };
    case "goal_started":
      return {
        ...goal,
        status: goal.status === "complete" ? goal.status : "active",
        why: null,
        abandonedBy: null,
        // Taken up again it was not given up.
        weakenings: goal.weakenings.filter((one) => one.kind !== "abandoned"),
        owner: { session: event.session, host: event.host, at: meta.at },
      };
    case "baseline_measured":
      return { ...goal, baseline: { ...event.baseline, at: meta.at } };
    case "evaluated": {
      const latest = { ...event.evaluation, seq: meta.seq, at: meta.at };
      return {
        ...goal,
        latest,
        // A complete goal takes no checkpoint any more: measured again after a change, it holds again.
        ...(goal.status === "complete" && latest.met ? { passed: latest } : {}),
        evaluations: goal.evaluations + 1,
        // Where nothing was measured, nothing was tried.
        fruitless: latest.kept ? 0 : goal.fruitless + (latest.word === "invalid" ? 0 : 1),
        spentMs: goal.spentMs + event.spentMs,
      };
    }
    case "kept":
      return { ...goal, kept: { ...event.kept, at: meta.at } };
    case "reverted":
      return { ...goal, rescue: { ...event.rescue, at: meta.at } };
    case "revert_undone":
      return { ...goal, rescue: null };
    case "validated": {
      const { validation } = event;
      const rests = goal.latest !== null && validation.evaluation === goal.latest.id;
      return {
        ...goal,
        lastValidation: { ...validation, recordedAt: meta.at },
        passed: validation.status === "pass" ? (rests ? goal.latest : goal.passed) : null,
      };
    }
    case "goal_completed":
      return { ...goal, status: "complete", why: event.evidence.slice(0, 200) };
    case "goal_abandoned":
      return { ...goal, status: "abandoned", why: event.why.slice(0, 200), abandonedBy: meta.by.kind };
    case "goal_weakened": {
      const { id, kind, what } = event;
      return { ...goal, weakenings: [...goal.weakenings, { id, kind, what, approved: false }] };
    }
    case "goal_approved":
      return {
        ...goal,
        weakenings: goal.weakenings.map((w) =>
          event.approval.weakenings.includes(w.id) ? { ...w, approved: true } : w,
        ),
      };
  }
}
