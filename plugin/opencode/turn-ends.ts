/** The end of an answer: the work goes on while proof is open, and is let go where nothing moves. */

import { findRootFast } from "../../components/evidence/git-folders.ts";
import type { SessionStore } from "../../components/witness/sessions.ts";
import type { StopDecision } from "../../hooks/continuation.ts";
import type { PlanFacts } from "../../hooks/types.ts";
import type { Payload } from "../common/call.ts";
import type { HostSide } from "../common/host.ts";
import { notify } from "../common/notify.ts";
import { type Ending, stopOf } from "../common/stop.ts";
import type { PluginInput, TextPart } from "./api.ts";
import { type Goal, readGoal, writeGoal } from "./goal-store.ts";
import { counted, withStatus } from "./goal-tools.ts";
import type { Sessions } from "./sessions.ts";

interface Around {
  readonly client: PluginInput["client"];
  readonly cwd: string;
  readonly sessions: Sessions;
  readonly host: HostSide;
  readonly store: SessionStore;
  payloadOf(session: string): Payload;
  /** Looks at what lies in the folder. */
  sight(payload: Payload): Promise<void>;
  /** After a goal's status was changed. */
  changed(session: string, goal: Goal): Promise<void>;
}

interface TurnEnds {
  /** A text of an answer ends: what a stop would have to know is looked at now, while the host waits. */
  speaks(session: string, message: string): Promise<void>;
  /** What the host tells of a message; of its end more than once. */
  told(info: Readonly<Record<string, unknown>>): void;
}

/** How an answer says that it is over: at its end, or where it may grow no longer. */
const ENDS: ReadonlySet<string> = new Set(["stop", "length"]);

export function turnEnds(around: Around): TurnEnds {
  const { client, cwd, sessions, host, store, payloadOf, sight, changed } = around;
  /** What to do when the message ends as a turn's last one. */
  const stops = new Map<string, (ending: Ending) => StopDecision>();
  /** Messages whose end was dealt with. */
  const ended = new Set<string>();

  /** A goal that is no plan's: it goes on until it is complete, blocked or paused, or nothing moves any more. */
  async function plainGoal(session: string): Promise<PlanFacts | null> {
    const known = readGoal(session);
    if (known === null || known.status !== "active") return null;
    const goal = counted(known, sessions.tokens(session));
    if (goal.tokenBudget !== null && goal.tokensUsed >= goal.tokenBudget) {
      const over = withStatus(goal, "budgetLimited");
      writeGoal(session, over);
      await changed(session, over);
      letGo(
        session,
        `NOT complete: the goal's budget of ${goal.tokenBudget} tokens is spent · next: /goal OBJECTIVE, or /goal clear`,
      );
      return null;
    }
    // A process that is ended takes along what it has not written.
    writeGoal(session, goal);
    const { fingerprint } = await import("../../components/evidence/fingerprint.ts");
    return goalFacts(goal, (await fingerprint(findRootFast(cwd).root)).id);
  }

  function told(info: Readonly<Record<string, unknown>>): void {
    const { id, sessionID: session, finish: how, role, summary, mode, parentID } = info;
    if (role !== "assistant" || typeof how !== "string" || typeof id !== "string") return;
    if (typeof session !== "string" || sessions.rootOf(session) !== session || ended.has(id)) return;
    ended.add(id);
    const decide = stops.get(id);
    stops.delete(id);
    if (!ENDS.has(how) || summary === true || mode === "compaction") return;
    if (!sessions.isLast(session, id, parentID)) return;
    // Now, and not after anything else: `opencode run` is over as soon as it sees no message to answer.
    if (decide !== undefined) answerEnd(session, decide);
    // It said not a word, so nobody has looked yet.
    else
      void look(session)
        .then((late) => {
          if (sessions.isLast(session, id, parentID)) answerEnd(session, late);
        })
        .catch(() => undefined);
  }

  function answerEnd(session: string, decide: (ending: Ending) => StopDecision): void {
    const ending = sessions.of(session).aborted ? "aborted" : "finished";
    const decision = decide({ ended: ending, openQuestion: sessions.waits(session) });
    if (decision.kind === "quiet") return;
    goOn(session, decision.kind === "hold" ? decision.reason : decision.tellAgent);
    if (decision.kind === "let_go") letGo(session, decision.tellUser);
  }

  function letGo(session: string, message: string): void {
    void client.tui.showToast({ body: { message, variant: "warning" } }).catch(() => undefined);
    void notify(payloadOf(session), host, "let_go", message);
  }

  /** Agent, model and its variant stay as they were: without them the host takes its default ones. */
  function goOn(session: string, text: string): void {
    const { agent, model, variant } = sessions.of(session);
    const part: TextPart = { type: "text", text, synthetic: true, metadata: { proofgate: "continuation" } };
    const body = {
      parts: [part],
      ...(agent === null ? {} : { agent }),
      ...(model === null ? {} : { model }),
      ...(variant === null ? {} : { variant }),
    };
    void client.session.promptAsync({ path: { id: session }, body }).catch(() => undefined);
  }

  async function look(session: string): Promise<(ending: Ending) => StopDecision> {
    const payload = payloadOf(session);
    await sight(payload);
    // A goal that cannot be read is said by its tools; the plan goes on.
    const goal = await plainGoal(session).catch(() => null);
    return stopOf(payload, store, host, goal);
  }

  return {
    told,
    async speaks(session, message) {
      stops.set(message, await look(session));
    },
  };
}

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
