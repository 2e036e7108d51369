/** What an evaluation runs, and in what copies: the contract's command, on the base and on the working tree, with one evaluator. */

import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import type { LiveTree } from "../evidence/fingerprint.ts";
import { showFile } from "../evidence/git.ts";
import { withRunnerKeys } from "../evidence/runner-config.ts";
import { needsUsage } from "../measure/metric.ts";
import { type Bench, type Place as Copy, faultOf, runOn, type Side, withSides } from "../measure/sides.ts";
import { isShared, sharedId } from "./evaluator.ts";
import { markedEnvironment } from "./measuring.ts";
import type { Evaluator, PerformanceGoal } from "./model.ts";
import { packagePaths } from "./package-scripts.ts";
import type { Workspace } from "./workspace.ts";

/** Share of the time that a slowed run stands still. */
export const SLOWED = 0.6;

export async function benchOf(
  ws: Workspace,
  goal: Pick<PerformanceGoal, "contract" | "base" | "evaluator">,
  today: LiveTree,
): Promise<Bench> {
  const { contract } = goal;
  return {
    root: ws.place.root,
    today,
    head: goal.base,
    command: contract.command,
    cwd: contract.cwd,
    overlay: Object.keys(goal.evaluator.files).filter((path) => today.files.has(path)),
    setup: contract.setup,
    share: contract.share,
    env: markedEnvironment(ws.place, ws.env),
    confine: ws.confine,
    runMs: contract.runMs,
    usage: needsUsage(contract.measure?.metric ?? null),
  };
}

/** Both sides run the same evaluator: its files are laid over the base, and its scripts are put into the base's package. */
export async function sidesOf(
  ws: Workspace,
  goal: Pick<PerformanceGoal, "contract" | "base" | "evaluator">,
  today: LiveTree,
): Promise<{ readonly base: Side; readonly now: Side }> {
  const patches = new Map<string, string>();
  for (const path of packagePaths(ws.place.root, goal.contract.cwd, Object.keys(goal.evaluator.scripts))) {
    const runner = readFileSync(join(ws.place.root, path), "utf8");
    const patched = withRunnerKeys(await showFile(ws.place.root, goal.base, path), runner);
    if (patched !== null) patches.set(path, patched);
  }
  return {
    base: { name: "the base", source: { commit: goal.base }, patches },
    now: { name: "the working tree", source: { tree: today } },
  };
}

/** Runs the evaluator once in a copy of its own. @returns why it does not pass; null when it does */
export function exitOn(bench: Bench, side: Side, evaluator: Evaluator): Promise<string | null> {
  return withSides(bench, [side], async ([place]) => {
    if (place === undefined) return "not run";
    requireSameEvaluator([place], evaluator);
    const run = await runOn(bench, place);
    const fault = faultOf(run, bench.runMs);
    await run.dispose();
    if (run.spawnError !== null || run.exit === 126 || run.exit === 127)
      throw new Refusal("measurement_invalid", "The evaluator did not run.", {
        expected: `an evaluator that runs on ${side.name}`,
        found: fault ?? "nothing",
        next: ["mend the command, then run the same command again"],
      });
    return fault;
  });
}

/** The copies must hold the contract's evaluator, whatever was exchanged meanwhile. @throws Refusal `measurement_invalid` */
export function requireSameEvaluator(copies: readonly Copy[], evaluator: Evaluator): void {
  for (const { made, side } of copies)
    for (const [path, id] of Object.entries(evaluator.files)) {
      if (isSame(join(made.dir, path), id)) continue;
      throw new Refusal("measurement_invalid", "The evaluator is another one.", {
        expected: `the contract's ${path} on ${side.name}`,
        found: "another content",
        next: [],
      });
    }
}

function isSame(path: string, id: string): boolean {
  // Other ids (of big files, of filtered ones) are not those of a file's own bytes.
  if (!isShared(id) && !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)) return true;
  try {
    if (isShared(id)) return sharedId(readFileSync(path)) === id;
    // Git's content of a link is where it leads to.
    const content = lstatSync(path).isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
    const hash = createHash(id.length === 64 ? "sha256" : "sha1").update(`blob ${content.length}\0`);
    return hash.update(content).digest("hex") === id;
  } catch {
    return false;
  }
}
