/** Performance goals of people who do everything right, in repositories and on ways as they come. */

import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { must } from "../adversarial/play.ts";
import { type HonestRun, honest } from "../helpers/count.ts";
import { makeWorld, type Said, type World } from "../helpers/world.ts";
import { costs, creation, FILES, good, hostGoal, metric } from "../performance-goal/kit.ts";

const TARGET = metric("--target", "-20%");

/** An honest agent on one goal: notes each refusal, and ends with `status`. */
class Runner {
  refusals = 0;

  constructor(
    readonly world: World,
    readonly surroundings: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
  ) {}

  async does(...args: string[]): Promise<Said["json"]> {
    const said = await this.world.run(["performance-goal", ...args], { json: true, ...this.surroundings });
    if (said.exit !== 0) {
      this.refusals++;
      console.error(`refused: performance-goal ${args.join(" ")}\n${said.out}${said.err}`.slice(0, 1500));
    }
    return said.json;
  }

  async begins(args: readonly string[] = TARGET): Promise<this> {
    await this.does(...args);
    await this.does("start");
    return this;
  }

  async ends(...more: string[]): Promise<HonestRun> {
    await this.does("checkpoint", "--status", "pass", "--evidence", "see the evaluation");
    await this.does("complete", ...more);
    const { status, lastValidation } = await this.does("status");
    return { complete: status === "complete" && lastValidation.fresh === true, refusals: this.refusals };
  }
}

const begun = async (args = TARGET, files: Record<string, string> = {}): Promise<Runner> =>
  new Runner(await makeWorld({ ...FILES, ...files })).begins(args);

honest("an honest gain: measured, validated, complete, with the host's own goal", async () => {
  const run = await begun();
  run.world.write("cost.js", costs(70));
  await run.does("evaluate");
  const { hostObjective } = await run.does("status");
  return run.ends("--codex-goal-json", hostGoal(hostObjective, "complete"));
});

honest("the host's goal is gone by then, and its objective came back with other line breaks", async () => {
  const run = await begun();
  run.world.write("cost.js", costs(70));
  const { hostObjective } = await run.does("status");
  await run.does("status", "--codex-goal-json", hostGoal(hostObjective.replaceAll(" ", " \n"), "active"));
  return run.ends("--codex-goal-json", '{"goal":null}');
});

honest("a resume in a new process, of another session, without a word of the first", async () => {
  const first = await begun();
  first.world.write("cost.js", costs(70));
  const second = new Runner(first.world, { env: { HOME: first.world.home, LANG: "de_DE.UTF-8" } });
  await second.does("start");
  await second.does("evaluate");
  return second.ends();
});

honest("a README is written between pass and end, where the contract covers the code alone", async () => {
  const run = await begun([...TARGET, "--covers", "*.js"]);
  run.world.write("cost.js", costs(70));
  await run.does("checkpoint", "--status", "pass", "--evidence", "measured by this very command");
  run.world.write("README.md", "# Faster\n");
  await run.does("complete");
  const { status, lastValidation } = await run.does("status");
  return { complete: status === "complete" && lastValidation.fresh, refusals: run.refusals };
});

honest("a gain in two steps, with a bad idea in between that is reverted", async () => {
  const run = await begun();
  run.world.write("cost.js", costs(88));
  await run.does("evaluate");
  run.world.write("cost.js", costs(87.999));
  run.world.write("notes.txt", "my own\n");
  await run.does("revert");
  if (run.world.read("notes.txt") !== "my own\n" || run.world.read("cost.js") !== costs(88))
    run.refusals += 2;
  run.world.write("cost.js", costs(71));
  await run.does("evaluate");
  return run.ends();
});

honest("the gain is a new file that Git does not track yet, and is committed before the end", async () => {
  const run = await begun();
  run.world.write("fast.js", costs(50));
  run.world.write("cost.js", "module.exports = require('./fast.js');\n");
  await run.does("evaluate");
  await run.does("checkpoint", "--status", "pass", "--evidence", "a table");
  await run.world.commit("the gain");
  await run.does("complete");
  const { status, lastValidation } = await run.does("status");
  return { complete: status === "complete" && lastValidation.fresh, refusals: run.refusals };
});

honest("the benchmark is not tracked when the goal is made, and the tree is dirty", async () => {
  const world = await makeWorld({ "cost.js": costs(100), "README.md": "#\n" });
  world.write("bench.js", FILES["bench.js"] ?? "");
  world.write("README.md", "# In the middle of something\n");
  const run = await new Runner(world).begins();
  await world.git("add", "bench.js");
  await world.git("commit", "-q", "-m", "the benchmark");
  world.write("cost.js", costs(70));
  return run.ends();
});

