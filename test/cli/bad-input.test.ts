/** Whatever is wrong with what a command is given, it is refused by name, and nothing changes. */

import { beforeAll, expect, test } from "bun:test";
import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../helpers/world.ts";
import {
  CLAIM,
  expectNoTrace,
  expectRefusal,
  expectRefusalText,
  goal,
  ledgerLines,
  PIN,
  PNG,
  peak,
  planned,
  RED,
  stateBytes,
} from "./kit.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
const why = ["--evidence", "seen in app.sh", "--rationale", "needed"];
const ulw = (name: string, ...flags: string[]): string[] => ["ulw-loop", name, ...flags];
const report = (...flags: string[]): string[] =>
  ulw("record-evidence", "--criterion-id", "G001-C001", ...flags);
const done = ["--status", "complete", "--evidence", "see receipts"];

/** What is wrong, the command, the code and the exit status, and words that both answers have to hold. */
type Row = [what: string, args: string[], code: string, exit: number, says?: string];

const ROWS: Row[] = [
  ["unknown command", ulw("statsu"), "usage_unknown_command", 2, "ulw-loop status"],
  ["unknown command that resembles nothing", ["xyzzyplugh"], "usage_unknown_command", 2, "proofgate help"],
  ["unknown flag", ["prove", "--al"], "usage_unknown_flag", 2, "--all"],
  [
    "unknown flag that resembles nothing",
    ["status", "--xyzzyplugh"],
    "usage_unknown_flag",
    2,
    "--session-id",
  ],
  ["unknown short flag", ["status", "-x"], "usage_unknown_flag", 2],
  ["a flag of another command", ["status", "--evidence", "x"], "usage_unknown_flag", 2],
  ["a name that every object has", ["status", "--constructor"], "usage_unknown_flag", 2],
  ["missing value at the end", ulw("criteria", "--goal-id"), "usage_missing_value", 2, "--goal-id"],
  [
    "missing value before another flag",
    report("--status", "--evidence", "x"),
    "usage_missing_value",
    2,
    "--status",
  ],
  ["missing flag", ulw("checkpoint", "--evidence", "x"), "usage_missing_flag", 2, "--status"],
  ["a switch with a value", ["prove", "--all=yes"], "usage_bad_value", 2],
  ["a flag twice", ulw("criteria", "--goal-id", "G001", "--goal-id", "G002"), "usage_conflict", 2],
  ["a stray word", ["status", "G001"], "usage_bad_value", 2],
  ["--try with --before", ["prove", "--try", "--before"], "usage_conflict", 2],
  ["--all with ids", ["prove", "--all", "C001"], "usage_conflict", 2],
  [
    "an unknown status of a result",
    report("--status", "done", "--evidence", "x"),
    "usage_bad_value",
    2,
    "pass, fail or blocked",
  ],
  [
    "an unknown status of a goal",
    ulw("checkpoint", "--status", "proven", "--evidence", "x"),
    "usage_bad_value",
    2,
  ],
  ["unknown goal", ulw("criteria", "--goal-id", "G099"), "unknown_goal", 2, "G001"],
  ["goal id with dots", ulw("criteria", "--goal-id", "../../etc/passwd"), "unknown_goal", 2],
  ["goal id with a slash in prove", ["prove", "../G001/C001"], "unknown_criterion", 2],
  ["unknown criterion", ["prove", "C099"], "unknown_criterion", 2, "G001-C001"],
  ["criterion id with dots", ["prove", "G001-../../C001"], "unknown_criterion", 2],
  ["criterion of an unknown goal", ["prove", "G099-C001"], "unknown_goal", 2],
  ["goal id with control characters", ulw("criteria", "--goal-id", "G\x1B[31m\x07"), "unknown_goal", 2],
  ...[
    "../x",
    "a/b",
    "/abs",
    "..",
    ".hidden",
    "",
    "a b",
    "x\x07",
    "ü",
    "a".repeat(100),
    "evidence",
    "lock",
    "trees",
    "goals.json",
    "ledger.jsonl",
    "brief.md",
    "repair-1",
    "replaced-1",
    "imported-1",
    "torn-1",
  ].map(
    (name): Row => [
      `session name ${JSON.stringify(name.slice(0, 20))}`,
      ["status", `--session-id=${name}`],
      "invalid_id",
      2,
    ],
  ),
  ["no source of a plan", ulw("create-goals"), "usage_missing_flag", 2, "--plan"],
  ["two sources of a plan", ulw("create-goals", "--brief", "x", "--plan", "y"), "usage_conflict", 2],
  [
    "an unknown goal mode",
    ulw("create-goals", "--brief", "Ship it.", "--codex-goal-mode", "all"),
    "usage_bad_value",
    2,
    "per-story",
  ],
  ["an empty brief", ulw("create-goals", "--brief", "  \n "), "brief_empty", 2],
  ["a brief that says nothing", ulw("create-goals", "--brief", "# \n---\n"), "brief_empty", 2],
  [
    "a brief file that is missing",
    ulw("create-goals", "--brief-file", "none.md"),
    "file_unreadable",
    2,
    "none.md",
  ],
  ["a brief file that is a folder", ulw("create-goals", "--brief-file", "test"), "file_unreadable", 2],
  ["a binary brief", ulw("create-goals", "--brief-file", "input/binary.md"), "brief_not_text", 2],
  [
    "a brief of 50 MB",
    ulw("create-goals", "--brief-file", "input/huge.md"),
    "brief_too_large",
    2,
    "1024 KiB",
  ],
  ["a brief one byte too long", ulw("create-goals", "--brief-file", "input/long.md"), "brief_too_large", 2],
  ["a brief without an end", ulw("create-goals", "--brief-file", "/dev/zero"), "brief_too_large", 2],
  ["a link to a brief of 50 MB", ulw("create-goals", "--brief-file", "input/link.md"), "brief_too_large", 2],
  [
    "a link that leads nowhere",
    ulw("create-goals", "--brief-file", "input/dangling.md"),
    "file_unreadable",
    2,
  ],
  ["a plan of 50 MB", ulw("create-goals", "--plan", "input/huge.md"), "brief_too_large", 2],
  ["a binary plan", ulw("create-goals", "--plan", "input/binary.md"), "brief_not_text", 2],
  ["a plan that is no YAML", ulw("create-goals", "--plan", "input/broken.yaml"), "plan_invalid", 2],
  [
    "a plan with unknown keys and a vacuous check",
    ulw("create-goals", "--plan", "input/wrong.yaml"),
    "plan_invalid",
    2,
  ],
  ["a plan that is a list", ulw("create-goals", "--plan", "input/list.yaml"), "plan_invalid", 2],
  ["a plan that unfolds to gigabytes", ulw("create-goals", "--plan", "input/bomb.yaml"), "plan_invalid", 2],
  [
    "a brief of the plan outside its folder",
    ulw("create-goals", "--plan", "input/outside.yaml"),
    "plan_invalid",
    2,
  ],
  ["an empty plan", ulw("create-goals", "--plan", "input/empty.yaml"), "plan_invalid", 2],
  ["a check that cannot fail", ["goal", "Ship", "--check", "npm test || true"], "check_vacuous", 2],
  ["no check", ["goal", "Ship"], "usage_missing_flag", 2, "--check"],
  ["no title", ["goal", "--check", "npm test"], "usage_missing_value", 2],
  [
    "an exit code that is none",
    ["goal", "Ship", "--check", "npm test", "--expect-exit", "256"],
    "usage_bad_value",
    2,
  ],
  [
    "a timeout that is none",
    ["goal", "Ship", "--check", "npm test", "--timeout", "soon"],
    "usage_bad_value",
    2,
    "60s",
  ],
  [
    "an unknown channel",
    ["goal", "Ship", "--check", "npm test", "--channel", "phone"],
    "usage_bad_value",
    2,
    "browser",
  ],
  [
    "a regular expression that does not parse",
    ["goal", "Ship", "--check", "npm test", "--expect-stdout", "/(/"],
    "usage_bad_value",
    2,
  ],
  [
    "an evidence text over 64 KiB",
    report("--status", "fail", "--evidence", "x".repeat(66560)),
    "evidence_too_large",
    2,
  ],
  ["binary evidence", report("--status", "fail", "--evidence", "\x01\x02\x03"), "evidence_not_text", 2],
  ["empty evidence", report("--status", "fail", "--evidence", " "), "brief_empty", 2],
  [
    "binary notes",
    report("--status", "fail", "--evidence", "prints 0 rows", "--notes", "\x01"),
    "evidence_not_text",
    2,
  ],
  [
    "a snapshot that is no JSON",
    ulw("checkpoint", ...done, "--codex-goal-json", "{"),
    "json_invalid",
    2,
    "--codex-goal-json",
  ],
  [
    "a snapshot file that is missing",
    ulw("checkpoint", ...done, "--codex-goal-json", "none.json"),
    "file_unreadable",
    2,
  ],
  [
    "a snapshot of 50 MB",
    ulw("checkpoint", ...done, "--codex-goal-json", "input/huge.md"),
    "brief_too_large",
    2,
  ],
  [
    "a snapshot of another shape",
    ulw("checkpoint", ...done, "--codex-goal-json", "[1]"),
    "snapshot_invalid",
    2,
  ],
  [
    "an unknown host status",
    ulw("checkpoint", ...done, "--codex-goal-json", '{"objective":"x","status":"frozen"}'),
    "snapshot_invalid",
    2,
    "frozen",
  ],
  ["a gate that is no JSON", ulw("record-quality-gate", "--quality-gate-json", "{]"), "json_invalid", 2],
  ["a gate of another shape", ulw("record-quality-gate", "--quality-gate-json", "{}"), "brief_empty", 2],
  [
    "an unknown kind of steering",
    ulw("steer", "--kind", "drop_goal", ...why),
    "usage_bad_value",
    2,
    "add_subgoal",
  ],
  [
    "steering without evidence",
    ulw("steer", "--kind", "annotate_ledger", "--rationale", "x"),
    "usage_missing_flag",
    2,
    "--evidence",
  ],
  [
    "steering without rationale",
    ulw("steer", "--kind", "annotate_ledger", "--evidence", "x"),
    "usage_missing_flag",
    2,
    "--rationale",
  ],
  [
    "children that are no JSON",
    ulw("steer", "--kind", "split_subgoal", "--goal-id", "G001", "--children", "[{", ...why),
    "json_invalid",
    2,
  ],
  [
    "children without titles",
    ulw("steer", "--kind", "split_subgoal", "--goal-id", "G001", "--children", '[{"title":"a"}]', ...why),
    "json_invalid",
    2,
  ],
  [
    "one child only",
    ulw(
      "steer",
      "--kind",
      "split_subgoal",
      "--goal-id",
      "G001",
      "--children",
      '[{"title":"a","objective":"a"}]',
      ...why,
    ),
    "steer_refused",
    1,
  ],
  [
    "an order of numbers",
    ulw("steer", "--kind", "reorder_pending", "--order", "[1,2]", ...why),
    "json_invalid",
    2,
  ],
  [
    "an order with an unknown goal",
    ulw("steer", "--kind", "reorder_pending", "--order", '["G002","../x"]', ...why),
    "unknown_goal",
    2,
  ],
  [
    "an order that names one twice",
    ulw("steer", "--kind", "reorder_pending", "--order", '["G002","G002"]', ...why),
    "steer_refused",
    1,
  ],
  [
    "a vague scenario",
    ulw(
      "steer",
      "--kind",
      "revise_criterion",
      "--criterion-id",
      "C001",
      "--scenario",
      "verify it works",
      ...why,
    ),
    "criterion_vague",
    2,
  ],
  [
    "a vacuous revision",
    ulw("steer", "--kind", "revise_criterion", "--criterion-id", "C001", "--check", "echo PASS", ...why),
    "check_vacuous",
    2,
  ],
  [
    "expectations without a check",
    ulw("steer", "--kind", "revise_criterion", "--criterion-id", "C001", "--expect-exit", "1", ...why),
    "usage_missing_flag",
    2,
    "--check",
  ],
  [
    "nothing to revise",
    ulw("steer", "--kind", "revise_criterion", "--criterion-id", "C001", ...why),
    "steer_refused",
    1,
  ],
  [
    "superseded by itself",
    ulw("steer", "--kind", "mark_blocked_superseded", "--goal-id", "G001", "--replacements", "G001", ...why),
    "steer_refused",
    1,
  ],
  [
    "an evidence path that leaves the folder",
    ulw(
      "steer",
      "--kind",
      "revise_criterion",
      "--criterion-id",
      "C001",
      "--expected-evidence",
      "../../../outside.txt",
      ...why,
    ),
    "steer_refused",
    1,
  ],
  ["a base that is no commit", ["ci", "--base", "no-such-branch"], "base_unknown", 2, "no-such-branch"],
  ["a base that looks like a flag", ["ci", "--base=--output=/tmp/x"], "base_unknown", 2],
  ["no base", ["ci"], "usage_missing_flag", 2, "--base"],
  [
    "a plan file of ci that is missing",
    ["ci", "--base", "HEAD", "--plan", "none.yaml"],
    "file_unreadable",
    2,
  ],
  ["import of our own state", ulw("import"), "plan_exists", 1],
  ["approval without a terminal", ["approve"], "approval_not_user", 1],
  ["complete without proof", ulw("checkpoint", ...done), "not_proven", 1, "G001-C001"],
  ["a second plan", ulw("create-goals", "--brief", "Another thing."), "plan_exists", 1],
];

