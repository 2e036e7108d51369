/** The course of a goal, for a plot: what was measured, kept, put back and said, in the order of the ledger. */

import type { Line } from "../journal/types.ts";
import type { GoalEvent } from "./events.ts";
import type { Evaluation, Measured, PerformanceGoal } from "./model.ts";

export interface Station {
  readonly at: string;
  readonly kind: "evaluated" | "kept" | "reverted" | "passed" | "failed" | "invalid";
  /** What it was, in a word: as the kind, or a finer one. */
  readonly label: string;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly note: string;
}

export interface Course {
  readonly base: number | null;
  /** In the metric's unit. */
  readonly target: number | null;
  readonly stations: readonly Station[];
}

/**
 * Of the goal's own lines; what a former goal of the folder left in the ledger is another course. The machine is faster at one
 * time than at another, so what is compared with the base is drawn as its share of one and the same base.
 */
export function courseOf(goal: PerformanceGoal, lines: Iterable<Line<GoalEvent>>): Course {
  const { measure } = goal.contract;
  const target = measure?.target ?? null;
  const base = goal.baseline?.measured.base ?? goal.latest?.first?.base ?? null;
  const figures = target?.kind === "absolute" ? raw : (measured: Measured | null) => relative(measured, base);
  let stations: Station[] = [];
  let latest: Evaluation | null = null;
  const add = (
    at: string,
    kind: Station["kind"],
    measured: Measured | null,
    note: string,
    label: string = kind,
  ) => stations.push({ at, kind, label, ...figures(measured), note });
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
          add(at, kind, evaluation.first, evaluation.reason ?? evaluation.word);
          break;
        }
        case "reverted":
          add(at, "reverted", null, "");
          break;
        case "revert_undone":
          add(at, "reverted", null, "the revert was taken back", "undone");
          break;
        case "validated": {
          const { status, evidence } = event.validation;
          if (status === "pass") add(at, "passed", latest?.first ?? null, evidence);
          else add(at, "failed", null, evidence, status === "blocked" ? "blocked" : "failed");
          break;
        }
        default:
          break;
      }
  return {
    base,
    target:
      target === null
        ? null
        : target.kind === "absolute"
          ? target.value
          : base === null
            ? null
            : base * target.ratio,
    stations: goal.goalId === "" ? [] : stations,
  };
}

type Figures = Pick<Station, "value" | "low" | "high">;

const raw = (measured: Measured | null): Figures => ({
  value: measured?.now ?? null,
  low: measured?.nowInterval?.low ?? null,
  high: measured?.nowInterval?.high ?? null,
});

function relative(measured: Measured | null, base: number | null): Figures {
  if (measured === null || base === null) return raw(measured);
  const { interval, exact } = measured;
  if (interval === null || exact)
    return { value: (base * measured.now) / measured.base, low: null, high: null };
  const at = (log: number): number => base * Math.exp(log);
  return { value: at(interval.estimate), low: at(interval.low), high: at(interval.high) };
}
