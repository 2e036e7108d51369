/** `check` and `ci`: is it proven? By the ledger on this tree, or by running everything against a base commit. */

import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Problem } from "../../errors.ts";
import { resolveCommit, showFile } from "../../evidence/git.ts";
import { slugsOf } from "../../performance-goal/place.ts";
import { ciText } from "../../report/results.ts";
import { plural, shown } from "../../report/text.ts";
import { silentProblems } from "../../ulw-loop/audit.ts";
import { nextFor } from "../../ulw-loop/checkpoint.ts";
import { runCi } from "../../ulw-loop/ci.ts";
import { requireWholeLedger, requireWitnessed } from "../../ulw-loop/complete.ts";
import { gateDefects, planDefects, policyInForce } from "../../ulw-loop/judge.ts";
import { isComplete } from "../../ulw-loop/model.ts";
import { asSeen } from "../../ulw-loop/own-runs.ts";
import { lookAt } from "../../ulw-loop/present.ts";
import { reviewOf } from "../../ulw-loop/reviewed.ts";
import { readConfig, readPlan, requirePlan } from "../../ulw-loop/workspace.ts";
import type { Context, Output } from "../context.ts";
import { readBounded } from "../input.ts";
import { decode } from "./create.ts";
import { workspaceOf } from "./performance-kit.ts";

export async function checkCommand(context: Context): Promise<Output> {
  const goals = await goalProblems(context);
  const ws = context.workspace();
  // Where there are performance goals, a plan is not missed.
  if (goals !== null && readPlan(ws) === null) return goalsOnly(goals);
  const loaded = requirePlan(ws);
  requireWholeLedger(ws, loaded);
  requireWitnessed(ws, loaded.state);
  const seen = await lookAt(ws.place, { thorough: true });
  const present = { ...seen, ...reviewOf(ws, loaded.state, seen.tree?.id) };
  const plan = await asSeen(ws, loaded.state, present);
  const policy = policyInForce(plan, await readConfig(ws.place.root));
  const problems: readonly Problem[] = [
    ...planDefects(plan, present, policy),
    ...(isComplete(plan) ? gateDefects(plan, present) : []),
    ...silentProblems(ws),
    ...(goals?.problems ?? []),
  ];
  const valid = problems.length === 0;
  const next = nextFor({ id: problems[0]?.where.split("-")[0] ?? "" }, problems, true);
  const criteria = plan.goals.filter((g) => g.status !== "superseded").flatMap((g) => g.successCriteria);
  const claimed = criteria.filter((c) => c.status === "pass" && c.proof.kind === "claimed").length;
  return {
    text: valid
      ? `ok: ${plural(criteria.length - claimed, "criterion", "criteria")} proven${claimed > 0 ? `, ${claimed} only claimed,` : ""} on the tree as it is, ${plural(plan.goals.length, "goal")} complete`
      : [...problems.map((p) => `- ${p.where} ${shown(p.message)}`), `next: ${next[0]}`].join("\n"),
    json: {
      valid,
      problems,
      proven: criteria.length - claimed,
      claimed,
      ledger: loaded.head,
      ...(valid
        ? {}
        : {
            error: {
              code: "not_proven",
              message: plural(problems.length, "defect"),
              nextActions: next,
            },
          }),
    },
    exit: valid ? 0 : 1,
  };
}

interface GoalProblems {
  readonly count: number;
  readonly problems: readonly Problem[];
  /** The command that deals with most of the first goal's; empty where nothing is wrong. */
  readonly next: string;
}

/** Performance goals that ask for something; null where there is none. */
async function goalProblems(context: Context): Promise<GoalProblems | null> {
  const slugs = slugsOf(context.root());
  if (slugs.length === 0) return null;
  const { judgeSeen } = await import("../../performance-goal/host-gate.ts");
  const judged = await Promise.all(slugs.map((slug) => judgeSeen(workspaceOf(context, slug))));
  return {
    count: slugs.length,
    problems: judged.flatMap(({ problems }) => problems),
    next: judged.find(({ problems }) => problems.length > 0)?.next ?? "",
  };
}

function goalsOnly({ count, problems, next }: GoalProblems): Output {
  const valid = problems.length === 0;
  return {
    text: valid
      ? `ok: ${plural(count, "performance goal")}, measured and fresh on the tree as it is`
      : [...problems.map((p) => `- ${p.where} ${shown(p.message)}`), `next: ${next}`].join("\n"),
    json: {
      valid,
      problems,
      ...(valid
        ? {}
        : { error: { code: "not_proven", message: plural(problems.length, "defect"), nextActions: [next] } }),
    },
    exit: valid ? 0 : 1,
  };
}

export async function ciCommand(context: Context): Promise<Output> {
  const root = context.root();
  const path = resolve(context.cwd, context.value("plan") ?? ".proofgate/plan.yaml");
  const inRepo = relative(root, path).replaceAll("\\", "/");
  const base = await resolveCommit(root, context.need("base"));
  const fromBase = inRepo.startsWith("..") ? null : await showFile(root, base, inRepo);
  const text = fromBase ?? decode(readBounded(path, context.cwd), inRepo);
  const { parsePlanFile } = await import("../../ulw-loop/plan-file.ts");
  // `@brief.md` is only words; the checks are what is judged, and those come from the plan's own text.
  const draft = parsePlanFile(text, {
    dir: dirname(path),
    readFile: (file) => readBounded(file, dirname(path)),
  });
  const report = await runCi(draft, {
    root,
    base,
    env: context.env,
    onStart: (what) => context.progress(`running ${shown(what)} …`),
  });
  const notes = planNotes(fromBase, join(root, inRepo), inRepo);
  return {
    text: [...notes, ciText(report)].join("\n"),
    json: {
      valid: report.valid,
      problems: report.problems,
      results: report.results,
      base,
      plan: fromBase === null ? "head" : "base",
      notes,
      ...(report.valid
        ? {}
        : {
            error: {
              code: "not_proven",
              message: `${report.problems.length} problems`,
              nextActions: ["run the failing checks locally: proofgate prove --try --all"],
            },
          }),
    },
    exit: report.valid ? 0 : 1,
  };
}

/** The base's plan is the one that is trusted; a change of it in the same branch is said, never obeyed. */
function planNotes(fromBase: string | null, path: string, inRepo: string): readonly string[] {
  if (fromBase === null)
    return [`note: ${inRepo} is not in the base; the plan of this branch was used, so read it in the review`];
  try {
    return readFileSync(path, "utf8") === fromBase
      ? []
      : [`note: ${inRepo} was changed in this branch; the plan of the base was used`];
  } catch {
    return [`note: ${inRepo} is gone in this branch; the plan of the base was used`];
  }
}
