/** The board: where a plan stands, on one screen. */

import { type Assessed, passWord } from "../ulw-loop/assess.ts";
import type { Next } from "../ulw-loop/handoff.ts";
import { currentGoal } from "../ulw-loop/ids.ts";
import { type Goal, isComplete, type Plan } from "../ulw-loop/model.ts";
import { type Cost, total, type Usage } from "../ulw-loop/usage.ts";
import { amount, cut, duration, pad, plural, shown, width } from "./text.ts";

export interface BoardInput {
  readonly plan: Plan;
  readonly assessed: readonly Assessed[];
  readonly next: Next;
  readonly head: { readonly seq: number; readonly hash: string };
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** When a gate hook was last seen in the plan's session, in milliseconds; null for never. */
  readonly armedAt: number | null;
  /** What hooks noted of the cost; null where none did. */
  readonly usage: Usage | null;
  /** Colours a word by what it means; the identity in a pipe. */
  readonly paint: (word: string, text: string) => string;
}

/** More goals than this are summed up, so that a plan of a thousand still fits a screen. */
const GOALS_SHOWN = 24;
const TITLE_WIDTH = 44;

export function board(input: BoardInput): string {
  const { plan, assessed, next, paint } = input;
  const current = isComplete(plan) ? undefined : currentGoal(plan);
  const byGoal = new Map<string, Assessed[]>();
  for (const a of assessed) {
    const list = byGoal.get(a.goal.id);
    if (list === undefined) byGoal.set(a.goal.id, [a]);
    else list.push(a);
  }
  const shownGoals = pick(plan.goals, current);
  const titles = new Map(shownGoals.map((g) => [g.id, cut(shown(g.title), TITLE_WIDTH)]));
  const column = Math.max(...[...titles.values()].map(width), 8);
  const lines: string[] = [`${cut(shown(plan.title), 60)}      ${headline(input)}`];
  let last = -1;
  for (const goal of shownGoals) {
    const at = plan.goals.indexOf(goal);
    if (at > last + 1) lines.push(`  … ${plural(at - last - 1, "goal")} more`);
    last = at;
    const own = byGoal.get(goal.id) ?? [];
    const mark = goal.id === current?.id ? ">" : " ";
    lines.push(
      [
        `${mark} ${goal.id} ${pad(titles.get(goal.id) ?? "", column)}  ${goalWords(goal, own, paint)}`.trimEnd(),
        ...costWords(input.usage?.goals[goal.id]),
      ].join(" · "),
    );
    if (goal.id === current?.id || own.some((a) => a.word === "stale" && goal.status === "complete"))
      lines.push(...criteria(own, paint));
  }
  if (last < plan.goals.length - 1) lines.push(`  … ${plural(plan.goals.length - 1 - last, "goal")} more`);
  lines.push(summary(plan, assessed));
  for (const w of plan.weakenings.filter((one) => !one.approved))
    lines.push(`waits for the user: ${w.id} ${w.kind.replace("_", " ")}: ${cut(shown(w.what), 100)}`);
  lines.push(`ledger: line ${input.head.seq}, ${input.head.hash.slice(0, 12)}`);
  lines.push(`next: ${next.command}      (${next.why})`);
  return lines.join("\n");
}

/** Nothing where it cost nothing worth a word. */
const costWords = (cost: Cost | undefined): readonly string[] => [
  ...(cost === undefined || cost.ms < 1000 ? [] : [duration(cost.ms)]),
  ...(cost === undefined || cost.tokens === 0 ? [] : [`${amount(cost.tokens)} tokens`]),
];

