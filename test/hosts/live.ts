/** A script that is told what to do while the host runs: each step waits for the caller to say the next one. */

/** One session of a real host, led step by step. */
export interface Live {
  /** A shell line of the agent's. @returns what the model sees of it */
  sh(line: string): Promise<string>;
  tool(name: string, args: Readonly<Record<string, unknown>>): Promise<string>;
  /** Ends the session and waits for the host. */
  end(): Promise<void>;
}

interface Asked<Turn> {
  readonly turn: (id: string) => Turn;
  settle(output: string): void;
  fail(error: Error): void;
}

export interface LiveScript<Turn> {
  /** What the scripted model answers. */
  script(seen: { readonly outputs: ReadonlyMap<string, string> }): Promise<Turn | { readonly say: string }>;
  /** @param turn how the model takes the step, with its id. @returns what came back for it */
  ask(turn: (id: string) => Turn): Promise<string>;
  /** No more steps; the model says that it is done. */
  end(): void;
  /** The host has ended: whoever waits is told. */
  over(error: Error): void;
}

let scripts = 0;

export function liveScript<Turn>(): LiveScript<Turn> {
  // A model that serves several sessions knows answers by these ids alone.
  const mark = ++scripts;
  const waiting: Asked<Turn>[] = [];
  let wake: () => void = () => undefined;
  let running: { readonly id: string; readonly asked: Asked<Turn> } | null = null;
  let ended = false;
  let count = 0;
  return {
    async script(seen) {
      const output = running === null ? undefined : seen.outputs.get(running.id);
      if (running !== null && output !== undefined) {
        running.asked.settle(output);
        running = null;
      }
      while (waiting.length === 0 && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const asked = waiting.shift();
      if (asked === undefined) return { say: "done" };
      running = { id: `live_${mark}_${++count}`, asked };
      return asked.turn(running.id);
    },
    ask: (turn) =>
      new Promise((settle, fail) => {
        if (ended) return fail(new Error("the host has ended"));
        waiting.push({ turn, settle, fail });
        wake();
      }),
    end() {
      ended = true;
      wake();
    },
    over(error) {
      ended = true;
      running?.asked.fail(error);
      for (const asked of waiting.splice(0)) asked.fail(error);
    },
  };
}
