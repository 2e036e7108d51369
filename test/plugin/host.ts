/** A host played by hand: the payloads that Codex sends, to the hooks of the built plugin. */

import { lstatSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Said, World } from "../helpers/world.ts";

const PLUGIN = join(import.meta.dirname, "..", "..", "dist", "codex", "plugins", "proofgate");
const SESSION = "01a1f865-9437-7830-a3e6-9db0b3831fe6";

const EVENTS = {
  start: "SessionStart",
  prompt: "UserPromptSubmit",
  "pre-goal": "PreToolUse",
  "pre-patch": "PreToolUse",
  "post-goal": "PostToolUse",
  "post-shell": "PostToolUse",
  stop: "Stop",
  "subagent-stop": "SubagentStop",
} as const;
type HookEvent = keyof typeof EVENTS;

interface Call {
  readonly session?: string;
  /** A subagent's thread. */
  readonly agent?: string;
  readonly cwd?: string;
  readonly tool?: string;
  /** The host's id of a tool call. */
  readonly call?: string;
  readonly input?: unknown;
  readonly response?: unknown;
  readonly prompt?: string;
  /** Role of the subagent, and its last words. */
  readonly role?: string;
  readonly says?: string;
  readonly source?: string;
  readonly env?: Record<string, string>;
}

/** What a hook printed; the host would act on it only with exit 0 and JSON of the right form. */
export interface HookSaid {
  readonly exit: number;
  readonly out: string;
  /** Reason of a denial that the host honours; null when the call goes on. */
  readonly denied: string | null;
}

/** Codex in one repository: calls hooks as the host does, and keeps the goal of each thread. */
export class Host {
  private calls = 0;
  readonly goals = new Map<string, { objective: string; status: string }>();

  constructor(
    readonly world: World,
    readonly session = SESSION,
  ) {}

  /** A `proofgate` command of the agent, with the marks that the host gives its shells. */
  agent(...args: string[]): Promise<Said> {
    return this.world.run(args, { json: true, env: this.marks });
  }

  /** The same in a sandbox, as far as the engine can tell: the store outside the repository is out of its reach. */
  sandboxed(...args: string[]): Promise<Said> {
    const nowhere = join(this.world.home, "nowhere");
    // A link that leads to nothing: nobody can make a folder behind it, root neither.
    if (lstatSync(nowhere, { throwIfNoEntry: false }) === undefined) symlinkSync("gone/away", nowhere);
    return this.world.run(args, { json: true, env: { ...this.marks, XDG_STATE_HOME: nowhere } });
  }

  get marks(): Record<string, string> {
    return { CODEX_SESSION_ID: this.session, CODEX_THREAD_ID: this.session, CODEX_CI: "1" };
  }

  /** The host's record of the session, as far as hooks read it: no sandbox. */
  private transcript(): string {
    const path = join(this.world.home, "rollout.jsonl");
    const payload = { cwd: this.world.root, permission_profile: { type: "disabled" } };
    writeFileSync(
      path,
      `${JSON.stringify({ type: "session_meta", payload: {} })}\n${JSON.stringify({ type: "turn_context", payload })}\n`,
    );
    return path;
  }

  async hook(event: HookEvent, call: Call = {}): Promise<HookSaid> {
    const cwd = call.cwd ?? this.world.root;
    if (!realpathSync(cwd).startsWith(join(realpathSync(tmpdir()), "pg-world-")))
      throw new Error(`not a folder of a test's world: ${cwd}`);
    const payload = {
      session_id: call.session ?? this.session,
      turn_id: "1",
      ...(call.agent === undefined ? {} : { agent_id: call.agent, agent_type: call.role ?? "worker" }),
      transcript_path: this.transcript(),
      cwd,
      hook_event_name: EVENTS[event],
      model: "scripted",
      permission_mode: "bypassPermissions",
      tool_name: call.tool ?? "Bash",
      tool_input: call.input ?? {},
      ...(call.response === undefined ? {} : { tool_response: call.response }),
      tool_use_id: call.call ?? "call_0",
      ...(call.prompt === undefined ? {} : { prompt: call.prompt }),
      ...(call.says === undefined ? {} : { last_assistant_message: call.says }),
      ...(call.source === undefined ? {} : { source: call.source }),
    };
    // The hook asks who called it: a process whose command line reads like `codex exec`.
    const line = `sh '${join(PLUGIN, "hooks", "run.sh")}' ${event}; exit $?`;
    const child = Bun.spawn(["sh", "-c", line, "codex", "exec"], {
      cwd,
      env: { ...this.world.env, PLUGIN_ROOT: PLUGIN, ...call.env },
      stdin: new TextEncoder().encode(JSON.stringify(payload)),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, exit] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { exit, out, denied: exit === 0 ? denialIn(out) : null };
  }

  /** What a hook adds to the conversation; empty for nothing. */
  async says(event: "start" | "prompt", call: Call): Promise<string> {
    const { out } = await this.hook(event, call);
    return out === "" ? "" : JSON.parse(out).hookSpecificOutput.additionalContext;
  }

  /** The agent stops. @returns why it is held back, null when it may */
  async stop(call: Call = {}): Promise<{ reason: string; systemMessage?: string } | null> {
    const { out } = await this.hook("stop", call);
    return out === "" ? null : JSON.parse(out);
  }

  /** The agent's `create_goal`. */
  async create(objective: string, agent?: string): Promise<void> {
    const thread = agent ?? this.session;
    this.goals.set(thread, { objective, status: "active" });
    await this.told("create_goal", { objective }, agent);
  }

  /** The agent's `update_goal`. @returns the reason when it was refused, null when the host did it */
  async update(status: string, agent?: string, call: Call = {}): Promise<string | null> {
    const id = `call_${++this.calls}`;
    const goalCall = {
      call: id,
      ...call,
      tool: "update_goal",
      input: { status },
      ...(agent === undefined ? {} : { agent }),
    };
    const said = await this.hook("pre-goal", goalCall);
    if (said.denied !== null) return said.denied;
    const goal = this.goals.get(agent ?? this.session);
    if (goal !== undefined) goal.status = status;
    const after = await this.told("update_goal", { status }, agent, { call: id, ...call });
    return after.out === "" ? null : `afterwards: ${JSON.parse(after.out).reason}`;
  }

  told(tool: string, input: unknown, agent?: string, call: Call = {}): Promise<HookSaid> {
    const goal = this.goals.get(agent ?? this.session) ?? null;
    return this.hook("post-goal", {
      ...call,
      tool,
      input,
      response: { goal },
      ...(agent === undefined ? {} : { agent }),
    });
  }
}

/** Exactly what the real host takes for a denial; anything else lets the call go on. */
function denialIn(out: string): string | null {
  try {
    const { hookSpecificOutput: said, ...rest } = JSON.parse(out);
    const { hookEventName, permissionDecision, permissionDecisionReason, ...more } = said;
    const clean = Object.keys(rest).length + Object.keys(more).length === 0;
    return clean &&
      hookEventName === "PreToolUse" &&
      permissionDecision === "deny" &&
      permissionDecisionReason
      ? permissionDecisionReason
      : null;
  } catch {
    return null;
  }
}
