/** The course of a performance goal with the built program: created, measured, kept, validated, complete. */

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  costs,
  FILES,
  goalWorld,
  good,
  hostGoal,
  LEDGER,
  metric,
  passed,
  pg,
  refused,
  STATE,
  text,
} from "./kit.ts";

test("a goal from its contract to its end, as people and models read it", async () => {
  const world = await makeWorld(FILES);
  const made = await text(world, ...metric("--target", "-20%"));
  expect(made.out).toContain("judged by: cost of `node bench.js`, -20% (lower is better), against ");
  expect(made.out).toContain("\nprotected: bench.js\n");
  expect(made.out).toContain("note: no guard");
  expect((await text(world, "start")).out).toMatch(/Do not change: bench\.js\n[\s\S]*\nobjective: Reach /);
  expect((await text(world, "baseline")).out).toStartWith("base   100, noise 0.0 %");
  world.write("cost.js", costs(90));
  expect((await text(world, "evaluate")).out).toMatch(
    /^cost {3}100 → 90 {3}−10\.0 %.*\n {2}again .*\nIMPROVED, TARGET MISSED: −20% is not reached, kept\n.*evaluator unchanged\nnext: the next small patch/,
  );
  world.write("cost.js", costs(75));
  expect((await text(world, "evaluate")).out).toContain("IMPROVED, TARGET MET: −20%, confirmed, kept\n");
  const said = await text(
    world,
    "checkpoint",
    "--status",
    "pass",
    "--evidence",
    "a table in place of a loop",
  );
  expect(said.out).toContain("checkpoint pass: cheap\nnext: proofgate performance-goal complete");
  expect((await text(world, "status")).out).toContain('check     pass   "a table in place of a loop"');
  const done = await text(world, "complete");
  expect(done.out).toStartWith("Complete: cheap, Make it cheaper\nnote: no guard");
  const plot = (await text(world, "plot")).out;
  expect(plot).toMatch(/kept +90[\s\S]*kept +75[\s\S]*passed +75/);
  expect(world.read(`${STATE.replace("state.json", "plot.svg")}`)).toContain("<svg");
  expect((await text(world, "list")).out).toMatch(/^cheap +complete +pass +Make it cheaper\n$/);
  // The state ignores itself in Git.
  expect(await world.git("status", "--porcelain")).toBe("M cost.js");
}, 30_000);

test("two steps: what is kept is compared with what was kept before, and reverting goes back to it", async () => {
  const world = await goalWorld(metric("--target", "-30%"));
  world.write("cost.js", costs(80));
  expect((await good(world, "evaluate")).evaluation).toMatchObject({ met: false, kept: true });
  world.write("cost.js", costs(85));
  const worse = await good(world, "evaluate");
  expect(worse).toMatchObject({ evaluation: { word: "improved", kept: false }, next: {} });
  expect(worse.evaluation.versusKept).toMatchObject([{ word: "regressed", base: 80, now: 85 }]);
  expect((await good(world, "revert")).reverted).toEqual(["cost.js"]);
  expect(world.read("cost.js")).toBe(costs(80));
  world.write("cost.js", costs(70));
  expect((await good(world, "evaluate")).evaluation).toMatchObject({ met: true, kept: true });
}, 30_000);

describe("a verdict is fresh", () => {
  test("until the code changes, and again when the code is as it was", async () => {
    const world = await passed(await goalWorld());
    world.write("README.md", "# Another text\n");
    expect((await good(world, "status")).lastValidation).toMatchObject({ status: "pass", fresh: false });
    const error = refused(await pg(world, "complete"), "not_proven");
    expect(JSON.stringify(error)).toContain("the code changed after it was measured");
    world.write("README.md", FILES["README.md"] ?? "");
    expect((await good(world, "complete")).lastValidation.fresh).toBe(true);
  }, 30_000);

  test("whatever becomes of files that it does not cover", async () => {
    const world = await passed(await goalWorld(metric("--covers", "*.js")));
    world.write("README.md", "# Another text\n");
    expect((await good(world, "status")).lastValidation.fresh).toBe(true);
    world.write("new.js", "");
    expect((await good(world, "status")).lastValidation.fresh).toBe(false);
  }, 30_000);

  test("also after the end: a change is told, and one evaluation makes it hold again", async () => {
    const world = await passed(await goalWorld());
    await good(world, "complete");
    world.write("cost.js", costs(120));
    const stale = await good(world, "status");
    expect(stale).toMatchObject({ status: "complete", lastValidation: { status: "pass", fresh: false } });
    expect(stale.next.command).toContain("evaluate");
    expect((await pg(world, "evaluate")).exit).toBe(1);
    expect((await good(world, "status")).lastValidation.fresh).toBe(false);
    world.write("cost.js", costs(60));
    await good(world, "evaluate");
    expect(await good(world, "status")).toMatchObject({
      status: "complete",
      lastValidation: { fresh: true },
      next: { command: expect.stringContaining("plot") },
    });
  }, 30_000);
});

