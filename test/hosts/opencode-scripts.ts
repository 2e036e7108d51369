/** What the scripted agents of OpenCode's sessions do: root sessions and subagents, several at a time. */

import type { ChatSeen, ChatTurn } from "../../scripts/host/scripted-chat.ts";
import type { ModelRequest } from "../../scripts/host/scripted-server.ts";
import { type Steps as HostSteps, type StepScript, stepScript } from "./steps.ts";

/** For one prompt and all that the host makes of it, in milliseconds. */
export const PROMPT_MS = 400_000;

export type Steps = HostSteps<ChatTurn>;

/** What comes back of a completion that the gate refused. */
export const refused = /^Not complete/;

/** What a subagent does, whose task holds the mark. */
export interface Child {
  readonly mark: string;
  readonly steps: Steps;
}

/** The scripts of sessions that live at the same time. */
export class Scripts {
  readonly #roots = new Map<string, StepScript<ChatTurn>>();
  readonly #children: { readonly mark: string; readonly script: StepScript<ChatTurn> }[] = [];

  /** @param session empty: every root session's */
  set(session: string, steps: Steps): StepScript<ChatTurn> {
    const script = stepScript(steps, turnOf);
    this.#roots.set(session, script);
    return script;
  }

  child({ mark, steps }: Child): void {
    this.#children.push({ mark, script: stepScript(steps, turnOf) });
  }

  turn(seen: ChatSeen): ChatTurn {
    if (seen.parent !== null) {
      const task = JSON.stringify(seen.messages);
      const child = this.#children.findLast(({ mark }) => task.includes(mark));
      return child?.script.turn(seen) ?? { say: "nothing to do" };
    }
    const root = this.#roots.get(seen.session) ?? this.#roots.get("");
    if (root === undefined) throw new Error(`nobody said what session ${seen.session} does`);
    return root.turn(seen);
  }
}

const turnOf: Parameters<typeof stepScript<ChatTurn>>[1] = (step, id) =>
  "sh" in step
    ? { id, call: "bash", args: { command: step.sh, description: "a step" } }
    : { id, call: step.tool, args: step.args ?? {} };

const LOOK_MS = 20;
/** What comes by itself comes at once: when nothing came for so long, nothing will come. In milliseconds. */
const QUIET_MS = 1500;

/** @throws Error when it is not reached in time */
export async function until(reached: () => boolean, otherwise: string): Promise<void> {
  for (const late = Date.now() + PROMPT_MS; !reached(); ) {
    if (Date.now() > late) throw new Error(`${otherwise} within ${PROMPT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Waits until the count grows no more. @returns it */
export async function quiet(count: () => number): Promise<number> {
  for (let since = Date.now(), known = count(); Date.now() - since < QUIET_MS; ) {
    if (known !== count()) [since, known] = [Date.now(), count()];
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return count();
}

/** All that the model was sent, as text. */
export const heard = (requests: readonly ModelRequest[]): string =>
  JSON.stringify(requests.map((one) => one.body.messages));

/** @throws Error when the script failed, or its steps were not all taken */
export function expectPlayed(
  failure: Error | null,
  { outputs }: StepScript<ChatTurn>,
  steps: Steps,
  transcript: string,
): void {
  if (failure !== null) throw new Error(`${failure.message}\n${transcript}`);
  if (outputs.length < steps.length)
    throw new Error(
      `OpenCode ended after ${outputs.length} of ${steps.length} steps: ${JSON.stringify(outputs)}\n${transcript}`,
    );
}
