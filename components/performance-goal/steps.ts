/** What each command makes of a goal. Deciders: they return events or refuse, and touch nothing. */

import { Refusal } from "../errors.ts";
import { type HostGoal, reconcile } from "../goal-mode/snapshot.ts";
import type { Writer } from "../journal/types.ts";
import { evaluatorChanges } from "./evaluator.ts";
import type { GoalEvent, HostNote } from "./events.ts";
import { type Present, staleness } from "./fresh.ts";
import {
  isClosed,
  isGivenUp,
  type PerformanceGoal,
  PLATEAU,
  type Recorded,
  type Validation,
} from "./model.ts";

/** Time without a sign of life after which another session may take a goal over by itself. */
const OWNER_SILENT_MS = 30 * 60_000;

/** @throws Refusal `goal_not_open` */
export function requireOpen(goal: PerformanceGoal): void {
  if (!isClosed(goal)) return;
  throw new Refusal("goal_not_open", `The performance goal ${goal.slug} is ${goal.status}.`, {
    expected: "a goal that is still open",
    found: goal.why === null ? goal.status : `${goal.status}: ${goal.why}`,
    next:
      goal.status === "abandoned"
        ? [`proofgate performance-goal start --slug ${goal.slug}  (takes it up again)`]
        : [`proofgate performance-goal status --slug ${goal.slug}`],
  });
}

/** Gives the goal up. Who is not the user only proposes it. @throws Refusal `goal_not_open` for a complete goal */
export function abandonEvents(goal: PerformanceGoal, why: string, by: Writer["kind"]): readonly GoalEvent[] {
  if (goal.status === "complete") requireOpen(goal);
  if (goal.status === "abandoned" && (by !== "user" || goal.abandonedBy === "user")) return [];
  const given: GoalEvent = { type: "goal_abandoned", why };
  if (by === "user") return [given];
  const id = `W${String(goal.weakenings.length + 1).padStart(3, "0")}`;
  return [
    given,
    { type: "goal_weakened", id, kind: "abandoned", what: `given up by the agent: ${why.slice(0, 160)}` },
  ];
}

/** @throws Refusal `goal_not_open` before `start` */
export function requireStarted(goal: PerformanceGoal): void {
  requireOpen(goal);
  if (goal.status !== "created") return;
  throw new Refusal("goal_not_open", `The performance goal ${goal.slug} was not started.`, {
    expected: "a goal that start took up",
    found: "created",
    next: [`proofgate performance-goal start --slug ${goal.slug}`],
  });
}

/**
 * Takes the goal up. An owner that was silent for long is relieved, and an abandoned goal goes on.
 * @throws Refusal `goal_not_open` for a complete goal; `session_taken`
 */
export function startGoal(goal: PerformanceGoal, writer: Writer, now: number): readonly GoalEvent[] {
  if (goal.status === "complete") requireOpen(goal);
  const { owner } = goal;
  const other = owner.session !== null && writer.session !== null && owner.session !== writer.session;
  const alive = owner.at !== "" && now - Date.parse(owner.at) <= OWNER_SILENT_MS;
  if (other && alive && goal.status === "active")
    throw new Refusal("session_taken", "Another session is working on this goal.", {
      expected: `session ${owner.session}`,
      found: `session ${writer.session}`,
      next: [
        "wait for it: a session that is silent for half an hour is relieved",
        "proofgate performance-goal create … --slug NAME  (a goal of its own)",
      ],
    });
  const mine = goal.status === "active" && (writer.session === null || owner.session === writer.session);
  return mine ? [] : [{ type: "goal_started", session: writer.session ?? owner.session, host: writer.host }];
}

/** Why the latest evaluation does not make a pass; null when it does. */
export function whyNotPassing(goal: PerformanceGoal, present: Present): string | null {
  const { latest } = goal;
  if (latest === null) return "nothing was evaluated yet";
  const stale = staleness(goal, latest, present);
  if (stale !== null) return stale;
  return latest.met ? null : (latest.reason ?? verdictWords(goal));
}

/**
 * What passed once and not when it was measured again, on the same tree, does not hold. A measurement that decided nothing
 * takes nothing back.
 */
function contradiction(goal: PerformanceGoal, present: Present): string | null {
  const { latest, passed } = goal;
  if (latest === null || passed === null || latest.seq <= passed.seq || latest.met) return null;
  if (latest.word === "inconclusive" || latest.first?.target === "open") return null;
  if (staleness(goal, latest, present) !== null) return null;
  return `measured again after that, it does not hold: ${whyNotPassing(goal, present) ?? latest.word}`;
}

/** The latest verdict in a few words, for refusals. */
function verdictWords({ latest, contract }: PerformanceGoal): string {
  if (latest === null) return "nothing was evaluated yet";
  const { first, again, word } = latest;
  const target = contract.measure?.target?.text;
  const change = first?.interval ? ` (${signed(first.interval.estimate)})` : "";
  if (first?.target === "met" && again !== null)
    return `${target ?? "the target"} was met once and not confirmed`;
  if (target === undefined)
    return `${word}${change}${again === null ? "" : ", and not confirmed by a second measurement"}`;
  return `${word}${change}; ${target} is ${first?.target === "missed" ? "missed" : "not decided"}`;
}

