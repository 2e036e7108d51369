/** Plans of several sessions lie apart, and one that is cancelled or owned by another session does not go on. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeWorld } from "../helpers/world.ts";
import { expectRefusal, FILES, goal, good, ledgerLines, planFile, planned, stateBytes } from "./kit.ts";

const STATE = ".omo/ulw-loop";
const PLAN = ["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"];
const repository = () => makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile([goal("One")]) });

test("the flag and the variable name the same plan, the flag wins, and its files lie in a folder of its own", async () => {
  const world = await repository();
  await good(world, ...PLAN, "--session-id", "alpha");
  const env = { OMO_ULW_LOOP_SESSION_ID: "beta" };
  expect((await world.run(PLAN, { env, json: true })).exit).toBe(0);
  for (const name of ["goals.json", "ledger.jsonl", "brief.md"])
    for (const session of ["alpha", "beta"])
      expect(existsSync(join(world.root, STATE, session, name))).toBeTrue();
  expect(existsSync(join(world.root, STATE, "goals.json"))).toBeFalse();
  await world.run(["ulw-loop", "add-goal", "--title", "Two", "--objective", "O"], { env });
  await world.run(["ulw-loop", "add-goal", "--title", "Two", "--objective", "O", "--session-id", "alpha"], {
    env,
  });
  await world.run(["ulw-loop", "add-goal", "--title", "Three", "--objective", "O", "--session-id", "alpha"], {
    env,
  });
  expect((await world.run(["status"], { env, json: true })).json.goals).toHaveLength(2);
  expect((await good(world, "status", "--session-id", "alpha")).goals).toHaveLength(3);
  expect(
    (await world.run(["status"], { env: { OMO_ULW_LOOP_SESSION_ID: "../x" }, json: true })).json.error.code,
  ).toBe("invalid_id");
  expectRefusal(await world.ask("status"), "no_plan", 1);
  expect(
    (await world.run(["status"], { env: { OMO_ULW_LOOP_SESSION_ID: "" }, json: true })).json.error.code,
  ).toBe("no_plan");
});

test("the objective of a session's plan names that session's files", async () => {
  const world = await repository();
  await good(world, ...PLAN, "--session-id", "alpha");
  const { objective } = await good(world, "status", "--session-id", "alpha");
  expect(objective).toContain(`${STATE}/alpha/goals.json`);
  expect(objective).toContain(`${STATE}/alpha/ledger.jsonl`);
});

test("proof in one session changes nothing in another", async () => {
  const world = await repository();
  await good(world, ...PLAN);
  await good(world, ...PLAN, "--session-id", "alpha");
  const before = stateBytes(world.root, `${STATE}/ledger.jsonl`);
  await good(world, "prove", "C002", "--session-id", "alpha");
  expect(stateBytes(world.root, `${STATE}/ledger.jsonl`)).toEqual(before);
  expect(existsSync(join(world.root, STATE, "alpha/evidence/G001-C002.txt"))).toBeTrue();
});

test("list shows each plan with its state, a damaged one among them, and nothing where there is none", async () => {
  const world = await repository();
  expect((await world.run(["list"])).out).toBe("no plans in this repository\n");
  await good(world, ...PLAN);
  for (const session of ["open", "stopped", "broken"]) await good(world, ...PLAN, "--session-id", session);
  await good(world, "ulw-loop", "cancel", "--session-id", "stopped");
  world.write(
    `${STATE}/broken/ledger.jsonl`,
    world.read(`${STATE}/broken/ledger.jsonl`).replace("One", "Two"),
  );
  const { plans } = await good(world, "list");
  expect(plans.map((p: { session: string | null; status: string }) => [p.session, p.status])).toEqual([
    [null, "open"],
    ["broken", "damaged"],
    ["open", "open"],
    ["stopped", "cancelled"],
  ]);
  const text = await world.run(["list"]);
  expect(text.out.trimEnd().split("\n")).toHaveLength(4);
  expect(text.exit).toBe(0);
});

test("a cancelled plan refuses to go on until it is attached, and loses nothing", async () => {
  const world = await planned();
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove", "C002");
  const cancelled = await good(world, "ulw-loop", "cancel", "--evidence", "the user said stop");
  expect(cancelled.next.command).toBe("proofgate ulw-loop attach");
  expect((await world.run(["status"])).out).toStartWith("Ship the importer.      CANCELLED");
  const why = ["--evidence", "e", "--rationale", "r"];
  const before = ledgerLines(world);
  for (const args of [
    ["ulw-loop", "complete-goals"],
    ["prove"],
    ["checkpoint", "--status", "complete", "--evidence", "x"],
    ["steer", "--kind", "annotate_ledger", ...why],
    ["ulw-loop", "record-evidence", "--criterion-id", "C001", "--status", "fail", "--evidence", "x"],
    ["ulw-loop", "waive", "--criterion-id", "C001", ...why],
  ])
    expectRefusal(await world.ask(...args), "plan_cancelled", 1);
  expect(ledgerLines(world)).toEqual([...before]);
  const again = await good(world, "ulw-loop", "cancel");
  expect(again.cancelled).toBeTrue();
  expect(ledgerLines(world)).toEqual([...before]);
  expect((await good(world, "ulw-loop", "attach")).resumed).toBeTrue();
  const taken = await good(world, "ulw-loop", "complete-goals");
  expect(taken.goal).toMatchObject({ id: "G001", status: "in_progress" });
  expect(taken.criteria.map((c: { status: string }) => c.status)).toEqual(["open", "pass"]);
});

test("another session may not take a goal up while the owner is at work, and may after attach", async () => {
  const world = await repository();
  const as = (session: string, ...args: string[]) =>
    world.run(args, { env: { CODEX_SESSION_ID: session }, json: true });
  expect((await as("root-1", ...PLAN)).exit).toBe(0);
  expect((await as("root-1", "ulw-loop", "complete-goals")).exit).toBe(0);
  const refused = await as("root-2", "ulw-loop", "complete-goals");
  expectRefusal(refused, "session_taken", 1);
  expect(refused.json.error.expected).toContain("root-1");
  const attached = await as("root-2", "ulw-loop", "attach");
  expect(attached.json).toMatchObject({ ok: true, session: "root-2", previous: "root-1" });
  expect((await as("root-2", "ulw-loop", "complete-goals")).json).toMatchObject({
    ok: true,
    goal: { id: "G001" },
  });
  expectRefusal(await as("root-1", "ulw-loop", "complete-goals"), "session_taken", 1);
  const by = ledgerLines(world).map((line) => JSON.parse(line).by);
  expect(by[0]).toEqual({ kind: "agent", host: "codex", session: "root-1" });
  expect(by.at(-1)).toMatchObject({ session: "root-2" });
  const { plans } = (await world.ask("list")).json;
  expect(plans).toMatchObject([{ session: null, owner: "root-2" }]);
});
