/** Damage to the state is found and told, repair keeps what is sound, and import takes over another tool's goals. */

import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  DONE,
  expectRefusal,
  FILES,
  goal,
  good,
  ledgerLines,
  planned,
  REVIEWS,
  stateBytes,
  steer,
} from "./kit.ts";

const STATE = ".omo/ulw-loop";
const LEDGER = `${STATE}/ledger.jsonl`;
const GOALS = `${STATE}/goals.json`;

interface Listed {
  readonly criteria: readonly { readonly status: string }[];
}

const done = ["--status", "complete", "--evidence", "see receipts"];

/** A plan with some history: a criterion that failed, then passed, and a note at the end. */
async function lived(): Promise<World> {
  const world = await planned([goal("CSV import"), goal("Second goal")]);
  await good(world, "ulw-loop", "complete-goals");
  await world.ask("prove", "C001");
  world.write("app.sh", DONE);
  await good(world, "prove");
  await good(
    world,
    "steer",
    "--kind",
    "annotate_ledger",
    "--evidence",
    "e",
    "--rationale",
    "a note to be kept",
  );
  return world;
}

test("check is 0 only when everything is proven on the tree as it is, and lists every defect otherwise", async () => {
  const world = await planned();
  const open = await world.ask("check");
  expect(open.exit).toBe(1);
  expect(open.json).toMatchObject({
    ok: false,
    valid: false,
    error: { code: "not_proven" },
    problems: [{ where: "G001", code: "open_goal", message: expect.any(String) }],
  });
  world.write("app.sh", DONE);
  await good(world, "ulw-loop", "complete-goals");
  await good(world, "prove");
  expect((await world.ask("check")).exit).toBe(1);
  await good(world, "checkpoint", ...done, "--quality-gate-json", JSON.stringify(REVIEWS));
  const proven = await world.run(["check"]);
  expect(proven).toMatchObject({ exit: 0, err: "" });
  expect(proven.out).toStartWith("ok: 2 criteria proven");
  const before = stateBytes(world.root);
  world.write("new-file.txt", "x");
  const stale = await world.run(["check"]);
  expect(stale.exit).toBe(1);
  expect(stale.out).toContain("new-file.txt changed");
  rmSync(join(world.root, "new-file.txt"));
  expect((await world.run(["check"])).exit).toBe(0);
  expect(stateBytes(world.root)).toEqual(before);
});

test("verify says where: an edited line, a cut ledger, an edited snapshot, a changed artifact", async () => {
  const world = await lived();
  expect(await good(world, "verify")).toMatchObject({
    valid: true,
    problems: [],
    lines: ledgerLines(world).length,
  });
  const ledger = world.read(LEDGER);
  const goals = world.read(GOALS);
  const lines = ledgerLines(world);
  world.write(LEDGER, ledger.replace("a note to be kept", "a note to be lost"));
  const edited = await world.ask("verify");
  expect(edited.exit).toBe(3);
  expect(edited.json).toMatchObject({
    ok: false,
    valid: false,
    error: { code: "state_damaged", nextActions: ["proofgate ulw-loop repair"] },
  });
  expect(JSON.stringify(edited.json.problems)).toContain(`line ${lines.length}`);
  world.write(LEDGER, `${lines.slice(0, -1).join("\n")}\n`);
  const cut = await world.ask("verify");
  expect({ exit: cut.exit, code: cut.json.error.code }).toEqual({ exit: 3, code: "state_damaged" });
  world.write(LEDGER, `${lines.slice(1).join("\n")}\n`);
  expect((await world.ask("verify")).exit).toBe(3);
  world.write(LEDGER, ledger);
  world.write(GOALS, goals.replaceAll('"fail"', '"pass"').replaceAll('"in_progress"', '"complete"'));
  const flipped = await world.ask("verify");
  expect(flipped.exit).toBe(3);
  expectRefusal(await world.ask("status"), "state_damaged", 3);
  world.write(GOALS, goals);
  world.write(`${STATE}/evidence/G001-C001.txt`, "all green");
  const artifact = await world.ask("verify");
  expect({
    exit: artifact.exit,
    where: artifact.json.problems[0].where,
    code: artifact.json.error.code,
  }).toEqual({ exit: 1, where: "G001-C001", code: "not_proven" });
  expect((await world.run(["verify"])).out).toContain("next: proofgate prove --all");
});

/** A way to damage the state; `keeps` tells how many lines of the ledger repair can save. */
interface Damage {
  readonly what: string;
  readonly make: (world: World, lines: readonly string[]) => void;
  readonly keeps: (lines: number) => number;
  readonly weakens: boolean;
  /** Only the commands that read the whole ledger see it. */
  readonly deep?: boolean;
}

