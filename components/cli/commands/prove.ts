/** `prove` and `record-evidence`: results of criteria, run where they can be run. */

import { Refusal } from "../../errors.ts";
import { sandboxed } from "../../evidence/environment.ts";
import { fingerprint } from "../../evidence/fingerprint.ts";
import { mutesChildren } from "../../evidence/mute.ts";
import { provedLines } from "../../report/results.ts";
import { pad, shown } from "../../report/text.ts";
import { artifactPath, readClaimed, rememberTree, saveArtifact } from "../../ulw-loop/artifacts.ts";
import { assessPlan, beforeWords, unseen } from "../../ulw-loop/assess.ts";
import { nextStep, stepFor } from "../../ulw-loop/handoff.ts";
import { findCriterion, findGoal } from "../../ulw-loop/ids.ts";
import { criterionRef, type Goal, type Plan } from "../../ulw-loop/model.ts";
import { coveredBy, presentOf } from "../../ulw-loop/present.ts";
import {
  type Proved,
  type ProveReport,
  previewBefore,
  prove,
  type Selection,
  tryChecks,
} from "../../ulw-loop/prove.ts";
import {
  claimEvent,
  reportCriterion,
  requireClaimable,
  requireCleanup,
  requireOpenGoal,
} from "../../ulw-loop/record.ts";
import { requireNotCancelled } from "../../ulw-loop/take-up.ts";
import { changePlan, requirePlan, type Workspace } from "../../ulw-loop/workspace.ts";
import { requireEvidence } from "../../words/evidence-text.ts";
import type { Context, Output } from "../context.ts";
import { runProgress } from "../progress.ts";

export async function proveCommand(context: Context): Promise<Output> {
  const ws = context.workspace();
  const modes = ["try", "before"].filter((flag) => context.has(flag));
  if (modes.length > 1)
    throw new Refusal("usage_conflict", "--try and --before exclude each other.", {
      expected: "one of them",
      found: "both",
      next: ["proofgate help prove"],
    });
  const ids = context.invocation.positionals;
  if (ids.length > 0 && context.has("all"))
    throw new Refusal("usage_conflict", "--all and ids exclude each other.", {
      expected: "one of them",
      found: "both",
      next: ["proofgate help prove"],
    });
  const goalId = context.value("goal-id");
  const selection: Selection =
    ids.length > 0
      ? { kind: "named", goalId, ids }
      : context.has("all")
        ? { kind: "all" }
        : { kind: "current", goalId };
  const onStart = (what: string): void => context.progress(`running ${what} …`);
  if (context.has("before")) {
    const seen = await previewBefore(ws, selection, { onStart });
    return {
      text:
        seen
          .map((s) => `${s.ref}  ${pad(s.before.outcome.replace("_", " "), 10)}  ${shown(s.before.saw)}`)
          .join("\n") || "nothing to run",
      json: { before: seen },
    };
  }
  const progress = runProgress(context);
  try {
    const report = context.has("try")
      ? await tryChecks(ws, selection, progress)
      : await prove(ws, selection, progress);
    return await answer(ws, report, context.has("try"));
  } finally {
    progress.end();
  }
}

export async function recordEvidence(context: Context): Promise<Output> {
  const ws = context.workspace();
  const status = context.need("status");
  const evidence = requireEvidence(context.need("evidence"));
  const notes = context.value("notes");
  if (notes !== undefined) requireEvidence(notes, "--notes");
  const { state: plan } = requirePlan(ws);
  const { goal, criterion } = findCriterion(plan, context.value("goal-id"), context.need("criterion-id"));
  const ref = criterionRef(goal, criterion);
  switch (status) {
    case "pass": {
      if (criterion.check !== null)
        return answer(
          ws,
          await prove(
            ws,
            { kind: "named", ids: [ref] },
            { note: evidence, onStart: (what) => context.progress(`running ${what} …`) },
          ),
          false,
        );
      requireClaimable(goal, criterion);
      return claim(ws, goal, ref, evidence, notes);
    }
    case "fail":
    case "blocked": {
      const { loaded } = changePlan(ws, "record-evidence", (now) => {
        requireNotCancelled(now);
        const found = findCriterion(now, undefined, ref);
        return {
          events: reportCriterion(now, found.goal, found.criterion, {
            status,
            evidence,
            ...(notes === undefined ? {} : { notes }),
          }),
          result: null,
        };
      });
      const after = findGoal(loaded.state, goal.id);
      const step = stepFor(loaded.state, unseen);
      const ended =
        after.status === "failed"
          ? `\n${goal.id} is checkpointed failed: the same failure three times. proofgate ulw-loop complete-goals --retry-failed grants a fresh allowance.`
          : "";
      return {
        text: `${ref}  ${status} recorded${ended}\nnext: ${step.command}`,
        json: {
          results: [{ goal: goal.id, criterion: criterion.id, status, level: "none", receipt: null }],
          goalStatus: after.status,
          ledger: loaded.head,
          next: step,
        },
      };
    }
    default:
      throw new Refusal("usage_bad_value", "--status takes pass, fail or blocked.", {
        expected: "pass, fail or blocked",
        found: JSON.stringify(status.slice(0, 40)),
        next: ["proofgate help record-evidence"],
      });
  }
}

