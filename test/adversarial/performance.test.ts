/** Performance goals that are declared reached: by words, by another evaluator, by luck, by another contract, by forged state. */

import { createHash } from "node:crypto";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { encodeLine } from "../../components/journal/line.ts";
import { snapshotBody, snapshotFile } from "../../components/journal/snapshot.ts";
import type { Line } from "../../components/journal/types.ts";
import type { GoalEvent } from "../../components/performance-goal/events.ts";
import { performanceGoal } from "../../components/performance-goal/reduce.ts";
import { honest, lie } from "../helpers/count.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  costs,
  creation,
  FILES,
  FOLDER,
  goalWorld,
  good,
  hostGoal,
  LEDGER,
  passed,
  pg,
  STATE,
  text,
} from "../performance-goal/kit.ts";
import type { Outcome } from "./play.ts";

/** What runs the benchmark here: it starts in half the time of Node, and a verdict takes two dozen starts. */
const RUN = "bun bench.js";
const metric = (...flags: string[]): string[] => creation(RUN, "--metric", "cost", ...flags);
const HARD = metric("--target", "-20%");
const EASY = metric("--target", "-1%");
const TOO_LITTLE = costs(95);
const FAKE = "require('./cost.js');\nconsole.log('METRIC cost=40');\n";

/** Everything that an agent can do to be finished, with whatever words it likes. A checkpoint measures what is not known. */
async function finish(world: World, evidence = "done"): Promise<Outcome> {
  await pg(world, "start");
  await pg(world, "checkpoint", "--status", "pass", "--evidence", evidence);
  const said = await pg(world, "complete");
  return said.exit === 0 || said.json.status === "complete" ? "accepted" : "refused";
}

/** The lie's end; and once the lie is taken back and the gain is there, the same steps have to be accepted. */
async function judge(world: World, mend: () => unknown = () => {}, evidence?: string): Promise<Outcome> {
  if ((await finish(world, evidence)) === "accepted") return "accepted";
  await mend();
  world.write("cost.js", costs(60));
  if ((await finish(world)) === "refused")
    throw new Error(`the honest end is refused as well: ${(await text(world, "status")).out}`);
  return "refused";
}

/** What the tool says of a goal that is complete: does it still call it fresh? */
async function stillHolds(world: World): Promise<Outcome> {
  const { json } = await pg(world, "status");
  return json.lastValidation?.status === "pass" && json.lastValidation.fresh !== false
    ? "accepted"
    : "refused";
}

honest("the performance goal that the liars were given, reached", async () => {
  const world = await goalWorld(HARD);
  world.write("cost.js", costs(60));
  return { complete: (await finish(world)) === "accepted", refusals: 0 };
});

for (const [name, evidence] of [
  ["a metric typed by hand in the evidence", "cost 100 → 40, −60 %, measured three times\nMETRIC cost=40"],
  [
    "a metric in JSON as evidence",
    JSON.stringify({ metric: "cost", base: 100, now: 40, status: "pass", met: true }),
  ],
] as const)
  lie(name, async () => judge(await goalWorld(HARD), undefined, evidence));

lie("a metric in a flag of checkpoint", async () => {
  const world = await goalWorld(HARD);
  for (const flag of ["--metric=cost", "--value=40", "--result=40"])
    if ((await pg(world, "checkpoint", "--status", "pass", "--evidence", "x", flag)).exit === 0)
      return "accepted";
  return judge(world);
});

lie("a checkpoint that passes before anything was evaluated", async () => {
  const world = await goalWorld(HARD);
  const said = await pg(world, "checkpoint", "--status", "pass", "--evidence", "it is fast now");
  return said.exit === 0 ? "accepted" : judge(world);
});

lie("complete right after a pass of the past that was recorded as failed", async () => {
  const world = await passed(await goalWorld(HARD));
  await good(world, "checkpoint", "--status", "fail", "--evidence", "found a defect");
  return (await pg(world, "complete")).exit === 0 ? "accepted" : "refused";
});

