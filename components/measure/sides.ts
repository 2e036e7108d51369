/** Two versions of a repository, exported alike, and one run of the command in one of them. */

import { type Export, exportTree } from "../evidence/base-tree.ts";
import type { Source } from "../evidence/check-out.ts";
import type { LiveTree } from "../evidence/fingerprint.ts";
import { runThere } from "../evidence/run-in-export.ts";
import type { FinishedRun } from "../evidence/runner.ts";
import type { Command, Confine } from "../evidence/types.ts";
import { invalid } from "./metric.ts";

export interface Side {
  /** As messages call it: "the base", "the working tree". */
  readonly name: string;
  readonly source: Source;
  /** Paths that are taken out: a self-test asks what is left of a metric without the product. */
  readonly remove?: readonly string[];
  /** Files that get a content of their own. */
  readonly patches?: ReadonlyMap<string, string>;
  /** Share of the time that the runs are made to stand still, for a self-test. */
  readonly slow?: number;
}

/** What is run, and in what surroundings; the same for both sides. */
export interface Bench {
  readonly root: string;
  readonly today: LiveTree;
  /** Commit that both copies stand at. */
  readonly head: string | null;
  readonly command: Command;
  /** Folder to run in, from the root. */
  readonly cwd: string;
  /** Paths laid over both sides from the working tree: the evaluator's own. */
  readonly overlay: readonly string[];
  readonly setup: readonly Command[];
  readonly share: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly confine?: Confine | undefined;
  /** A run that takes longer is ended, in milliseconds. */
  readonly runMs: number;
  /** CPU time and memory of the runs are asked for. */
  readonly usage?: boolean;
}

export interface Place {
  readonly side: Side;
  readonly made: Export;
}

/**
 * Exports each side into a folder of its own, made the same way: whatever a place does to a program, it does to all.
 * @throws Refusal `measurement_invalid` for a set-up that fails, and what exporting throws
 */
export async function withSides<Result>(
  bench: Bench,
  sides: readonly Side[],
  use: (places: readonly Place[]) => Promise<Result>,
): Promise<Result> {
  const places: Place[] = [];
  try {
    for (const side of sides) {
      const made = await exportTree(bench.root, side.source, {
        overlay: bench.overlay,
        ...(side.remove === undefined ? {} : { remove: side.remove }),
        ...(side.patches === undefined ? {} : { patches: side.patches }),
        share: bench.share,
        setup: bench.setup,
        today: bench.today,
        head: bench.head,
        confine: bench.confine,
      });
      places.push({ side, made });
      if (made.setupFault !== null) throw invalid(`a set-up that works on ${side.name}`, made.setupFault);
    }
    return await use(places);
  } finally {
    for (const { made } of places) await made.dispose();
  }
}

/** Runs the command once. The caller disposes of the run. */
export async function runOn(bench: Bench, { made, side }: Place): Promise<FinishedRun> {
  const { run } = await runThere(
    made,
    bench.command,
    { cwd: bench.cwd, timeoutMs: bench.runMs, usage: bench.usage, slow: side.slow },
    bench,
  );
  return run;
}

/** Why a run measured nothing, in a few words; null where it ended well. */
export function faultOf(run: FinishedRun, runMs: number): string | null {
  if (run.exit === 0 && run.alive.length === 0 && !run.flooded) return null;
  const how = run.timedOut
    ? `no end within ${duration(runMs)}`
    : run.flooded
      ? "more output than can be kept"
      : run.exit === null
        ? (run.signal ?? run.spawnError ?? "no exit status")
        : run.exit !== 0
          ? `exit ${run.exit}`
          : `still alive after its end: ${run.alive[0] ?? ""}`;
  const lines = (run.stderr.tail || run.stderr.head).trim().split("\n");
  // What went wrong stands above the stack and the version that follow it; where nothing is called so, it comes last.
  const said = (lines.findLast((line) => FAULT.test(line)) ?? lines.at(-1) ?? "").trim();
  return said === "" ? how : `${how}: ${said}`;
}

/** `TypeError: …`, `error: …`, `java.lang.Exception: …`, `panic: …`. */
const FAULT = /^(?:Uncaught )?[\w.$]*(?:error|exception|panic)\b(?: \[\w+\])?:/i;

const duration = (ms: number): string =>
  ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
