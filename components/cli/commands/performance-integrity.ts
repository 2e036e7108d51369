/** `performance-goal` verify and repair: is the state what the ledger says, and how to get there again. */

import { Refusal } from "../../errors.ts";
import { documentChange } from "../../performance-goal/document.ts";
import { slugFrom } from "../../performance-goal/place.ts";
import { restoreGoal } from "../../performance-goal/restore.ts";
import { anchorHolds, type Workspace } from "../../performance-goal/workspace.ts";
import { cut, shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";
import { goalOf, workspaceOf } from "./performance-kit.ts";

export async function verifyCommand(context: Context): Promise<Output> {
  const ws = goalOf(context);
  const report = ws.journal.verify();
  const problems = [...report.problems];
  const loaded = report.valid ? ws.journal.read() : null;
  const anchor = ws.witness.anchor(ws.place.dir);
  if (report.valid && anchor !== null && (loaded === null || !anchorHolds(ws, loaded)))
    problems.push({
      where: `line ${anchor.seq}`,
      code: "state_missing",
      message: `the witness store knows this line with hash ${anchor.hash.slice(0, 12)}…; here it is another one or missing`,
    });
  const edited = loaded === null ? null : documentChange(ws.place, loaded.state);
  const valid = problems.length === 0;
  const command = `proofgate performance-goal repair --slug ${ws.place.slug}`;
  const lines = problems.map(({ where, message }) => `${where}: ${cut(shown(message), 200)}`);
  return {
    text: valid
      ? [
          `ok: ${report.lines} ledger lines, head ${report.head.hash.slice(0, 12)}`,
          ...(edited === null ? [] : [`note: ${edited}`]),
        ].join("\n")
      : [...lines, `next: ${command}`].join("\n"),
    json: {
      valid,
      problems,
      lines: report.lines,
      ledger: report.head,
      ...(valid
        ? {}
        : { error: { code: "state_damaged", message: lines.join("; "), nextActions: [command] } }),
    },
    exit: valid ? 0 : 3,
  };
}

export async function repairCommand(context: Context): Promise<Output> {
  const ws = repairable(context);
  const { restored, actions, lost, copies } = restoreGoal(ws);
  const text = [
    ...(restored === null ? [] : [restored]),
    ...actions,
    ...lost.map((one) => `lost: ${one}`),
    ...(restored === null && actions.length + lost.length === 0 ? ["nothing to repair"] : []),
    ...(copies === null ? [] : [`copies of what was replaced: ${copies}`]),
    ...(lost.length > 0
      ? ["the user has to approve the loss before the goal can be complete: proofgate approve"]
      : []),
    `next: proofgate performance-goal status --slug ${ws.place.slug}`,
  ];
  return {
    text: text.map((line) => cut(shown(line), 300)).join("\n"),
    json: {
      slug: ws.place.slug,
      repaired: restored !== null || actions.length > 0,
      actions: [...(restored === null ? [] : [restored]), ...actions],
      lost,
      copies,
      ledger: ws.journal.read()?.head ?? null,
      next: { why: "repaired", command: `proofgate performance-goal status --slug ${ws.place.slug}` },
    },
  };
}

/** A goal whose files are gone is on no list: a slug that was given is taken at its word. */
function repairable(context: Context): Workspace {
  try {
    return goalOf(context);
  } catch (error) {
    const slug = context.value("slug");
    const isGone = error instanceof Refusal && (error.code === "no_plan" || error.code === "state_missing");
    if (!isGone || slug === undefined) throw error;
    const ws = workspaceOf(context, slugFrom(slug));
    if (ws.witness.anchor(ws.place.dir) === null) throw error;
    return ws;
  }
}
