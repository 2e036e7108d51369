/** What the hooks do once there is something to do: the gate, the words to the agent, the continuation. */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal } from "../../components/errors.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { driversAreBeside } from "../../components/evidence/run-check.ts";
import { openSessions } from "../../components/witness/sessions.ts";
import { type Intent, intentText, startText } from "../../hooks/directives.ts";
import { closed, gate } from "../../hooks/gate.ts";
import { patchTargets } from "../../hooks/guard.ts";
import type { Payload } from "../common/call.ts";
import { noteCost } from "../common/cost.ts";
import { gather } from "../common/facts.ts";
import { gatesInForce, keepPolicy } from "../common/gates.ts";
import { mayHaveGoals } from "../common/goals-seen.ts";
import { notify } from "../common/notify.ts";
import { ownWork } from "../common/own-plan.ts";
import { refusedPaths } from "../common/patch.ts";
import { sightGoals } from "../common/performance.ts";
import { answerPrompt } from "../common/prompt.ts";
import { objectiveOf, plansAt, remember } from "../common/sight.ts";
import {
  type HostEvent,
  isMap,
  type Model,
  type PluginInput,
  type TextPart,
  type ToolContext,
} from "./api.ts";
import { cancelCommand, goalCommand } from "./commands.ts";
import { readGoal, writeGoal } from "./goal-store.ts";
import { counted, type GoalRules, goalTool, withStatus } from "./goal-tools.ts";
import { openCode } from "./host.ts";
import { partId } from "./part-id.ts";
import { review } from "./reviewer.ts";
import type { Sessions } from "./sessions.ts";
import { turnEnds } from "./turn-ends.ts";

/** A judgement may have to run every check once; after this long the answer is no. Milliseconds. */
const DEADLINE_MS = 60 * 60_000;

export interface Engine {
  tool(name: string, args: unknown, context: ToolContext): Promise<string>;
  /** Something that the sessions know already. */
  event(event: HostEvent): void;
  message(
    session: string,
    output: { readonly message: Readonly<Record<string, unknown>>; readonly parts: TextPart[] },
  ): Promise<void>;
  /** @returns why the edit is refused; null when it may go on */
  guard(tool: string, args: unknown, session: string): string | null;
  afterShell(session: string): Promise<void>;
  /** A command of the user's. @returns what the model is told in its place */
  command(name: "goal" | "cancel", session: string, words: string): Promise<string>;
  /** The host is about to have the conversation summed up. */
  compacting(session: string): Promise<void>;
  /**
   * A text of an answer ends. What a stop would have to know is looked at now, while the host waits.
   * @returns what has to stand in a summary, however the model wrote it; empty for nothing
   */
  speaks(session: string, message: string): Promise<string>;
}

