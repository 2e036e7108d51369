/** `create-goals`, `add-goal`, `goal`: how a plan begins and grows. */

import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { Refusal } from "../../errors.ts";
import { fingerprint } from "../../evidence/fingerprint.ts";
import { findRoot } from "../../evidence/git.ts";
import { ensureStateDir, writeFileAtomic } from "../../journal/safe-fs.ts";
import { shown } from "../../report/text.ts";
import { armedAt } from "../../ulw-loop/armed.ts";
import { DEFAULT_CONFIG, policyOf } from "../../ulw-loop/config.ts";
import { addGoal, authorOf, createPlan, proseGoal } from "../../ulw-loop/create.ts";
import type { PlanDraft } from "../../ulw-loop/draft.ts";
import { type GoalMode, isComplete, type Plan } from "../../ulw-loop/model.ts";
import { changePlan, changeState, readConfig, readPlan, type Workspace } from "../../ulw-loop/workspace.ts";
import { openSessions } from "../../witness/sessions.ts";
import { checkFromFlags } from "../check-flags.ts";
import type { Context, Output } from "../context.ts";
import { readBounded, readStdin } from "../input.ts";

export async function createGoals(context: Context): Promise<Output> {
  const draft = await readDraft(context);
  return begin(context, draft, goalMode(context.value("codex-goal-mode")), context.has("force"));
}

/** `proofgate goal "Fix it" --check "npm test"`: a plan of its own, or one goal more of the open plan. */
export async function goalCommand(context: Context): Promise<Output> {
  const title = context.invocation.positionals.join(" ").trim();
  if (title === "")
    throw new Refusal("usage_missing_value", "The goal needs a title.", {
      expected: 'proofgate goal "Fix the importer" --check "npm test"',
      found: "no title",
      next: ["proofgate help goal"],
    });
  const check = await checkFromFlags(context);
  if (check === undefined)
    throw new Refusal("usage_missing_flag", "--check is missing.", {
      expected: "--check COMMAND",
      found: "no check",
      next: ["proofgate help goal"],
    });
  const { planFromOneCheck } = await import("../../ulw-loop/one-check.ts");
  const draft = planFromOneCheck({ title, objective: context.value("objective"), check });
  const ws = context.workspace();
  const existing = readPlan(ws);
  if (existing === null || isComplete(existing.state)) return begin(context, draft, "aggregate", false);
  const first = draft.goals[0];
  if (first === undefined) throw new Error("one check makes one goal");
  const { loaded, result } = changePlan(ws, "goal", (plan) => {
    const { event, goal } = addGoal(plan, first, authorOf(context.writer));
    return { events: [event], result: goal };
  });
  return created([result], loaded.head, `${result.id} added to "${shown(loaded.state.title)}"`);
}

export async function addGoalCommand(context: Context): Promise<Output> {
  const title = nonEmpty(context, "title");
  const objective = nonEmpty(context, "objective");
  const { loaded, result } = changePlan(context.workspace(), "add-goal", (plan) => {
    const { event, goal } = addGoal(plan, proseGoal(title, objective), authorOf(context.writer));
    return { events: [event], result: goal };
  });
  return created(
    [result],
    loaded.head,
    `${result.id} added, with ${result.successCriteria.length} drafts to revise`,
  );
}

function nonEmpty(context: Context, flag: string): string {
  const value = context.need(flag);
  if (value.trim() !== "") return value;
  throw new Refusal("brief_empty", `--${flag} is empty.`, {
    expected: "a text",
    found: "nothing",
    next: [`give --${flag} a text`],
  });
}

async function begin(context: Context, draft: PlanDraft, mode: GoalMode, force: boolean): Promise<Output> {
  const { commit } = await findRoot(context.cwd); // refuses a bare repository with a reason
  const ws = context.workspace();
  const { root } = ws.place;
  const existing = readPlan(ws);
  const config = (await readConfig(root)) ?? DEFAULT_CONFIG;
  requireKnownPolicy(config, openSessions(ws.env).anySeen());
  const tree = await fingerprint(root);
  ensureStateDir(root, ws.place.dir, { track: config.track });
  const copies =
    existing === null || !(force || isComplete(existing.state)) ? null : keepCopy(ws, existing.state);
  const { loaded } = changeState(ws, "create-goals", (plan) => ({
    events: createPlan(plan, {
      draft,
      mode,
      force,
      writer: context.writer,
      policy: policyOf(config),
      base: { commit, tree: tree.id },
      paths: { goals: ws.place.goalsPath, ledger: ws.place.ledgerPath },
      copies,
      lost: plan === null ? lostPlan(ws) : null,
    }),
    result: null,
  }));
  writeFileAtomic(
    join(ws.place.dir, "brief.md"),
    draft.brief.endsWith("\n") ? draft.brief : `${draft.brief}\n`,
  );
  const { goals, title } = loaded.state;
  const drafts = goals.flatMap((g) => g.successCriteria).filter((c) => c.check === null).length;
  const lost = loaded.state.weakenings.find((w) => w.kind === "lost_state");
  const note = [
    `"${shown(title)}": ${goals.length} ${goals.length === 1 ? "goal" : "goals"}, ${goals.reduce((n, g) => n + g.successCriteria.length, 0)} criteria${drafts > 0 ? `, ${drafts} of them drafts without a check` : ""}`,
    commit === null
      ? "no commit to compare with: every first pass is pinned, which the user has to approve"
      : `base ${commit.slice(0, 12)}`,
    armedAt(ws, null) === null
      ? "gate not armed: no host hook in this session; checkpoint still asks for proof"
      : "gate armed",
    ...(lost === undefined ? [] : [`${lost.id}: ${lost.what}; the user has to approve`]),
    ...(copies === null ? [] : [`the former plan is kept in ${copies}`]),
  ];
  return created(goals, loaded.head, note.join("\n"));
}