test("what is measured again on the same tree and does not hold takes the pass back", async () => {
  // What the product costs depends on something outside of the tree.
  const world = await makeWorld(FILES);
  world.write("cost.js", "module.exports = 100;\n");
  const switched = join(world.home, "slow");
  await good(world, ...metric("--target", "-20%"));
  await good(world, "start");
  await passed(world);
  world.write("cost.js", `module.exports = require('fs').existsSync('${switched}') ? 110 : 70;\n`);
  await good(world, "evaluate");
  await good(world, "checkpoint", "--status", "pass", "--evidence", "fast here");
  await world.sh(`touch '${switched}'`);
  expect((await pg(world, "evaluate")).exit).toBe(1);
  const error = refused(await pg(world, "complete"), "not_proven");
  expect(JSON.stringify(error)).toContain("measured again after that, it does not hold");
  expect((await good(world, "status")).next.command).not.toContain("complete");
}, 30_000);

describe("the host's goal at the end", () => {
  const cases: readonly (readonly [string, (objective: string) => string, string | null])[] = [
    ["is gone", () => JSON.stringify({ goal: null }), null],
    ["is complete", (o) => hostGoal(o, "complete"), null],
    ["is the bare object", (o) => JSON.stringify({ objective: o, status: "complete" }), null],
    ["has other white space", (o) => hostGoal(` ${o.replaceAll(" ", "\n  ")}\n`, "complete"), null],
    ["has another Unicode form", (o) => hostGoal(o.normalize("NFD"), "complete"), null],
    ["is still active", (o) => hostGoal(o, "active"), "snapshot_mismatch"],
    ["is another one", () => hostGoal("Write a poem", "complete"), "snapshot_mismatch"],
    ["is done, by a synonym", (o) => hostGoal(o, "completed"), "snapshot_invalid"],
    ["has no status", (o) => JSON.stringify({ goal: { objective: o } }), "snapshot_invalid"],
    ["is no JSON", () => "{complete", "json_invalid"],
  ];
  test(cases.map(([name]) => name).join("; "), async () => {
    const world = await makeWorld(FILES);
    await good(world, ...metric().map((word) => (word === "Make it cheaper" ? "Größe müsse fallen" : word)));
    await good(world, "start");
    await passed(world);
    const { hostObjective } = await good(world, "status");
    const state = [world.read(LEDGER), world.read(STATE)];
    for (const [name, json, code] of cases.filter((one) => one[2] !== null)) {
      const said = await pg(world, "complete", "--codex-goal-json", json(hostObjective));
      expect({ name, code: said.json.error?.code }).toEqual({ name, code });
      expect(JSON.stringify(said.json.error.nextActions)).not.toMatch(/status blocked/);
    }
    expect([world.read(LEDGER), world.read(STATE)]).toEqual(state);
    for (const [name, json] of cases.filter((one) => one[2] === null)) {
      await world.sh(`cp -r .omx '${world.home}/omx' && cp -r '${world.home}/state' '${world.home}/kept'`);
      const said = await pg(world, "complete", "--codex-goal-json", json(hostObjective));
      expect({ name, out: said.json.error, status: said.json.status }).toEqual({
        name,
        out: undefined,
        status: "complete",
      });
      await world.sh(
        `rm -rf .omx '${world.home}/state' && mv '${world.home}/omx' .omx && mv '${world.home}/kept' '${world.home}/state'`,
      );
    }
  }, 30_000);
});

