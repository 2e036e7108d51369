/** `status`, `criteria`, `next`: looking, never changing. */

import { describeCheck } from "../../evidence/channels/words.ts";
import { slugsOf } from "../../performance-goal/place.ts";
import { board } from "../../report/board.ts";
import { pad, shown } from "../../report/text.ts";
import { armedAt } from "../../ulw-loop/armed.ts";
import { type Assessed, assessGoal, assessPlan } from "../../ulw-loop/assess.ts";
import { nextStep, stepFor } from "../../ulw-loop/handoff.ts";
import { findGoal } from "../../ulw-loop/ids.ts";
import { isComplete } from "../../ulw-loop/model.ts";
import { lookAt } from "../../ulw-loop/present.ts";
import { total, usageOf } from "../../ulw-loop/usage.ts";
import { readPlan, requirePlan } from "../../ulw-loop/workspace.ts";
import type { Context, Output } from "../context.ts";

export async function status(context: Context): Promise<Output> {
  const ws = context.workspace();
  const goals = await goalsInstead(context);
  if (goals !== null) return goals;
  const { state: plan, head } = requirePlan(ws);
  const present = await lookAt(ws.place, { thorough: false });
  const assessed = assessPlan(plan, present);
  const next = nextStep(plan, assessed, present);
  const usage = usageOf(ws, plan);
  const paint =
    context.terminal && !context.env.NO_COLOR ? await colours() : (_: string, text: string) => text;
  const byGoal = new Map<string, Assessed[]>();
  if (!context.has("json"))
    return {
      text: board({ plan, assessed, next, head, now: Date.now(), armedAt: armedAt(ws, plan), usage, paint }),
      json: {},
    };
  for (const a of assessed) byGoal.set(a.goal.id, [...(byGoal.get(a.goal.id) ?? []), a]);
  return {
    text: "",
    json: {
      title: plan.title,
      objective: plan.objective,
      mode: plan.mode,
      base: plan.base.commit,
      armed: armedAt(ws, plan) !== null,
      complete: isComplete(plan),
      proven: assessed.every((a) => a.word === "proven" || a.word === "claimed" || a.word === "waived"),
      cancelled: plan.cancelled !== null,
      ...(usage === null ? {} : { cost: total(usage) }),
      goals: plan.goals.map((goal) => ({
        id: goal.id,
        title: goal.title,
        status: goal.status,
        ...("reason" in goal ? { reason: goal.reason } : {}),
        ...(usage?.goals[goal.id] === undefined ? {} : { cost: usage.goals[goal.id] }),
        criteria: (byGoal.get(goal.id) ?? []).map(criterionJson),
      })),
      blockers: plan.goals.flatMap((goal) =>
        "reason" in goal ? [{ goal: goal.id, status: goal.status, reason: goal.reason }] : [],
      ),
      weakenings: plan.weakenings.map(({ id, kind, what, approved }) => ({ id, kind, what, approved })),
      ledger: head,
      next,
    },
  };
}

const criterionJson = (a: Assessed) => ({
  id: a.criterion.id,
  status: a.criterion.status,
  level: a.level,
  fresh: a.fresh,
  author: a.criterion.author,
  approved: a.criterion.approved,
  word: a.word,
  why: a.why,
  before: a.criterion.before?.outcome ?? null,
});

/** What a word means decides its colour; picocolors is loaded only for a terminal. */
async function colours(): Promise<(word: string, text: string) => string> {
  const { default: c } = await import("picocolors");
  const by: Readonly<Record<string, (text: string) => string>> = {
    proven: c.green,
    pinned: c.green,
    hollow: c.red,
    failing: c.red,
    blocked: c.red,
    stale: c.yellow,
    claimed: c.yellow,
    open: c.dim,
    draft: c.dim,
    waived: c.dim,
  };
  return (word, text) => by[word]?.(text) ?? text;
}

export async function criteria(context: Context): Promise<Output> {
  const ws = context.workspace();
  const { state: plan, head } = requirePlan(ws);
  const goal = findGoal(plan, context.value("goal-id"));
  const assessed = assessGoal(plan, goal, await lookAt(ws.place, { thorough: false }));
  const lines = assessed.flatMap((a) => [
    `${a.ref}  ${pad(a.word, 8)} [${a.criterion.classes.join(" ")}] ${shown(a.criterion.scenario)}`,
    `    ${a.criterion.channel}: ${a.criterion.check === null ? "no check" : shown(describeCheck(a.criterion.check))}    evidence: ${shown(a.criterion.expectedEvidence)}`,
  ]);
  return {
    text: [`${goal.id} ${shown(goal.title)}: ${goal.status.replace("_", " ")}`, ...lines].join("\n"),
    json: {
      goal: {
        id: goal.id,
        title: goal.title,
        objective: goal.objective,
        status: goal.status,
        without: goal.without,
      },
      criteria: assessed.map((a) => ({
        ...criterionJson(a),
        scenario: a.criterion.scenario,
        classes: a.criterion.classes,
        adversarial: a.criterion.adversarial,
        channel: a.criterion.channel,
        expectedEvidence: a.criterion.expectedEvidence,
        stop: a.criterion.stop,
        check: a.criterion.check,
        version: a.criterion.version,
      })),
      ledger: head,
    },
  };
}

/** Where there is no plan, and performance goals are: what `status` and `next` are asked for then. */
async function goalsInstead(context: Context): Promise<Output | null> {
  if (slugsOf(context.root()).length === 0 || readPlan(context.workspace()) !== null) return null;
  const { goalStatus } = await import("./performance.ts");
  return goalStatus(context);
}

export async function next(context: Context): Promise<Output> {
  const ws = context.workspace();
  const goals = await goalsInstead(context);
  if (goals !== null) {
    const { next: step, ledger } = goals.json as { next: { why: string; command: string }; ledger: unknown };
    return { text: `${step.command}\n  ${shown(step.why)}`, json: { next: step, ledger } };
  }
  const { state: plan, head } = requirePlan(ws);
  const present = await lookAt(ws.place, { thorough: false });
  const step = stepFor(plan, present);
  return { text: `${step.command}\n  ${shown(step.why)}`, json: { next: step, ledger: head } };
}
