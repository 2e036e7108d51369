/** `performance-goal plot`: the course of a goal, in the terminal and as a picture. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fromSystem } from "../../errors.ts";
import { courseOf } from "../../performance-goal/course.ts";
import type { PerformanceGoal } from "../../performance-goal/model.ts";
import { requireGoal, type Workspace } from "../../performance-goal/workspace.ts";
import type { Plot } from "../../report/plot.ts";
import { plotSvg } from "../../report/plot-svg.ts";
import { plotText } from "../../report/plot-text.ts";
import { shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";
import { goalJson, goalOf } from "./performance-kit.ts";

/** Columns where no terminal tells how many there are. */
const WIDTH = 100;

export async function plotCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const { state: goal, head } = requireGoal(ws);
  const plot = plotOf(ws, goal);
  const given = context.value("svg");
  const path = given === undefined ? join(ws.place.dir, "plot.svg") : resolve(context.cwd, given);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, plotSvg(plot));
  } catch (error) {
    throw fromSystem(error, `write ${path}`);
  }
  const columns = context.terminal ? (process.stdout.columns ?? WIDTH) : WIDTH;
  const where = relative(context.cwd, path) || path;
  return {
    text: `${plotText(plot, columns)}\npicture: ${shown(where)}`,
    json: { ...goalJson(goal, head, null), svg: where, points: plot.points },
  };
}

function plotOf(ws: Workspace, goal: PerformanceGoal): Plot {
  const { measure } = goal.contract;
  const { base, target, stations } = courseOf(goal, ws.journal.lines());
  return {
    title: goal.title,
    metric: measure?.metric ?? "exit status",
    unit: measure?.unit ?? "",
    better: measure?.better ?? "lower",
    baseline: base === null ? null : { value: base },
    target,
    points: stations,
  };
}
