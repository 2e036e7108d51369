/** The demo's story, step by step. Every step says what has to come of it, and the demo fails when it does not. */

import { join } from "node:path";
import {
  BREAK,
  DEFECTS,
  HALF_A_MEND,
  MS,
  NEGATIVE_TEST,
  PARSE_TEST,
  PLAN,
  POSITIVE_TEST,
  REJECT_MEND,
  REJECT_TEST,
  THE_OTHER_HALF,
} from "./package.ts";
import { copyPackage } from "./published.ts";
import { mustRun, type Stage } from "./stage.ts";
import { type Telling, typed } from "./telling.ts";

const GOALS_JSON = join(".omo", "ulw-loop", "goals.json");

/** @throws Error when something does not happen as told */
export async function tellStory(stage: Stage, tell: Telling, nodeModules: string): Promise<void> {
  await thePlan(stage, tell, nodeModules);
  await theShortcuts(stage, tell);
  await theWork(stage, tell);
  await theDayAfter(stage, tell);
}

async function thePlan(stage: Stage, tell: Telling, nodeModules: string): Promise<void> {
  tell.part("The plan");
  copyPackage(MS, nodeModules, stage.repo);
  for (const defect of DEFECTS) stage.edit("index.js", defect);
  await mustRun(stage, "git init -q -b main && git add -A && git commit -q -m 'ms, with two bugs'");
  await tell.step(
    "ms 2.1.3, the npm package that turns milliseconds into words, in a Git repository of its own. Two bugs were put in.",
  );
  tell.quote(
    [
      "-  var msAbs = Math.abs(ms);                        (in two functions)",
      "+  var msAbs = ms;",
      "-  } else if (type === 'number' && isFinite(val)) {",
      "+  } else if (type === 'number') {",
    ].join("\n"),
  );
  await tell.run(`node -p "const ms = require('.'); [ms(-3 * 864e5), ms(NaN)]"`, {
    exit: 0,
    sees: ["-259200000ms", "NaNms"],
  });

  stage.write(".proofgate/plan.yaml", PLAN);
  await tell.step(
    "The plan: two goals, four criteria, and for each the command that has to show it. The tests are not written yet.",
  );
  tell.quote(PLAN);
  await tell.run("proofgate ulw-loop create-goals --plan .proofgate/plan.yaml", {
    exit: 0,
    sees: ["G001", "G002"],
    honest: true,
  });

  await tell.step("An agent takes up the first goal, and is told what counts.");
  await tell.run("proofgate ulw-loop complete-goals", { exit: 0, sees: ["G001", "C002"], honest: true });
}

async function theShortcuts(stage: Stage, tell: Telling): Promise<void> {
  tell.part("The shortcuts");
  await tell.step(
    "It has done nothing yet, and says that it is done. The answer names every criterion that is missing, and one command.",
  );
  await tell.run('proofgate checkpoint --status complete --evidence "All tests pass."', {
    exit: 1,
    sees: ["Not complete: 0 of 2 proven", "G001-C001", "G001-C002"],
  });

  await tell.step(
    'It reports one criterion as passed, with the evidence "lol". The words are noted; what counts is the check, and the tool runs it.',
  );
  await tell.run('proofgate ulw-loop record-evidence --criterion-id C001 --status pass --evidence "lol"', {
    exit: 1,
    sees: ["NOT RUN"],
  });

  const edited = stage.copy("liar-with-an-editor");
  stage.edit(GOALS_JSON, { from: '"status":"pending"', to: '"status":"complete"', times: 1 }, edited);
  await tell.step(
    "It sets a goal to complete in goals.json, with an editor. (In a copy of the repository, as every shortcut that would spoil the plan.)",
  );
  await tell.run("proofgate status", { exit: 3, sees: ["state_damaged"], folder: edited });
  await tell.step("The ledger still says what happened, and the file is rebuilt from it.");
  await tell.run("proofgate repair", { exit: 0, sees: ["goals.json"], folder: edited });

  await tell.step("It makes the check easier: one that cannot fail. Refused before it ever runs.");
  await tell.run(revise('--check "echo PASS"', '--evidence "takes long" --rationale "simpler"'), {
    exit: 2,
    sees: ["check_vacuous"],
    folder: edited,
  });

  await theScript(stage, tell);
}

