/**
 * A performance goal judged for a host's goal. What only a sandboxed agent wrote is not believed: such an evaluation is made
 * once more by the gate itself, in the host's sandbox, and kept outside the repository.
 */

import { type Problem, Refusal } from "../errors.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import { openSessions } from "../witness/sessions.ts";
import { unwitnessed } from "./approve.ts";
import { evaluate } from "./evaluate.ts";
import type { GoalEvent } from "./events.ts";
import { coveredOf, lookAt, type Present } from "./fresh.ts";
import { type Evaluation, isGivenUp, type PerformanceGoal } from "./model.ts";
import { performanceGoal } from "./reduce.ts";
import { defects, nextStep } from "./steps.ts";
import { readGoal, requireWholeLedger, type Workspace } from "./workspace.ts";

export interface HostJudgement {
  readonly problems: readonly Problem[];
  /** The one command that deals with most of the problems; empty where there are none. */
  readonly next: string;
}

/** An evaluation of the gate's own that met the contract. */
interface OwnRun {
  readonly plan: string;
  readonly covered: string;
  readonly evaluator: string;
  readonly machine: string;
}

/** @throws Refusal `state_missing`, `state_damaged`, and what evaluating throws */
export async function judgeForHost(ws: Workspace): Promise<HostJudgement> {
  const loaded = readGoal(ws);
  if (loaded === null)
    throw new Refusal("state_missing", "The performance goal that this session works on is gone.", {
      expected: ws.place.ledgerPath,
      found: "no ledger",
      next: [`proofgate performance-goal repair --slug ${ws.place.slug}`],
    });
  requireWholeLedger(ws, loaded);
  const goal = loaded.state;
  const present = await lookAt(ws.place.root, goal.contract);
  const problems: Problem[] = [...defects(goal, present), ...silentProblems(ws, goal)];
  if (problems.length === 0 && isUnseen(ws, goal)) problems.push(...(await ownRun(ws, goal, present)));
  const again = await fingerprint(ws.place.root);
  if (again.id !== present.tree.id)
    problems.push({ where: "tree", code: "moved", message: "it changed while it was judged" });
  return { problems, next: problems.length === 0 ? "" : nextFor(goal, present, problems) };
}

/**
 * The goal as far as somebody else than a sandboxed agent saw it, for a look outside of the sandbox: nothing is run, and an
 * evaluation that nobody saw is open. Where this machine's store never knew the ledger, everything is taken as it stands.
 * @throws Refusal `state_damaged`, `state_missing`
 */
export async function judgeSeen(ws: Workspace): Promise<HostJudgement> {
  const loaded = readGoal(ws);
  if (loaded === null) return { problems: [], next: "" };
  requireWholeLedger(ws, loaded);
  const goal = loaded.state;
  const present = await lookAt(ws.place.root, goal.contract);
  const problems: Problem[] = [...defects(goal, present), ...silentProblems(ws, goal)];
  const { host } = ws.writer;
  const outside = host !== "codex" && ws.witness.anchor(ws.place.dir) !== null;
  if (
    problems.length === 0 &&
    outside &&
    !isGivenUp(goal) &&
    isUnseen(ws, goal) &&
    !isOwnRun(ws, goal, present)
  )
    problems.push({
      where: goal.slug,
      code: "not_proven",
      message: "its evaluation was seen by nobody else",
    });
  return { problems, next: problems.length === 0 ? "" : nextFor(goal, present, problems) };
}

function nextFor(goal: PerformanceGoal, present: Present, problems: readonly Problem[]): string {
  if (problems.every(({ code }) => code === "approval_needed"))
    return "proofgate approve  (the user, at a terminal)";
  const step = nextStep(goal, present);
  return step.command.startsWith("proofgate performance-goal complete")
    ? `proofgate performance-goal evaluate --slug ${goal.slug}`
    : step.command;
}

/** The line that the pass rests on was written by somebody who could not reach the store. */
function isUnseen(ws: Workspace, goal: PerformanceGoal): boolean {
  const { passed } = goal;
  if (passed === null) return true;
  const line = ws.journal.lineAt(passed.seq);
  const seen = ws.witness.lines(ws.place.dir);
  const says = line?.events.some(
    (event) => event.type === "evaluated" && event.evaluation.id === passed.id && event.evaluation.met,
  );
  const origin = originOf(ws, goal.goalId);
  // Whoever wrote the contract wrote what has to be met; a contract nobody saw is looked at by silentProblems.
  return line === null || says !== true || !seen.has(line.hash) || origin === null;
}