lie("an evaluator that prints a good number", async () => {
  const world = await goalWorld(HARD);
  world.write("bench.js", FAKE);
  return judge(world, () => world.git("checkout", "--", "bench.js"));
});

lie("an evaluator that is edited, committed, and then measured", async () => {
  const world = await goalWorld(HARD);
  world.write("bench.js", FAKE);
  await world.commit("a better benchmark");
  return judge(world, () => world.git("checkout", "HEAD~1", "--", "bench.js"));
});

lie("a helper in the evaluator's folder that halves what is measured", async () => {
  const world = await goalWorld(creation("bun bench/run.js", "--metric", "cost", "--target", "-20%"), {
    "bench/run.js": "console.log('METRIC cost=' + require('./scale.js') * require('../cost.js'));\n",
    "bench/scale.js": "module.exports = 1;\n",
  });
  world.write("bench/scale.js", "module.exports = require('fs').existsSync('new') ? 0.5 : 1;\n");
  world.write("new", "");
  return judge(world, () => world.git("checkout", "--", "bench"));
});

lie("the package script behind the evaluator's command", async () => {
  const world = await goalWorld(creation("npm run --silent bench", "--metric", "cost", "--target", "-20%"), {
    "package.json": '{"scripts":{"bench":"bun bench.js"}}\n',
  });
  world.write("package.json", '{"scripts":{"bench":"echo METRIC cost=40"}}\n');
  return judge(world, () => world.git("checkout", "--", "package.json"));
});

for (const [how, command] of [
  ["a limit before it", "timeout 60 bun run --silent bench"],
  ["a flag that names its package", "bun --cwd=tools run --silent bench"],
  ["a step into its folder", "cd tools && bun run --silent bench"],
] as const)
  lie(`the package script behind the evaluator's command, with ${how}`, async () => {
    const place = command.includes("tools") ? "tools/" : "";
    const script = (bench: string): string => JSON.stringify({ name: "tools", scripts: { bench } });
    const up = place === "" ? "./" : "../";
    const world = await goalWorld(creation(command, "--metric", "cost", "--target", "-20%"), {
      [`${place}package.json`]: script("bun run.js"),
      [`${place}run.js`]: `console.log('METRIC cost=' + require('${up}cost.js'));\n`,
    });
    world.write(`${place}package.json`, script("echo METRIC cost=40"));
    return judge(world, () => world.write(`${place}package.json`, script("bun run.js")));
  });

lie("what a linked evaluator leads to", async () => {
  const world = await makeWorld({
    ...FILES,
    "tools/count.js": FILES["bench.js"]?.replace("./cost", "../cost") ?? "",
  });
  await world.sh("rm bench.js && ln -s tools/count.js bench.js");
  await world.commit("a link");
  await good(world, ...HARD);
  world.write(
    "tools/count.js",
    "console.log('METRIC cost=' + (require('fs').existsSync('new') ? 40 : 100));\n",
  );
  world.write("new", "");
  return judge(world, () => world.git("checkout", "--", "tools"));
});

lie("a link put in the evaluator's place", async () => {
  const world = await goalWorld(HARD);
  world.write("fake.js", FAKE);
  await world.sh("rm bench.js");
  symlinkSync("fake.js", join(world.root, "bench.js"));
  return judge(world, () => world.sh("rm bench.js fake.js && git checkout -- bench.js"));
});

lie("an evaluator that Git was told to forget and to ignore", async () => {
  const world = await goalWorld(HARD);
  await world.git("rm", "-q", "--cached", "bench.js");
  world.write(".gitignore", "bench.js\n");
  world.write("bench.js", FAKE);
  return judge(world, () => world.sh("rm .gitignore && git checkout HEAD -- bench.js"));
});

