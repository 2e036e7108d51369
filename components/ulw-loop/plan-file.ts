/** Reads a plan file (YAML) into a draft, with everything that is wrong in it said at once. */

import { isAbsolute, resolve } from "node:path";
import { type Problem, Refusal } from "../errors.ts";
import type { Command } from "../evidence/types.ts";
import {
  boundedObjective,
  decodeBrief,
  MAX_OBJECTIVE,
  oneLine,
  shorten,
  withoutControls,
} from "../words/plain-text.ts";
import {
  CRITERION_CLASSES,
  type CriterionDraft,
  draftCriteria,
  type GoalDraft,
  type PlanDraft,
} from "./draft.ts";
import { leaves } from "./place.ts";
import { type Add, readCheck } from "./plan-check.ts";
import {
  type CriterionFile,
  checkSchema,
  criterionSchema,
  explain,
  type GoalFile,
  goalSchema,
  placeOf,
  planSchema,
} from "./plan-schema.ts";
import { vacuousCommand } from "./vacuous-command.ts";
import { vagueReason } from "./vague.ts";
import { readYaml } from "./yaml-file.ts";

export { planFromOneCheck } from "./one-check.ts";

export interface PlanFileContext {
  /** Folder of the plan file; `brief: "@brief.md"` is relative to it. */
  readonly dir: string;
  /** Reads a file by absolute path. It decides what may be read; what it throws becomes a problem of the plan. */
  readonly readFile: (path: string) => Uint8Array | string;
}

/**
 * Reads a plan file; docs/plan.md describes the form.
 * @throws Refusal `plan_invalid` with every problem at once
 */
export function parsePlanFile(text: string, context: PlanFileContext): PlanDraft {
  const problems: Problem[] = [];
  const file = readYaml(text, problems);
  const add: Add = (path, message, code = "plan_invalid") => {
    const where = placeOf(path);
    problems.push({ where, code, message: `${message}${file.lineOf(where)}` });
  };
  if (problems.length > 0) throw invalid(problems);
  const parsed = planSchema.safeParse(file.value, { reportInput: true });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      for (const { where, message } of explain(issue)) {
        problems.push({ where, code: "plan_invalid", message: `${message}${file.lineOf(where)}` });
      }
    }
    judgeSoundParts(file.value, add);
    throw invalid(problems);
  }
  const plan = parsed.data;
  const brief = readBrief(plan.brief, context, add);
  judgeVerify(plan.verify ?? [], add);
  for (const [index, share] of (plan.share ?? []).entries())
    if (leaves(share)) add(["share", index], "must stay inside the repository");
  const goals = plan.goals.map((goal, index) => readGoal(goal, ["goals", index], add, plan.parallel));
  if (problems.length > 0) throw invalid(problems);
  const first = brief === null ? null : (brief.split("\n").find((line) => line.trim() !== "") ?? null);
  const title = plan.title ?? first?.replace(/^#+\s*/u, "") ?? goals[0]?.title ?? "";
  return {
    title: shorten(oneLine(title)),
    deliverable: brief === null ? "" : boundedObjective(brief),
    constraints: (plan.constraints ?? []).map(oneLine),
    brief: brief ?? goals.map((goal) => `- ${goal.title}: ${goal.objective}`).join("\n"),
    verify: plan.verify ?? [],
    share: plan.share ?? [],
    setup: plan.setup ?? [],
    goals,
  };
}

function judgeVerify(commands: readonly Command[], add: Add): void {
  for (const [index, command] of commands.entries()) {
    const reason = vacuousCommand(command);
    if (reason !== null) add(["verify", index], reason, "check_vacuous");
  }
}

/** Where the form is wrong somewhere, the parts whose form is right are judged all the same: nobody mends a file twice. */
function judgeSoundParts(root: unknown, add: Add): void {
  const verify = planSchema.shape.verify.safeParse(member(root, "verify"));
  if (verify.success) judgeVerify(verify.data ?? [], add);
  for (const [index, goal] of entries(member(root, "goals"))) {
    const at = ["goals", index];
    const sound = goalSchema.safeParse(goal);
    if (sound.success) {
      readGoal(sound.data, at, add);
      continue;
    }
    for (const [number, criterion] of entries(member(goal, "criteria"))) {
      const place = [...at, "criteria", number];
      const whole = criterionSchema.safeParse(criterion);
      if (whole.success) {
        readCriterion(whole.data, place, add);
        continue;
      }
      const scenario = member(criterion, "scenario");
      if (typeof scenario === "string" && scenario.trim() !== "") judgeScenario(scenario, place, add);
      const run = checkSchema.safeParse(member(criterion, "check"));
      const channel = criterionSchema.shape.channel.safeParse(member(criterion, "channel"));
      if (run.success && channel.success) readCheck({ check: run.data }, channel.data ?? "cli", place, add);
    }
  }
}

