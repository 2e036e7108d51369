/** `list`, `attach`, `cancel`: whose plan it is, and whether it goes on. */

import { cut, pad, shown } from "../../report/text.ts";
import { isClosed, isComplete } from "../../ulw-loop/model.ts";
import { sessionsOf } from "../../ulw-loop/place.ts";
import { changePlan, openWorkspace, readPlan } from "../../ulw-loop/workspace.ts";
import { requireEvidence } from "../../words/evidence-text.ts";
import type { Context, Output } from "../context.ts";

export async function list(context: Context): Promise<Output> {
  const root = context.root();
  const plans = sessionsOf(root).map((session) => {
    try {
      const loaded = readPlan(openWorkspace({ root, session, writer: context.writer, env: context.env }));
      if (loaded === null)
        return { session, title: "(empty)", status: "empty", goals: 0, closed: 0, owner: null };
      const { state } = loaded;
      const status = state.cancelled !== null ? "cancelled" : isComplete(state) ? "complete" : "open";
      return {
        session,
        title: state.title,
        status,
        goals: state.goals.length,
        closed: state.goals.filter(isClosed).length,
        owner: state.owner.session,
      };
    } catch (error) {
      // One damaged plan must not hide the others.
      return {
        session,
        title: error instanceof Error ? error.message : String(error),
        status: "damaged",
        goals: 0,
        closed: 0,
        owner: null,
      };
    }
  });
  const lines = plans.map(
    (p) =>
      `${pad(p.session ?? "(default)", 16)}  ${pad(p.status, 9)}  ${p.closed}/${p.goals}  ${cut(shown(p.title), 60)}`,
  );
  return { text: lines.length > 0 ? lines.join("\n") : "no plans in this repository", json: { plans } };
}

export async function attach(context: Context): Promise<Output> {
  const ws = context.workspace();
  const { loaded, result } = changePlan(ws, "attach", (plan) => ({
    events: [
      {
        type: "session_attached",
        session: context.writer.session,
        host: context.writer.host,
        previous: plan.owner.session,
      },
    ],
    result: { previous: plan.owner.session, resumed: plan.cancelled !== null },
  }));
  const who = context.writer.session === null ? "this shell" : `session ${context.writer.session}`;
  return {
    text: `${who} works on "${shown(loaded.state.title)}" now${result.resumed ? "; it was cancelled and goes on" : ""}.\nnext: proofgate next`,
    json: {
      session: context.writer.session,
      ...result,
      ledger: loaded.head,
      next: { why: "attached", command: "proofgate next" },
    },
  };
}

export async function cancel(context: Context): Promise<Output> {
  const ws = context.workspace();
  const why = requireEvidence(context.value("evidence") ?? "cancelled by command");
  const { loaded } = changePlan(ws, "cancel", (plan) => ({
    events: plan.cancelled === null ? [{ type: "plan_cancelled", why }] : [],
    result: null,
  }));
  return {
    text: `Cancelled: "${shown(loaded.state.title)}". Nothing is lost; it does not resume by itself.\nnext: proofgate ulw-loop attach  (to take it up again)`,
    json: {
      cancelled: true,
      ledger: loaded.head,
      next: { why: "cancelled", command: "proofgate ulw-loop attach" },
    },
  };
}