let world: World;
beforeAll(async () => {
  world = await planned([
    goal("CSV import", [RED, PIN]),
    goal("Admin page", [CLAIM], { without: { adversarial: "takes no input" } }),
  ]);
  const { write } = world;
  write("input/binary.md", Buffer.from([35, 32, 255, 254, 0, 128]));
  sparse(join(world.root, "input/huge.md"), 50000000);
  write("input/long.md", "x".repeat(1048577));
  symlinkSync("huge.md", join(world.root, "input/link.md"));
  symlinkSync("nowhere.md", join(world.root, "input/dangling.md"));
  write("input/broken.yaml", "goals:\n  - title: [unclosed\n    x: }\n");
  write(
    "input/wrong.yaml",
    "gaols: []\ngoals:\n  - title: One\n    criteria:\n      - class: happy\n        scenario: verify it works\n        check: { run: 'true' }\n",
  );
  write("input/list.yaml", "- one\n- two\n");
  write("input/empty.yaml", "");
  write("input/outside.yaml", JSON.stringify({ brief: "@../../home/secret.md", goals: [goal("One")] }));
  const layers = Array.from(
    { length: 9 },
    (_, i) => `a${i + 1}: &a${i + 1} [${Array(12).fill(`*a${i}`).join(",")}]`,
  );
  write("input/bomb.yaml", ['a0: &a0 "lol"', ...layers, "goals: *a9", ""].join("\n"));
});