const member = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;

const entries = (value: unknown): Iterable<[number, unknown]> =>
  Array.isArray(value) ? value.entries() : [];

function judgeScenario(scenario: string, path: readonly PropertyKey[], add: Add): void {
  const vague = vagueReason(scenario);
  if (vague !== null) add([...path, "scenario"], vague, "criterion_vague");
}

function invalid(problems: readonly Problem[]): Refusal {
  const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  return new Refusal("plan_invalid", `The plan file is not valid: ${count}.`, {
    expected: "the form that docs/plan.md describes",
    found: count,
    next: ["mend each problem in the plan file, then run the same command again"],
    problems,
  });
}

function readBrief(brief: string | undefined, { dir, readFile }: PlanFileContext, add: Add): string | null {
  if (brief === undefined) return null;
  try {
    if (!brief.startsWith("@")) return decodeBrief(brief);
    const name = brief.slice(1).trim();
    if (name === "" || isAbsolute(name)) {
      add(["brief"], "must name a file relative to the plan file, like @brief.md");
      return null;
    }
    return decodeBrief(readFile(resolve(dir, name)));
  } catch (error) {
    if (error instanceof Refusal)
      add(["brief"], [error.message, error.found].filter(Boolean).join(" "), error.code);
    else
      add(
        ["brief"],
        `${brief} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        "file_unreadable",
      );
    return null;
  }
}

function readGoal(goal: GoalFile, path: readonly PropertyKey[], add: Add, together = false): GoalDraft {
  const title = oneLine(goal.title);
  if (Array.from(title).length > 200)
    add([...path, "title"], "is over 200 characters; the objective has room for more");
  const objective = withoutControls(goal.objective ?? title).trim();
  if (objective.length > MAX_OBJECTIVE)
    add([...path, "objective"], `is over ${MAX_OBJECTIVE} characters; the brief has room for more`);
  const without = goal.without ?? {};
  if (goal.criteria === undefined)
    return { title, objective, criteria: draftCriteria(title, objective), without };
  const criteria = goal.criteria.map((criterion, index) =>
    readCriterion(criterion, [...path, "criteria", index], add, together),
  );
  const covered = new Set(criteria.flatMap((criterion) => criterion.classes));
  const missing = CRITERION_CLASSES.filter((one) => !covered.has(one) && without[one] === undefined);
  if (missing.length > 0)
    add(
      path,
      `no criterion covers ${missing.join(", ")}: add one, or say why not, like without: { ${missing[0]}: "…" }`,
    );
  for (const one of CRITERION_CLASSES) {
    const reason = without[one];
    if (reason === undefined) continue;
    if (covered.has(one))
      add([...path, "without", one], `a criterion covers ${one}, so there is nothing to excuse`);
    if (
      /^(?:n\/?a|none|no|not? needed|not applicable|-+|\.+|tbd|todo|x|skip(?:ped)?)\.?$/iu.test(reason.trim())
    )
      add([...path, "without", one], "must say why, in a few words");
  }
  return { title, objective, criteria, without };
}

/** @param together what the plan says for criteria that say nothing of it */
function readCriterion(
  criterion: CriterionFile,
  path: readonly PropertyKey[],
  add: Add,
  together = false,
): CriterionDraft {
  const channel = criterion.channel ?? "cli";
  const adversarial = criterion.adversarial ?? [];
  const scenario = withoutControls(criterion.scenario).trim();
  judgeScenario(scenario, path, add);
  // Naming an adversarial class is covering adversarial risk.
  const classes = adversarial.length > 0 ? [...criterion.class, "adversarial" as const] : criterion.class;
  const evidence = criterion.evidence;
  if (evidence !== undefined && leaves(evidence))
    add([...path, "evidence"], "must stay inside the state folder");
  const check = readCheck(criterion, channel, path, add);
  return {
    classes: [...new Set(classes)],
    scenario,
    channel,
    adversarial: [...new Set(adversarial)],
    stop: criterion.stop === undefined ? null : oneLine(criterion.stop),
    expectedEvidence: evidence ?? null,
    check,
    ...((criterion.parallel ?? together) ? { parallel: true as const } : {}),
  };
}
