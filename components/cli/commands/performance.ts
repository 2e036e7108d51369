/** `performance-goal` start, checkpoint, complete, status, list, abandon: the course of a goal. */

import { Refusal } from "../../errors.ts";
import { reconcile } from "../../goal-mode/snapshot.ts";
import { unwitnessed } from "../../performance-goal/approve.ts";
import { documentChange } from "../../performance-goal/document.ts";
import { lookAt } from "../../performance-goal/fresh.ts";
import { slugsOf } from "../../performance-goal/place.ts";
import { evaluateAndRecord } from "../../performance-goal/record.ts";
import {
  abandonEvents,
  checkpointEvents,
  completeEvents,
  handoff,
  nextStep,
  requireStarted,
  startGoal,
  whyNotPassing,
} from "../../performance-goal/steps.ts";
import { changeGoal, readGoal, requireGoal, requireWholeLedger } from "../../performance-goal/workspace.ts";
import { changeText } from "../../report/measured.ts";
import { evaluationText, goalBoard, goalsList } from "../../report/performance.ts";
import { shown } from "../../report/text.ts";
import { requireEvidence } from "../../words/evidence-text.ts";
import type { Context, Output } from "../context.ts";
import { hostSnapshot } from "../host-argument.ts";
import { badValue } from "../measure-flags.ts";
import { armedAt, goalJson, goalOf, workspaceOf } from "./performance-kit.ts";
import { progressTeller } from "./performance-progress.ts";

export async function startCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const { loaded } = changeGoal(ws, "start", (goal) => ({
    events: startGoal(goal, context.writer, ws.now().getTime()),
    result: null,
  }));
  const present = await lookAt(ws.place.root, loaded.state.contract);
  const hand = handoff(loaded.state);
  const json = goalJson(loaded.state, loaded.head, present);
  return {
    text: `${hand.text
      .split("\n")
      .map((line) => shown(line))
      .join("\n")}\nnext: ${nextStep(loaded.state, present).command}`,
    json: { ...json, handoff: hand },
  };
}

export async function checkpointCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const status = context.need("status");
  if (status !== "pass" && status !== "fail" && status !== "blocked")
    throw badValue("status", "pass, fail or blocked", status, "performance-goal checkpoint");
  const evidence = requireEvidence(context.need("evidence"));
  let goal = requireGoal(ws).state;
  requireStarted(goal);
  const lines: string[] = [];
  let measured = "";
  let present = await lookAt(ws.place.root, goal.contract);
  if (status === "pass" && whyNotPassing(goal, present) !== null) {
    // The words are a note; what counts is measured here where nothing fresh is known.
    const { loaded, evaluated } = await evaluateAndRecord(ws, goal, null, progressTeller(context));
    goal = loaded.state;
    lines.push(evaluationText(evaluated.evaluation, goal.contract));
    const { first } = evaluated.evaluation;
    if (first !== null) measured = `${changeText(first)}: `;
    present = await lookAt(ws.place.root, goal.contract);
  }
  const { loaded } = changeGoal(ws, "checkpoint", (now) => ({
    events: checkpointEvents(now, status, evidence, present, measured),
    result: null,
  }));
  const json = goalJson(loaded.state, loaded.head, present);
  const next = nextStep(loaded.state, present);
  return {
    text: [...lines, `checkpoint ${status}: ${shown(loaded.state.slug)}`, `next: ${next.command}`].join("\n"),
    json,
  };
}