function sparse(path: string, bytes: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, bytes);
  closeSync(file);
}

for (const [what, args, code, exit, says] of ROWS)
  test(`${what} is refused as ${code}, and nothing changes`, async () => {
    const before = stateBytes(world.root);
    const [json, text] = await Promise.all([world.ask(...args), world.run(args)]);
    expectRefusal(json, code, exit);
    expectRefusalText(text, code, exit);
    if (says !== undefined) {
      expect(json.out).toContain(says);
      expect(text.err).toContain(says);
    }
    expect(stateBytes(world.root)).toEqual(before);
  });

test("a plan file with several defects names each of them with its line", async () => {
  const said = await world.ask(
    "ulw-loop",
    "create-goals",
    "--session-id",
    "defects",
    "--plan",
    "input/wrong.yaml",
  );
  const messages = said.json.error.problems.map((p: { message: string }) => p.message);
  expect(messages.some((m: string) => m.includes('did you mean "goals"') && m.includes("line 1"))).toBeTrue();
  expect(said.json.error.problems.map((p: { code: string }) => p.code)).toEqual(
    expect.arrayContaining(["plan_invalid", "criterion_vague", "check_vacuous"]),
  );
});

test("input of 50 MB is refused at once, without being read into memory", async () => {
  const usual = await peak(world, [
    "ulw-loop",
    "create-goals",
    "--session-id",
    "m",
    "--brief-file",
    "none.md",
  ]);
  const commands = [
    ["ulw-loop", "create-goals", "--session-id", "m", "--brief-file", "input/huge.md"],
    ["ulw-loop", "create-goals", "--session-id", "m", "--plan", "input/huge.md"],
    ["ulw-loop", "create-goals", "--session-id", "m", "--brief-file", "/dev/zero"],
    ["ulw-loop", "create-goals", "--session-id", "m", "--plan", "input/bomb.yaml"],
  ];
  for (const args of commands) {
    const { mb, ms, exit } = await peak(world, args);
    expect({ args, exit }).toEqual({ args, exit: 2 });
    expect(mb).toBeLessThan(usual.mb + 40);
    expect(ms).toBeLessThan(usual.ms + 2000);
  }
  const piped = await peak(
    world,
    ["ulw-loop", "create-goals", "--session-id", "m", "--from-stdin"],
    "head -c 50000000 /dev/zero",
  );
  expect(piped.exit).toBe(2);
  expect(piped.mb).toBeLessThan(usual.mb + 40);
});

