/** `approve`: the user reads what would be agreed to, and says yes or no at the terminal. */

import { createInterface } from "node:readline/promises";
import { approveGoal, openWeakenings } from "../../performance-goal/approve.ts";
import type { PerformanceGoal, Weakening } from "../../performance-goal/model.ts";
import { slugsOf } from "../../performance-goal/place.ts";
import { type Workspace as GoalWorkspace, readGoal } from "../../performance-goal/workspace.ts";
import { cut, shown } from "../../report/text.ts";
import { approve, requireUser, subjects } from "../../ulw-loop/approve.ts";
import { readPlan, requirePlan } from "../../ulw-loop/workspace.ts";
import type { Context, Output } from "../context.ts";
import { workspaceOf } from "./performance-kit.ts";

interface WaitingGoal {
  readonly ws: GoalWorkspace;
  readonly goal: PerformanceGoal;
  readonly open: readonly Weakening[];
}

export async function approveCommand(context: Context): Promise<Output> {
  requireUser(context.writer);
  const ws = context.workspace();
  const goals = waitingGoals(context);
  // Where there is neither, the plan's own refusal says what to make.
  const loaded = goals.length > 0 ? readPlan(ws) : requirePlan(ws);
  const plan = loaded?.state ?? null;
  const open = plan === null ? { criteria: [], weakenings: [] } : subjects(ws, plan);
  const ledger = loaded?.head ?? null;
  if (open.criteria.length + open.weakenings.length + goals.length === 0)
    return { text: "Nothing waits for your approval.", json: { approved: [], ledger } };
  const lines = [
    ...(plan === null ? [] : [`"${shown(plan.title)}"`]),
    ...(open.weakenings.length > 0
      ? [
          "These make the plan easier to finish:",
          ...open.weakenings.map((w) => `  ${w.id} ${w.kind.replace("_", " ")}: ${cut(shown(w.what), 200)}`),
        ]
      : []),
    ...(open.criteria.length > 0
      ? [
          "These criteria would count as agreed, also where nothing failed before the work:",
          ...open.criteria.map(
            (c) => `  ${c.ref} ${cut(shown(c.scenario), 100)}\n      runs: ${cut(shown(c.run), 120)}`,
          ),
        ]
      : []),
    ...goals.flatMap(({ goal, open: waiting }) => [
      `performance goal ${goal.slug}, "${cut(shown(goal.title), 80)}", is now: ${contractWords(goal)}`,
      ...waiting.map((one) => `  ${one.id} ${one.kind.replace("_", " ")}: ${cut(shown(one.what), 200)}`),
    ]),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = (await prompt.question("Approve all of this? [y/N] ")).trim().toLowerCase();
  prompt.close();
  if (answer !== "y" && answer !== "yes")
    return { text: "Nothing was approved.", json: { approved: [], ledger }, exit: 1 };
  const approved = [...open.weakenings.map((w) => w.id), ...open.criteria.map((c) => c.ref)];
  const after = plan === null || approved.length === 0 ? ledger : approve(ws, plan, open).head;
  for (const one of goals) {
    approveGoal(one.ws, one.goal, one.open);
    approved.push(...one.open.map(({ id }) => `${one.goal.slug}:${id}`));
  }
  const next = plan === null ? "proofgate performance-goal status" : "proofgate next";
  return {
    text: `Approved: ${approved.join(" ")}\nnext: ${next}`,
    json: { approved, ledger: after, next: { why: "approved", command: next } },
  };
}

/** What there is to agree to says what would count from then on. */
function contractWords({ contract, base, status }: PerformanceGoal): string {
  const { measure, command } = contract;
  const what =
    measure === null
      ? "its exit status"
      : `${measure.metric}, ${measure.target === null ? "any improvement" : measure.target.text}`;
  return `${status}; ${cut(shown(what), 80)} by \`${cut(shown(command), 80)}\` against ${base.slice(0, 12)}`;
}

function waitingGoals(context: Context): readonly WaitingGoal[] {
  return slugsOf(context.root()).flatMap((slug) => {
    const ws = workspaceOf(context, slug);
    const goal = readGoal(ws)?.state;
    if (goal === undefined) return [];
    const open = openWeakenings(ws, goal);
    return open.length === 0 ? [] : [{ ws, goal, open }];
  });
}
