/** What a scripted agent does, in words that are the same for every host. */

/** One thing that the agent does: a shell line, a tool, or a turn that only one host's model knows. */
export type Step<Turn> = Common | { readonly turn: (id: string) => Turn };

type Common =
  | { readonly sh: string }
  | { readonly tool: string; readonly args?: Readonly<Record<string, unknown>> };

/** Steps may be made from what came back so far. */
export type Steps<Turn> = readonly (Step<Turn> | ((outputs: readonly string[]) => Step<Turn>))[];

export const sh = (line: string): Common => ({ sh: line });
export const createGoal = (objective: string): Common => ({ tool: "create_goal", args: { objective } });
export const updateGoal = (status: string): Common => ({ tool: "update_goal", args: { status } });
/** It ends its turn. */
export const say = (text: string): Step<Say> => ({ turn: () => ({ say: text }) });
export const getGoal: Common = { tool: "get_goal" };

interface Say {
  readonly say: string;
}

export interface StepScript<Turn> {
  readonly turn: (seen: { readonly outputs: ReadonlyMap<string, string> }) => Turn | Say;
  /** What came back for each step that was answered so far. */
  readonly outputs: readonly string[];
  /** Every step was taken, and more was asked for. */
  ended(): boolean;
}

let scripts = 0;

/**
 * The steps one after another; whoever asks for more turns than there are steps is told that all is done.
 * @param turnOf how the host's model is told to take a step
 */
export function stepScript<Turn>(
  steps: Steps<Turn>,
  turnOf: (step: Common, id: string) => Turn,
): StepScript<Turn> {
  const outputs: string[] = [];
  let asked = 0;
  let ended = false;
  // A session that goes on repeats the calls of those before it.
  const mark = `${Date.now().toString(36)}${++scripts}`;
  const idOf = (index: number): string => `step_${mark}_${index}`;
  return {
    outputs,
    ended: () => ended,
    turn(seen) {
      // A stop that is held back asks for more turns than there are steps.
      if (outputs.length < asked) outputs.push(seen.outputs.get(idOf(asked - 1)) ?? "");
      const step = steps[asked];
      if (step === undefined) {
        ended = true;
        return { say: "done" };
      }
      const id = idOf(asked++);
      const now = typeof step === "function" ? step(outputs) : step;
      return "turn" in now ? now.turn(id) : turnOf(now, id);
    },
  };
}
