/** `install`, `update`, `uninstall`: shows what will be done, asks, does it. */

import { apply } from "../../../scripts/installer/apply.ts";
import { type Facts, readFacts } from "../../../scripts/installer/facts.ts";
import { findHost, type Host } from "../../../scripts/installer/host.ts";
import { type Plan, planInstall } from "../../../scripts/installer/plan.ts";
import { readRecord } from "../../../scripts/installer/record.ts";
import { marketBeside } from "../../../scripts/installer/source.ts";
import { type Spots, spotsOf } from "../../../scripts/installer/spots.ts";
import { applyUninstall, planUninstall } from "../../../scripts/installer/undo.ts";
import { Refusal } from "../../errors.ts";
import { shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";
import { declined, hostOf, list, requireTerminal, said, scopeOf, takingTurns, yes } from "./confirm.ts";

const openCode = () => import("./install-opencode.ts");

export async function installCommand(context: Context): Promise<Output> {
  if (hostOf(context) === "opencode") return (await openCode()).install(context);
  const scope = scopeOf(context) ?? "user";
  const spots = spotsOf(context.env);
  return takingTurns(context, spots, () => install(context, spots, scope));
}

export async function updateCommand(context: Context): Promise<Output> {
  if (hostOf(context) === "opencode") return (await openCode()).update(context);
  const spots = spotsOf(context.env);
  const record = readRecord(spots);
  if (record === null || (record.scope === "project" && !record.projects.includes(context.root())))
    throw new Refusal("not_installed", "There is nothing here to update.", {
      expected: spots.record,
      found: record === null ? "no record" : "a record of other projects",
      next: ["proofgate install codex"],
    });
  return takingTurns(context, spots, () => install(context, spots, record.scope));
}

async function install(context: Context, spots: Spots, scope: "user" | "project"): Promise<Output> {
  const host = await findHost(spots, context.env);
  const wish = {
    scope,
    root: scope === "project" ? context.root() : null,
    market: marketBeside(process.argv[1] ?? ""),
  };
  const facts = readFacts(spots, host, wish);
  const dry = context.has("dry-run");
  let plan = planInstall(facts, context.has("trust-hooks"));
  if (!dry && !context.has("yes")) {
    requireTerminal(context, plan.actions, "install codex");
    if (plan.trusted === false) {
      const hooks = facts.source.hooks.length;
      process.stderr.write(
        `The plugin brings ${hooks} hooks. Codex skips hooks that nobody trusted, in silence.\n`,
      );
      if (await yes("Trust them? [y/N] ")) plan = planInstall(facts, true);
    }
    const no = await declined(context, plan.actions, "install codex");
    if (no !== null) return no;
  }
  if (!dry) await apply(facts, plan, context.env, ({ what, where }) => context.progress(`${what}: ${where}`));
  return installed(facts, plan, dry);
}

const TRUST = {
  true: "trusted",
  false:
    "NOT TRUSTED. Codex skips untrusted hooks in silence: there is no gate until you trust them, here or in Codex (/hooks).",
  null: "trusted in Codex itself; proofgate doctor asks it whether they still are",
};

function installed(facts: Facts, plan: Plan, dry: boolean): Output {
  const { host, source } = facts;
  const trust = plan.actions.some(({ kind }) => kind === "trust") ? " --trust-hooks" : "";
  const next = dry
    ? { why: "nothing was done yet", command: `proofgate install codex${trust}` }
    : plan.trusted === false
      ? { why: "the hooks are not trusted", command: "proofgate install codex --trust-hooks" }
      : { why: "see that it works", command: "proofgate doctor" };
  const head =
    plan.actions.length === 0
      ? `Nothing to do: version ${source.version} is in place for Codex ${host.version}.`
      : `${dry ? "Would do" : "Done"}, for Codex ${host.version}:`;
  return {
    text: [
      head,
      ...(plan.actions.length === 0 ? [] : [list(plan.actions)]),
      ...plan.notes.map((note) => `note: ${shown(note)}`),
      `hooks: ${TRUST[`${plan.trusted}`]}`,
      ...(dry ? [] : ["Codex sees it in sessions that begin from now on."]),
      `next: ${next.command}`,
    ].join("\n"),
    json: {
      done: !dry,
      host,
      version: source.version,
      actions: said(plan.actions),
      notes: plan.notes,
      trusted: plan.trusted,
      next,
    },
  };
}

export async function uninstallCommand(context: Context): Promise<Output> {
  if (hostOf(context) === "opencode") return (await openCode()).uninstall(context);
  const spots = spotsOf(context.env);
  return takingTurns(context, spots, () => uninstall(context, spots));
}

async function uninstall(context: Context, spots: Spots): Promise<Output> {
  const project = scopeOf(context) === "project" ? context.root() : null;
  const host = await hostIfThere(spots, context.env);
  const plan = planUninstall(spots, host, project);
  const dry = context.has("dry-run");
  if (!dry && !context.has("yes")) {
    const no = await declined(context, plan.actions, "uninstall codex");
    if (no !== null) return no;
  }
  if (!dry) await applyUninstall(spots, host, plan, project, context.env);
  return {
    text: [
      dry ? "Would do:" : "Done:",
      list(plan.actions),
      ...plan.notes.map((note) => `note: ${shown(note)}`),
    ].join("\n"),
    json: { done: !dry, actions: said(plan.actions), notes: plan.notes },
  };
}

/** Uninstalling works without the host too; its part is then done by hand. */
async function hostIfThere(spots: Spots, env: NodeJS.ProcessEnv): Promise<Host | null> {
  try {
    return await findHost(spots, env);
  } catch (error) {
    if (error instanceof Refusal && error.code === "host_missing") return null;
    throw error;
  }
}
