/** What a person at a terminal sees while runs go on: one line, rewritten, with what runs and for how long. */

import { duration } from "../report/text.ts";
import type { ProveHooks } from "../ulw-loop/prove.ts";
import type { Context } from "./context.ts";

const EVERY_MS = 500;
/** Back to the beginning of the line, and clear it. */
const CLEAR = "\r\u001b[K";

/** Hooks that write to a terminal's standard error, and nothing where there is none, or where JSON is asked for. */
export function runProgress(context: Context): ProveHooks & { end(): void } {
  if (!context.terminal || context.has("json") || !process.stderr.isTTY) return { end: () => {} };
  const running = new Map<string, number>();
  let [total, over] = [0, 0];
  const draw = (): void => {
    const now = performance.now();
    const each = [...running].map(([what, since]) => `${what} ${duration(Math.round(now - since))}`);
    const line = `[${over}/${total}] ${each.join(", ")}`;
    process.stderr.write(`${CLEAR}${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  };
  const timer = setInterval(draw, EVERY_MS);
  timer.unref();
  return {
    onPlan(runs) {
      total = runs;
    },
    onStart(what) {
      running.set(what, performance.now());
      draw();
    },
    onEnd(what) {
      running.delete(what);
      over++;
      draw();
    },
    end() {
      clearInterval(timer);
      process.stderr.write(CLEAR);
    },
  };
}