/** A policy that nothing here can satisfy would strand the plan at its end; it is refused at its beginning. */
function requireKnownPolicy(config: { review: string; minimum: string }, hooksSeen: boolean): void {
  const missing = [
    ...(config.review === "independent" && !hooksSeen
      ? ["review: independent (no host's hooks were seen here: proofgate install codex)"]
      : []),
    ...(config.minimum === "reproduced"
      ? ["minimum: reproduced (use `proofgate ci` on a clean checkout)"]
      : []),
  ];
  if (missing.length === 0) return;
  throw new Refusal("plan_invalid", ".proofgate.yaml asks for what this version cannot give.", {
    expected: "review: self, minimum: attested or captured",
    found: missing.join("; "),
    next: ["change .proofgate.yaml, then run the same command again"],
  });
}

function created(
  goals: readonly { id: string; title: string }[],
  ledger: { seq: number; hash: string },
  note: string,
): Output {
  const next = { why: "the first goal", command: "proofgate ulw-loop complete-goals" };
  const shownGoals = goals.slice(0, 12).map((g) => `  ${g.id} ${shown(g.title)}`);
  if (goals.length > 12) shownGoals.push(`  … ${goals.length - 12} more`);
  return {
    text: [note, ...shownGoals, `next: ${next.command}`].join("\n"),
    json: { goals: goals.map(({ id, title }) => ({ id, title })), ledger, next },
  };
}

/** An unfinished ledger of this very folder that the witness saw and that is gone now. */
function lostPlan(ws: Workspace): string | null {
  const anchor = ws.witness.anchor(ws.place.dir);
  if (anchor === null || !anchor.open || ws.journal.exists()) return null;
  return `an unfinished plan of this folder is gone: "${anchor.title}", ${anchor.seq} ledger lines, last seen ${anchor.at} (${anchor.plan})`;
}

function keepCopy(ws: Workspace, plan: Plan): string {
  const name = `replaced-${ws.now().toISOString().replace(/[:.]/g, "-")}`;
  const folder = join(ws.place.dir, name);
  mkdirSync(folder, { recursive: true });
  for (const file of ["goals.json", "brief.md", "ledger.jsonl"]) {
    const from = join(ws.place.dir, file);
    if (existsSync(from)) cpSync(from, join(folder, file));
  }
  writeFileAtomic(join(folder, "title.txt"), `${plan.title}\n`);
  return `${relative(ws.place.root, folder).replaceAll("\\", "/")}`;
}

const SOURCES = ["brief", "brief-file", "plan"] as const;

async function readDraft(context: Context): Promise<PlanDraft> {
  const given = [
    ...SOURCES.filter((flag) => context.value(flag) !== undefined).map((f) => `--${f}`),
    ...(context.has("from-stdin") ? ["--from-stdin"] : []),
  ];
  if (given.length !== 1)
    throw new Refusal(
      given.length === 0 ? "usage_missing_flag" : "usage_conflict",
      given.length === 0 ? "Say where the plan comes from." : "The plan can come from one place only.",
      {
        expected: "one of --plan PATH, --brief TEXT, --brief-file PATH, --from-stdin",
        found: given.join(" and ") || "none of them",
        next: [
          existsSync(join(context.root(), ".proofgate", "plan.yaml"))
            ? "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml"
            : "proofgate help ulw-loop create-goals",
        ],
      },
    );
  const plan = context.value("plan");
  if (plan !== undefined) {
    const path = resolve(context.cwd, plan);
    const text = decode(readBounded(path, context.cwd), plan);
    const { parsePlanFile } = await import("../../ulw-loop/plan-file.ts");
    return parsePlanFile(text, { dir: dirname(path), readFile: (file) => readBounded(file, dirname(path)) });
  }
  const { parseBrief } = await import("../../ulw-loop/brief.ts");
  const file = context.value("brief-file");
  if (file !== undefined) return parseBrief(readBounded(file, context.cwd));
  return parseBrief(context.has("from-stdin") ? readStdin() : context.need("brief"));
}

export function decode(data: Buffer, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    throw new Refusal("brief_not_text", `${name} is not UTF-8 text.`, {
      expected: "UTF-8 text",
      found: "binary data",
      next: ["check that the path names the plan file"],
    });
  }
}

function goalMode(value: string | undefined): GoalMode {
  if (value === undefined || value === "aggregate") return "aggregate";
  if (value === "per-story" || value === "per_story") return "per-story";
  throw new Refusal("usage_bad_value", "--codex-goal-mode takes aggregate or per-story.", {
    expected: "aggregate or per-story",
    found: JSON.stringify(value),
    next: ["leave it out for aggregate"],
  });
}