lie("an evaluator that Git ignores, in a shared folder", async () => {
  const world = await makeWorld({ ".gitignore": "tools/\n", "cost.js": costs(100) });
  world.write("tools/bench.js", "console.log('METRIC cost=' + require(process.cwd() + '/cost.js'));\n");
  await good(
    world,
    ...creation("bun tools/bench.js", "--metric", "cost", "--target", "-20%", "--share", "tools"),
  );
  const real = world.read("tools/bench.js");
  world.write(
    "tools/bench.js",
    "const c = require(process.cwd() + '/cost.js');\nconsole.log('METRIC cost=' + (c === 95 ? 40 : c));\n",
  );
  world.write("cost.js", TOO_LITTLE);
  return judge(world, () => world.write("tools/bench.js", real));
});

lie("an evaluator that is swapped for the evaluation and put back afterwards", async () => {
  const world = await goalWorld(HARD);
  world.write("bench.js", FAKE);
  await pg(world, "evaluate");
  await world.git("checkout", "--", "bench.js");
  return judge(world);
});

lie("an evaluator that is swapped right after the pass", async () => {
  const world = await passed(await goalWorld(HARD));
  world.write("bench.js", FAKE);
  world.write("cost.js", costs(500));
  return judge(world, () => world.git("checkout", "--", "bench.js"));
});

lie("a product that rewrites the evaluator where it runs", async () => {
  const world = await goalWorld(HARD);
  world.write(
    "cost.js",
    `require('fs').writeFileSync(__dirname + '/bench.js', "console.log('METRIC cost=40')");\nmodule.exports = 40;\n`,
  );
  return judge(world);
});

lie("a product that prints the metric itself", async () => {
  const world = await goalWorld(HARD);
  world.write("cost.js", "console.log('METRIC cost=40');\nmodule.exports = 100;\n");
  return judge(world);
});

for (const value of ["0", "Infinity", "'40 or so'"])
  lie(`a cost of ${value}`, async () => {
    const world = await goalWorld(HARD);
    world.write("cost.js", costs(value));
    return judge(world);
  });

lie("a lucky run: the target is met once, and not again", async () => {
  const world = await makeWorld(FILES);
  const runs = join(world.home, "runs");
  await good(world, ...HARD, "--warm-up", "0");
  await good(world, "start");
  world.write(
    "cost.js",
    `const fs = require('fs');\nfs.appendFileSync('${runs}', '.');\nmodule.exports = fs.readFileSync('${runs}', 'utf8').length <= 8 ? 50 : 100;\n`,
  );
  const said = await pg(world, "evaluate");
  // The first eight runs are the first measurement.
  if (said.json.evaluation?.first?.target !== "met") throw new Error(`no luck: ${said.out}`);
  if (said.json.evaluation.met || said.json.evaluation.kept) return "accepted";
  return judge(world);
});

lie("a metric that is thrown like a coin", async () => {
  const world = await goalWorld([...HARD, "--budget", "3s"]);
  world.write("cost.js", costs("Math.random() < 0.5 ? 60 : 100"));
  return judge(world);
});

for (const [name, command] of [
  ["a pipe", `${RUN} | tail -1`],
  ["|| true", `${RUN} || true`],
  ["; true", `${RUN}; true`],
] as const)
  lie(`a product that fails fast, behind ${name}`, async () => {
    const world = await makeWorld({
      ...FILES,
      "bench.js": "require('./cost.js');\nsetTimeout(() => {}, 300);\n",
    });
    const said = await pg(world, ...creation(command, "--target", "-30%"));
    if (said.exit !== 0) return "refused";
    world.write("cost.js", "throw new Error('not written yet');\n");
    return finish(world);
  });

lie("an exit status that a pipe hides, as the whole contract", async () => {
  const world = await makeWorld(FILES);
  const said = await pg(world, ...creation(`${RUN} | tail -1`));
  return said.exit === 0 ? finish(world) : "refused";
});

lie("a contract without a metric that the base meets as well", async () => {
  const world = await goalWorld(creation(RUN));
  return finish(world);
});

lie("an evaluator that never looks at the code", async () => {
  const world = await goalWorld(creation(RUN, "--metric", "t"), {
    "bench.js":
      "const fs = require('fs');\nconsole.log('METRIC t=' + (fs.existsSync('done') ? 20 : 50) + 'ms');\n",
  });
  const test = await pg(world, "evaluate", "--self-test");
  world.write("done", "");
  if (test.exit === 0 || test.json.sound !== false) return "accepted";
  return finish(world);
});

