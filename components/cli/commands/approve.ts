/** `approve`: the user reads what would be agreed to, and says yes or no at the terminal. */

import { createInterface } from "node:readline/promises";
import { cut, shown } from "../../report/text.ts";
import { approve, requireUser, subjects } from "../../ulw-loop/approve.ts";
import { requirePlan } from "../../ulw-loop/workspace.ts";
import type { Context, Output } from "../context.ts";

export async function approveCommand(context: Context): Promise<Output> {
  requireUser(context.writer);
  const ws = context.workspace();
  const { state: plan, head } = requirePlan(ws);
  const open = subjects(ws, plan);
  if (open.criteria.length === 0 && open.weakenings.length === 0)
    return { text: "Nothing waits for your approval.", json: { approved: [], ledger: head } };
  const lines = [
    `"${shown(plan.title)}"`,
    ...(open.weakenings.length > 0
      ? [
          "These make the plan easier to finish:",
          ...open.weakenings.map((w) => `  ${w.id} ${w.kind.replace("_", " ")}: ${cut(shown(w.what), 200)}`),
        ]
      : []),
    ...(open.criteria.length > 0
      ? [
          "These criteria would count as agreed, also where nothing failed before the work:",
          ...open.criteria.map(
            (c) => `  ${c.ref} ${cut(shown(c.scenario), 100)}\n      runs: ${cut(shown(c.run), 120)}`,
          ),
        ]
      : []),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = (await prompt.question("Approve all of this? [y/N] ")).trim().toLowerCase();
  prompt.close();
  if (answer !== "y" && answer !== "yes")
    return { text: "Nothing was approved.", json: { approved: [], ledger: head }, exit: 1 };
  const loaded = approve(ws, plan, open);
  const approved = [...open.weakenings.map((w) => w.id), ...open.criteria.map((c) => c.ref)];
  return {
    text: `Approved: ${approved.join(" ")}\nnext: proofgate next`,
    json: { approved, ledger: loaded.head, next: { why: "approved", command: "proofgate next" } },
  };
}