const ownRunOf = (goal: PerformanceGoal, present: Present): OwnRun => ({
  plan: goal.goalId,
  covered: coveredOf(goal.contract, present),
  evaluator: present.evaluator.version,
  machine: present.machine,
});

const isOwnRun = (ws: Workspace, goal: PerformanceGoal, present: Present): boolean =>
  JSON.stringify(openSessions(ws.env).ownRuns(ws.place.dir)) === JSON.stringify(ownRunOf(goal, present));

async function ownRun(ws: Workspace, goal: PerformanceGoal, present: Present): Promise<readonly Problem[]> {
  if (isOwnRun(ws, goal, present)) return [];
  const { measure } = goal.contract;
  // Twice the time: whoever did honest work is not to be held up by a machine that is busy just now.
  const budgetMs = measure === null ? null : 2 * measure.budgetMs;
  const { evaluation } = await evaluate(ws, { ...goal, kept: null }, budgetMs, () => {});
  if (evaluation.met || isBorneOut(evaluation)) {
    openSessions(ws.env).setOwnRuns(ws.place.dir, ownRunOf(goal, present));
    return [];
  }
  const target = goal.contract.measure?.target?.text ?? "the contract";
  const found = evaluation.reason ?? `${evaluation.word}, ${target} ${evaluation.first?.target ?? "not met"}`;
  return [{ where: goal.slug, code: "not_proven", message: `measured by the gate: ${found}` }];
}

/** The agent measured it twice already. Here once is enough, unless the second time says otherwise. */
function isBorneOut({ first, again }: Evaluation): boolean {
  if (first === null || again === null) return false;
  return first.target === null
    ? first.word === "improved" && again.word === "inconclusive"
    : first.target === "met" && again.target === "open";
}

/** What a hook keeps of a goal that it sees for the first time. */
export interface FirstSight {
  /** Commit that the repository stood at; null where the goal was there before anybody watched. */
  readonly head: string | null;
  /** Hash of the line that the goal began with. */
  readonly line: string | null;
}

/** Hash of the line that a goal began with; null when it is not there. */
export function originOf(ws: Workspace, goalId: string): string | null {
  for (const { events, hash } of ws.journal.lines())
    for (const event of events)
      if (event.type === "goal_created" && event.goal.goalId === goalId) return hash;
  return null;
}

/**
 * What lines that nobody saw weaken without saying so: an open goal that was replaced, a base that is not the commit at which
 * the repository stood, an approval that was not given here.
 */
function silentProblems(ws: Workspace, goal: PerformanceGoal): readonly Problem[] {
  const seen = ws.witness.lines(ws.place.dir);
  const store = openSessions(ws.env);
  const found: Problem[] = [];
  let state = performanceGoal.initial;
  for (const line of ws.journal.lines())
    for (const event of line.events) {
      if (!seen.has(line.hash)) {
        const what = silent(state, event, line.events);
        if (what !== null)
          found.push({
            where: `L${line.seq}`,
            code: "approval_needed",
            message: `${what}; not approved by the user`,
          });
      }
      state = performanceGoal.reduce(state, event, line);
    }
  const first = store.note("plans", goal.goalId) as FirstSight | null;
  if (first !== null && first.line !== null && first.line !== originOf(ws, goal.goalId))
    found.push({ where: goal.slug, code: "approval_needed", message: "the goal has the id of another one" });
  if (first !== null && first.head !== null && first.head !== goal.base)
    found.push({
      where: goal.slug,
      code: "approval_needed",
      message: `its base is ${goal.base.slice(0, 12)}, and the repository stood at ${first.head.slice(0, 12)} when it was made`,
    });
  for (const id of unwitnessed(ws, goal))
    found.push({
      where: id,
      code: "approval_needed",
      message: "an approval that this machine's store does not know",
    });
  return found;
}

function silent(state: PerformanceGoal, event: GoalEvent, line: readonly GoalEvent[]): string | null {
  if (event.type === "goal_abandoned")
    return line.some((one) => one.type === "goal_weakened" && one.kind === "abandoned")
      ? null
      : "given up, by nobody that was seen";
  if (event.type !== "goal_created" || state.goalId === "" || state.status === "complete" || isGivenUp(state))
    return null;
  const told = line
    .slice(line.indexOf(event) + 1)
    .some((one) => one.type === "goal_weakened" && one.kind === "forced");
  return told ? null : "an open goal was replaced";
}