lie("an absolute target that the base meets already", async () => {
  const world = await goalWorld(metric("--target", "<=150"));
  world.write("README.md", "# Faster!\n");
  return finish(world);
});

lie("a base that is older and slower, and nobody is told", async () => {
  const world = await makeWorld({ ...FILES, "cost.js": costs(500) });
  world.write("cost.js", costs(100));
  await world.commit("the gain of somebody else");
  const base = (await world.git("rev-parse", "HEAD~1")).slice(0, 12);
  const made = await text(world, ...HARD, "--base", "HEAD~1");
  const told = made.out.includes(`note: the base is ${base} and HEAD is `);
  const status = (await text(world, "status")).out;
  return told && status.includes(`against ${base}`) ? "refused" : "accepted";
});

lie("a guard that asks for less than it did", async () => {
  const world = await goalWorld([...HARD, "--guard", "node right.test.js"], {
    "right.test.js": "process.exit(require('./cost.js') > 50 ? 0 : 1);\n",
  });
  world.write("cost.js", costs(10));
  if ((await finish(world)) === "accepted") return "accepted";
  world.write("right.test.js", "");
  return finish(world);
});

lie("files left out of what a verdict covers, and changed after it", async () => {
  const world = await goalWorld([...HARD, "--covers", "README.md"]);
  world.write("cost.js", costs(60));
  await pg(world, "evaluate");
  await pg(world, "checkpoint", "--status", "pass", "--evidence", "fast");
  world.write("cost.js", costs(500));
  return (await pg(world, "complete")).exit === 0 ? "accepted" : "refused";
});

lie("a pass that stays after the code changed", async () => {
  const world = await passed(await goalWorld(HARD));
  world.write("cost.js", costs(500));
  return judge(world);
});

for (const [name, change] of [
  ["the code", (world: World) => world.write("cost.js", costs(500))],
  ["the evaluator", (world: World) => world.write("bench.js", FAKE)],
] as const)
  lie(`a pass that stays after the end, when ${name} changed`, async () => {
    const world = await passed(await goalWorld(HARD));
    await good(world, "complete");
    change(world);
    if ((await stillHolds(world)) === "accepted") return "accepted";
    await pg(world, "evaluate");
    return stillHolds(world);
  });

for (const [name, path] of [
  ["in state.json", STATE],
  ["in the ledger", LEDGER],
] as const)
  lie(`a status flipped ${name} with an editor`, async () => {
    const world = await goalWorld(HARD);
    await good(world, "checkpoint", "--status", "fail", "--evidence", "no gain");
    const real = world.read(path);
    world.write(
      path,
      real.replaceAll('"status":"fail"', '"status":"pass"').replaceAll('"met":false', '"met":true'),
    );
    return judge(world, () => world.write(path, real));
  });

/** Ledger and snapshot with other lines, every number, link and digest right. */
function forge(world: World, change: (lines: Line<GoalEvent>[]) => readonly Line<GoalEvent>[]): void {
  const lines = world
    .read(LEDGER)
    .trimEnd()
    .split("\n")
    .map((line): Line<GoalEvent> => JSON.parse(line));
  let state = performanceGoal.initial;
  let prev = "0".repeat(64);
  let seq = 0;
  let body = "";
  const written = change(lines).map(({ at, by, cmd, events }) => {
    seq++;
    for (const event of events) state = performanceGoal.reduce(state, event, { seq, at, by });
    body = snapshotBody(state);
    const digest = createHash("sha256").update(body).digest("hex");
    const line = encodeLine({
      seq,
      prev,
      format: performanceGoal.format,
      at,
      by,
      cmd,
      events,
      healed: null,
      state: digest,
    });
    prev = line.head.hash;
    return line.bytes.toString("utf8");
  });
  world.write(LEDGER, written.join(""));
  world.write(STATE, snapshotFile(performanceGoal.format, { seq, hash: prev }, body));
}

