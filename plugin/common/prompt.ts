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
import type { Payload } from "./call.ts";
import type { HostSide } from "./host.ts";
import { ownPlan } from "./own-plan.ts";

/**
 * What is told to the agent behind the prompt; empty when the prompt orders nothing of ours. Only for a root session's
 * prompt: a subagent's is written by the agent.
 */
export async function answerPrompt(
  payload: Payload,
  prompt: string,
  store: SessionStore,
  host: HostSide,
): Promise<string> {
  const agreed = approval(prompt);
  if (agreed.kind === "malformed") return `Proofgate approved nothing: ${agreed.why}.`;
  if (agreed.kind === "approve") return approveAsUser(payload, host, agreed.what);
  const directive = steerDirective(prompt);
  if (directive.kind === "malformed") return `Proofgate steered nothing: ${directive.why}.`;
  if (directive.kind === "directive") return steerAsUser(payload, host, directive.json);
  const intent = intentOf(prompt);
  // An order holds until the user says something else: what is done for it needs a plan.
  store.setNote("intents", payload.session, intent);
  if (intent === null) return "";
  const plan = (await ownPlan(payload, host))?.facts ?? null;
  const goal = intent === "performance-goal" ? await openGoalOf(payload, host) : null;
  return intentText(intent, { plan, performance: goal, skillPrefix: host.skillPrefix });
}

/** The performance goal that an order to work on one means. */
async function openGoalOf(payload: Payload, host: HostSide): Promise<{ slug: string; next: string } | null> {
  const own = await (await import("./performance.ts")).ownGoal(payload, host);
  return own === null || own.facts.state !== "open"
    ? null
    : { slug: own.facts.goal?.id ?? own.facts.title, next: own.facts.next.command };
}

/** The plan's files, written to in the user's name: the words came from the user's own prompt. */
function asUser(payload: Payload, ws: Workspace, host: HostSide): Workspace {
  const writer = { kind: "user", host: host.name, session: payload.session } as const;
  return ws.as(writer);
}

async function approveAsUser(
  payload: Payload,
  host: HostSide,
  what: "all" | readonly string[],
): Promise<string> {
  const goals = await approveGoals(payload, host, what);
  const own = await ownPlan(payload, host);
  if (goals.length > 0)
    return `The user approved ${goals.join(" ")}.${own === null ? "" : ` ${await approvePlan(payload, own, host, what)}`}`;
  if (own === null) return "Proofgate approved nothing: there is no plan here.";
  return approvePlan(payload, own, host, what);
}

/** Exchanged or given up performance goals. @returns what was approved, `slug W001` each */
async function approveGoals(
  payload: Payload,
  host: HostSide,
  what: "all" | readonly string[],
): Promise<readonly string[]> {
  const { readableGoals } = await import("./performance.ts");
  const { approveGoal, openWeakenings } = await import("../../components/performance-goal/approve.ts");
  const approved: string[] = [];
  for (const { ws, goal } of readableGoals(payload, host)) {
    const shown = openWeakenings(ws, goal).filter(({ id }) => what === "all" || what.includes(id));
    if (shown.length === 0) continue;
    approveGoal(ws.as({ kind: "user", host: host.name, session: payload.session }), goal, shown);
    approved.push(...shown.map(({ id }) => `${goal.slug} ${id}`));
  }
  return approved;
}

async function approvePlan(
  payload: Payload,
  own: { ws: Workspace },
  host: HostSide,
  what: "all" | readonly string[],
): Promise<string> {
  const ws = asUser(payload, own.ws, host);
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

async function steerAsUser(payload: Payload, host: HostSide, json: unknown): Promise<string> {
  const asked = steerArguments(json);
  if ("refused" in asked) return `Proofgate steered nothing: ${asked.refused}`;
  const own = await ownPlan(payload, host);
  if (own === null) return "Proofgate steered nothing: there is no plan here.";
  const ws = asUser(payload, own.ws, host);
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
