/**
 * The process that Codex starts for a hook: reads one payload, decides, prints one answer. The host lets a call pass on
 * anything late, malformed or failed, so everything that goes wrong here before a completion is turned into a refusal; what
 * not even that could say, `hooks/run.sh` says for it.
 */

import { readFileSync, writeSync } from "node:fs";
import { Refusal } from "../../components/errors.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { openSessions, type SessionStore } from "../../components/witness/sessions.ts";
import { startText } from "../../hooks/directives.ts";
import { closed, gate } from "../../hooks/gate.ts";
import { type Payload, threadOf } from "../common/call.ts";
import { noteCost } from "../common/cost.ts";
import { gatesInForce, keepPolicy } from "../common/gates.ts";
import { mayHaveGoals } from "../common/goals-seen.ts";
import type { Occasion } from "../common/notify.ts";
import { refusedPatch } from "../common/patch.ts";
import { objectiveOf, plansAt, remember, type Seen } from "../common/sight.ts";
import { CODEX } from "./host.ts";
import { parsePayload } from "./payload.ts";

/**
 * Half of the timeouts that hooks.json asks for, in milliseconds: at that time the gate's answer is no. Before a completion
 * the gate may have to run every check once itself, and keeps what passed; the next call goes on from there.
 */
const DEADLINE_MS = 60 * 60_000;
const SMALL_DEADLINE_MS = 28_000;

type Answer = Readonly<Record<string, unknown>> | null;

async function answer(event: string, payload: Payload, store: SessionStore): Promise<Answer> {
  store.setSeen(payload.session);
  switch (event) {
    case "pre-goal":
      return beforeGoalTool(payload, store);
    case "post-goal":
      return afterGoalTool(payload, store);
    case "pre-patch": {
      const refused = refusedPatch(payload);
      return refused === null ? null : denial(refused);
    }
    case "start":
      // A compaction comes in the middle: what lies here now was made while hooks watched.
      noteCost(
        payload,
        store,
        CODEX,
        await sight(payload, store, !isCompaction(payload)),
        !isCompaction(payload),
      );
      return context("SessionStart", await startWords(payload, store));
    case "prompt": {
      // In a subagent the agent itself wrote the prompt: it is not the user.
      if (payload.agent !== null) {
        await lookOutside(payload);
        const { reviewBegins } = await import("../common/review.ts");
        await reviewBegins(payload, store);
        return null;
      }
      noteCost(payload, store, CODEX, await sight(payload, store), true);
      store.setNote("prompts", payload.session, { at: Date.now(), tokens: CODEX.tokens(payload) });
      await lookOutside(payload);
      const { answerPrompt } = await import("../common/prompt.ts");
      return context("UserPromptSubmit", await answerPrompt(payload, payload.prompt, store, CODEX));
    }
    case "subagent-stop": {
      noteCost(payload, store, CODEX, plansAt(payload.cwd, payload.session, process.env, CODEX));
      await lookOutside(payload);
      const { keepVerdict } = await import("../common/review.ts");
      await keepVerdict(payload, store);
      return null;
    }
    case "stop": {
      noteCost(payload, store, CODEX, await sight(payload, store));
      await lookOutside(payload);
      const { answerStop } = await import("../common/stop.ts");
      return answerStop(payload, store, CODEX);
    }
    default:
      noteCost(payload, store, CODEX, await sight(payload, store));
      return null;
  }
}

/**
 * Before anything looks at the tree or starts a program. What does so is loaded only then: most calls read a ledger, note
 * it, and are over.
 */
async function lookOutside(payload: Payload): Promise<void> {
  const { workOutside } = await import("./sandbox.ts");
  workOutside(payload, process.env);
}

const isCompaction = ({ source }: Payload): boolean => source === "compact";

/** A text for the agent; nothing where there is nothing to say. */
const context = (event: string, text: string): Answer =>
  text === "" ? null : { hookSpecificOutput: { hookEventName: event, additionalContext: text } };

async function startWords(payload: Payload, store: SessionStore): Promise<string> {
  await lookOutside(payload);
  const { ownWork } = await import("../common/own-plan.ts");
  const own = await ownWork(payload, CODEX, mayHaveGoals(payload, null, store));
  const known = store.note("given", payload.session);
  const { text, digest } = startText({
    plan: own?.facts ?? null,
    occasion: OCCASIONS[payload.source] ?? "start",
    lastGiven: typeof known === "string" ? known : null,
  });
  if (digest !== null && digest !== known) store.setNote("given", payload.session, digest);
  return text;
}

const OCCASIONS: Readonly<Record<string, "start" | "resume" | "compaction">> = {
  startup: "start",
  clear: "start",
  fork: "resume",
  resume: "resume",
  compact: "compaction",
};