/** A browser or desktop result: the agent's word with an artifact that is there, real and new. Shown as claimed. */
async function claim(
  ws: Workspace,
  goal: Goal,
  ref: string,
  evidence: string,
  notes: string | undefined,
): Promise<Output> {
  requireOpenGoal(goal);
  const { criterion } = findCriterion(requirePlan(ws).state, undefined, ref);
  requireCleanup(ref, evidence);
  const named =
    /(?:^|[\s"'(])([\w@.+/-]+\.[A-Za-z0-9]{2,5})(?=$|[\s"'),|;])/.exec(evidence)?.[1] ??
    criterion.expectedEvidence;
  const since = "since" in goal ? goal.since : requirePlan(ws).state.createdAt;
  const data = readClaimed(ws.place, named, since);
  const extension = /\.[A-Za-z0-9]+$/.exec(named)?.[0] ?? ".png";
  const target = artifactPath(goal, criterion).replace(/\.[A-Za-z0-9]+$/, extension);
  const artifact = saveArtifact(ws.place, target, data);
  const tree = await fingerprint(ws.place.root);
  const { loaded } = changePlan(ws, "record-evidence", (now) => {
    requireNotCancelled(now);
    const found = findCriterion(now, undefined, ref);
    return {
      events: [
        claimEvent(found.goal, found.criterion, {
          tree: tree.id,
          covered: coveredBy(tree, null, []),
          artifact,
          evidence,
          ...(notes === undefined ? {} : { notes }),
        }),
      ],
      result: null,
    };
  });
  rememberTree(ws.place, tree, loaded.state);
  const next = stepFor(loaded.state, presentOf(ws.place, tree, { thorough: false }));
  return {
    text: `${ref}  claimed    the agent's word, with ${artifact.path}\nnext: ${next.command}`,
    json: {
      results: [
        { goal: goal.id, criterion: criterion.id, status: "pass", level: "attested", receipt: { artifact } },
      ],
      ledger: loaded.head,
      next,
    },
  };
}

async function answer(ws: Workspace, report: ProveReport, tried: boolean): Promise<Output> {
  const { results, skipped, loaded } = report;
  const plan = loaded.state;
  const present = presentOf(ws.place, await fingerprint(ws.place.root), { thorough: false });
  const assessed = assessPlan(plan, present);
  const failed = results.some((r) => r.outcome.kind !== "pass");
  const step = failed
    ? { why: "mend what failed", command: "proofgate prove" }
    : nextStep(plan, assessed, present);
  const statePath = ws.place.goalsPath.replace(/\/goals\.json$/, "");
  const mute = results.some((r) => r.outcome.kind === "fail") && sandboxed(ws.env) && (await mutesChildren());
  const lines = [
    ...results.flatMap((r) => provedLines(r, statePath, tried)),
    ...(mute ? [MUTE] : []),
    ...skipped.map((s) => `${s.ref}  skipped    ${s.why}`),
    ...(results.length === 0 && skipped.length === 0
      ? ["nothing to prove: everything asked for is proven and fresh"]
      : []),
    ...(tried ? ["nothing was recorded (--try)"] : []),
    failed ? "next: mend it, then proofgate prove" : `next: ${step.command}`,
  ];
  return {
    text: bounded(lines),
    json: {
      results: results.map((r) => resultJson(r, plan)),
      skipped,
      ...(mute ? { sandbox: MUTE } : {}),
      ledger: loaded.head,
      next: step,
      ...(failed ? { error: failure(results) } : {}),
    },
    exit: failed ? 1 : 0,
  };
}

const MUTE =
  "note: in this sandbox what a Node program's child prints is lost, without an error: a test that reads it fails for that alone. Ask for an escalated run of proofgate prove, or for network access.";

/** A mutating command prints 1.5 KB at most (design: budgets); failures come whole before passes are listed. */
function bounded(lines: readonly string[]): string {
  const text = lines.join("\n");
  if (text.length <= 1500) return text;
  const last = lines.at(-1) ?? "";
  let used = last.length + 40;
  const kept = lines.slice(0, -1).filter((line) => {
    used += line.length + 1;
    return used <= 1500;
  });
  return [...kept, `… ${lines.length - 1 - kept.length} lines more: proofgate status`, last].join("\n");
}

function failure(results: readonly Proved[]) {
  const bad = results.filter((r) => r.outcome.kind !== "pass");
  const failed = bad.some((r) => r.outcome.kind === "fail" || r.outcome.kind === "flaky");
  return {
    code: failed ? "check_failed" : "check_inconclusive",
    message: `${bad.length} of ${results.length} not proven: ${bad.map((r) => `${r.goal}-${r.criterion} ${r.outcome.kind.replace("_", " ")}${"what" in r.outcome ? ` (${r.outcome.what})` : ""}`).join(", ")}`,
    nextActions: [failed ? "mend it, then proofgate prove" : "see docs/checks.md, then proofgate prove"],
  };
}

function resultJson(result: Proved, plan: Plan) {
  const { criterion } = findCriterion(plan, result.goal, result.criterion);
  const { outcome } = result;
  return {
    goal: result.goal,
    criterion: result.criterion,
    status:
      outcome.kind === "pass"
        ? "pass"
        : outcome.kind === "fail" || outcome.kind === "flaky"
          ? "fail"
          : criterion.status,
    outcome: outcome.kind,
    level: outcome.kind === "pass" ? "captured" : "none",
    ...(outcome.kind === "pass"
      ? { before: outcome.before.outcome, beforeWords: beforeWords(outcome.before) }
      : {}),
    ...(outcome.kind === "fail"
      ? { expectation: outcome.expectation, wanted: outcome.wanted, got: outcome.got }
      : {}),
    ...("what" in outcome ? { why: outcome.what } : {}),
    ...(outcome.kind === "moved" ? { moved: outcome.paths } : {}),
    receipt: result.receipt,
  };
}
