/** What is left behind when somebody breaks a run off: a line that says so, written before the process ends. */

import type { PlanEvent } from "./events.ts";
import type { Target } from "./run-proof.ts";
import { changePlan, type Workspace } from "./workspace.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Watch {
  /** These criteria run from now on. @returns call it when their run is over */
  begin(targets: readonly Target[]): () => void;
  /** Nobody is watched any more. */
  end(): void;
}

/**
 * Watches for the signals that end this process. What runs then is recorded as interrupted; ending its programs, and then
 * this process, is left to whoever runs them, or done here where nothing runs.
 */
export function watchInterruptions(ws: Workspace): Watch {
  const running = new Map<readonly Target[], number>();
  const lift = (): void => {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
  };
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      lift();
      const events = [...running].flatMap(([targets, since]) =>
        targets.map(
          ({ goal, criterion }): PlanEvent => ({
            type: "criterion_interrupted",
            goal: goal.id,
            criterion: criterion.id,
            signal,
            afterMs: Math.round(performance.now() - since),
          }),
        ),
      );
      try {
        if (events.length > 0) changePlan(ws, "prove", () => ({ events, result: null }));
      } catch {
        // The end is not held up by a ledger that cannot be written.
      }
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return {
    begin(targets) {
      running.set(targets, performance.now());
      return () => void running.delete(targets);
    },
    end: lift,
  };
}