async function sight(payload: Payload, store: SessionStore, begins = false): Promise<readonly Seen[]> {
  const { session, cwd } = payload;
  const objective = objectiveOf(payload, store);
  const plans = plansAt(cwd, session, process.env, CODEX);
  await remember(plans, session, objective, store, begins);
  if (mayHaveGoals(payload, objective, store))
    await (await import("../common/performance.ts")).sightGoals(payload, objective, store, CODEX, begins);
  const { root } = findRootFast(cwd);
  // What was once seen stays in force for the session; a file that cannot be read is for the gate to complain of.
  const known = store.gates(session, root);
  const gates = await gatesInForce(root, session, store).catch(() => known);
  if (gates.length > known.length) store.setGates(session, root, gates);
  await keepPolicy(root, session, store);
  return plans;
}

async function judged(payload: Payload, store: SessionStore, objective = objectiveOf(payload, store)) {
  await lookOutside(payload);
  const { gather } = await import("../common/facts.ts");
  return gather(payload, store, process.env, CODEX, DEADLINE_MS - 20_000, objective);
}

async function ring(payload: Payload, event: Occasion, message: string): Promise<void> {
  await lookOutside(payload);
  const { notify } = await import("../common/notify.ts");
  await notify(payload, CODEX, event, message);
}

async function beforeGoalTool(payload: Payload, store: SessionStore): Promise<Answer> {
  await sight(payload, store);
  if (payload.tool !== "update_goal") return null;
  if (payload.input.status !== "complete") return null;
  const { facts, plans } = await judged(payload, store);
  const decision = gate(facts);
  if (decision.kind === "deny") return denial(decision.message);
  store.setAllowance(threadOf(payload), { call: payload.call, plans });
  return null;
}

/** The host's own word on its goal. A completion that no gate allowed is told so: the hook before it may have been killed. */
async function afterGoalTool(payload: Payload, store: SessionStore): Promise<Answer> {
  const thread = threadOf(payload);
  const goal = goalIn(payload.response);
  if (goal !== undefined) store.setHostGoal(thread, { goal, at: new Date().toISOString() });
  noteCost(payload, store, CODEX, await sight(payload, store));
  if (payload.tool !== "update_goal") return null;
  if (goal?.status === "blocked") await ring(payload, "blocked", goal.objective);
  if (payload.input.status !== "complete") return null;
  const allowed = store.allowance(thread);
  store.setAllowance(thread, null);
  if (allowed !== null && allowed.call === payload.call) {
    for (const plan of allowed.plans) store.unbind(payload.session, plan);
    if (allowed.plans.length > 0) store.setNote("intents", payload.session, null);
    if (goal?.status === "complete") await ring(payload, "done", goal.objective);
    return null;
  }
  const { facts } = await judged(payload, store, goal?.objective ?? null);
  const decision = gate(facts);
  if (decision.kind === "allow") return null;
  return {
    decision: "block",
    reason: `The host took the goal for complete, and it is not.\n${decision.message}`,
  };
}

/** @returns null when the host has no goal; undefined when the response says nothing of it */
function goalIn(response: unknown): { objective: string; status: string } | null | undefined {
  const value = typeof response === "string" ? parsed(response) : response;
  if (typeof value !== "object" || value === null || !("goal" in value)) return undefined;
  const { goal } = value;
  if (goal === null) return null;
  if (typeof goal !== "object" || !("objective" in goal) || !("status" in goal)) return undefined;
  return { objective: String(goal.objective), status: String(goal.status) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const denial = (reason: string): Answer => ({
  hookSpecificOutput: {
    hookEventName: "PreToolUse",
    permissionDecision: "deny",
    permissionDecisionReason: reason,
  },
});

/** Only a completion is worth a refusal; everything else the agent may always do. */
function refusal(event: string, payload: Payload | null, why: string, next: string): Answer {
  const completing =
    payload === null || (payload.tool === "update_goal" && payload.input.status === "complete");
  if (event !== "pre-goal" || !completing) return null;
  const decision = closed(why, next);
  return decision.kind === "deny" ? denial(decision.message) : null;
}

/** One write, whole; then the end, whatever still runs. `nothing` is for run.sh, which keeps it from the host. */
function finish(output: Answer): never {
  writeSync(1, output === null ? "nothing" : JSON.stringify(output));
  process.exit(0);
}

async function main(): Promise<void> {
  const [event = ""] = process.argv.slice(2);
  let payload: Payload | null = null;
  setTimeout(
    () =>
      finish(
        refusal(event, payload, "its time is over; checks that it ran and that passed are kept", "nothing"),
      ),
    event.endsWith("-goal") ? DEADLINE_MS : SMALL_DEADLINE_MS,
  );
  try {
    payload = parsePayload(readFileSync(0, "utf8"));
    finish(await answer(event, payload, openSessions(process.env)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const next = error instanceof Refusal ? (error.nextActions[0] ?? "proofgate check") : "proofgate doctor";
    finish(refusal(event, payload, why, next));
  }
}

void main();