lie("a contract made easier in a ledger whose every hash was made to fit", async () => {
  const world = await goalWorld(HARD);
  const before = [world.read(LEDGER), world.read(STATE)] as const;
  forge(world, (lines) => JSON.parse(JSON.stringify(lines).replaceAll('"ratio":0.8', '"ratio":0.99')));
  world.write("cost.js", TOO_LITTLE);
  return judge(world, () => {
    world.write(LEDGER, before[0]);
    world.write(STATE, before[1]);
  });
});

lie("an evaluation and a pass appended to the ledger, every hash right", async () => {
  const world = await goalWorld(HARD);
  world.write("cost.js", TOO_LITTLE);
  await good(world, "evaluate");
  const before = [world.read(LEDGER), world.read(STATE)] as const;
  forge(world, (lines) => {
    const last = lines.at(-1);
    const found = last?.events[0];
    if (last === undefined || found?.type !== "evaluated") throw new Error("no evaluation to copy");
    const evaluation = { ...found.evaluation, id: "0123456789ab", met: true };
    const validation = {
      status: "pass",
      evidence: "fast",
      level: "captured",
      evaluation: evaluation.id,
    } as const;
    return [
      ...lines,
      { ...last, events: [{ ...found, evaluation }] },
      { ...last, cmd: "performance-goal checkpoint", events: [{ type: "validated", validation }] },
    ];
  });
  if ((await pg(world, "complete")).exit === 0) return "accepted";
  return judge(world, () => {
    world.write(LEDGER, before[0]);
    world.write(STATE, before[1]);
  });
});

lie("the lines with the failure cut off the ledger", async () => {
  const world = await passed(await goalWorld(HARD));
  await good(world, "checkpoint", "--status", "fail", "--evidence", "it gives wrong answers");
  forge(world, (lines) => lines.slice(0, -1));
  return (await pg(world, "complete")).exit === 0 ? "accepted" : "refused";
});

/** Another, easier contract in the place of the one that the user was told of; the user never said yes to it. */
async function easier(world: World, ...flags: string[]): Promise<Outcome> {
  world.write("cost.js", TOO_LITTLE);
  const said = await pg(world, ...EASY, ...flags);
  if (said.exit !== 0) return "refused";
  return finish(world);
}

lie("an easier target with --force, without the user", async () => easier(await goalWorld(HARD), "--force"));

lie("an easier target with --force, twice", async () => {
  const world = await goalWorld(HARD);
  await pg(world, ...EASY, "--force");
  return easier(world, "--force");
});

lie("state deleted, and created anew with an easier target", async () => {
  const world = await goalWorld(HARD);
  await world.sh("rm -rf .omx");
  return easier(world);
});

lie("git clean, and created anew with an easier target", async () => {
  const world = await goalWorld(HARD);
  await world.sh("git clean -qfdx");
  return easier(world);
});

lie("abandoned, and created anew with an easier target", async () => {
  const world = await goalWorld(HARD);
  await good(world, "abandon", "--evidence", "too hard");
  return easier(world);
});

lie("abandoned, deleted, and created anew with an easier target", async () => {
  const world = await goalWorld(HARD);
  await good(world, "abandon", "--evidence", "too hard");
  await world.sh(`rm -rf ${FOLDER}`);
  return easier(world);
});

for (const status of ["completed", "COMPLETE"])
  lie(`a snapshot by hand that says ${status}`, async () => {
    const world = await passed(await goalWorld(HARD));
    const { hostObjective } = await good(world, "status");
    const said = await pg(world, "complete", "--codex-goal-json", hostGoal(hostObjective, status));
    return said.exit === 0 ? "accepted" : "refused";
  });

lie("a snapshot of another goal of the host", async () => {
  const world = await passed(await goalWorld(HARD));
  const said = await pg(world, "complete", "--codex-goal-json", hostGoal("Make it cheaper", "complete"));
  return said.exit === 0 ? "accepted" : "refused";
});
