/** What the hooks do once there is something to do: the gate, the words to the agent, the continuation. */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal } from "../../components/errors.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import { driversAreBeside } from "../../components/evidence/run-check.ts";
import { openSessions } from "../../components/witness/sessions.ts";
import type { StopDecision } from "../../hooks/continuation.ts";
import { startText } from "../../hooks/directives.ts";
import { closed, gate } from "../../hooks/gate.ts";
import { patchTargets } from "../../hooks/guard.ts";
import type { PlanFacts } from "../../hooks/types.ts";
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
import { type Ending, stopOf } from "../common/stop.ts";
import {
  type HostEvent,
  isMap,
  type Model,
  type PluginInput,
  type TextPart,
  type ToolContext,
} from "./api.ts";
import { cancelCommand, goalCommand } from "./commands.ts";
import { type Goal, readGoal, writeGoal } from "./goal-store.ts";
import { counted, type GoalRules, goalTool, withStatus } from "./goal-tools.ts";
import { openCode } from "./host.ts";
import { partId } from "./part-id.ts";
import { review } from "./reviewer.ts";
import { Sessions } from "./sessions.ts";

/** A judgement may have to run every check once; after this long the answer is no. Milliseconds. */
const DEADLINE_MS = 60 * 60_000;

export interface Engine {
  tool(name: string, args: unknown, context: ToolContext): Promise<string>;
  event(event: HostEvent): Promise<void>;
  message(
    session: string,
    output: { readonly message: Readonly<Record<string, unknown>>; readonly parts: TextPart[] },
  ): Promise<void>;
  rootOf(session: string): string;
  /** @returns why the edit is refused; null when it may go on */
  guard(tool: string, args: unknown, session: string): string | null;
  afterShell(session: string): Promise<void>;
  /** A command of the user's. @returns what the model is told in its place */
  command(name: "goal" | "cancel", session: string, words: string): Promise<string>;
  /** @returns what has to be known after a compaction; empty for nothing */
  afterCompaction(session: string): Promise<string>;
  /** An answer is about to end: what a stop would have to know is looked at now, while the host waits. */
  speaks(session: string, message: string): Promise<void>;
}

