/** `performance-goal create`: the objective, the evaluator and the contract, without which nothing starts. */

import { relative } from "node:path";
import { Refusal } from "../../errors.ts";
import { findRoot, resolveCommit } from "../../evidence/git.ts";
import { hiddenExit } from "../../evidence/vacuity.ts";
import { type Better, DEFAULT_RULE } from "../../measure/decide.ts";
import { parseTarget } from "../../measure/target.ts";
import { type Asked, createGoal } from "../../performance-goal/create.ts";
import { lookAt } from "../../performance-goal/fresh.ts";
import { duration, shown } from "../../report/text.ts";
import { vacuousCommand } from "../../ulw-loop/vacuous-command.ts";
import { decodeBrief } from "../../words/plain-text.ts";
import type { Context, Output } from "../context.ts";
import { readBounded } from "../input.ts";
import { badValue, budgetFrom, effectFrom, percentFrom } from "../measure-flags.ts";
import { armedAt, goalJson, workspaceOf } from "./performance-kit.ts";

export async function createCommand(context: Context): Promise<Output> {
  const root = context.root();
  const objective = textOf(context, "objective");
  const command = commandOf(context);
  const text = textOf(context, "evaluator-contract");
  const target = context.value("target") ?? null;
  if (target !== null) parseTarget(target);
  const names = (flag: string): readonly string[] | null => {
    const given = context.value(flag);
    return given === undefined
      ? null
      : given
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== "");
  };
  const metric = context.value("metric") ?? null;
  const setup = context.value("setup");
  const asked: Asked = {
    objective,
    slug: context.value("slug"),
    base: await baseOf(context, root),
    force: context.has("force"),
    contract: {
      text,
      command,
      cwd: relative(root, context.cwd).replaceAll("\\", "/"),
      guards: context.list("guard").map(guard),
      protect: names("protect"),
      covers: names("covers"),
      setup: setup === undefined ? [] : [setup],
      share: names("share") ?? [],
    },
    measure:
      metric === null && target === null
        ? null
        : {
            metric,
            target,
            better: betterFrom(context),
            minEffect: effectFrom(context),
            alpha: alphaFrom(context),
            warmUp: warmUpFrom(context),
            budgetMs: budgetFrom(context) ?? 60_000,
          },
  };
  const { ws, loaded, cost, remarks } = await createGoal(
    root,
    asked,
    (slug) => workspaceOf(context, slug),
    (what) => context.progress(what),
  );
  const goal = loaded.state;
  const { commit } = await findRoot(root);
  // A gain that was there before the work is none of it: whoever reads the contract has to see that.
  const notes =
    goal.base === commit
      ? remarks
      : [
          `the base is ${goal.base.slice(0, 12)} and HEAD is ${commit?.slice(0, 12) ?? "none"}: what came between counts as well`,
          ...remarks,
        ];
  const present = await lookAt(root, goal.contract);
  const json = goalJson(goal, loaded.head, present);
  const { measure } = goal.contract;
  const files = Object.keys(goal.evaluator.files);
  const waits = goal.weakenings.some(({ approved }) => !approved);
  return {
    text: [
      `${goal.slug}: ${shown(goal.title)}`,
      measure === null
        ? `judged by: exit status of \`${shown(command)}\`, on ${goal.base.slice(0, 12)} and here`
        : `judged by: ${shown(measure.metric)} of \`${shown(command)}\`, ${measure.target === null ? `any improvement (${measure.better} is better)` : `${shown(measure.target.text)} (${measure.better} is better)`}, against ${goal.base.slice(0, 12)}`,
      `protected: ${files.length === 0 ? "no file" : shown(files.slice(0, 6).join(" "))}${files.length > 6 ? ` and ${files.length - 6} more` : ""}`,
      `a verdict takes ${cost.least === cost.most ? "about " : `${duration(cost.least)} to `}${duration(cost.most)}`,
      ...notes.map((remark) => `note: ${shown(remark)}`),
      armedAt(context, goal) === null
        ? "gate not armed: no host hook in this session; complete still asks for a measurement"
        : "gate armed",
      ...(waits ? ["WAITS FOR THE USER: an open goal was replaced; proofgate approve"] : []),
      `next: proofgate performance-goal start --slug ${goal.slug}`,
    ].join("\n"),
    json: {
      ...json,
      cost: { leastMs: Math.round(cost.least), mostMs: Math.round(cost.most) },
      remarks: notes,
      protected: files,
      contract: goal.contract,
      state: ws.place.statePath,
    },
  };
}

/** @throws Refusal `usage_missing_flag`, `usage_conflict`, `brief_*` */
function textOf(context: Context, flag: "objective" | "evaluator-contract"): string {
  const inline = context.value(flag);
  const path = context.value(`${flag}-file`);
  if (inline !== undefined && path !== undefined)
    throw new Refusal("usage_conflict", `--${flag} and --${flag}-file exclude each other.`, {
      expected: "one of them",
      found: "both",
      next: ["proofgate help performance-goal create"],
    });
  return decodeBrief(path === undefined ? context.need(flag) : readBounded(path, context.cwd)).trim();
}

function commandOf(context: Context): string {
  const command = context.need("evaluator-command").trim();
  if (command === "")
    throw badValue("evaluator-command", "a command such as node bench.js", "", "performance-goal create");
  const measured = context.value("metric") !== undefined || context.value("target") !== undefined;
  // A command that only prints may print a size; one that hides a failure makes a program that fails fast a fast one.
  const why = measured ? hiddenExit(command) : vacuousCommand(command);
  if (why !== null) throw vacuous("The evaluator cannot fail", command, why, "node bench.js");
  return command;
}

function guard(command: string): string {
  const why = vacuousCommand(command);
  if (why !== null) throw vacuous("A guard cannot fail", command, why, "npm test");
  return command;
}

const vacuous = (what: string, command: string, why: string, such: string): Refusal =>
  new Refusal("check_vacuous", `${what}, so it says nothing.`, {
    expected: `a command that looks at the project and fails when that fails, such as ${such}`,
    found: `\`${command}\`: ${why}`,
    next: ["proofgate help performance-goal create"],
  });

/** @throws Refusal `base_unknown` where there is nothing to compare with */
async function baseOf(context: Context, root: string): Promise<string> {
  const ref = context.value("base");
  if (ref !== undefined) return resolveCommit(root, ref);
  const { git, commit } = await findRoot(root);
  if (commit !== null) return commit;
  throw new Refusal("base_unknown", "There is no commit that a gain could be measured against.", {
    expected: "a repository with at least one commit",
    found: git ? "no commit yet" : "no Git repository",
    next: [`${git ? "" : "git init && "}git add -A && git commit -m start`, "run the same command again"],
  });
}

function betterFrom(context: Context): Better | null {
  const better = context.value("better");
  if (better === undefined) return null;
  if (better === "lower" || better === "higher") return better;
  throw badValue("better", "lower or higher", better, "performance-goal create");
}

function alphaFrom(context: Context): number {
  const given = context.value("confidence");
  if (given === undefined) return DEFAULT_RULE.alpha;
  const share = percentFrom(given);
  // Below that a loop of tries finds what is not there; above, no budget is enough.
  if (share === null || share < 0.9 || share > 0.9999)
    throw badValue("confidence", "a percentage from 90% to 99.99%", given, "performance-goal create");
  return 1 - share;
}

function warmUpFrom(context: Context): number | null {
  const given = context.value("warm-up");
  if (given === undefined) return null;
  if (/^\d{1,3}$/.test(given)) return Number(given);
  throw badValue("warm-up", "a number of pairs from 0 to 999", given, "performance-goal create");
}