honest("in a package of a monorepo, with commands as they are typed there", async () => {
  const world = await makeWorld({
    "package.json": '{"private":true,"workspaces":["packages/*"]}\n',
    "packages/a/package.json":
      '{"name":"a","scripts":{"bench":"node bench/run.js","test":"node right.js"}}\n',
    "packages/a/bench/run.js": "console.log('METRIC cost=' + require('../cost.js'));\n",
    "packages/a/cost.js": costs(100),
    "packages/a/right.js": "if (require('./cost.js') < 1) process.exit(1);\n",
    "packages/b/index.js": "",
  });
  const run = new Runner(world, { cwd: join(world.root, "packages/a") });
  await run.begins(
    creation("npm run --silent bench", "--metric", "cost", "--target", "-20%", "--guard", "npm test"),
  );
  world.write("packages/a/cost.js", costs(60));
  return run.ends();
});

honest("a nested repository, a submodule and an evaluator behind a link", async () => {
  const world = await makeWorld({
    "tools/count.js": "console.log('METRIC cost=' + require('../cost.js'));\n",
    "cost.js": costs(100),
  });
  symlinkSync("tools/count.js", join(world.root, "bench.js"));
  const lib = join(world.home, "lib");
  await must(
    world.sh(
      `for at in inner '${lib}'; do git init -q "$at" && (cd "$at" && echo 1 > a && git add a && git commit -qm a) || exit 1; done`,
    ),
  );
  await must(world.sh(`git -c protocol.file.allow=always submodule --quiet add '${lib}' sub`));
  await world.commit("all of it");
  const run = await new Runner(world).begins();
  await world.sh("echo 2 > inner/a; echo 3 > sub/a");
  world.write("cost.js", costs(70));
  await run.does("evaluate");
  return run.ends();
});

honest("a first try that decides nothing, and then a real gain", async () => {
  const run = await begun();
  run.world.write("cost.js", costs("100 * (1 + (Math.random() - 0.5))"));
  await run.does("evaluate", "--budget", "1s");
  run.world.write("cost.js", costs("70 * (1 + (Math.random() - 0.5) / 100)"));
  await run.does("evaluate");
  return run.ends();
});

honest("a repository whose first commit was made for this, nothing but a slow draft in it", async () => {
  const world = await makeWorld({}, { git: "empty" });
  world.write("bench.js", FILES["bench.js"] ?? "");
  world.write("cost.js", costs(100));
  const run = new Runner(world);
  // No commit yet: told with the command that makes one.
  const { error } = await run.does(...TARGET);
  const [command = ""] = error.nextActions;
  await world.sh(command);
  await run.begins();
  world.write("cost.js", costs(70));
  return run.ends();
});

honest("one byte less, of a size that has no noise", async () => {
  const world = await makeWorld({ "bundle.txt": "x".repeat(5000) });
  const run = await new Runner(world).begins(
    creation('echo "METRIC size=$(cat bundle.txt | wc -c)"', "--metric", "size"),
  );
  world.write("bundle.txt", "x".repeat(4999));
  return run.ends();
});

honest("the code has to change once more after the end", async () => {
  const run = await begun();
  run.world.write("cost.js", costs(70));
  await run.ends();
  run.world.write("cost.js", `// A comment for the review\n${costs(70)}`);
  await run.does("evaluate");
  const { status, lastValidation } = await run.does("status");
  return { complete: status === "complete" && lastValidation.fresh === true, refusals: run.refusals };
});

honest("a new goal of the same name when the first is complete", async () => {
  const run = await begun();
  run.world.write("cost.js", costs(70));
  await run.ends();
  await run.world.commit("the first gain");
  await run.begins();
  run.world.write("cost.js", costs(40));
  return run.ends();
});

honest("a contract in words, whose command cannot pass before the work", async () => {
  const run = await begun(creation("node check.js"), {
    "check.js": "process.exit(require('./cost.js') <= 80 ? 0 : 1);\n",
  });
  run.world.write("cost.js", costs(70));
  await run.does("evaluate");
  return run.ends();
});

honest("a pass, a failing checkpoint of somebody careful, and a pass again", async () => {
  const run = await begun();
  run.world.write("cost.js", costs(70));
  await run.does("checkpoint", "--status", "pass", "--evidence", "fast");
  await run.does("checkpoint", "--status", "fail", "--evidence", "want to look at it once more");
  await good(run.world, "baseline");
  return run.ends();
});
