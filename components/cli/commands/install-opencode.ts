/** `install`, `update`, `uninstall` for OpenCode. */

import { applyOpenCode } from "../../../scripts/installer/opencode/apply.ts";
import { findOpenCode } from "../../../scripts/installer/opencode/host.ts";
import { planOpenCode } from "../../../scripts/installer/opencode/plan.ts";
import { readOpenCodeRecord } from "../../../scripts/installer/opencode/record.ts";
import { sourceBeside } from "../../../scripts/installer/opencode/source.ts";
import { type OpenCodeSpots, openCodeSpots } from "../../../scripts/installer/opencode/spots.ts";
import {
  applyOpenCodeUninstall,
  clearUnfinished,
  planOpenCodeUninstall,
} from "../../../scripts/installer/opencode/undo.ts";
import { Refusal } from "../../errors.ts";
import { shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";
import { declined, list, said, scopeOf, takingTurns } from "./confirm.ts";

export async function install(context: Context): Promise<Output> {
  const scope = scopeOf(context) ?? "user";
  const spots = openCodeSpots(context.env);
  return takingTurns(context, spots, () => installAs(context, spots, scope));
}

export async function update(context: Context): Promise<Output> {
  const spots = openCodeSpots(context.env);
  const record = readOpenCodeRecord(spots);
  if (record === null || (record.scope === "project" && !record.projects.includes(context.root())))
    throw new Refusal("not_installed", "There is nothing here to update.", {
      expected: spots.record,
      found: record === null ? "no record" : "a record of other projects",
      next: ["proofgate install opencode"],
    });
  return takingTurns(context, spots, () => installAs(context, spots, record.scope));
}

async function installAs(context: Context, spots: OpenCodeSpots, scope: "user" | "project"): Promise<Output> {
  const host = await findOpenCode(spots, context.env);
  const source = sourceBeside(process.argv[1] ?? "");
  const root = scope === "project" ? context.root() : null;
  const plan = planOpenCode(spots, host, source, context.env, root);
  const dry = context.has("dry-run");
  if (!dry && !context.has("yes")) {
    const no = await declined(context, plan.actions, "install opencode");
    if (no !== null) return no;
  }
  if (!dry) applyOpenCode(plan, ({ what, where }) => context.progress(`${what}: ${where}`));
  // OpenCode asks nobody about a plugin that its configuration names.
  const notes = context.has("trust-hooks")
    ? [...plan.notes, "--trust-hooks is for Codex: OpenCode runs what its configuration names"]
    : plan.notes;
  const next = dry
    ? {
        why: "nothing was done yet",
        command: `proofgate install opencode${scope === "project" ? " --scope project" : ""}`,
      }
    : { why: "see that it works", command: "proofgate doctor" };
  const head =
    plan.actions.length === 0
      ? `Nothing to do: version ${source.version} is in place for OpenCode ${host.version}.`
      : `${dry ? "Would do" : "Done"}, for OpenCode ${host.version}:`;
  return {
    text: [
      head,
      ...(plan.actions.length === 0 ? [] : [list(plan.actions)]),
      ...notes.map((note) => `note: ${shown(note)}`),
      ...(dry ? [] : ["OpenCode loads it when it is started the next time."]),
      `next: ${next.command}`,
    ].join("\n"),
    json: { done: !dry, host, version: source.version, actions: said(plan.actions), notes, next },
  };
}

export async function uninstall(context: Context): Promise<Output> {
  const spots = openCodeSpots(context.env);
  return takingTurns(context, spots, async () => {
    if (!context.has("dry-run")) clearUnfinished(spots);
    const plan = planOpenCodeUninstall(spots, scopeOf(context) === "project" ? context.root() : null);
    const dry = context.has("dry-run");
    if (!dry && !context.has("yes")) {
      const no = await declined(context, plan.actions, "uninstall opencode");
      if (no !== null) return no;
    }
    if (!dry) applyOpenCodeUninstall(spots, plan);
    return {
      text: [
        dry ? "Would do:" : "Done:",
        list(plan.actions),
        ...plan.notes.map((note) => `note: ${shown(note)}`),
      ].join("\n"),
      json: { done: !dry, actions: said(plan.actions), notes: plan.notes },
    };
  });
}
