/**
 * The gate's own runs. A pass that a sandboxed command wrote is a line that nobody else saw being written, and its hash is
 * no secret. Before a host's goal is complete such checks are run once more by the gate itself, before and after, in the
 * host's sandbox; what passed is kept outside the repository, so that only what changed is run again.
 */

import { isDeepStrictEqual } from "node:util";
import type { Problem } from "../errors.ts";
import { checkVersion, describeCommand, makeCheck } from "../evidence/check.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import type { Command } from "../evidence/types.ts";
import type { Line } from "../journal/types.ts";
import { openSessions } from "../witness/sessions.ts";
import { assessGoal, type Present } from "./assess.ts";
import type { PlanEvent, RunOutcome } from "./events.ts";
import { type Criterion, countedGoals, criterionRef, type Goal, isWaived, type Plan } from "./model.ts";
import { presentOf } from "./present.ts";
import { VERIFY_TIMEOUT_MS, verifyCommands } from "./quality-gate.ts";
import { ulwLoop } from "./reduce.ts";
import { plainOutcome, runOnce, runProof } from "./run-proof.ts";
import type { Workspace } from "./workspace.ts";

type Ran = Extract<PlanEvent, { type: "criterion_ran" }>;
type Pass = Extract<RunOutcome, { kind: "pass" }>;

/** What the gate ran itself, by check version; and the tree on which the verification commands passed. */
interface OwnRuns {
  readonly plan: string;
  readonly passes: Readonly<Record<string, Pass>>;
  readonly verified: { readonly tree: string; readonly commands: readonly Command[] } | null;
}

/** A pass that rests on a line nobody saw. `ran` is what that line says; null where no line says it. */
interface Unseen {
  readonly goal: Goal;
  readonly criterion: Criterion;
  readonly line: Line<PlanEvent> | null;
  readonly ran: Ran | null;
}

/** Passes of the goals that count, as far as nobody but the agent saw them. */
function unseenPasses(ws: Workspace, plan: Plan, goals: readonly Goal[]): readonly Unseen[] {
  const seen = ws.witness.lines(ws.place.dir);
  return goals.flatMap((goal) =>
    goal.successCriteria.flatMap((criterion) => {
      if (criterion.status !== "pass" || criterion.proof.kind !== "captured" || isWaived(plan, criterion))
        return [];
      const { proof, before } = criterion;
      const line = ws.journal.lineAt(proof.seq);
      const ran = line?.events.find(
        (event): event is Ran =>
          event.type === "criterion_ran" && event.goal === goal.id && event.criterion === criterion.id,
      );
      const says =
        ran?.outcome.kind === "pass" &&
        isOwnVersion(criterion) &&
        ran.version === criterion.version &&
        ran.outcome.tree === proof.tree &&
        ran.outcome.whole === proof.whole &&
        isDeepStrictEqual(ran.outcome.before, before);
      if (says && line !== null && seen.has(line.hash)) return [];
      return [{ goal, criterion, line, ran: isOwnVersion(criterion) ? (ran ?? null) : null }];
    }),
  );
}

/** A version is the digest of its check; under another one's name a check could borrow what that one proved. */
const isOwnVersion = ({ check, version }: Criterion): boolean =>
  check !== null && checkVersion(check) === version;

function isGateUnseen(ws: Workspace, plan: Plan): boolean {
  if (plan.gate === null) return false;
  const line = ws.journal.lineAt(plan.gate.seq);
  const { tree } = plan.gate;
  const says = line?.events.some((event) => event.type === "gate_recorded" && event.tree === tree) === true;
  return line === null || !says || !ws.witness.lines(ws.place.dir).has(line.hash);
}

const keptRuns = (ws: Workspace, plan: Plan): OwnRuns => {
  const kept = openSessions(ws.env).ownRuns(ws.place.dir) as OwnRuns | null;
  return kept?.plan === plan.planId ? kept : { plan: plan.planId, passes: {}, verified: null };
};

/** The plan with an outcome of the gate's in the place of what a line says. */
function withOutcome(plan: Plan, { goal, criterion, line, ran }: Unseen, outcome: RunOutcome): Plan {
  if (line === null || ran === null || criterion.version === null) return plan;
  const event: Ran = { ...ran, version: criterion.version, outcome };
  return ulwLoop.reduce(plan, { ...event, goal: goal.id, criterion: criterion.id }, line);
}

/** The plan without what unseen lines say of the base tree, so that no answer of theirs is taken for known. */
function withoutWord(plan: Plan, unseen: readonly Unseen[]): Plan {
  const said = new Set(unseen.map(({ goal, criterion }) => criterionRef(goal, criterion)));
  return {
    ...plan,
    goals: plan.goals.map((goal) => ({
      ...goal,
      successCriteria: goal.successCriteria.map((c) =>
        said.has(criterionRef(goal, c)) ? { ...c, status: "open", note: NOT_SEEN, before: null } : c,
      ),
    })),
  };
}