const DAMAGES: Damage[] = [
  {
    what: "an edited snapshot",
    make: (w) => w.write(GOALS, w.read(GOALS).replace("Second goal", "Another goal")),
    keeps: (n) => n,
    weakens: false,
  },
  {
    what: "an edited line in the middle",
    make: (w, l) =>
      w.write(
        LEDGER,
        `${l.map((line, i) => (i === 2 ? line.replace('"cmd":"prove"', '"cmd":"PROVE"') : line)).join("\n")}\n`,
      ),
    keeps: () => 2,
    weakens: true,
    deep: true,
  },
  {
    what: "a removed line",
    make: (w, l) => w.write(LEDGER, `${l.filter((_, i) => i !== 3).join("\n")}\n`),
    keeps: () => 3,
    weakens: true,
    deep: true,
  },
  {
    what: "a last line that is gone",
    make: (w, l) => w.write(LEDGER, `${l.slice(0, -1).join("\n")}\n`),
    keeps: (n) => n - 1,
    weakens: true,
  },
  { what: "a ledger that is gone", make: (w) => rmSync(join(w.root, LEDGER)), keeps: () => 0, weakens: true },
  {
    what: "a ledger of zero bytes",
    make: (w) => truncateSync(join(w.root, LEDGER), 0),
    keeps: () => 0,
    weakens: true,
  },
  {
    what: "a ledger of rubbish",
    make: (w) => w.write(LEDGER, Buffer.from([0, 1, 2, 255, 254, 10, 65, 10])),
    keeps: () => 0,
    weakens: true,
  },
  { what: "a snapshot of rubbish", make: (w) => w.write(GOALS, "{{{"), keeps: (n) => n, weakens: false },
];

for (const { what, make, keeps, weakens, deep } of DAMAGES)
  test(`${what} is refused by ${deep ? "the gates" : "every command"}, and repair brings back what is sound`, async () => {
    const world = await lived();
    const lines = ledgerLines(world);
    make(world, lines);
    const damaged = stateBytes(world.root);
    const gates = [["checkpoint", ...done], ["check"]];
    for (const args of deep
      ? gates
      : [["status"], ["prove", "--all"], ["ulw-loop", "complete-goals"], ...gates]) {
      const said = await world.ask(...args);
      expect({ args, exit: said.exit, code: said.json.error?.code }).toEqual({
        args,
        exit: what.includes("rubbish") ? expect.any(Number) : 3,
        code: expect.stringMatching(/^(state_damaged|state_missing|foreign_state)$/),
      });
    }
    expect((await world.run(["verify"])).exit).toBeGreaterThan(0);
    expect(stateBytes(world.root)).toEqual(damaged);
    const repaired = await world.ask("repair");
    if (repaired.json.error?.code === "foreign_state") {
      expect(stateBytes(world.root)).toEqual(damaged);
      return;
    }
    expect(repaired.json).toMatchObject({ ok: true, repaired: true });
    expect((await good(world, "verify")).valid).toBeTrue();
    const now = ledgerLines(world);
    expect(now.slice(0, keeps(lines.length))).toEqual(lines.slice(0, keeps(lines.length)));
    const status = await good(world, "status");
    expect(status.goals.map((g: { title: string }) => g.title)).toEqual(["CSV import", "Second goal"]);
    expect(status.weakenings.some((w: { approved: boolean }) => !w.approved)).toBe(weakens);
    expect(repaired.json.lost.length > 0).toBe(weakens);
    if (keeps(lines.length) === 0)
      expect(status.goals.flatMap((g: Listed) => g.criteria.map((c) => c.status))).not.toContain("pass");
    expect((await good(world, "repair")).repaired).toBeFalse();
    expect((await steer(world, "--kind", "annotate_ledger")).exit).toBe(0);
  });

test("ledger and snapshot put back together to an earlier state are missed, and going on waits for the user", async () => {
  const world = await planned();
  const [ledger, goals] = [world.read(LEDGER), world.read(GOALS)];
  await world.ask("prove", "C001");
  world.write(LEDGER, ledger);
  world.write(GOALS, goals);
  for (const args of [
    ["status"],
    ["prove"],
    ["check"],
    ["steer", "--kind", "annotate_ledger", "--evidence", "e", "--rationale", "r"],
  ])
    expectRefusal(await world.ask(...args), "state_missing", 3);
  const verified = await world.ask("verify");
  expect({ exit: verified.exit, problems: verified.json.problems }).toMatchObject({
    exit: 3,
    problems: [{ code: "state_missing" }],
  });
  expect((await good(world, "repair")).lost).toHaveLength(1);
  expect((await good(world, "status")).weakenings).toMatchObject([{ kind: "rolled_back", approved: false }]);
});

test("a torn last line heals by itself at the next command", async () => {
  const world = await lived();
  const ledger = world.read(LEDGER);
  world.write(LEDGER, `${ledger}{"seq":99,"prev":"to`);
  expect((await good(world, "status")).ledger.seq).toBe(ledgerLines(world).length - 1);
  await steer(world, "--kind", "annotate_ledger");
  expect(world.read(LEDGER)).toStartWith(ledger);
  expect(JSON.parse(ledgerLines(world).at(-1) ?? "").healed.bytes).toBe(20);
  expect((await good(world, "verify")).valid).toBeTrue();
});

