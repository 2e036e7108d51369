/** What goes wrong around a goal: commands at once, kills, damage, other tools' files, programs that misbehave. */

import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, stateBytes } from "../cli/kit.ts";
import type { World } from "../helpers/world.ts";
import { makeWorld } from "../helpers/world.ts";
import {
  costs,
  creation,
  FILES,
  FOLDER,
  goalWorld,
  good,
  LEDGER,
  metric,
  passed,
  pg,
  refused,
  STATE,
  text,
} from "./kit.ts";

const lines = (world: World): readonly string[] => world.read(LEDGER).trimEnd().split("\n");

async function running(what: string): Promise<boolean> {
  const child = Bun.spawn(["ps", "-eo", "args"], { stdout: "pipe" });
  return (await new Response(child.stdout).text())
    .split("\n")
    .some((line) => line.startsWith(`sleep ${what}`));
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let at = 0; at < 300; at++) {
    if (await holds()) return;
    await Bun.sleep(100);
  }
  throw new Error(`did not happen: ${what}`);
}

/** The product decides whether the evaluator waits, and how it can be known among all the others on this machine. */
const WAITING = {
  "bench.js":
    "const { cost, wait } = require('./cost.js');\nif (wait) require('child_process').spawnSync('sleep', [wait]);\nconsole.log('METRIC cost=' + cost);\n",
  "cost.js": costs("{ cost: 100 }"),
};
const unique = (): string => `${3000 + Math.floor(Math.random() * 6000)}.${process.pid}`;

/** An evaluation that is in the middle of a run. */
async function midway(world: World, wait: string): Promise<Bun.Subprocess> {
  world.write("cost.js", costs(`{ cost: 50, wait: '${wait}' }`));
  const child = Bun.spawn(["node", PROGRAM, "performance-goal", "evaluate"], {
    cwd: world.root,
    env: world.env,
    stdout: "ignore",
    stderr: "ignore",
  });
  await until("the evaluator waits", () => running(wait));
  return child;
}

for (const signal of ["SIGKILL", "SIGINT"] as const)
  test(`${signal} in the middle of an evaluation: nothing is lost, nothing goes on, the next command works`, async () => {
    const world = await goalWorld(metric(), WAITING);
    const wait = unique();
    const child = await midway(world, wait);
    const before = lines(world);
    // Looking at the goal is possible meanwhile; measuring a second time is not.
    expect((await good(world, "status")).status).toBe("active");
    if (signal === "SIGINT")
      expect(refused(await pg(world, "evaluate"), "lock_timeout").found).toContain("at work");
    child.kill(signal);
    await child.exited;
    // Nobody can act on SIGKILL: what it leaves is ended before anything is measured again.
    if (signal === "SIGINT") await until("its runs ended", async () => !(await running(wait)));
    expect(lines(world)).toEqual(before);
    world.write("cost.js", costs("{ cost: 50 }"));
    expect((await good(world, "evaluate")).evaluation).toMatchObject({ word: "improved", met: true });
    expect(await running(wait)).toBe(false);
    expect((await good(world, "verify")).valid).toBe(true);
    expect(lines(world)).toHaveLength(before.length + 1);
  }, 60_000);

test("eight commands at once: each is in the ledger, whole", async () => {
  const world = await goalWorld();
  const notes = Array.from({ length: 8 }, (_, at) => `note ${at}`);
  const said = await Promise.all(
    notes.map((note) => pg(world, "checkpoint", "--status", "fail", "--evidence", note)),
  );
  expect(said.map(({ exit }) => exit)).toEqual(notes.map(() => 0));
  expect(lines(world)).toHaveLength(10);
  for (const note of notes) expect(lines(world).filter((line) => line.includes(`"${note}"`))).toHaveLength(1);
  expect(await good(world, "verify")).toMatchObject({ valid: true, lines: 10 });
}, 30_000);