function headline({ plan, assessed, now, armedAt, usage }: BoardInput): string {
  const tokens = usage === null ? 0 : total(usage).tokens;
  const cost = tokens === 0 ? "" : ` · ${amount(tokens)} tokens`;
  const age = plan.createdAt === "" ? "" : ` · ${duration(Math.max(0, now - Date.parse(plan.createdAt)))}`;
  const since = `${age}${cost}`;
  if (plan.cancelled !== null) return `CANCELLED${since}`;
  const open = assessed.some((a) => a.word !== "proven" && a.word !== "claimed" && a.word !== "waived");
  const state = isComplete(plan) ? (open ? "COMPLETE, BUT NO LONGER PROVEN · " : "COMPLETE · ") : "";
  const gate =
    armedAt === null
      ? "gate not armed (no host hook seen)"
      : `gate ARMED (hook seen ${duration(Math.max(0, now - armedAt))} ago)`;
  return `${state}${gate}${since}`;
}

/** All of them when few; else the current one with its neighbours, and every goal that is not well. */
function pick(goals: readonly Goal[], current: Goal | undefined): readonly Goal[] {
  if (goals.length <= GOALS_SHOWN) return goals;
  const at = current === undefined ? goals.length - 1 : goals.indexOf(current);
  const near = new Set(goals.slice(Math.max(0, at - 4), at + 6));
  const unwell = goals
    .filter((g) => g.status === "failed" || g.status === "blocked" || g.status === "review_blocked")
    .slice(0, 10);
  return goals.filter((g) => near.has(g) || unwell.some((u) => u.id === g.id));
}

function goalWords(goal: Goal, own: readonly Assessed[], paint: BoardInput["paint"]): string {
  if (goal.status === "superseded") return `superseded by ${goal.by.join(", ") || "nothing"}`;
  const good = own.filter((a) => a.word === "proven" || a.word === "waived").length;
  const claimed = own.filter((a) => a.word === "claimed").length;
  const count = `${good}/${own.length}${claimed > 0 ? `, ${claimed} claimed` : ""}`;
  const stale = own.some((a) => a.word === "stale");
  if (goal.status === "complete")
    return stale
      ? `${paint("stale", "stale")} ${count}`
      : `${paint("proven", claimed > 0 ? "complete" : "proven")} ${count}`;
  if (goal.status === "pending") return `open ${count}`;
  if (goal.status === "in_progress") return count;
  const reason = "reason" in goal ? `: ${cut(shown(goal.reason), 70)}` : "";
  return `${paint("failing", goal.status.replace("_", "-"))} ${count}${reason}`;
}

function criteria(own: readonly Assessed[], paint: BoardInput["paint"]): readonly string[] {
  const scenarios = own.map((a) => cut(shown(a.criterion.scenario), TITLE_WIDTH));
  const column = Math.max(...scenarios.map(width), 8);
  return own
    .map(pinnedByName)
    .map((a, index) =>
      `    ${a.criterion.id} ${pad(scenarios[index] ?? "", column)}  ${paint(a.word, pad(a.word, 8))}  ${cut(shown(a.why), 60)}`.trimEnd(),
    );
}

/** A pass that shows no work is called by its own name. */
const pinnedByName = (a: Assessed): { criterion: Assessed["criterion"]; word: string; why: string } =>
  a.word === "proven" ? { ...a, word: passWord(a.criterion.before) } : a;

function summary(plan: Plan, assessed: readonly Assessed[]): string {
  const yours = assessed.filter((a) => a.criterion.author === "user").length;
  const agents = assessed.length - yours;
  const approvedAt = plan.approvals.at(-1)?.at;
  const unapproved = assessed.filter((a) => a.criterion.author !== "user" && !a.criterion.approved).length;
  const approved =
    agents === 0
      ? ""
      : unapproved === 0 && approvedAt !== undefined
        ? ` (you approved ${approvedAt.slice(11, 16)} UTC)`
        : unapproved === agents
          ? " (not approved)"
          : ` (${unapproved} not approved)`;
  const passed = assessed.filter((a) => a.criterion.status === "pass");
  const called = (word: string): number => passed.filter((a) => passWord(a.criterion.before) === word).length;
  const hollow = called("hollow") > 0 ? ` · hollow ${called("hollow")}` : "";
  const waived = assessed.filter((a) => a.word === "waived").length;
  return `criteria: ${yours} yours, ${agents} the agent's${approved} · pinned ${called("pinned")}${hollow} · waived ${waived} · amended ${plan.amended}`;
}
