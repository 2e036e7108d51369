/** Runs a hook as the host would, with a payload that asks for nothing, in an empty folder, and judges what it says. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "./config-text.ts";
import { bad, type Finding, ok } from "./finding.ts";
import { type Answer, lastLine, runProgram } from "./host.ts";
import { concernsGoals } from "./matcher.ts";
import type { ListedHook } from "./trust.ts";

/** A call of each kind that hooks ask for. `blocked` always passes, so nothing may be denied. */
const SHELL = { tool_name: "Bash", tool_input: { command: "true" }, tool_use_id: "doctor" };
const OF_SHELL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  preToolUse: SHELL,
  postToolUse: { ...SHELL, tool_response: "" },
};

/** What the payload of an event adds to the common members. */
const PAYLOADS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  preToolUse: { tool_name: "update_goal", tool_input: { status: "blocked" }, tool_use_id: "doctor" },
  postToolUse: {
    tool_name: "get_goal",
    tool_input: {},
    tool_response: { goal: null, remainingTokens: null, completionBudgetReport: null },
    tool_use_id: "doctor",
  },
  permissionRequest: { tool_name: "Bash", tool_input: { command: "true" } },
  userPromptSubmit: { prompt: "hello" },
  sessionStart: { source: "startup" },
  sessionEnd: { reason: "other" },
  preCompact: { trigger: "manual" },
  postCompact: { trigger: "manual" },
  subagentStart: { agent_id: "doctor", agent_type: "default" },
  subagentStop: {
    agent_id: "doctor",
    agent_type: "default",
    agent_transcript_path: null,
    stop_hook_active: false,
    last_assistant_message: "",
  },
  stop: { stop_hook_active: false, last_assistant_message: "" },
};

/** The host takes words as context from these events; from all others it wants JSON or nothing. */
const TALKING = new Set(["userPromptSubmit", "sessionStart"]);
/** A member that it does not know makes the host drop the answer, and go on as if there were no gate. */
const KNOWN = new Set([
  "hookSpecificOutput",
  "decision",
  "reason",
  "continue",
  "stopReason",
  "systemMessage",
  "suppressOutput",
]);

const MEND = "proofgate install codex --trust-hooks  (puts the plugin back), then proofgate doctor";

/** @param plugin the host's copy of the plugin */
export async function tryHook(hook: ListedHook, env: NodeJS.ProcessEnv, plugin: string): Promise<Finding[]> {
  const what = `hook ${hook.event}${hook.matcher === null ? "" : ` (${hook.matcher})`} runs`;
  const payload = (concernsGoals(hook) ? PAYLOADS : { ...PAYLOADS, ...OF_SHELL })[hook.event];
  const { answer, ms } = await runHook(hook, env, plugin, payload ?? {}, null);
  if (answer.exit === null)
    return [bad(what, `it did not end within ${hook.timeoutSec} s; the host then lets the call pass`, MEND)];
  if (answer.exit !== 0)
    return [bad(what, `exit ${answer.exit}: ${lastLine(answer.err || answer.out)}`, MEND)];
  const wrong = wrongOutput(hook, answer.out.trim());
  if (wrong !== null) return [bad(what, wrong, MEND)];
  if (hook.event !== "preToolUse" || !concernsGoals(hook)) return [ok(what, `${ms} ms`)];
  return [ok(what, `${ms} ms`), await tryGate(hook, env, plugin)];
}

/**
 * In an empty folder a hook leaves early. Where there is something of ours the whole gate starts; that it cannot is said
 * only to a completion, which it then refuses.
 */
async function tryGate(hook: ListedHook, env: NodeJS.ProcessEnv, plugin: string): Promise<Finding> {
  const what = "gate starts";
  const complete = { ...PAYLOADS.preToolUse, tool_input: { status: "complete" } };
  const { answer, ms } = await runHook(hook, env, plugin, complete, ".proofgate.yaml");
  const refused = /could not be run(?: \(([^)]*)\))?/.exec(answer.out);
  if (answer.exit === 0 && refused === null) return ok(what, `${ms} ms`);
  return bad(
    what,
    refused !== null
      ? `it could not be run: ${refused[1] ?? "no reason given"}`
      : `exit ${answer.exit}: ${lastLine(answer.err)}`,
    `put node (20 or newer) on the PATH that Codex starts with, or ${MEND}`,
  );
}

/** @param file an empty file to put into the folder */
async function runHook(
  hook: ListedHook,
  env: NodeJS.ProcessEnv,
  plugin: string,
  more: Readonly<Record<string, unknown>>,
  file: string | null,
): Promise<{ answer: Answer; ms: number }> {
  const scratch = mkdtempSync(join(tmpdir(), "proofgate-doctor-"));
  const cwd = join(scratch, "empty");
  mkdirSync(cwd);
  if (file !== null) writeFileSync(join(cwd, file), "");
  const payload = {
    session_id: "00000000-0000-7000-8000-000000000000",
    turn_id: "00000000-0000-7000-8000-000000000001",
    transcript_path: null,
    cwd,
    hook_event_name: `${hook.event.charAt(0).toUpperCase()}${hook.event.slice(1)}`,
    model: "doctor",
    permission_mode: "default",
    ...more,
  };
  const started = performance.now();
  try {
    const answer = await runProgram(env.SHELL || "/bin/sh", ["-c", hook.command], {
      cwd,
      env: {
        ...env,
        PLUGIN_ROOT: plugin,
        CLAUDE_PLUGIN_ROOT: plugin,
        // What the hook remembers of this run is nobody's session.
        PLUGIN_DATA: join(scratch, "data"),
        CLAUDE_PLUGIN_DATA: join(scratch, "data"),
        XDG_STATE_HOME: join(scratch, "state"),
      },
      stdin: JSON.stringify(payload),
      timeoutMs: hook.timeoutSec * 1000,
    });
    return { answer, ms: Math.round(performance.now() - started) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** @returns what the host would make of it, null when that is what was meant */
function wrongOutput(hook: ListedHook, out: string): string | null {
  if (out === "") return null;
  let answer: unknown;
  try {
    answer = JSON.parse(out);
  } catch {
    return TALKING.has(hook.event) ? null : `its answer is no JSON: ${out.slice(0, 80)}`;
  }
  const unknown = Object.keys(table(answer)).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) return `its answer has members that the host does not know: ${unknown.join(" ")}`;
  const { decision, hookSpecificOutput } = table(answer);
  const denied = decision === "block" || table(hookSpecificOutput).permissionDecision === "deny";
  return denied
    ? "it refused a call that always has to pass (update_goal blocked, or a stop without a plan)"
    : null;
}
