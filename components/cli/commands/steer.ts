/** `steer` and `waive`: flags become one validated change of the plan. */

import { Refusal } from "../../errors.ts";
import { shown } from "../../report/text.ts";
import { unseen } from "../../ulw-loop/assess.ts";
import { authorOf } from "../../ulw-loop/create.ts";
import { stepFor } from "../../ulw-loop/handoff.ts";
import {
  type Grounds,
  STEERING_KINDS,
  type Steering,
  type SteeringKind,
  steer,
  waive,
} from "../../ulw-loop/steer.ts";
import { requireNotCancelled } from "../../ulw-loop/take-up.ts";
import { changePlan } from "../../ulw-loop/workspace.ts";
import { requireEvidence } from "../../words/evidence-text.ts";
import { channelFromFlags, checkFromFlags } from "../check-flags.ts";
import type { Context, Output } from "../context.ts";
import { readJsonArgument } from "../input.ts";

export async function steerCommand(context: Context): Promise<Output> {
  const change = await changeFromFlags(context, kindOf(context.need("kind")));
  const grounds = groundsOf(context);
  const { loaded, result } = changePlan(context.workspace(), "steer", (plan) => {
    requireNotCancelled(plan);
    const { events, said } = steer(plan, change, grounds);
    return { events, result: said };
  });
  return said(context, result, loaded);
}

export async function waiveCommand(context: Context): Promise<Output> {
  const grounds = groundsOf(context);
  const id = context.need("criterion-id");
  const { loaded, result } = changePlan(context.workspace(), "waive", (plan) => {
    requireNotCancelled(plan);
    const { events, said: text } = waive(plan, context.value("goal-id"), id, grounds);
    return { events, result: text };
  });
  return said(context, result, loaded);
}

function said(context: Context, text: string, loaded: ReturnType<typeof changePlan>["loaded"]): Output {
  const next = stepFor(loaded.state, unseen);
  return {
    text: `${shown(text)}\nnext: ${next.command}`,
    json: {
      said: text,
      // Only where it is printed: the titles of a thousand goals have to be parsed for it.
      goals: context.has("json") ? loaded.state.goals.map(({ id, title }) => ({ id, title })) : [],
      ledger: loaded.head,
      next,
    },
  };
}

const groundsOf = (context: Context): Grounds => ({
  evidence: requireEvidence(context.need("evidence")),
  rationale: requireEvidence(context.need("rationale"), "--rationale"),
  author: authorOf(context.writer),
});

function kindOf(value: string): SteeringKind {
  const kind = STEERING_KINDS.find((k) => k === value);
  if (kind !== undefined) return kind;
  throw new Refusal("usage_bad_value", "--kind names no kind of steering.", {
    expected: STEERING_KINDS.join(", "),
    found: JSON.stringify(value.slice(0, 60)),
    next: ["proofgate help steer"],
  });
}

async function changeFromFlags(context: Context, kind: SteeringKind): Promise<Steering> {
  switch (kind) {
    case "add_subgoal":
      return {
        kind,
        title: requireEvidence(context.need("title"), "--title"),
        objective: requireEvidence(context.need("objective"), "--objective"),
      };
    case "split_subgoal":
      return {
        kind,
        goalId: context.need("goal-id"),
        children: childrenFrom(readJsonArgument("children", context.need("children"), context.cwd)),
      };
    case "reorder_pending":
      return { kind, order: idsFrom(readJsonArgument("order", context.need("order"), context.cwd)) };
    case "revise_pending_wording":
      return {
        kind,
        goalId: context.need("goal-id"),
        title: context.value("title"),
        objective: context.value("objective"),
      };
    case "revise_criterion":
      return {
        kind,
        goalId: context.value("goal-id"),
        criterionId: context.need("criterion-id"),
        scenario: context.value("scenario"),
        expectedEvidence: context.value("expected-evidence"),
        channel: channelFromFlags(context),
        check: await checkFromFlags(context),
      };
    case "annotate_ledger":
      return { kind };
    case "mark_blocked_superseded": {
      const given = context.value("replacements") ?? "";
      const replacements = given.trim().startsWith("[")
        ? idsFrom(readJsonArgument("replacements", given, context.cwd))
        : given
            .split(",")
            .map((id) => id.trim())
            .filter((id) => id !== "");
      return { kind, goalId: context.need("goal-id"), replacements };
    }
  }
}

function childrenFrom(
  json: unknown,
): readonly { title: string; objective: string; criteria?: readonly string[] }[] {
  const wrong = (found: string): Refusal =>
    new Refusal("json_invalid", "--children does not have the form of a list of goals.", {
      expected: '[{"title":"…","objective":"…","criteria":["C001"]}, …]  (criteria may be left out)',
      found,
      next: ["proofgate help steer"],
    });
  if (!Array.isArray(json)) throw wrong(typeof json);
  return json.map((child: unknown) => {
    if (typeof child !== "object" || child === null) throw wrong(JSON.stringify(child));
    const title: unknown = Reflect.get(child, "title");
    const objective: unknown = Reflect.get(child, "objective");
    const criteria: unknown = Reflect.get(child, "criteria");
    if (
      typeof title !== "string" ||
      title.trim() === "" ||
      typeof objective !== "string" ||
      objective.trim() === ""
    )
      throw wrong(JSON.stringify(child).slice(0, 120));
    return { title, objective, ...(criteria === undefined ? {} : { criteria: idsFrom(criteria) }) };
  });
}

function idsFrom(json: unknown): readonly string[] {
  if (Array.isArray(json) && json.every((id) => typeof id === "string")) return json;
  throw new Refusal("json_invalid", "A list of ids was expected.", {
    expected: '["G002","G001"]',
    found: JSON.stringify(json).slice(0, 120),
    next: ["proofgate help steer"],
  });
}
