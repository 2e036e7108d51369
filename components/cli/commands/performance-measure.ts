/** `performance-goal` baseline, evaluate, revert: measuring, and going back. */

import { randomBytes } from "node:crypto";
import { Refusal } from "../../errors.ts";
import { measureBaseline } from "../../performance-goal/baseline.ts";
import { lookAt } from "../../performance-goal/fresh.ts";
import { evaluateAndRecord, requireSameGoal } from "../../performance-goal/record.ts";
import { selfTest } from "../../performance-goal/self-test.ts";
import { nextStep, requireOpen } from "../../performance-goal/steps.ts";
import { revert, undoRevert } from "../../performance-goal/trees.ts";
import { changeGoal, requireGoal } from "../../performance-goal/workspace.ts";
import { baselineText, evaluationText } from "../../report/performance.ts";
import { cut, plural, shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";
import { budgetFrom } from "../measure-flags.ts";
import { goalJson, goalOf } from "./performance-kit.ts";
import { progressTeller } from "./performance-progress.ts";

export async function baselineCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const { state: goal } = requireGoal(ws);
  requireOpen(goal);
  const baseline = await measureBaseline(ws, goal, budgetFrom(context), progressTeller(context));
  const { loaded } = changeGoal(ws, "baseline", (now) => {
    requireSameGoal(goal, now);
    requireOpen(now);
    return { events: [{ type: "baseline_measured", baseline }], result: null };
  });
  const present = await lookAt(ws.place.root, goal.contract);
  return {
    text: `base   ${baselineText(baseline.measured)}\nnext: ${nextStep(loaded.state, present).command}`,
    json: { ...goalJson(loaded.state, loaded.head, present), baseline: baseline.measured },
  };
}

export async function evaluateCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const { state: goal, head } = requireGoal(ws);
  if (context.has("self-test")) {
    const found = await selfTest(ws, goal, progressTeller(context));
    const present = await lookAt(ws.place.root, goal.contract);
    const { command } = nextStep(goal, present);
    return {
      text: [
        ...found.lines.map((line) => cut(shown(line), 300)),
        `next: ${found.sound ? command : "mend the evaluator, then create the goal anew (--force)"}`,
      ].join("\n"),
      json: {
        ...goalJson(goal, head, present),
        sound: found.sound,
        findings: found.lines,
        ...(found.sound ? {} : failure("measurement_invalid", found.lines.join("; "), "mend the evaluator")),
      },
      exit: found.sound ? 0 : 1,
    };
  }
  const { loaded, evaluated } = await evaluateAndRecord(
    ws,
    goal,
    budgetFrom(context),
    progressTeller(context),
  );
  const { evaluation } = evaluated;
  const present = await lookAt(ws.place.root, goal.contract);
  const next = nextStep(loaded.state, present);
  // A gain on the way to the target is what the loop is there for; only bad news fails.
  const fine =
    evaluation.met || evaluation.kept || evaluation.word === "same" || evaluation.word === "improved";
  return {
    text: `${evaluationText(evaluation, goal.contract)}\nnext: ${next.command}`,
    json: {
      ...goalJson(loaded.state, loaded.head, present),
      evaluation,
      ...(fine
        ? {}
        : failure(
            evaluation.word === "invalid"
              ? "measurement_invalid"
              : evaluation.word === "inconclusive"
                ? "check_inconclusive"
                : "check_failed",
            evaluation.reason ?? evaluation.word,
            next.command,
          )),
    },
    exit: fine ? 0 : 1,
  };
}

const failure = (code: string, message: string, next: string): object => ({
  error: { code, message, nextActions: [next] },
});

export async function revertCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const { state: goal } = requireGoal(ws);
  requireOpen(goal);
  if (context.has("undo")) return undo(context);
  const done = await revert(
    ws.place,
    goal,
    `${ws
      .now()
      .toISOString()
      .replace(/[^0-9]/g, "")
      .slice(0, 14)}-${randomBytes(3).toString("hex")}`,
  );
  const present = await lookAt(ws.place.root, goal.contract);
  const where = goal.kept === null ? "the base" : "what was kept last";
  const left = done?.left ?? [];
  const leftLines =
    left.length === 0 ? [] : [`left as they are, because Git does not track them: ${some(left)}`];
  if (done === null || done.rescue.paths.length === 0) {
    const { head } = requireGoal(ws);
    return {
      text: [
        `Nothing to revert: no tracked file differs from ${where}.`,
        ...leftLines,
        `next: ${nextStep(goal, present).command}`,
      ].join("\n"),
      json: { ...goalJson(goal, head, present), reverted: [], left },
    };
  }
  const { rescue } = done;
  const { loaded } = changeGoal(ws, "revert", () => ({
    events: [{ type: "reverted", rescue }],
    result: null,
  }));
  const paths = rescue.paths.map(({ path }) => path);
  const next = nextStep(loaded.state, present);
  return {
    text: [
      `Reverted ${plural(paths.length, "file")} to ${where}: ${some(paths)}`,
      `saved first: ${ws.place.statePath.replace(/state\.json$/, "")}${rescue.patch.path}`,
      ...leftLines,
      `next: ${next.command}      (undo: proofgate performance-goal revert --undo --slug ${goal.slug})`,
    ].join("\n"),
    json: {
      ...goalJson(loaded.state, loaded.head, present, next),
      reverted: paths,
      left,
      rescue: rescue.patch,
    },
  };
}

async function undo(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const { state: goal } = requireGoal(ws);
  const { rescue } = goal;
  if (rescue === null)
    throw new Refusal("goal_not_open", "There is no revert to take back.", {
      expected: "a revert that was not undone yet",
      found: "none",
      next: [`proofgate performance-goal status --slug ${goal.slug}`],
    });
  const paths = await undoRevert(ws.place, rescue);
  const { loaded } = changeGoal(ws, "revert", () => ({
    events: [{ type: "revert_undone", rescue: rescue.id }],
    result: null,
  }));
  const present = await lookAt(ws.place.root, goal.contract);
  const next = nextStep(loaded.state, present);
  return {
    text: `Taken back: ${plural(paths.length, "file")} as before the revert: ${some(paths)}\nnext: ${next.command}`,
    json: { ...goalJson(loaded.state, loaded.head, present, next), restored: paths },
  };
}

const some = (paths: readonly string[]): string =>
  shown(paths.length <= 6 ? paths.join(" ") : `${paths.slice(0, 6).join(" ")} and ${paths.length - 6} more`);