test("an artifact that is huge, or not what its name says, supports no claim", async () => {
  const own = await planned([goal("Admin page", [CLAIM], { without: { adversarial: "takes no input" } })]);
  await own.ask("ulw-loop", "complete-goals");
  const claim = (evidence: string) =>
    own.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "pass",
      "--evidence",
      `${evidence} | cleanup: browser closed`,
    );
  mkdirSync(join(own.root, "shots"));
  sparse(join(own.root, "shots/huge.png"), 60000000);
  own.write("shots/fake.png", "this is text");
  own.write("shots/empty.png", "");
  writeFileSync(join(own.home, "outside.png"), PNG);
  own.write("shots/dir.png/x", "x");
  symlinkSync(join(own.home, "outside.png"), join(own.root, "shots/link.png"));
  symlinkSync(own.home, join(own.root, "linked"));
  const before = ledgerLines(own);
  for (const name of [
    "shots/huge.png",
    "shots/fake.png",
    "shots/empty.png",
    "shots/dir.png",
    "shots/link.png",
    "shots/none.png",
  ]) {
    const said = await claim(`see ${name}`);
    expect({ name, code: said.json.error?.code, exit: said.exit }).toEqual({
      name,
      code: "evidence_insufficient",
      exit: 1,
    });
  }
  for (const name of ["linked/outside.png", "../home/outside.png"]) {
    const said = await claim(`see ${name}`);
    expect({ name, exit: said.exit, code: said.json.error?.code }).toEqual({
      name,
      exit: 1,
      code: expect.stringMatching(/^(unsafe_path|evidence_insufficient)$/),
    });
  }
  expect(ledgerLines(own)).toEqual([...before]);
});