describe("out of order", () => {
  test("before start, twice, after the end, after giving up", async () => {
    const world = await makeWorld(FILES);
    for (const command of ["status", "start", "complete", "evaluate", "revert"])
      refused(await pg(world, command), "no_plan");
    expect(existsSync(join(world.root, ".omx"))).toBe(false);
    await good(world, ...metric());
    refused(await pg(world, "complete"), "goal_not_open");
    refused(await pg(world, "checkpoint", "--status", "fail", "--evidence", "x"), "goal_not_open");
    await good(world, "start");
    expect((await good(world, "start")).ledger.seq).toBe(2);
    expect(refused(await pg(world, "complete"), "not_proven").problems).toHaveLength(1);
    await good(world, "abandon", "--evidence", "no time");
    refused(await pg(world, "evaluate"), "goal_not_open");
    refused(await pg(world, "revert"), "goal_not_open");
    await good(world, "start");
    await passed(world);
    await good(world, "complete");
    for (const args of [
      ["complete"],
      ["start"],
      ["abandon"],
      ["revert"],
      ["baseline"],
      ["checkpoint", "--status", "fail", "--evidence", "x"],
    ])
      refused(await pg(world, ...args), "goal_not_open");
  }, 30_000);
});

test("slugs: any script, colliding, chosen, leading out", async () => {
  const world = await makeWorld(FILES);
  const create = (objective: string, ...more: string[]) => {
    const words = metric().map((word) => (word === "Make it cheaper" ? objective : word));
    return pg(world, "create", ...words.slice(words.indexOf("--objective")), ...more);
  };
  const slugs: string[] = [];
  for (const objective of ["Schneller starten: 20 %", "更快地启动", "更快地停止", "🚀", "Ship it"]) {
    const said = await create(objective);
    expect({ objective, exit: said.exit }).toEqual({ objective, exit: 0 });
    expect(said.json.slug).toMatch(/^[a-z0-9][a-z0-9-]*$/);
    slugs.push(said.json.slug);
  }
  expect(new Set(slugs).size).toBe(slugs.length);
  refused(await create("Ship it"), "plan_exists");
  refused(await create("Ship it\nfor everybody"), "plan_exists");
  for (const slug of ["../x", "a/b", "..", "/etc", "", "a\nb", "-x"])
    expect({ slug, exit: (await create("Ship it", `--slug=${slug}`)).json.error?.code }).toMatchObject({
      slug,
      exit: expect.stringMatching(/^(invalid_id|usage_)/),
    });
  expect(existsSync(join(world.root, ".omx/goals/x"))).toBe(false);
  refused(await pg(world, "status"), "unknown_goal", 2);
  refused(await pg(world, "status", "--slug", "nothing"), "no_plan");
  expect((await good(world, "list")).goals).toHaveLength(slugs.length);
}, 30_000);

describe("the document beside the ledger", () => {
  test("says the contract; an edit of it changes nothing and is told", async () => {
    const world = await goalWorld();
    const path = `${STATE.replace("state.json", "evaluator.md")}`;
    const document = world.read(path);
    expect(document).toContain("command: node bench.js\n");
    expect(document).toContain("target: -20%\n");
    expect(document).toContain("The cost falls.");
    world.write(path, document.replace("-20%", "-1%"));
    world.write("cost.js", costs(95));
    expect((await good(world, "evaluate")).evaluation.met).toBe(false);
    expect((await text(world, "status")).out).toContain("note: evaluator.md was edited by hand");
    expect((await text(world, "verify")).out).toContain("note: evaluator.md was edited by hand");
    await world.sh(`rm '${path}'`);
    expect((await text(world, "status")).out).toContain("evaluator.md is gone");
  }, 30_000);
});

test("commands work from a subfolder and from a new process of another session", async () => {
  const world: World = await goalWorld();
  await world.sh("mkdir -p sub/deep");
  const said = await world.run(["performance-goal", "evaluate"], {
    json: true,
    cwd: `${world.root}/sub/deep`,
  });
  expect(said.json).toMatchObject({ ok: true, slug: "cheap" });
  const other = await world.run(["performance-goal", "status"], {
    json: true,
    env: { CODEX_SESSION_ID: "another" },
  });
  expect(other.json).toMatchObject({ ok: true, status: "active" });
});