export async function completeCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const before = requireGoal(ws);
  const evidence = requireEvidence(context.value("evidence") ?? "measured");
  const host = hostSnapshot(context);
  requireStarted(before.state);
  requireWholeLedger(ws, before);
  const unknown = unwitnessed(ws, before.state);
  if (unknown.length > 0)
    throw new Refusal(
      "approval_needed",
      "The ledger holds an approval that this machine's witness store does not know.",
      {
        expected: "approvals given here by the user",
        found: `unknown: ${unknown.join(", ")}`,
        next: ["proofgate approve  (the user, at a terminal)"],
      },
    );
  const present = await lookAt(ws.place.root, before.state.contract);
  const { loaded } = changeGoal(ws, "complete", (goal) => ({
    events: completeEvents(goal, { evidence, host }, present),
    result: null,
  }));
  const json = goalJson(loaded.state, loaded.head, present);
  const notes = [
    ...(loaded.state.contract.guards.length === 0
      ? ["no guard checked that the code still does its work"]
      : []),
    ...(loaded.state.passed?.doubts ?? []).map((doubt) => `doubt: ${shown(doubt)}`),
  ].map((note) => `\nnote: ${note}`);
  return {
    text: `Complete: ${shown(loaded.state.slug)}, ${shown(loaded.state.title)}${notes.join("")}\nnext: proofgate performance-goal plot --slug ${loaded.state.slug}`,
    json,
  };
}

export const statusCommand = (context: Context): Promise<Output> =>
  goalStatus(context, hostSnapshot(context));

/** @param host the host's goal, where it was told */
export async function goalStatus(context: Context, host?: ReturnType<typeof hostSnapshot>): Promise<Output> {
  const ws = goalOf(context);
  const { state: goal, head } = requireGoal(ws);
  const present = await lookAt(ws.place.root, goal.contract);
  const remarks: string[] = [];
  const edited = documentChange(ws.place, goal);
  if (edited !== null) remarks.push(edited);
  if (goal.contract.guards.length === 0) remarks.push("no guard checks that the code still does its work");
  let agrees: boolean | null = null;
  if (host !== undefined) {
    const found = reconcile({ expectedObjective: goal.hostObjective, need: "any", goal: host.goal });
    agrees = found.ok;
    remarks.push(found.ok ? found.note : `${found.refusal.message} ${found.refusal.nextActions[0] ?? ""}`);
  }
  const next = nextStep(goal, present);
  const armed = armedAt(context, goal);
  const json = goalJson(goal, head, present);
  return {
    text: goalBoard({ goal, present, next, now: Date.now(), armedAt: armed, remarks }),
    json: {
      ...json,
      armed: armed !== null,
      contract: goal.contract,
      base: goal.base,
      baseline: goal.baseline,
      kept: goal.kept,
      evaluations: goal.evaluations,
      weakenings: goal.weakenings,
      remarks,
      ...(agrees === null ? {} : { hostAgrees: agrees }),
    },
  };
}

export async function listCommand(context: Context): Promise<Output> {
  const goals = slugsOf(context.root()).map((slug) => {
    try {
      const loaded = readGoal(workspaceOf(context, slug));
      if (loaded === null) return { slug, title: "(empty)", status: "empty", said: "" };
      const { title, status, lastValidation } = loaded.state;
      return { slug, title, status, said: lastValidation?.status ?? "open" };
    } catch (error) {
      // One damaged goal must not hide the others.
      return {
        slug,
        title: error instanceof Error ? error.message : String(error),
        status: "damaged",
        said: "",
      };
    }
  });
  return {
    text: goalsList(goals),
    json: { goals: goals.map(({ said, ...goal }) => ({ ...goal, lastValidation: said })) },
  };
}

export async function abandonCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const why = requireEvidence(context.value("evidence") ?? "abandoned by command");
  const { loaded } = changeGoal(ws, "abandon", (goal) => ({
    events: abandonEvents(goal, why, context.writer.kind),
    result: null,
  }));
  const { slug } = loaded.state;
  const byUser = context.writer.kind === "user";
  return {
    text: [
      `Abandoned: ${shown(slug)}. Nothing is lost; it does not resume by itself.`,
      ...(byUser ? [] : ["The host's goal is held up by it until the user agrees: proofgate approve."]),
      `next: proofgate performance-goal start --slug ${slug}  (to take it up again)`,
    ].join("\n"),
    json: goalJson(loaded.state, loaded.head, null),
  };
}