test("control characters in titles, scenarios and reasons never reach the terminal", async () => {
  const own = await planned([
    goal("CSV import", [{ ...RED, scenario: "sh test/rows.sh exits 0 \x1B[31mRED\x07\u202E" }, PIN]),
  ]);
  await own.ask(
    "ulw-loop",
    "add-goal",
    "--title",
    "Evil \x1B]0;owned\x07 \x1B[2J title\nsecond line",
    "--objective",
    "\x1B[31mred\x85\u202Etxt",
  );
  await own.ask(
    "ulw-loop",
    "steer",
    "--kind",
    "revise_criterion",
    "--criterion-id",
    "C002",
    "--expected-evidence",
    "evidence/\x1B[2J.txt",
    ...why,
  );
  await own.ask("ulw-loop", "complete-goals");
  await own.ask(
    "ulw-loop",
    "checkpoint",
    "--goal-id",
    "G002",
    "--status",
    "blocked",
    "--evidence",
    "waits \x1B[31mfor\x1B[0m you\r\nnew line",
  );
  for (const args of [
    ["status"],
    ["next"],
    ["list"],
    ["ulw-loop", "criteria", "--goal-id", "G002"],
    ["ulw-loop", "criteria"],
    ["ulw-loop", "complete-goals"],
    ["prove"],
    ["check"],
    ["verify"],
  ]) {
    const said = await own.run(args);
    const all = said.out + said.err;
    expect({
      args,
      bad: CONTROL.exec(all)?.[0] ?? null,
    }).toEqual({ args, bad: null });
    expectNoTrace(said);
  }
  expect((await own.run(["status"])).out).not.toMatch(/^\s*second line/m);
});

test("a check that prints control characters is shown without them, and its artifact keeps them", async () => {
  const own = await planned();
  own.write("app.sh", "printf '\\033[31mfour rows\\007\\n'; exit 3\n");
  await own.ask(
    "ulw-loop",
    "steer",
    "--kind",
    "revise_criterion",
    "--criterion-id",
    "C001",
    "--check",
    "sh app.sh",
    ...why,
  );
  const said = await own.run(["prove", "C001"]);
  expect(said.exit).toBe(1);
  expect(said.out).toContain("four rows");
  expect(said.out).not.toContain("\x1B");
  expect(own.read(".omo/ulw-loop/evidence/G001-C001.txt")).toContain("\x1B[31m");
});