/** A signed change in percent, from a log ratio, with a true minus. */
const signed = (log: number): string =>
  `${log < 0 ? "−" : "+"}${Math.abs(100 * Math.expm1(log)).toFixed(1)} %`;

/**
 * The events of `checkpoint`. A pass rests on the latest evaluation, which the caller made fresh.
 * @param measured what was measured for it just now, to be told with a refusal; may be empty
 * @throws Refusal `not_proven`
 */
export function checkpointEvents(
  goal: PerformanceGoal,
  status: Validation["status"],
  evidence: string,
  present: Present,
  measured: string,
): readonly GoalEvent[] {
  requireStarted(goal);
  if (status !== "pass")
    return [
      {
        type: "validated",
        validation: { status, evidence, level: "attested", evaluation: goal.latest?.id ?? null },
      },
    ];
  const why = whyNotPassing(goal, present);
  if (why !== null)
    throw new Refusal("not_proven", `The contract of ${goal.slug} does not hold.`, {
      expected: "a fresh evaluation that met the contract, twice",
      found: `${measured}${why}`,
      next: [nextStep(goal, present).command],
    });
  return [
    {
      type: "validated",
      validation: { status, evidence, level: "captured", evaluation: goal.latest?.id ?? null },
    },
  ];
}

export interface Defect {
  readonly where: string;
  readonly code: string;
  readonly message: string;
}

/** Everything that keeps the goal from being complete. */
export function defects(goal: PerformanceGoal, present: Present): readonly Defect[] {
  const found: Defect[] = [];
  const { lastValidation, passed, slug } = goal;
  if (isGivenUp(goal)) return found;
  if (goal.status === "abandoned")
    found.push({ where: slug, code: "plan_cancelled", message: `abandoned: ${goal.why ?? ""}` });
  if (lastValidation?.status !== "pass" || passed === null)
    found.push({
      where: slug,
      code: "not_proven",
      message:
        lastValidation === null
          ? `no passing checkpoint: ${whyNotPassing(goal, present) ?? "the evaluation passed, and checkpoint --status pass is missing"}`
          : `the last checkpoint is ${lastValidation.status}: ${whyNotPassing(goal, present) ?? "checkpoint --status pass is missing"}`,
    });
  else {
    const stale = staleness(goal, passed, present);
    const against = contradiction(goal, present);
    if (stale !== null) found.push({ where: slug, code: "stale", message: `stale: ${stale}` });
    else if (against !== null) found.push({ where: slug, code: "not_proven", message: against });
  }
  for (const one of goal.weakenings)
    if (!one.approved)
      found.push({
        where: one.id,
        code: "approval_needed",
        message: `${one.what}; not approved by the user`,
      });
  return found;
}

/** @throws Refusal `not_proven`, `approval_needed`, `goal_not_open`, `snapshot_mismatch` */
export function completeEvents(
  goal: PerformanceGoal,
  input: { readonly evidence: string; readonly host: { readonly goal: HostGoal | null } | undefined },
  present: Present,
): readonly GoalEvent[] {
  requireStarted(goal);
  const problems = defects(goal, present);
  if (problems.length > 0)
    throw new Refusal(
      problems.every(({ code }) => code === "approval_needed") ? "approval_needed" : "not_proven",
      `${goal.slug} is not complete.`,
      {
        expected: "a fresh, passing checkpoint, and nothing that waits for the user",
        found: problems.length === 1 ? "one defect" : `${problems.length} defects`,
        problems,
        next: [nextStep(goal, present).command],
      },
    );
  return [
    {
      type: "goal_completed",
      evidence: input.evidence,
      host: hostNote(goal, input.host),
      tree: present.tree.id,
    },
  ];
}

/** @throws Refusal `snapshot_mismatch` */
function hostNote(goal: PerformanceGoal, host: { readonly goal: HostGoal | null } | undefined): HostNote {
  if (host === undefined) return { seen: "none", note: "no host goal was looked at" };
  const found = reconcile({ expectedObjective: goal.hostObjective, need: "complete", goal: host.goal });
  if (!found.ok) throw found.refusal;
  return { seen: host.goal === null ? "absent" : "matched", note: found.note };
}

export interface Next {
  readonly why: string;
  readonly command: string;
}