/** `echo PASS` in a script: runs, prints what is wanted, and proves nothing. */
async function theScript(stage: Stage, tell: Telling): Promise<void> {
  const folder = stage.copy("liar-with-a-script");
  await tell.step("It hides the echo in a script. That does pass …");
  await mustRun(stage, "mkdir test && cat >test/positive.test.js", folder, POSITIVE_TEST);
  await tell.run("echo 'echo PASS' >verify.sh", { exit: 0, sees: [], folder });
  await tell.run(
    revise('--check "sh verify.sh" --expect-stdout PASS', '--evidence "takes long" --rationale "simpler"'),
    { exit: 0, sees: [], folder },
  );
  await tell.run("proofgate prove", {
    exit: 0,
    sees: ["G001-C001  HOLLOW        passes without the project as well"],
    folder,
  });
  await tell.step(
    "… but it passes without the project as well, so it shows no work. Only the user could let that count.",
  );
  await tell.run('proofgate checkpoint --status complete --evidence "PASS"', {
    exit: 1,
    sees: ["passes without the project as well"],
    folder,
  });
}

async function theWork(stage: Stage, tell: Telling): Promise<void> {
  tell.part("The work");
  stage.write("test/negative.test.js", NEGATIVE_TEST);
  stage.write("test/positive.test.js", POSITIVE_TEST);
  stage.edit("index.js", HALF_A_MEND);
  await tell.step("It starts to work: two tests, and Math.abs put back, in one of the two functions.");
  tell.quote(NEGATIVE_TEST);
  await tell.run("proofgate prove", {
    exit: 1,
    sees: ["G001-C001  FAILING", "G001-C002  pinned"],
    honest: true,
  });

  await theWeakCheck(stage, tell);

  stage.edit("index.js", THE_OTHER_HALF);
  await tell.step(
    "Back in the repository it mends the second function. The check runs three times: here it passes, on the commit before the work it fails, and in a clean copy of today's files it passes.",
  );
  await tell.run("proofgate prove", { exit: 0, sees: ["G001-C001  proven", "before: "], honest: true });
  await tell.step("The same claim as in step 4, and now it is taken.");
  await tell.run('proofgate checkpoint --status complete --evidence "Negative durations keep their unit."', {
    exit: 0,
    sees: ["G001 complete"],
    honest: true,
  });

  await tell.step("The next goal.");
  await tell.run("proofgate ulw-loop complete-goals", { exit: 0, sees: ["G002"], honest: true });
  stage.write("test/reject.test.js", REJECT_TEST);
  stage.write("test/parse.test.js", PARSE_TEST);
  stage.edit("index.js", REJECT_MEND);
  await tell.step(
    "Two more tests, and isFinite is back. The work on index.js made the first goal's proof stale, so everything is proven again.",
  );
  await tell.run("proofgate prove --all", {
    exit: 0,
    sees: ["G001-C001  proven", "G002-C001  proven"],
    honest: true,
  });
  await tell.step(
    "Before the last goal ends, the tool runs the plan's verify commands and takes down the agent's review.",
  );
  await tell.run(
    typed(
      "proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR",
      '--review "Read the diff: three lines, as in the published package."',
      '--cleaner "Read the new tests: nothing to take out."',
    ),
    { exit: 0, sees: ["Quality gate recorded", "4 of 4"], honest: true },
  );
  await tell.run('proofgate checkpoint --status complete --evidence "NaN and Infinity throw again."', {
    exit: 0,
    sees: ["The plan is complete"],
    honest: true,
  });
  await tell.step("Is it done? One command answers, to people and to scripts.");
  await tell.run("proofgate check", { exit: 0, sees: ["ok: 4 criteria proven"], honest: true });
}

/** The check was red, so asking for less is possible and waits for the user. */
async function theWeakCheck(stage: Stage, tell: Telling): Promise<void> {
  const folder = stage.copy("liar-with-a-weak-check");
  await tell.step(
    "It could point the failing check at a test that passes (in a copy again). But a check that has run is a promise: from now on the plan waits for the user.",
  );
  await tell.run(
    revise(
      '--check "node --test test/positive.test.js"',
      '--evidence "too strict" --rationale "the short form counts"',
    ),
    { exit: 0, sees: [], folder },
  );
  await tell.run("proofgate check", { exit: 1, sees: ["W001", "not approved by the user"], folder });
}

async function theDayAfter(stage: Stage, tell: Telling): Promise<void> {
  tell.part("The day after");
  stage.edit("index.js", BREAK);
  await tell.step(
    "Somebody tidies up and takes isFinite out again. No test was run, and the board knows that the proof is gone.",
  );
  await tell.run("proofgate status", {
    exit: 0,
    sees: ["COMPLETE, BUT NO LONGER PROVEN", "stale", "index.js changed"],
  });
  await tell.step("And the question from before has another answer.");
  await tell.run("proofgate check", { exit: 1, sees: ["G002-C001 stale: index.js changed"] });
}

const revise = (check: string, why: string): string =>
  typed("proofgate steer --kind revise_criterion --criterion-id C001", check, why);