const NOT_SEEN = "its run was seen by nobody else";

/** Whether the kept pass is still one on the tree as it is. */
function holds(plan: Plan, unseen: Unseen, pass: Pass, present: Present): Plan | null {
  const now = withOutcome(plan, unseen, pass);
  const goal = now.goals.find((one) => one.id === unseen.goal.id);
  const assessed = goal === undefined ? [] : assessGoal(now, goal, present);
  return assessed.find((a) => a.criterion.id === unseen.criterion.id)?.word === "proven" ? now : null;
}

/**
 * The plan as far as somebody else than a sandboxed agent saw it, for a look outside of the sandbox: nothing is run, and
 * what nobody saw is open. Where this machine's store never knew the ledger, everything is taken as it stands; and so it is
 * inside of Codex's sandbox, whose commands reach no store, so that nobody saw what they wrote.
 */
export async function asSeen(ws: Workspace, plan: Plan, present: Present): Promise<Plan> {
  if (ws.writer.host === "codex" || ws.witness.anchor(ws.place.dir) === null) return plan;
  const unseen = unseenPasses(ws, plan, countedGoals(plan));
  const { passes, verified } = keptRuns(ws, plan);
  let now = withoutWord(plan, unseen);
  for (const one of unseen) {
    const pass = passes[one.criterion.version ?? ""];
    now = (pass === undefined ? null : holds(now, one, pass, present)) ?? now;
  }
  return isGateUnseen(ws, plan) && verified?.tree !== present.tree?.id ? { ...now, gate: null } : now;
}

/**
 * Runs what nobody saw, and puts what came of it in its place.
 * @param goals those that count here
 * @param withGate the plan's quality gate counts as well
 * @returns the plan with the gate's own results; problems of the verification commands; whether anything was run
 */
export async function withOwnRuns(
  ws: Workspace,
  plan: Plan,
  goals: readonly Goal[],
  withGate: boolean,
): Promise<{ plan: Plan; problems: readonly Problem[]; ran: readonly string[] }> {
  const unseen = unseenPasses(ws, plan, goals);
  const store = openSessions(ws.env);
  let kept = keptRuns(ws, plan);
  const keep = (more: Partial<OwnRuns>): void => {
    kept = { ...kept, ...more };
    store.setOwnRuns(ws.place.dir, kept);
  };
  let now = withoutWord(plan, unseen);
  const ran: string[] = [];
  const failed = new Map<string, RunOutcome>();
  let present = presentOf(ws.place, await fingerprint(ws.place.root), { thorough: true });
  for (const one of unseen) {
    const { goal, criterion } = one;
    const { check, version } = criterion;
    if (check === null || version === null || one.ran === null) continue;
    const known = kept.passes[version];
    const held = known === undefined ? null : holds(now, one, known, present);
    if (held !== null) {
      now = held;
      continue;
    }
    let outcome = failed.get(version);
    if (outcome === undefined) {
      const run = await runProof(ws, now, { goal, criterion, check, version });
      await run.run.dispose();
      outcome = run.outcome;
      if (outcome.kind === "pass") keep({ passes: { ...kept.passes, [version]: outcome } });
      else failed.set(version, outcome);
      present = presentOf(ws.place, await fingerprint(ws.place.root), { thorough: true });
    }
    ran.push(criterionRef(goal, criterion));
    now = withOutcome(now, one, outcome);
  }
  const problems = withGate && isGateUnseen(ws, plan) ? await verify(ws, plan, kept, keep) : [];
  return { plan: now, problems, ran };
}

async function verify(
  ws: Workspace,
  plan: Plan,
  kept: OwnRuns,
  keep: (more: Partial<OwnRuns>) => void,
): Promise<readonly Problem[]> {
  const commands = verifyCommands(plan);
  const tree = await fingerprint(ws.place.root);
  if (kept.verified?.tree === tree.id && isDeepStrictEqual(kept.verified.commands, commands)) return [];
  const problems: Problem[] = [];
  for (const command of commands) {
    const check = makeCheck({ run: command, timeoutMs: VERIFY_TIMEOUT_MS });
    const { run, verdict } = await runOnce(ws, check, tree);
    await run.dispose();
    const outcome = plainOutcome(verdict, tree.id, ws.place.root);
    if (outcome === null) continue;
    const found = outcome.kind === "fail" ? `got ${outcome.got}` : "what" in outcome ? outcome.what : "moved";
    problems.push({
      where: "quality gate",
      code: "quality_gate_open",
      message: `${describeCommand(check)}: wanted exit 0, ${found}`,
    });
  }
  if (problems.length === 0) keep({ verified: { tree: tree.id, commands } });
  return problems;
}
