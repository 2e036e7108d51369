/** `proofgate ci` judges a branch by its base without a ledger, and the workflow for GitHub Actions runs it. */

import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { makeWorld, type Said, type World } from "../helpers/world.ts";
import { DONE, expectRefusal, FILES, type Goal, goal, PIN, PROGRAM, planFile, RED } from "./kit.ts";

const WORKFLOW = join(import.meta.dir, "../../examples/github-actions.yml");
const PLAN = ".proofgate/plan.yaml";

async function branched(
  goals: readonly Goal[] = [goal("CSV import")],
  more: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const world = await makeWorld({ ...FILES, [PLAN]: planFile(goals, more) });
  await world.git("checkout", "-q", "-b", "work");
  return world;
}
const statuses = (json: Said["json"]): string[] =>
  json.results.map((r: { ref: string; status: string }) => `${r.ref} ${r.status}`);

test("work that is done is proven, and old behaviour is pinned; nothing is written", async () => {
  const world = await branched();
  world.write("app.sh", DONE);
  await world.commit();
  const said = await world.ask("ci", "--plan", PLAN, "--base", "main");
  expect(said.json).toMatchObject({
    ok: true,
    valid: true,
    problems: [],
    plan: "base",
    base: expect.stringMatching(/^[0-9a-f]{40}$/),
    notes: [],
  });
  expect(statuses(said.json)).toEqual(["G001-C001 proven", "G001-C002 pinned"]);
  const text = await world.run(["ci", "--base", "main"]);
  expect(text.exit).toBe(0);
  expect(text.out).toMatch(/^G001-C001 {2}proven .*failed on base, passes now/m);
  expect(text.out).toMatch(/^G001-C002 {2}pinned .*passed on base as well/m);
  expect(text.out).toMatch(/^ok: 1 failed on base and pass here · 1 pinned · 0 not proven$/m);
  expect(existsSync(join(world.root, ".omo"))).toBeFalse();
  expect(await world.git("status", "--porcelain")).toBe("");
});

test("work that is not done, a missing program and a draft are each named, with exit 1", async () => {
  const world = await branched([
    goal("CSV import", [
      RED,
      PIN,
      { ...PIN, class: "regression", check: { run: "no-such-program --really" } },
    ]),
    goal(
      "Docs",
      [
        {
          class: ["happy", "edge", "regression"],
          channel: "browser",
          scenario: 'Open /admin; the table has "3 rows".',
        },
      ],
      { without: { adversarial: "no input" } },
    ),
  ]);
  const said = await world.ask("ci", "--base", "main");
  expect(said.exit).toBe(1);
  expect(statuses(said.json)).toEqual([
    "G001-C001 failing",
    "G001-C002 pinned",
    "G001-C003 not_run",
    "G002-C001 skipped",
  ]);
  expect(said.json).toMatchObject({ ok: false, valid: false, error: { code: "not_proven" } });
  expect(said.json.problems.map((p: { where: string; code: string }) => `${p.where} ${p.code}`)).toEqual([
    "G001-C001 check_failed",
    "G001-C003 check_inconclusive",
    "G001 not_red",
    "G002-C001 criterion_draft",
  ]);
  const text = await world.run(["ci", "--base", "main"]);
  expect({ exit: text.exit, err: text.err }).toEqual({ exit: 1, err: "" });
  expect(text.out).toMatch(/^G001-C001 {2}FAILING .*wanted exit 0, got exit 1/m);
  expect(text.out).toMatch(/^G001-C003 {2}NOT RUN/m);
  expect(text.out).toContain("NOT PROVEN");
});

test("a change that does nothing is not proven: all pins and no red", async () => {
  const world = await branched([
    goal("CSV import", [{ ...PIN, class: ["happy", "edge", "regression", "adversarial"] }]),
  ]);
  world.write("other.txt", "busy work\n");
  await world.commit();
  const said = await world.ask("ci", "--base", "main");
  expect(said.exit).toBe(1);
  expect(said.json.problems).toMatchObject([{ where: "G001", code: "not_red" }]);
});

test("a verify command of the plan has to pass as well", async () => {
  const world = await branched([goal("CSV import")], { verify: ["sh test/lint.sh"] });
  world.write("app.sh", DONE);
  world.write("test/lint.sh", "exit 3\n");
  await world.commit();
  const said = await world.ask("ci", "--base", "main");
  expect(said.json.problems).toMatchObject([{ where: "verify", code: "check_failed" }]);
  expect(said.exit).toBe(1);
});

test("the base's plan is the one that counts: a branch that weakens or removes it is judged by the old one, and told so", async () => {
  const world = await branched();
  world.write(
    PLAN,
    planFile([goal("CSV import", [{ ...PIN, class: ["happy", "edge", "regression", "adversarial"] }])]),
  );
  await world.commit();
  const weakened = await world.ask("ci", "--base", "main");
  expect(weakened.exit).toBe(1);
  expect(statuses(weakened.json)).toEqual(["G001-C001 failing", "G001-C002 pinned"]);
  expect(weakened.json.notes[0]).toContain("was changed in this branch");
  rmSync(join(world.root, PLAN));
  const removed = await world.ask("ci", "--base", "main");
  expect(removed.exit).toBe(1);
  expect(removed.json.notes[0]).toContain("is gone in this branch");
  expect((await world.run(["ci", "--base", "main"])).out).toContain("note: ");
});