describe("state that is not what the ledger says", () => {
  test("a snapshot edited by hand: exit 3, and repair gives the ledger's word", async () => {
    const world = await goalWorld();
    await good(world, "checkpoint", "--status", "fail", "--evidence", "not yet");
    world.write(STATE, world.read(STATE).replace('"status":"fail"', '"status":"pass"'));
    expect(world.read(STATE)).toContain('"status":"pass"');
    for (const command of ["status", "evaluate", "complete"]) {
      const error = refused(await pg(world, command), "state_damaged", 3);
      expect(error.nextActions[0]).toBe("proofgate performance-goal repair --slug cheap");
    }
    expect((await pg(world, "verify")).json).toMatchObject({ ok: false, valid: false });
    expect((await good(world, "list")).goals).toMatchObject([{ slug: "cheap", status: "damaged" }]);
    expect(await good(world, "repair")).toMatchObject({ repaired: true, lost: [] });
    expect((await good(world, "status")).lastValidation.status).toBe("fail");
  }, 30_000);

  test("a snapshot that is gone, and a last line that was torn, heal by themselves", async () => {
    const world = await passed(await goalWorld());
    const before = await good(world, "status");
    await world.sh(`rm ${STATE}`);
    expect((await good(world, "status")).lastValidation).toEqual(before.lastValidation);
    world.write(LEDGER, `${world.read(LEDGER)}{"seq":99,"prev":"`);
    expect((await good(world, "complete")).status).toBe("complete");
    expect((await good(world, "verify")).valid).toBe(true);
  }, 30_000);

  test("files of another tool are left as they are, and no command takes them for damage", async () => {
    const world = await makeWorld(FILES);
    world.write(
      STATE,
      JSON.stringify({ version: 1, lastValidation: { status: "pass" }, objective: "theirs" }),
    );
    world.write(LEDGER, '{"ts":"2024-01-01","event":"created"}\n');
    world.write(`${FOLDER}/cheap/evaluator.md`, "theirs\n");
    const before = stateBytes(world.root, ".omx");
    for (const args of [
      ["status"],
      ["evaluate"],
      ["start"],
      ["complete"],
      ["repair"],
      metric(),
      metric("--force"),
    ])
      refused(await pg(world, ...args), "foreign_state");
    expect(stateBytes(world.root, ".omx")).toEqual(before);
    expect((await good(world, "list")).goals).toHaveLength(1);
  }, 30_000);
});

describe("an evaluator that misbehaves once the goal is under way", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      "fails at every other run",
      "const fs = require('fs');\nfs.appendFileSync('RUNS', '.');\nif (fs.readFileSync('RUNS').length % 2 === 0) process.exit(3)",
      "exit 3",
    ],
    ["fails with words", "throw new Error('cache is cold')", "cache is cold"],
    ["is killed", "process.kill(process.pid, 'SIGKILL')", "SIGKILL|exit 137"],
    ["says the metric itself as well", "console.log('METRIC cost=1')", "2 of them"],
    ["gives no number", "module.exports = NaN", "METRIC cost=NaN"],
    ["gives Infinity", "module.exports = Infinity", "METRIC cost=Infinity"],
    ["gives 0", "module.exports = 0", "METRIC cost=0"],
    ["gives less than 0", "module.exports = -1", "METRIC cost=-1"],
    ["gives another unit", "module.exports = '5ms'", "none and ms"],
  ];
  test(`the product ${cases.map(([name]) => name).join("; ")}`, async () => {
    const world = await goalWorld(metric("--target", "-20%", "--warm-up", "20"));
    let recorded = lines(world).length;
    for (const [name, code, found] of cases) {
      const own = code.replaceAll("RUNS", join(world.home, "runs"));
      world.write("cost.js", `module.exports = 70;\n${own};\n`);
      const said = await pg(world, "evaluate");
      expect({ name, exit: said.exit, ...said.json }).toMatchObject({
        name,
        exit: 1,
        ok: false,
        error: { code: "measurement_invalid", message: expect.stringMatching(new RegExp(found)) },
        evaluation: { word: "invalid", met: false, kept: false },
        next: { command: expect.stringContaining("evaluate") },
      });
      // Said in the ledger, and nothing else happened.
      expect(lines(world)).toHaveLength(++recorded);
    }
    expect((await text(world, "status")).out).toContain("latest    INVALID: ");
    await passed(world);
    expect((await good(world, "complete")).status).toBe("complete");
  }, 60_000);

  test("what it starts and leaves is ended; much output is no reason to fail", async () => {
    const wait = unique();
    const world = await goalWorld(metric(), {
      "bench.js": `require('child_process').spawn('sleep', ['${wait}'], { detached: true, stdio: 'ignore' }).unref();\nconsole.log('METRIC cost=' + require('./cost.js'));\nfor (let at = 0; at < 2e4; at++) console.log('x'.repeat(99));\n`,
    });
    world.write("cost.js", costs(70));
    const said = await good(world, "evaluate");
    expect(said.evaluation).toMatchObject({ word: "improved", met: true });
    expect(await running(wait)).toBe(false);
  }, 60_000);
});

test("no copy of the repository is left behind", async () => {
  const world = await makeWorld(FILES);
  const temp = join(world.home, "tmp");
  await world.sh(`mkdir -p '${temp}'`);
  const there = { json: true, env: { TMPDIR: temp } };
  for (const args of [
    creation("node bench.js", "--metric", "cost"),
    ["start"],
    ["evaluate"],
    creation("exit 9", "--metric", "cost", "--force"),
  ])
    await world.run(["performance-goal", ...args], there);
  expect(readdirSync(temp)).toEqual([]);
});
