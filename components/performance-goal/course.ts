/** The course of a goal, for a plot: what was measured, kept, put back and said, in the order of the ledger. */

import type { Line } from "../journal/types.ts";
import type { GoalEvent } from "./events.ts";
import type { Evaluation, Measured, PerformanceGoal } from "./model.ts";

export interface Station {
  readonly at: string;
  readonly kind: "evaluated" | "kept" | "reverted" | "passed" | "failed" | "invalid";
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly note: string;
}

/** Of the goal's own lines; what a former goal of the folder left in the ledger is another course. */
export function courseOf(goal: PerformanceGoal, lines: Iterable<Line<GoalEvent>>): readonly Station[] {
  let stations: Station[] = [];
  let latest: Evaluation | null = null;
  for (const { at, events } of lines)
    for (const event of events)
      switch (event.type) {
        case "goal_created":
          stations = [];
          latest = null;
          break;
        case "evaluated": {
          const { evaluation } = event;
          latest = evaluation;
          const kind = evaluation.word === "invalid" ? "invalid" : evaluation.kept ? "kept" : "evaluated";
          stations.push({
            at,
            kind,
            ...figures(evaluation.first),
            note: evaluation.reason ?? evaluation.word,
          });
          break;
        }
        case "reverted":
          stations.push({ at, kind: "reverted", value: null, low: null, high: null, note: "" });
          break;
        case "validated": {
          const { status, evidence } = event.validation;
          const measured = status === "pass" ? (latest?.first ?? null) : null;
          stations.push({
            at,
            kind: status === "pass" ? "passed" : "failed",
            ...figures(measured),
            note: evidence,
          });
          break;
        }
        default:
          break;
      }
  return goal.goalId === "" ? [] : stations;
}

const figures = (measured: Measured | null): Pick<Station, "value" | "low" | "high"> => ({
  value: measured?.now ?? null,
  low: measured?.nowInterval?.low ?? null,
  high: measured?.nowInterval?.high ?? null,
});
