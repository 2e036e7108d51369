/** The user's prompt: an approval, a steering directive, or an order to work in one of the workflows. */

import { parseInvocation } from "../../components/cli/args.ts";
import { makeContext } from "../../components/cli/context.ts";
import { Refusal } from "../../components/errors.ts";
import { approve, subjects } from "../../components/ulw-loop/approve.ts";
import { criterionRef } from "../../components/ulw-loop/model.ts";
import type { Workspace } from "../../components/ulw-loop/workspace.ts";
import { requirePlan } from "../../components/ulw-loop/workspace.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import { approval, intentOf, intentText, steerDirective } from "../../hooks/directives.ts";
import { steerArguments } from "../../hooks/steering.ts";
import { ownPlan } from "./own-plan.ts";
import type { Payload } from "./payload.ts";

/**
 * What is told to the agent behind the prompt; empty when the prompt orders nothing of ours. Only for a root session's
 * prompt: a subagent's is written by the agent.
 */
export async function answerPrompt(payload: Payload, prompt: string, store: SessionStore): Promise<string> {
  const agreed = approval(prompt);
  if (agreed.kind === "malformed") return `Proofgate approved nothing: ${agreed.why}.`;
  if (agreed.kind === "approve") return approveAsUser(payload, agreed.what);
  const directive = steerDirective(prompt);
  if (directive.kind === "malformed") return `Proofgate steered nothing: ${directive.why}.`;
  if (directive.kind === "directive") return steerAsUser(payload, directive.json);
  const intent = intentOf(prompt);
  // An order holds until the user says something else: what is done for it needs a plan.
  store.setNote("intents", payload.session, intent);
  if (intent === null) return "";
  const plan = (await ownPlan(payload))?.facts ?? null;
  const goal = intent === "performance-goal" ? await openGoalOf(payload) : null;
  return intentText(intent, { plan, performance: goal, skillPrefix: "$proofgate:" });
}

/** The performance goal that an order to work on one means. */
async function openGoalOf(payload: Payload): Promise<{ slug: string; next: string } | null> {
  const own = await (await import("./performance.ts")).ownGoal(payload);
  return own === null || own.facts.state !== "open"
    ? null
    : { slug: own.facts.goal?.id ?? own.facts.title, next: own.facts.next.command };
}

/** The plan's files, written to in the user's name: the words came from the user's own prompt. */
function asUser(payload: Payload, ws: Workspace): Workspace {
  const writer = { kind: "user", host: "codex", session: payload.session } as const;
  return ws.as(writer);
}

async function approveAsUser(payload: Payload, what: "all" | readonly string[]): Promise<string> {
  const goals = await approveGoals(payload, what);
  const own = await ownPlan(payload);
  if (goals.length > 0)
    return `The user approved ${goals.join(" ")}.${own === null ? "" : ` ${await approvePlan(payload, own, what)}`}`;
  if (own === null) return "Proofgate approved nothing: there is no plan here.";
  return approvePlan(payload, own, what);
}

/** Exchanged or given up performance goals. @returns what was approved, `slug W001` each */
async function approveGoals(payload: Payload, what: "all" | readonly string[]): Promise<readonly string[]> {
  const { readableGoals } = await import("./performance.ts");
  const { approveGoal, openWeakenings } = await import("../../components/performance-goal/approve.ts");
  const approved: string[] = [];
  for (const { ws, goal } of readableGoals(payload)) {
    const shown = openWeakenings(ws, goal).filter(({ id }) => what === "all" || what.includes(id));
    if (shown.length === 0) continue;
    approveGoal(ws.as({ kind: "user", host: "codex", session: payload.session }), goal, shown);
    approved.push(...shown.map(({ id }) => `${goal.slug} ${id}`));
  }
  return approved;
}

async function approvePlan(
  payload: Payload,
  own: { ws: Workspace },
  what: "all" | readonly string[],
): Promise<string> {
  const ws = asUser(payload, own.ws);
  const plan = requirePlan(ws).state;
  const open = subjects(ws, plan);
  const named = (id: string): boolean =>
    what === "all" || what.includes(id) || what.includes(id.split("-")[0] ?? "");
  const shown = {
    weakenings: open.weakenings.filter((w) => named(w.id)),
    criteria: open.criteria.filter((c) => named(c.ref)),
  };
  const ids = [...shown.weakenings.map((w) => w.id), ...shown.criteria.map((c) => c.ref)];
  if (ids.length === 0) {
    const known = plan.goals.flatMap((g) => g.successCriteria.map((c) => criterionRef(g, c)));
    const waiting = open.weakenings.length + open.criteria.length;
    return `Proofgate approved nothing: ${waiting === 0 ? "nothing waits for approval" : `none of ${known.length} criteria and ${open.weakenings.length} weakenings that wait has that id`}.`;
  }
  approve(ws, plan, shown);
  return `The user approved ${ids.slice(0, 20).join(" ")}${ids.length > 20 ? ` and ${ids.length - 20} more` : ""}. Next: proofgate next`;
}

async function steerAsUser(payload: Payload, json: unknown): Promise<string> {
  const asked = steerArguments(json);
  if ("refused" in asked) return `Proofgate steered nothing: ${asked.refused}`;
  const own = await ownPlan(payload);
  if (own === null) return "Proofgate steered nothing: there is no plan here.";
  const ws = asUser(payload, own.ws);
  try {
    const { steerCommand } = await import("../../components/cli/commands/steer.ts");
    const context = makeContext(parseInvocation(asked.argv), process.env, payload.cwd);
    const { text } = await steerCommand({ ...context, writer: ws.writer, workspace: () => ws });
    return `The user's directive was applied. ${text}`;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `Proofgate steered nothing: ${error.message} ${error.found ?? ""}`.trim();
  }
}