export function makeEngine({ client, directory, worktree }: PluginInput): Engine {
  driversAreBeside(dirname(fileURLToPath(import.meta.url)));
  const cwd = worktree === "/" || worktree === "" ? directory : worktree;
  const sessions = new Sessions();
  const host = openCode((session) => sessions.tokens(session));
  const store = openSessions(process.env);
  /** What to do when the message ends as a turn's last one. */
  const stops = new Map<string, (ending: Ending) => StopDecision>();
  /** Messages whose end was dealt with: the host tells it more than once. */
  const ended = new Set<string>();
  const begun = new Set<string>();

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

  const sight = async (payload: Payload, begins = false): Promise<void> => {
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
    noteCost(payload, store, host, plans);
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
    if (goal !== null) writeGoal(session, withStatus(goal, "paused"));
    return closedText(
      `the independent review could not be run: ${why}; the goal is paused`,
      "nothing, and tell the user",
    );
  }

  /** A goal that is no plan's: it goes on until it is complete, blocked or paused, or nothing moves any more. */
  async function plainGoal(session: string): Promise<PlanFacts | null> {
    const goal = counted(readGoal(session), rules);
    if (goal === null || goal.status !== "active") return null;
    if (goal.tokenBudget !== null && goal.tokensUsed >= goal.tokenBudget) {
      const over = withStatus(goal, "budgetLimited");
      writeGoal(session, over);
      await rules.changed(session, over, "");
      return null;
    }
    const { fingerprint } = await import("../../components/evidence/fingerprint.ts");
    return goalFacts(goal, (await fingerprint(findRootFast(cwd).root)).id);
  }

  function finish(info: Readonly<Record<string, unknown>>): void {
    const { id, sessionID: session, finish: how, role, summary, mode } = info;
    if (role !== "assistant" || how !== "stop" || summary === true || mode === "compaction") return;
    if (typeof id !== "string" || typeof session !== "string" || ended.has(id)) return;
    ended.add(id);
    const decide = stops.get(id);
    stops.delete(id);
    if (decide === undefined) return;
    const { waiting, aborted, agent, model } = sessions.of(session);
    const decision = decide({ ended: aborted ? "aborted" : "finished", openQuestion: waiting.size > 0 });
    if (decision.kind === "quiet") return;
    // Now, and not after anything else: `opencode run` is over as soon as it sees no message to answer.
    goOn(session, decision.kind === "hold" ? decision.reason : decision.tellAgent, agent, model);
    if (decision.kind === "let_go") {
      const message = decision.tellUser;
      void client.tui.showToast({ body: { message, variant: "warning" } }).catch(() => undefined);
      void notify(payloadOf(session), host, "let_go", message);
    }
  }

  /** Agent and model stay as they were: without them the host takes its default ones. */
  function goOn(session: string, text: string, agent: string | null, model: Model | null): void {
    const part: TextPart = { type: "text", text, synthetic: true, metadata: { proofgate: "continuation" } };
    const body = {
      parts: [part],
      ...(agent === null ? {} : { agent }),
      ...(model === null ? {} : { model }),
    };
    void client.session.promptAsync({ path: { id: session }, body }).catch(() => undefined);
  }

  return {
    tool: (name, args, context) => goalTool(name, args, context, rules),
    rootOf: (session) => sessions.rootOf(session),
    async event(event) {
      sessions.note(event);
      const { info } = event.properties;
      if (event.type === "message.updated" && isMap(info)) finish(info);
    },
    async message(session, { message, parts }) {
      const known = sessions.of(session);
      if (typeof message.agent === "string") known.agent = message.agent;
      if (isModel(message.model)) known.model = message.model;
      const written = parts.filter((part) => part.type === "text" && part.synthetic !== true);
      // What a program wrote is no word of the user's: our own continuations, and the host's after a compaction.
      if (written.length === 0) return;
      if (sessions.rootOf(session) !== session) return;
      known.aborted = false;
      const prompt = unquoted(written.map(({ text }) => text).join("\n"));
      const payload = payloadOf(session, { prompt });
      const first = !begun.has(session);
      begun.add(session);
      await sight(payload, first);
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
        return name === "goal"
          ? await goalCommand(session, words, rules)
          : await cancelCommand(payloadOf(session), words, host, rules);
      } catch (error) {
        return `Tell the user, and do nothing else: /${name} did not work: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    afterCompaction: (session) => whereItStands(payloadOf(session), "compaction"),
    async speaks(session, message) {
      if (sessions.rootOf(session) !== session) return;
      const payload = payloadOf(session);
      await sight(payload);
      // A goal that cannot be read is said by its tools; the plan goes on.
      const goal = await plainGoal(session).catch(() => null);
      stops.set(message, await stopOf(payload, store, host, goal));
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
    return text;
  }
}

const closedText = (why: string, next: string): string => {
  const decision = closed(why, next);
  return decision.kind === "deny" ? decision.message : "Not complete.";
};

const isModel = (value: unknown): value is Model =>
  isMap(value) && typeof value.providerID === "string" && typeof value.modelID === "string";

/** `opencode run "two words"` hands the prompt over with quotes around it. */
const unquoted = (text: string): string => /^"([\s\S]*)"\s*$/.exec(text)?.[1] ?? text;

const goalFacts = (goal: Goal, tree: string): PlanFacts => ({
  planId: `goal:${goal.threadId}:${goal.createdAt}`,
  title: goal.objective.split("\n")[0]?.slice(0, 90) ?? "",
  state: "open",
  stuck: false,
  waitsForUser: false,
  total: 1,
  proven: 0,
  goal: null,
  open: [{ ref: "goal", what: goal.objective.replace(/\s+/g, " ").slice(0, 200) }],
  next: { why: "the goal is active", command: "work on the goal; update_goal complete when it is reached" },
  ledger: String(goal.updatedAt),
  tree,
});
