/** What one `performance-goal evaluate` takes beyond the evaluator's own time, where a run of that takes a second. */

import { median } from "./measure.ts";
import { type BenchWorld, makeRepo } from "./state.ts";
import type { Row } from "./table.ts";

const SECTION = "One evaluation, its evaluator takes 1 s";
/** Sleeping leaves the processor to whatever else runs, so its time is the same on a busy machine. */
const EVALUATOR = "sleep 1";
/** Reads a file and is done: its own time is nothing beside a copy of the tree. */
const GUARD = "grep -q value0 src/part-0/file-0.js";
const ALONE = 3;

/** The fewest pairs that decide are run; the budget holds no more of them, whatever the noise is. */
const BUDGET = "25s";

interface Pairs {
  readonly pairs: number;
  readonly tookMs: number;
}

interface Evaluated {
  readonly evaluation: { readonly word: string; readonly first: Pairs | null; readonly again: Pairs | null };
}

/** @param program the built program. @throws Error when nothing is measured */
export async function evaluation(world: BenchWorld, program: string): Promise<readonly Row[]> {
  const cwd = await makeRepo(world, "evaluated", 50, 2);
  const goal = (...args: readonly string[]): readonly string[] => [
    "node",
    program,
    "performance-goal",
    ...args,
  ];
  const run = async (command: readonly string[]): Promise<{ text: string; ms: number; exit: number }> => {
    const started = performance.now();
    const child = Bun.spawn([...command], {
      cwd,
      env: world.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [text, exit] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { text, ms: performance.now() - started, exit };
  };
  const made = await run(
    goal(
      ...["create", "--slug", "bench", "--objective", "nothing to gain", "--evaluator-contract", "none"],
      ...["--evaluator-command", EVALUATOR, "--metric", "wall", "--guard", GUARD],
      ...["--warm-up", "0", "--budget", BUDGET],
    ),
  );
  const taken = await run(goal("start"));
  if (made.exit !== 0 || taken.exit !== 0) throw new Error(`no goal to evaluate: ${made.text}${taken.text}`);

  // By itself, started by nothing of ours: what the tool says a run took is not taken on trust.
  const alone: number[] = [];
  for (let at = 0; at < ALONE; at++) alone.push((await run(["sh", "-c", EVALUATOR])).ms);
  const whole = await run(goal("evaluate", "--json"));
  // A busy machine may leave it undecided, which is an exit 1 with the same work behind it.
  const { evaluation }: Evaluated = JSON.parse(whole.text);
  const measured = [evaluation.first, evaluation.again].flatMap((one) => (one === null ? [] : [one]));
  if (measured.length === 0) throw new Error(`nothing was measured: ${whole.text}`);
  const runs = measured.reduce((sum, { pairs }) => sum + 2 * pairs, 0);
  const pairsMs = measured.reduce((sum, { tookMs }) => sum + tookMs, 0);
  const own = runs * median(alone);
  const row = (what: string, ms: number, detail: string): Row => ({
    section: SECTION,
    what,
    value: 100 * (ms / own - 1),
    unit: "%",
    budget: { at: "most", value: 5 },
    detail,
  });
  return [
    row(
      "the pairs, beyond their runs",
      pairsMs,
      `${runs} runs, ${((pairsMs - own) / runs).toFixed(0)} ms more each`,
    ),
    row(
      "the whole command, beyond the runs",
      whole.ms,
      `${(whole.ms / 1000).toFixed(1)} s, ${((whole.ms - pairsMs) / 1000).toFixed(2)} s of it before and after the pairs`,
    ),
  ];
}