/** What to do now. One step, never a list. */
export function nextStep(goal: PerformanceGoal, present: Present | null): Next {
  const command = (verb: string): string => `proofgate performance-goal ${verb} --slug ${goal.slug}`;
  switch (goal.status) {
    case "created":
      return { why: "it was not started", command: command("start") };
    case "abandoned":
      return { why: `it was abandoned: ${goal.why ?? ""}`, command: command("start") };
    case "complete": {
      const stale = goal.passed === null || present === null ? null : staleness(goal, goal.passed, present);
      return stale === null
        ? { why: "complete, and it holds on the tree as it is", command: command("plot") }
        : { why: `complete, but ${stale}`, command: command("evaluate") };
    }
    case "active":
      break;
  }
  if (goal.weakenings.some(({ approved }) => !approved))
    return { why: "the contract was exchanged, and the user has not agreed", command: "proofgate approve" };
  const { latest, passed, lastValidation } = goal;
  if (present === null) return { why: "work on it", command: command("evaluate") };
  const passes = lastValidation?.status === "pass" && passed !== null;
  if (passes && staleness(goal, passed, present) === null && contradiction(goal, present) === null)
    return { why: "the contract holds", command: `${command("complete")}` };
  const patch = `the next small patch, then ${command("evaluate")}`;
  const changes = evaluatorChanges(goal.evaluator, present.evaluator);
  if (changes.length > 0)
    return {
      why: `the evaluator changed: ${changes.slice(0, 3).join(", ")}`,
      command: `put the evaluator back as it was at create (what was committed: git checkout ${goal.base.slice(0, 12)} -- FILE), then ${command("evaluate")}`,
    };
  const stale = latest === null ? null : staleness(goal, latest, present);
  if (stale !== null && present.tree.id === goal.kept?.tree)
    return { why: "the tree is the one that was kept", command: patch };
  if (latest === null || stale !== null)
    return { why: stale ?? "nothing was evaluated yet", command: command("evaluate") };
  if (latest.met)
    return { why: "the contract holds", command: `${command("checkpoint")} --status pass --evidence "…"` };
  if (lastValidation?.status === "blocked" && lastValidation.evaluation === latest.id)
    return {
      why: "it was told to be blocked",
      command: `update_goal({"status":"blocked"}), and tell the user what was tried  (or ${patch})`,
    };
  if (goal.fruitless >= PLATEAU)
    return {
      why: `${goal.fruitless} evaluations in a row without a gain`,
      command: `${command("checkpoint")} --status blocked --evidence "what was tried"  (a plateau: say so, then update_goal blocked)`,
    };
  const why = whyNotPassing(goal, present) ?? "";
  const target = latest.first?.target ?? null;
  if (target === "open" || (latest.word === "inconclusive" && target !== "missed"))
    return { why, command: undecided(goal, command("evaluate")) };
  return isWorthNothing(latest) ? { why, command: command("revert") } : { why, command: patch };
}

/** A try that is no better than what it came from: what it changed only stands in the way of the next one. */
const isWorthNothing = ({ word, kept, reason, versusKept }: Recorded): boolean =>
  !kept &&
  reason === null &&
  (word === "regressed" || word === "same" || word === "inconclusive" || versusKept.length > 0);

/** The target lies inside the interval, or 0 does: a larger gain decides it, or more pairs do. */
function undecided({ latest, contract }: PerformanceGoal, evaluate: string): string {
  const { measure } = contract;
  const first = latest?.first ?? null;
  if (measure === null || first === null) return evaluate;
  const budget = duration(3 * Math.max(first.tookMs, first.pairMs * 15));
  const more = `${evaluate} --budget ${budget}`;
  const { interval } = first;
  if (interval === null || first.target !== "open" || first.word !== "improved")
    return `${more}  (or a quieter machine)`;
  if (measure.target?.kind !== "relative") return `a little more gain, or ${more}`;
  const far = measure.better === "lower" ? interval.high : interval.low;
  const missing = Math.abs(Math.expm1(far - Math.log(measure.target.ratio)));
  return `gain about ${Math.max(1, Math.ceil(100 * missing))} % more, or ${more}`;
}

/** A time as flags take it. @param ms milliseconds */
const duration = (ms: number): string =>
  ms < 90_000 ? `${Math.ceil(ms / 10_000) * 10}s` : `${Math.ceil(ms / 60_000)}m`;

/** What `start` prints, and the host's objective. */
export function handoff(goal: PerformanceGoal): {
  readonly text: string;
  readonly create_goal: { readonly objective: string };
} {
  const { contract } = goal;
  const { measure } = contract;
  const lines = [
    `${goal.slug}: ${goal.title}`,
    measure === null
      ? `Contract: \`${contract.command}\` has to exit 0. ${contract.text}`
      : `Contract: ${measure.metric} of \`${contract.command}\`, ${measure.target === null ? "any improvement" : measure.target.text} against ${goal.base.slice(0, 12)}. ${contract.text}`,
    ...(contract.guards.length > 0 ? [`Guards: ${contract.guards.join(" · ")}`] : []),
    ...(Object.keys(goal.evaluator.files).length > 0
      ? [`Do not change: ${Object.keys(goal.evaluator.files).slice(0, 8).join(" ")}`]
      : []),
    "Host goal: get_goal; none, and the objective is explicit: create_goal with the objective below; this one active: go on; another one: stop and tell the user.",
    `Then small, reversible patches; after each: proofgate performance-goal evaluate --slug ${goal.slug} (it measures, keeps what is better, and says what comes next).`,
    `Work against this contract only. When it holds: checkpoint --status pass, an audit of the objective, update_goal({"status":"complete"}), get_goal, complete.`,
    `objective: ${goal.hostObjective}`,
  ];
  return { text: lines.join("\n"), create_goal: { objective: goal.hostObjective } };
}