test("a snapshot that is gone is rebuilt without a word lost", async () => {
  const world = await lived();
  const before = await good(world, "status");
  rmSync(join(world.root, GOALS));
  expect(await good(world, "status")).toEqual(before);
  await steer(world, "--kind", "annotate_ledger");
  expect(existsSync(join(world.root, GOALS))).toBeTrue();
});

test("a state folder that is gone is missed: repair says so, and a new plan carries the loss", async () => {
  const world = await lived();
  rmSync(join(world.root, ".omo"), { recursive: true });
  expectRefusal(await world.ask("repair"), "state_missing", 3);
  expect(existsSync(join(world.root, GOALS))).toBeFalse();
  const created = await world.run(["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"]);
  expect(created.exit).toBe(0);
  expect(created.out).toContain("the user has to approve");
  expect((await good(world, "status")).weakenings).toMatchObject([{ kind: "lost_state", approved: false }]);
});

test("the shell check of the ledger's document agrees with verify", async () => {
  const world = await lived();
  const doc = await Bun.file(join(import.meta.dir, "../../docs/ledger.md")).text();
  await Bun.write(join(world.home, "check.sh"), /```sh\n(sha\(\)[\s\S]*?)```/.exec(doc)?.[1] ?? "");
  const said = await world.sh(`sh '${world.home}/check.sh' ${LEDGER}`);
  expect(said.out).toContain(
    `${ledgerLines(world).length} lines, head ${(await good(world, "verify")).ledger.hash}`,
  );
});
const THEIRS = {
  version: 1,
  title: "Their plan",
  goals: [
    {
      id: "G001",
      title: "CSV import",
      objective: "Import a file",
      status: "complete",
      successCriteria: [
        { id: "C001", scenario: 'sh test/rows.sh exits 0 with "3 rows"', status: "pass", evidence: "lol" },
        { id: "C002", scenario: "works", status: "pass", check: { run: "sh test/old.sh" } },
      ],
    },
    { id: "G002-slug", title: "Export \x1B[31m", status: "pending" },
  ],
};

test("import adopts another tool's goals with every pass reset, and keeps its files", async () => {
  const theirs = JSON.stringify(THEIRS);
  const world = await makeWorld({
    ...FILES,
    [GOALS]: theirs,
    [LEDGER]: `{"event":"criterion_passed"}\n`,
    [`${STATE}/evidence/G001-C001.txt`]: "lol",
  });
  const said = await good(world, "ulw-loop", "import");
  expect(said.goals).toEqual([
    { id: "G001", title: "CSV import" },
    { id: "G002", title: expect.stringContaining("Export") },
  ]);
  expect(world.read(`${STATE}/${said.copies}/goals.json`)).toBe(theirs);
  expect(world.read(`${STATE}/${said.copies}/evidence/G001-C001.txt`)).toBe("lol");
  const status = await good(world, "status");
  expect(status.goals.map((g: { status: string }) => g.status)).toEqual(["pending", "pending"]);
  expect(status.goals.flatMap((g: Listed) => g.criteria.map((c) => c.status))).toEqual(Array(6).fill("open"));
  expect((await good(world, "ulw-loop", "criteria", "--goal-id", "G001")).criteria).toMatchObject([
    { check: null, word: "draft" },
    { check: { run: "sh test/old.sh" } },
  ]);
  expect((await good(world, "verify")).valid).toBeTrue();
  expect((await world.ask("check")).exit).toBe(1);
  expectRefusal(await world.ask("ulw-loop", "import"), "plan_exists", 1);
});

test("a vacuous check of another tool is not taken over as a check", async () => {
  const world = await makeWorld({
    ...FILES,
    [GOALS]: JSON.stringify({
      goals: [{ title: "One", successCriteria: [{ scenario: "x", check: { run: "true" } }] }],
    }),
  });
  await good(world, "ulw-loop", "import");
  expect((await good(world, "ulw-loop", "criteria")).criteria).toMatchObject([
    { check: null, word: "draft" },
  ]);
});

test("import refuses what it cannot read, and leaves it as it is", async () => {
  for (const [text, code, exit] of [
    ["not JSON", "json_invalid", 2],
    ['{"goals":[]}', "json_invalid", 2],
    ["[1,2]", "json_invalid", 2],
    ["null", "json_invalid", 2],
  ] as const) {
    const world = await makeWorld({ ...FILES, [GOALS]: text });
    const before = stateBytes(world.root);
    expectRefusal(await world.ask("ulw-loop", "import"), code, exit);
    expect(stateBytes(world.root)).toEqual(before);
  }
  const none = await makeWorld(FILES);
  expectRefusal(await none.ask("ulw-loop", "import"), "no_plan", 1);
  expect(readdirSync(none.root)).not.toContain(".omo");
});