/** @param sessions what the host's events told so far; whoever hears them notes them there */
export function makeEngine({ client, directory, worktree }: PluginInput, sessions: Sessions): Engine {
  driversAreBeside(dirname(fileURLToPath(import.meta.url)));
  const cwd = worktree === "/" || worktree === "" ? directory : worktree;
  const host = openCode(sessions);
  const store = openSessions(process.env);
  const begun = new Set<string>();
  /** What has to be known after a session's conversation was summed up. */
  const summaries = new Map<string, string>();

  const payloadOf = (session: string, more: Partial<Payload> = {}): Payload => {
    const root = sessions.rootOf(session);
    return {
      session: root,
      agent: root === session ? null : session,
      cwd,
      transcript: null,
      agentTranscript: null,
      tool: "",
      call: "",
      input: {},
      response: null,
      prompt: "",
      role: "",
      lastMessage: "",
      source: "",
      ...more,
    };
  };

  /** @param now `begins`: the session does; `idle`: until now it waited for the user */
  const sight = async (payload: Payload, now: { begins?: boolean; idle?: boolean } = {}): Promise<void> => {
    const { begins = false, idle = false } = now;
    store.setSeen(payload.session);
    const objective = objectiveOf(payload, store);
    const plans = plansAt(payload.cwd, payload.session, process.env, host);
    await remember(plans, payload.session, objective, store, begins);
    if (mayHaveGoals(payload, objective, store)) await sightGoals(payload, objective, store, host, begins);
    const { root } = findRootFast(payload.cwd);
    const known = store.gates(payload.session, root);
    const gates = await gatesInForce(root, payload.session, store).catch(() => known);
    if (gates.length > known.length) store.setGates(payload.session, root, gates);
    await keepPolicy(root, payload.session, store);
    noteCost(payload, store, host, plans, idle);
  };

  const rules: GoalRules = {
    isSubagent: (session) => sessions.rootOf(session) !== session,
    tokens: (session) => sessions.tokens(session),
    cleared: (session) => store.setHostGoal(session, { goal: null, at: new Date().toISOString() }),
    async refusal(session, call) {
      const payload = payloadOf(session, { tool: "update_goal", call, input: { status: "complete" } });
      const timer = Promise.withResolvers<string>();
      const clock = setTimeout(() => timer.resolve(closedText("its time is over", "nothing")), DEADLINE_MS);
      try {
        return await Promise.race([judged(payload), timer.promise]);
      } catch (error) {
        // Closed on own errors: what cannot be judged is not complete.
        const why = error instanceof Error ? error.message : String(error);
        return closedText(
          why,
          error instanceof Refusal ? (error.nextActions[0] ?? "proofgate check") : "proofgate doctor",
        );
      } finally {
        clearTimeout(clock);
      }
    },
    async changed(session, goal, call) {
      store.setHostGoal(session, {
        goal: { objective: goal.objective, status: goal.status },
        at: new Date().toISOString(),
      });
      const payload = payloadOf(session, { call });
      await sight(payload);
      if (goal.status === "complete") {
        const allowed = store.allowance(session);
        for (const plan of allowed?.plans ?? []) store.unbind(session, plan);
        if ((allowed?.plans.length ?? 0) > 0) store.setNote("intents", session, null);
        store.setAllowance(session, null);
      }
      if (goal.status === "complete" || goal.status === "blocked")
        await notify(payload, host, goal.status === "complete" ? "done" : "blocked", goal.objective);
    },
  };

  const ends = turnEnds({
    client,
    cwd,
    sessions,
    host,
    store,
    payloadOf,
    sight,
    changed: (session, goal) => rules.changed(session, goal, ""),
  });

  async function judged(payload: Payload, reviewed = false): Promise<string | null> {
    await sight(payload);
    const { facts, plans } = await gather(payload, store, process.env, host, DEADLINE_MS - 20_000);
    const decision = gate(facts);
    const problems = facts.plans.flatMap((plan) => plan.problems);
    // All that is missing is a look by somebody else: the plugin itself sees to it.
    if (!reviewed && problems.length > 0 && problems.every(({ where }) => where === "review")) {
      const why = await review(client, payload, store).catch((error: unknown) => String(error));
      return why === null ? judged(payload, true) : unreviewed(payload, why);
    }
    if (decision.kind === "deny") return decision.message;
    store.setAllowance(payload.session, { call: payload.call, plans });
    return null;
  }

  /** Nothing the agent does brings a reviewer: the goal waits for the user. */
  function unreviewed({ session }: Payload, why: string): string {
    const goal = readGoal(session);
    if (goal !== null) writeGoal(session, withStatus(counted(goal, sessions.tokens(session)), "paused"));
    return closedText(
      `the independent review could not be run: ${why}; the goal is paused`,
      "nothing, and tell the user",
    );
  }

  /** What the host knows of a session from before this process. */
  async function recall(session: string): Promise<void> {
    if (sessions.tokens(session) !== null) return;
    const known = await client.session.get({ path: { id: session } }).catch(() => null);
    if (isMap(known?.data)) sessions.noteSession(known.data);
  }

  /** The user speaks: until now nobody worked on the goal. */
  function rested(session: string): void {
    try {
      const goal = readGoal(session);
      if (goal?.status === "active") writeGoal(session, counted(goal, sessions.tokens(session), true));
    } catch {
      // It is said by whoever asks for the goal.
    }
  }

  return {
    tool: (name, args, context) => goalTool(name, args, context, rules),
    event({ type, properties: { info } }) {
      if (type === "message.updated" && isMap(info)) ends.told(info);
    },
    async message(session, { message, parts }) {
      const known = sessions.of(session);
      if (typeof message.agent === "string") known.agent = message.agent;
      if (isModel(message.model)) {
        const { providerID, modelID, variant } = message.model;
        known.model = { providerID, modelID };
        known.variant = typeof variant === "string" ? variant : null;
      }
      const written = parts.filter((part) => part.type === "text" && part.synthetic !== true);
      // What a program wrote is no word of the user's: our own continuations, and the host's after a compaction.
      if (written.length === 0) return;
      known.aborted = false;
      await recall(session);
      if (sessions.rootOf(session) !== session) return;
      // Words that come in the middle of the work begin no other one.
      const idle = !known.busy;
      if (idle) rested(session);
      const prompt = unquoted(written.map(({ text }) => text).join("\n"));
      const payload = payloadOf(session, { prompt });
      const first = !begun.has(session);
      begun.add(session);
      await sight(payload, { begins: first, idle });
      store.setNote("prompts", session, { at: Date.now(), tokens: sessions.tokens(session) });
      const words = [await answerPrompt(payload, prompt, store, host)];
      if (words[0] === "" && first) words.push(await whereItStands(payload));
      const text = words.filter((one) => one !== "").join("\n");
      if (text !== "" && typeof message.id === "string")
        parts.push({
          id: partId(),
          sessionID: session,
          messageID: message.id,
          type: "text",
          text,
          synthetic: true,
        });
    },
    guard(tool, args, session) {
      const given = isMap(args) ? args : {};
      const paths =
        tool === "apply_patch"
          ? patchTargets(String(given.patchText ?? given.patch ?? given.input ?? ""))
          : typeof given.filePath === "string"
            ? [given.filePath]
            : [];
      return paths.length === 0 ? null : refusedPaths(paths, payloadOf(session).cwd);
    },
    afterShell: (session) => sight(payloadOf(session)),
    async command(name, session, words) {
      try {
        await recall(session);
        return name === "goal"
          ? await goalCommand(session, words, rules)
          : await cancelCommand(payloadOf(session), words, host, rules);
      } catch (error) {
        return `Tell the user, and do nothing else: /${name} did not work: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    async compacting(session) {
      summaries.delete(session);
      if (sessions.rootOf(session) !== session) return;
      summaries.set(session, await whereItStands(payloadOf(session), "compaction"));
    },
    async speaks(session, message) {
      if (sessions.of(session).summary === message) return summaries.get(session) ?? "";
      if (sessions.rootOf(session) === session) await ends.speaks(session, message);
      return "";
    },
  };

  /** Told once, where a session begins or goes on in a new process. */
  async function whereItStands(
    payload: Payload,
    occasion: "resume" | "compaction" = "resume",
  ): Promise<string> {
    const work = await ownWork(payload, host, mayHaveGoals(payload, null, store));
    const known = store.note("given", payload.session);
    const lastGiven = typeof known === "string" ? known : null;
    const { text, digest } = startText({ plan: work?.facts ?? null, occasion, lastGiven });
    if (digest !== null && digest !== known) store.setNote("given", payload.session, digest);
    // An order that nothing was made of yet stands in the user's words, and those are summed up.
    const order = store.note("intents", payload.session);
    if (occasion !== "compaction" || work !== null || !isIntent(order)) return text;
    return intentText(order, { plan: null, performance: null, skillPrefix: host.skillPrefix });
  }
}

const closedText = (why: string, next: string): string => {
  const decision = closed(why, next);
  return decision.kind === "deny" ? decision.message : "Not complete.";
};

const isIntent = (value: unknown): value is Intent => value === "ulw-loop" || value === "performance-goal";

const isModel = (value: unknown): value is Model & { readonly variant?: unknown } =>
  isMap(value) && typeof value.providerID === "string" && typeof value.modelID === "string";

/** `opencode run "two words"` hands the prompt over with quotes around it. */
const unquoted = (text: string): string => /^"([\s\S]*)"\s*$/.exec(text)?.[1] ?? text;