test("a plan that is new in the branch is used, and the report says to read it", async () => {
  const world = await makeWorld(FILES);
  await world.git("checkout", "-q", "-b", "work");
  world.write(PLAN, planFile([goal("CSV import")]));
  world.write("app.sh", DONE);
  await world.commit();
  const said = await world.ask("ci", "--base", "main");
  expect(said.json).toMatchObject({ ok: true, plan: "head" });
  expect(said.json.notes[0]).toContain("is not in the base");
});

test("tests written along the way count: they are laid over the base and fail there", async () => {
  const world = await makeWorld({
    "app.sh": FILES["app.sh"] ?? "",
    [PLAN]: planFile([
      goal("CSV import", [RED], { without: { regression: "new", adversarial: "no input" } }),
    ]),
  });
  await world.git("checkout", "-q", "-b", "work");
  world.write("test/rows.sh", FILES["test/rows.sh"] ?? "");
  world.write("app.sh", DONE);
  await world.commit();
  const said = await world.ask("ci", "--base", "main");
  expect(statuses(said.json)).toEqual(["G001-C001 proven"]);
});

test("a check that only lays itself down, and a work file that a check was made to print, are not proven", async () => {
  const world = await makeWorld({
    "app.sh": FILES["app.sh"] ?? "",
    [PLAN]: planFile([
      goal("CSV import", [RED], { without: { regression: "new", adversarial: "no input" } }),
    ]),
  });
  await world.git("checkout", "-q", "-b", "work");
  world.write("test/rows.sh", "exit 0\n");
  await world.commit();
  const said = await world.ask("ci", "--base", "main");
  expect(said.exit).toBe(1);
  expect(statuses(said.json)).toEqual(["G001-C001 hollow"]);
});

test("a subfolder, a tag, a commit and a worktree will do; a repository without the base is told", async () => {
  const world = await branched();
  await world.git("tag", "v1");
  world.write("app.sh", DONE);
  await world.commit();
  const head = await world.git("rev-parse", "main");
  for (const base of ["v1", head, "HEAD~1"])
    expect((await world.ask("ci", "--base", base)).json.valid).toBeTrue();
  const below = await world.run(["ci", "--plan", "../.proofgate/plan.yaml", "--base", "main"], {
    cwd: join(world.root, "test"),
    json: true,
  });
  expect(below.json).toMatchObject({ ok: true, plan: "base" });
  expectRefusal(await world.ask("ci", "--base", "origin/main"), "base_unknown", 2);
});

test("the checks see no variable that would load other code into them", async () => {
  const world = await branched();
  world.write("hook.sh", "echo '3 rows'; exit 0\n");
  const said = await world.run(["ci", "--base", "main"], {
    env: { BASH_ENV: join(world.root, "hook.sh"), ENV: join(world.root, "hook.sh") },
    json: true,
  });
  expect(said.exit).toBe(1);
});

test("the workflow for GitHub Actions is valid YAML of the right form", async () => {
  const workflow = parse(await Bun.file(WORKFLOW).text());
  expect(Object.keys(workflow)).toEqual(["name", "on", "permissions", "jobs"]);
  expect(Object.keys(workflow.on)).toEqual(["pull_request"]);
  expect(workflow.permissions).toEqual({ contents: "read" });
  const { proof } = workflow.jobs;
  expect(proof["runs-on"]).toBe("ubuntu-latest");
  expect(
    proof.steps.map(
      (s: { uses?: string; run?: string }) =>
        s.uses?.split("@")[0] ?? s.run?.split(" ").slice(0, 3).join(" "),
    ),
  ).toEqual(["actions/checkout", "actions/setup-node", "npm ci", "npx proofgate ci"]);
  expect(proof.steps[0].with).toEqual({ "fetch-depth": 0 });
  expect(Number(proof.steps[1].with["node-version"])).toBeGreaterThanOrEqual(20);
  for (const step of proof.steps)
    expect(Object.keys(step).every((key) => ["uses", "with", "run", "name"].includes(key))).toBeTrue();
});

test("the workflow's own line, run in a clone, is red before the work and green after it", async () => {
  const { jobs } = parse(await Bun.file(WORKFLOW).text());
  const filled = jobs.proof.steps.at(-1).run.replace(/\$\{\{\s*github\.base_ref\s*\}\}/g, "main");
  expect(filled).not.toContain("${{");
  const world = await branched();
  const clone = async (branch: string) => {
    const at = join(world.home, branch);
    await world.git("clone", "-q", "-b", branch, world.root, at);
    mkdirSync(join(at, "node_modules/.bin"), { recursive: true });
    await Bun.write(join(at, "node_modules/.bin/proofgate"), `#!/bin/sh\nexec node '${PROGRAM}' "$@"\n`);
    chmodSync(join(at, "node_modules/.bin/proofgate"), 0o755);
    return world.sh(`cd '${at}' && ${filled.replace("npx ", "npx --no-install ")}`);
  };
  await world.git("branch", "undone");
  const undone = await clone("undone");
  expect({ exit: undone.exit, says: undone.out.includes("NOT PROVEN") }).toEqual({ exit: 1, says: true });
  world.write("app.sh", DONE);
  await world.commit();
  const finished = await clone("work");
  expect({ exit: finished.exit, says: finished.out.includes("ok: 1 failed on base") }).toEqual({
    exit: 0,
    says: true,
  });
});
