/** What `install`, `update` and `uninstall` have in common, whichever the host: which one is meant, the list, the question. */

import { createInterface } from "node:readline/promises";
import { inTurn } from "../../../scripts/installer/turn.ts";
import { Refusal } from "../../errors.ts";
import { pad, shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";

export interface Listed {
  readonly kind: string;
  readonly what: string;
  readonly where: string;
}

/** A preview changes nothing and waits for nobody. */
export function takingTurns(
  context: Context,
  spots: { readonly turn: string },
  act: () => Promise<Output>,
): Promise<Output> {
  return context.has("dry-run") ? act() : inTurn(spots, act);
}

export const said = (actions: readonly Listed[]): readonly Listed[] =>
  actions.map(({ kind, what, where }) => ({ kind, what, where }));

/** A line for each, with `~` for the home folder. */
export function list(actions: readonly Listed[], home = process.env.HOME ?? ""): string {
  const column = Math.max(0, ...actions.map(({ kind }) => kind.length)) + 2;
  const short = (text: string): string => shown(home === "" ? text : text.replaceAll(`${home}/`, "~/"));
  return actions
    .map(({ kind, what, where }) =>
      kind === "host"
        ? `  ${pad(kind, column)}${short(what)}`
        : `  ${pad(kind, column)}${short(where)}  (${short(what)})`,
    )
    .join("\n");
}

/** @throws Refusal `usage_bad_value` unless exactly one host is named */
export function hostOf(context: Context): "codex" | "opencode" {
  const [host, ...more] = context.invocation.positionals;
  if ((host === "codex" || host === "opencode") && more.length === 0) return host;
  const name = context.invocation.command?.name ?? "install";
  throw new Refusal("usage_bad_value", `${name} takes the name of one host: codex or opencode.`, {
    expected: `proofgate ${name} codex, or proofgate ${name} opencode`,
    found: host === undefined ? "no host" : JSON.stringify([host, ...more].join(" ").slice(0, 60)),
    next: [`proofgate ${name} codex --dry-run`, `proofgate ${name} opencode --dry-run`],
  });
}

export function scopeOf(context: Context): "user" | "project" | undefined {
  const value = context.value("scope");
  if (value === undefined || value === "user" || value === "project") return value;
  throw new Refusal("usage_bad_value", "--scope takes user or project.", {
    expected: "user or project",
    found: JSON.stringify(value.slice(0, 40)),
    next: [`proofgate help ${context.invocation.command?.name ?? "install"}`],
  });
}

/** What changes files outside the repository is asked about, or was agreed to with `--yes`. */
export function requireTerminal(context: Context, actions: readonly Listed[], command: string): void {
  if (actions.length === 0 || context.writer.kind === "user") return;
  const [name = command] = command.split(" ");
  throw new Refusal("confirmation_needed", `Nobody is here to ask; ${name} needs --yes.`, {
    expected: "a terminal, or --yes",
    found: `${actions.length} changes outside the repository`,
    next: [`proofgate ${command} --dry-run`, `proofgate ${command} --yes`],
  });
}

/** @returns what to answer when the user said no; null when it may be done */
export async function declined(
  context: Context,
  actions: readonly Listed[],
  command: string,
): Promise<Output | null> {
  requireTerminal(context, actions, command);
  if (actions.length === 0) return null;
  process.stderr.write(`${list(actions)}\n`);
  if (await yes("Do this? [y/N] ")) return null;
  return { text: "Nothing was changed.", json: { done: false, actions: [] }, exit: 1 };
}

export async function yes(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = (await prompt.question(question)).trim().toLowerCase();
  prompt.close();
  return answer === "y" || answer === "yes";
}
