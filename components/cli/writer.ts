/** Who is typing: a person at a terminal, or an agent's shell. Told from the environment; docs/trust.md says what that is worth. */

import type { Writer } from "../journal/types.ts";

/** Variables that hosts and agents set in the shells they start. */
const AGENT_MARKS = [
  "CODEX_THREAD_ID",
  "CODEX_SESSION_ID",
  "CODEX_CI",
  "OPENCODE",
  "OPENCODE_PID",
  "CLAUDECODE",
  "CURSOR_AGENT",
  "GEMINI_CLI",
  "AI_AGENT",
  "AIDER_CHAT",
];

/** @param interactive standard input and output are a terminal */
export function writerFrom(env: NodeJS.ProcessEnv, interactive: boolean): Writer {
  const session = env.CODEX_SESSION_ID || env.CODEX_THREAD_ID || env.OPENCODE_SESSION_ID || null;
  const marked = AGENT_MARKS.some((name) => (env[name] ?? "") !== "");
  if (!marked)
    return { kind: interactive ? "user" : "agent", host: interactive ? "terminal" : "none", session };
  const host =
    env.CODEX_THREAD_ID || env.CODEX_SESSION_ID || env.CODEX_CI
      ? "codex"
      : env.OPENCODE || env.OPENCODE_PID
        ? "opencode"
        : "none";
  return { kind: "agent", host, session };
}
