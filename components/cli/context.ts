/** What a command handler gets, and what it answers. */

import { existsSync, statSync } from "node:fs";
import { Refusal } from "../errors.ts";
import { findRootFast } from "../evidence/git-folders.ts";
import type { Writer } from "../journal/types.ts";
import { openWorkspace, type Workspace } from "../ulw-loop/workspace.ts";
import type { Invocation } from "./args.ts";
import { isTerminal } from "./terminal.ts";
import { writerFrom } from "./writer.ts";

export interface Output {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** 0 unless said otherwise. */
  readonly exit?: 0 | 1 | 3;
}

export interface Context {
  readonly invocation: Invocation;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly writer: Writer;
  /** Standard output is a terminal: colours and progress are welcome. */
  readonly terminal: boolean;
  /** The root's state; opened once, on first use. */
  workspace(): Workspace;
  root(): string;
  /** A value, or undefined. */
  value(flag: string): string | undefined;
  /** Values of a flag that may be repeated. */
  list(flag: string): readonly string[];
  /** @throws Refusal `usage_missing_flag` */
  need(flag: string): string;
  has(flag: string): boolean;
  /** A line about what is going on, for a person at a terminal; nothing elsewhere. */
  progress(line: string): void;
}

export function makeContext(invocation: Invocation, env: NodeJS.ProcessEnv, cwd: string): Context {
  const terminal = isTerminal(1);
  const writer = writerFrom(env, terminal && isTerminal(0));
  let opened: Workspace | undefined;
  let root: string | undefined;
  const context: Context = {
    invocation,
    cwd,
    env,
    writer,
    terminal,
    root() {
      root ??= findRootFast(cwd).root;
      return root;
    },
    workspace() {
      opened ??= openWorkspace({ root: context.root(), session: sessionOf(invocation, env), writer, env });
      return opened;
    },
    value: (flag) => invocation.values[flag],
    list: (flag) => invocation.lists[flag] ?? [],
    need(flag) {
      const value = invocation.values[flag];
      if (value !== undefined) return value;
      const { command } = invocation;
      throw new Refusal("usage_missing_flag", `--${flag} is missing.`, {
        expected: `--${flag} ${command?.flags[flag]?.value ?? ""}`.trim(),
        found: "no such flag",
        next: [`proofgate help ${command?.name ?? ""}`.trim()],
      });
    },
    has: (flag) => invocation.switches.has(flag),
    progress(line) {
      if (terminal && !invocation.switches.has("json")) process.stderr.write(`${line}\n`);
    },
  };
  return context;
}

function sessionOf(invocation: Invocation, env: NodeJS.ProcessEnv): string | null {
  return invocation.values["session-id"] ?? (env.OMO_ULW_LOOP_SESSION_ID || null);
}

/** The working directory may have been removed under us. @throws Refusal `file_unreadable` */
export function currentFolder(): string {
  try {
    const cwd = process.cwd();
    if (existsSync(cwd) && statSync(cwd).isDirectory()) return cwd;
  } catch {
    // Said below.
  }
  throw new Refusal("file_unreadable", "The working directory does not exist.", {
    expected: "an existing folder",
    found: "none",
    next: ["cd to the repository"],
  });
}
