/** The demo of `performance-goal`, step by step: four ways to a number that is none, and then a gain. */

import { copyPackage } from "./published.ts";
import {
  BENCH,
  GAIN,
  LESS_WORK,
  NO_CHANGE,
  PICOMATCH,
  RIGHT,
  SLOW,
  SOURCE,
  TEST,
  WRONG,
} from "./slow-package.ts";
import { mustRun, type Stage } from "./stage.ts";
import { type Telling, typed } from "./telling.ts";

/** Its slug; the folder of its state is called so. */
export const GOAL = "is-match";

/** @throws Error when something does not happen as told */
export async function tellPerformance(stage: Stage, tell: Telling, nodeModules: string): Promise<void> {
  await theContract(stage, tell, nodeModules);
  await theShortcuts(stage, tell);
  await theGain(stage, tell);
}

async function theContract(stage: Stage, tell: Telling, nodeModules: string): Promise<void> {
  tell.part("The contract");
  copyPackage(PICOMATCH, nodeModules, stage.repo);
  stage.write("bench.js", BENCH);
  stage.write("test/match.test.js", TEST);
  await mustRun(
    stage,
    "git init -q -b main && git add -A && git commit -q -m 'picomatch, and how to measure it'",
  );
  await tell.step(
    `picomatch ${PICOMATCH.version}, the npm package that matches paths against globs, as it is published. Its isMatch is handy and slow in a loop: every call compiles the patterns anew.`,
  );
  tell.quote(SLOW);
  await tell.step("A benchmark says how slow. A test says what isMatch has to answer.");
  tell.quote(BENCH);
  await tell.run("node bench.js", { exit: 0, sees: ["METRIC match="] });

  await tell.step(
    "The contract: which number, how far down, what must go on working, which files are out of bounds. Before it is fixed, both versions are run once.",
  );
  await tell.run(
    typed(
      `proofgate performance-goal create --slug ${GOAL}`,
      '--objective "Asking isMatch in a loop must not compile its patterns anew."',
      '--evaluator-command "node bench.js" --metric match --target -40%',
      '--evaluator-contract "Pass: the fastest of 5 rounds over 100 paths, 40 % below the base."',
      '--guard "node --test" --protect "bench.js,test/**"',
      "--min-effect 10% --budget 10s",
    ),
    { exit: 0, sees: [GOAL, "protected: bench.js test/match.test.js"], honest: true },
  );
  await tell.step("An agent takes it up, and is told what counts.");
  await tell.run("proofgate performance-goal start", {
    exit: 0,
    sees: ["Do not change: bench.js"],
    honest: true,
  });
}

async function theShortcuts(stage: Stage, tell: Telling): Promise<void> {
  tell.part("The shortcuts");
  // What was measured for a claim without ground depends on the machine's noise; that it is refused does not.
  const refused = { exit: 1, sees: ["[not_proven]"] } as const;
  await tell.step(
    "It has changed nothing, and types the number in. Words are notes: for a pass the tool measures, the commit before against the files as they are, in turns.",
  );
  await tell.run(
    'proofgate performance-goal checkpoint --status pass --evidence "METRIC match=0.4ms"',
    refused,
  );

  stage.edit(SOURCE, NO_CHANGE);
  await tell.step(
    "It writes the same in another way, and runs the benchmark until one run looks fast. Eight runs of one and the same code, the fastest and the slowest:",
  );
  tell.quote(NO_CHANGE.to);
  await tell.run("for i in 1 2 3 4 5 6 7 8; do node bench.js; done | sort -t = -k 2 -n | sed -n '1p;$p'", {
    exit: 0,
    sees: ["METRIC match="],
  });
  await tell.step("The best of many runs is luck, and luck does not come again when it is asked for.");
  await tell.run(
    'proofgate performance-goal checkpoint --status pass --evidence "Faster: see the fastest of my runs."',
    refused,
  );

  stage.edit("bench.js", LESS_WORK);
  await tell.step(
    "It lets the benchmark do a tenth of the work. Now the number is small, and is not looked at.",
  );
  tell.quote(`-  Array.from({ ${LESS_WORK.from} }, …\n+  Array.from({ ${LESS_WORK.to} }, …`);
  await tell.run("node bench.js", { exit: 0, sees: ["METRIC match="] });
  await tell.run("proofgate performance-goal evaluate", { exit: 1, sees: ["INVALID", "bench.js changed"] });
  await tell.run("git checkout -- bench.js", { exit: 0, sees: [] });

  stage.edit(SOURCE, WRONG);
  await tell.step(
    "It remembers the matcher, and forgets that options differ: fast and wrong. The guard runs before anything is measured.",
  );
  tell.quote(WRONG.to);
  await tell.run("proofgate performance-goal evaluate", { exit: 1, sees: ["INVALID", "node --test FAILED"] });
  await tell.step("Back to the base, since nothing better was found yet. What it wrote is saved as a patch.");
  await tell.run("proofgate performance-goal revert", { exit: 0, sees: ["Reverted 1 file", ".patch"] });
}

async function theGain(stage: Stage, tell: Telling): Promise<void> {
  tell.part("The gain");
  stage.edit(SOURCE, RIGHT);
  await tell.step(
    "The work: one matcher for each list of patterns, made once; with options all is as before. The news is good, so it is measured a second time before it counts. (The budget is a limit: it ends when the pairs decide it.)",
  );
  tell.quote(GAIN);
  // On a busy machine twelve pairs may take longer than the contract's budget.
  await tell.run("proofgate performance-goal evaluate --budget 2m", {
    exit: 0,
    sees: ["IMPROVED, TARGET MET", "confirmed, kept", "node --test ok"],
    honest: true,
  });
  await tell.step("The same claim as before, and now it is taken, for what was measured.");
  await tell.run(
    'proofgate performance-goal checkpoint --status pass --evidence "One matcher for each list of patterns."',
    { exit: 0, sees: ["checkpoint pass"], honest: true },
  );
  await tell.run("proofgate performance-goal complete", {
    exit: 0,
    sees: [`Complete: ${GOAL}`],
    honest: true,
  });
  await tell.step("The course of it, the detours too.");
  await tell.run("proofgate performance-goal plot", {
    exit: 0,
    sees: ["invalid", "reverted", "kept", "passed", "plot.svg"],
  });
}
