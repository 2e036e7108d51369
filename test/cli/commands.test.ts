/** The whole command table in two stories, each told once in JSON and once as text. */

import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS, GLOBAL_FLAGS, SHORTCUTS } from "../../components/cli/spec.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import { CLAIM, DONE, expectNoTrace, FILES, goal, PIN, PNG, PROGRAM, planFile, RED, REVIEWS } from "./kit.ts";
import { PERFORMANCE_STORY, performanceWorld } from "./performance-story.ts";
import type { Step } from "./story.ts";

const text = expect.any(String);
const ledger = { seq: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) };
const next = { why: text, command: text };
const head = { ledger, next };
const made = {
  goals: expect.arrayContaining([{ id: expect.stringMatching(/^G\d{3}$/), title: text }]),
  ...head,
};
const why = ["--evidence", "seen in app.sh", "--rationale", "needed for the rows"];
const ulw = (name: string, ...flags: string[]): string[] => ["ulw-loop", name, ...flags];
const steer = (kind: string, ...flags: string[]): string[] => ulw("steer", "--kind", kind, ...flags, ...why);
const host = (objective: string, status: string): string => JSON.stringify({ goal: { objective, status } });

let objective = "";

const STORY: Step[] = [
  {
    args: ulw(
      "create-goals",
      "--session-id",
      "s-brief",
      "--brief",
      "Ship the importer.",
      "--codex-goal-mode",
      "per-story",
    ),
    json: made,
  },
  {
    args: ulw(
      "create-goals",
      "--session-id",
      "s-file",
      "--brief-file",
      "brief.md",
      "--codex-goal-mode",
      "per_story",
    ),
    json: made,
  },
  {
    args: ulw("create-goals", "--session-id", "s-stdin", "--from-stdin", "--codex-goal-mode", "aggregate"),
    stdin: "# Ship\n\n- one\n- two\n",
    json: {
      goals: [
        { id: "G001", title: "one" },
        { id: "G002", title: "two" },
      ],
    },
  },
  { args: ulw("create-goals", "--session-id", "s-brief", "--brief", "Another plan.", "--force"), json: made },
  {
    args: [
      "goal",
      "Fix the rows",
      "--session-id",
      "s-goal",
      "--objective",
      "Three rows come out.",
      "--check",
      "sh test/rows.sh",
      "--channel",
      "cli",
      "--expect-exit",
      "0",
      "--expect-stdout",
      "/^$/",
      "--expect-stderr",
      "/^$/",
      "--timeout",
      "30s",
      "--files",
      "test/rows.sh",
      "--covers",
      "app.sh,test/**",
    ],
    json: { goals: [{ id: "G001", title: "Fix the rows" }], ...head },
  },
  {
    args: [
      ...["goal", "Serve", "--session-id", "s-http", "--channel", "http", "--start", "node server.js"],
      ...["--ready", "/health", "--url", "/rows", "--expect-status", "200", "--expect-body", "3 rows"],
    ],
    json: { goals: [{ id: "G001", title: "Serve" }], ...head },
  },
  {
    args: [
      ...["goal", "Show", "--session-id", "s-page", "--channel", "browser", "--start", "node server.js"],
      ...["--url", "/rows", "--expect-body", "3 rows"],
    ],
    json: { goals: [{ id: "G001", title: "Show" }], ...head },
  },
  {
    args: ["goal", "Serve", "--session-id", "s-http", "--channel", "http", "--check", "{ start: x, get: y }"],
    exit: 2,
    code: "usage_bad_value",
  },
  ...["--expect-status=200", "--expect-body=x", "--url=/", "--start=node x", "--ready=/"].flatMap((flag) => [
    {
      args: ["goal", "Serve", "--session-id", "s-http", "--check", "sh test/rows.sh", flag],
      exit: 2,
      code: "usage_conflict",
    },
    {
      args: steer(
        "revise_criterion",
        "--session-id",
        "s-goal",
        "--criterion-id",
        "C001",
        "--check",
        "sh test/rows.sh",
        flag,
      ),
      exit: 2,
      code: "usage_conflict",
    },
  ]),
  { args: ulw("next", "--session-id", "s-none"), exit: 1, code: "no_plan" },
  {
    args: ulw("create-goals", "--plan", ".proofgate/plan.yaml"),
    json: {
      goals: [
        { id: "G001", title: "CSV import" },
        { id: "G002", title: "Admin page" },
      ],
      ...head,
    },
  },
  { args: ulw("create-goals", "--plan", ".proofgate/plan.yaml"), exit: 1, code: "plan_exists" },
  {
    args: ulw("add-goal", "--title", "Docs", "--objective", "Write README.md."),
    json: { goals: [{ id: "G003", title: "Docs" }], ...head },
  },
  {
    args: ulw("status"),
    json: {
      objective: text,
      armed: false,
      goals: [
        {
          id: "G001",
          title: "CSV import",
          status: "pending",
          criteria: [
            { id: "C001", status: "open", level: "none", fresh: null, author: "agent" },
            { id: "C002", author: "agent" },
          ],
        },
        { id: "G002", status: "pending" },
        { id: "G003", status: "pending" },
      ],
      ...head,
    },
  },
  {
    args: ulw("list"),
    json: {
      plans: expect.arrayContaining([
        expect.objectContaining({
          session: null,
          status: "open",
          title: "Ship the importer.",
          goals: 3,
          closed: 0,
        }),
        expect.objectContaining({ session: "s-goal" }),
      ]),
    },
  },
  {
    args: ulw("criteria", "--goal-id", "G001"),
    json: {
      goal: { id: "G001", title: "CSV import" },
      criteria: [
        {
          id: "C001",
          status: "open",
          expectedEvidence: "evidence/G001-C001.txt",
          classes: ["happy", "edge"],
        },
        { id: "C002" },
      ],
      ledger,
    },
  },
  {
    args: ulw("prove", "--before"),
    json: {
      before: [
        { ref: "G001-C001", before: { outcome: "red" } },
        { ref: "G001-C002", before: { outcome: "pinned" } },
      ],
    },
  },
  {
    args: ulw("complete-goals"),
    json: {
      goal: { id: "G001", status: "in_progress" },
      criteria: [{ id: "C001", scenario: text }, { id: "C002" }],
      handoff: { text, create_goal: { objective: text } },
    },
  },
  {
    args: ulw("prove", "--try", "C001"),
    exit: 1,
    code: "check_failed",
    json: {
      results: [{ goal: "G001", criterion: "C001", status: "fail", level: "none", receipt: null }],
      ...head,
    },
  },
  {
    args: ulw(
      "record-evidence",
      "--goal-id",
      "G001",
      "--criterion-id",
      "C001",
      "--status",
      "fail",
      "--evidence",
      "prints 0 rows",
      "--notes",
      "first look",
    ),
    json: { results: [{ goal: "G001", criterion: "C001", status: "fail" }], ...head },
  },
  {
    args: ulw(
      "checkpoint",
      "--goal-id",
      "G001",
      "--status",
      "complete",
      "--evidence",
      "it is done, trust me",
    ),
    exit: 1,
    code: "not_proven",
  },
  {
    args: ulw("prove", "G001-C001"),
    exit: 0,
    before: (world) => world.write("app.sh", DONE),
    json: {
      results: [
        {
          goal: "G001",
          criterion: "C001",
          status: "pass",
          level: "captured",
          receipt: { exit: 0, artifact: { path: "evidence/G001-C001.txt" } },
        },
      ],
      ...head,
    },
  },
  {
    args: ulw(
      "record-evidence",
      "--goal-id",
      "G001",
      "--criterion-id",
      "C002",
      "--status",
      "pass",
      "--evidence",
      "names rows",
    ),
    json: { results: [{ goal: "G001", criterion: "C002", status: "pass", level: "captured" }], ...head },
  },
  { args: ulw("prove", "--goal-id", "G001"), json: { results: [], skipped: [] } },
  {
    args: ulw(
      "checkpoint",
      "--goal-id",
      "G001",
      "--status",
      "complete",
      "--evidence",
      "3 rows, see receipts",
      "--codex-goal-json",
      host("something else", "active"),
    ),
    exit: 1,
    code: "snapshot_mismatch",
  },
  {
    args: ulw(
      "checkpoint",
      "--goal-id",
      "G001",
      "--status",
      "complete",
      "--evidence",
      "3 rows, see receipts",
      "--codex-goal-json",
      "OBJECTIVE active",
    ),
    json: { goal: "G001", status: "complete", ...head },
  },
  {
    args: ulw("waive", "--goal-id", "G003", "--criterion-id", "C002", ...why),
    json: { said: text, ...head },
  },
  {
    args: steer("add_subgoal", "--title", "Follow-up", "--objective", "Mend what was found."),
    json: { said: text, ...made },
  },
  {
    args: steer(
      "split_subgoal",
      "--goal-id",
      "G003",
      "--children",
      '[{"title":"Docs a","objective":"a"},{"title":"Docs b","objective":"b"}]',
    ),
    json: made,
  },
  { args: steer("reorder_pending", "--order", '["G005","G004"]'), json: made },
  {
    args: steer(
      "revise_pending_wording",
      "--goal-id",
      "G004",
      "--title",
      "Follow-up mended",
      "--objective",
      "Mend it.",
    ),
    json: made,
  },
  {
    args: steer(
      "revise_criterion",
      "--goal-id",
      "G004",
      "--criterion-id",
      "C001",
      "--scenario",
      "sh test/rows.sh exits 0",
      "--expected-evidence",
      "evidence/rows.txt",
      "--channel",
      "cli",
      "--check",
      "sh test/rows.sh",
      "--expect-exit",
      "0",
      "--expect-stdout",
      "/^$/",
      "--expect-stderr",
      "/^$/",
      "--timeout",
      "9s",
      "--files",
      "test/rows.sh",
      "--covers",
      "app.sh",
    ),
    json: made,
  },
  { args: steer("annotate_ledger"), json: made },
  { args: steer("mark_blocked_superseded", "--goal-id", "G005", "--replacements", "G004"), json: made },
  { args: steer("mark_blocked_superseded", "--goal-id", "G006", "--replacements", '["G004"]'), json: made },
  { args: steer("mark_blocked_superseded", "--goal-id", "G004"), json: made },
  { args: ulw("complete-goals"), json: { goal: { id: "G002" } } },
  {
    args: ulw(
      "checkpoint",
      "--goal-id",
      "G002",
      "--status",
      "blocked",
      "--evidence",
      "no browser on this machine",
    ),
    json: { goal: "G002", status: "blocked", ...head },
  },
  {
    args: ulw("complete-goals"),
    json: { blocked: [{ id: "G002", status: "blocked", reason: "no browser on this machine" }] },
  },
  {
    args: ulw("complete-goals", "--retry-failed"),
    json: { goal: { id: "G002" }, handoff: { create_goal: { objective: text } } },
  },
  {
    args: ulw(
      "record-evidence",
      "--criterion-id",
      "G002-C001",
      "--status",
      "pass",
      "--evidence",
      "table with 3 rows in shots/admin.png | cleanup: browser closed",
    ),
    before: (world) => world.write("shots/admin.png", PNG),
    json: {
      results: [
        {
          goal: "G002",
          criterion: "C001",
          status: "pass",
          level: "attested",
          receipt: { artifact: { path: "evidence/G002-C001.png" } },
        },
      ],
    },
  },
  {
    args: ulw(
      "record-review-blockers",
      "--goal-id",
      "G002",
      "--title",
      "Review findings",
      "--objective",
      "Mend them.",
      "--evidence",
      "the reviewer wants a title",
      "--codex-goal-json",
      "OBJECTIVE active",
    ),
    json: { followUp: { id: "G007", title: "Review findings" }, ...head },
  },
  {
    args: ulw(
      "record-quality-gate",
      "--recommendation",
      "REJECT",
      "--architect-status",
      "CLEAR",
      "--review",
      "read app.sh and found two defects",
      "--cleaner",
      "nothing to clean up",
    ),
    exit: 1,
    code: "quality_gate_open",
  },
  {
    args: ulw("record-quality-gate", "--quality-gate-json", JSON.stringify(REVIEWS)),
    json: { qualityGate: { verification: { status: "passed", commands: ["sh test/old.sh"] } }, ...head },
  },
  {
    args: ulw(
      "checkpoint",
      "--goal-id",
      "G002",
      "--status",
      "complete",
      "--evidence",
      "see receipts",
      "--quality-gate-json",
      JSON.stringify(REVIEWS),
    ),
    exit: 1,
  },
  { args: ulw("prove", "--all"), json: { results: [{ goal: "G001" }, { goal: "G001" }] } },
  {
    args: ["check"],
    exit: 1,
    code: "not_proven",
    json: { valid: false, problems: expect.arrayContaining([{ where: text, code: text, message: text }]) },
  },
  {
    args: [
      ...["compare", "HEAD", "echo METRIC size=7", "--metric", "size", "--better", "lower"],
      ...["--min-effect", "2%", "--budget", "20s", "--setup", "true", "--share", "cache"],
    ],
    json: { verdict: "same", exact: true, metric: "size" },
  },
  {
    args: ["ci", "--plan", ".proofgate/plan.yaml", "--base", "HEAD"],
    exit: 1,
    code: "not_proven",
    json: { valid: false, problems: expect.arrayContaining([{ where: text, code: text, message: text }]) },
  },
  { args: ["approve"], exit: 1, code: "approval_not_user" },
  { args: ["init", "--dry-run"], json: { written: false, path: ".proofgate.yaml" } },
  { args: ulw("verify"), json: { valid: true, problems: [], ledger } },
  { args: ulw("repair"), json: { repaired: false, lost: [] } },
  { args: ulw("import"), exit: 1, code: "plan_exists" },
  { args: ulw("cancel", "--evidence", "enough for today"), json: { cancelled: true, ...head } },
  { args: ulw("complete-goals"), exit: 1, code: "plan_cancelled" },
  { args: ulw("attach"), json: { resumed: true, ...head } },
  ...SHORTCUTS.filter((name) => !["prove", "checkpoint", "steer"].includes(name)).map((name) => ({
    args: [name],
  })),
  { args: ["prove"], json: { results: [], skipped: expect.any(Array) } },
  {
    args: ["checkpoint", "--status", "failed", "--evidence", "could not be done"],
    json: { status: "failed" },
  },
  { args: ["steer", "--kind", "annotate_ledger", ...why] },
];

async function storyWorld(): Promise<World> {
  return makeWorld({
    ...FILES,
    "brief.md": "# Ship the importer\n\n- CSV import\n- JSON export\n",
    ".proofgate/plan.yaml": planFile(
      [
        goal("CSV import", [RED, PIN]),
        goal("Admin page", [CLAIM], { without: { adversarial: "takes no input" } }),
      ],
      { verify: ["sh test/old.sh"] },
    ),
  });
}
const spoken = (step: Step): string[] =>
  step.args.map((word) => (word.startsWith("OBJECTIVE ") ? host(objective, word.slice(10)) : word));

/** Each has a world of its own, and a command whose answer tells the host goal's objective. */
const STORIES = [
  { name: "ulw-loop", steps: STORY, world: storyWorld, asks: "ulw-loop status", key: "objective" },
  {
    name: "performance-goal",
    steps: PERFORMANCE_STORY,
    world: performanceWorld,
    asks: "performance-goal start --slug size",
    key: "hostObjective",
  },
] as const;

for (const story of STORIES) {
  test(`the whole story of ${story.name} in JSON: one object each, exit status, code, and the keys that scripts rely on`, async () => {
    const world = await story.world();
    for (const step of story.steps) {
      await step.before?.(world);
      const said = await world.run(spoken(step), {
        json: true,
        ...(step.stdin === undefined ? {} : { stdin: step.stdin }),
      });
      const what = step.args.join(" ");
      expect({ what, exit: said.exit, err: said.err, code: said.json.error?.code }).toEqual({
        what,
        exit: step.exit ?? 0,
        err: "",
        code: step.code ?? (step.exit === undefined ? undefined : said.json.error?.code),
      });
      expect(said.out.trimEnd().split("\n")).toHaveLength(1);
      expect({ what, ok: said.json.ok }).toEqual({ what, ok: (step.exit ?? 0) === 0 });
      if (step.exit !== undefined && step.exit !== 0) {
        expect(said.json.error).toMatchObject({ code: text, message: text });
        expect(said.json.error.nextActions.length).toBeGreaterThan(0);
      }
      if (step.json !== undefined) expect({ what, ...said.json }).toMatchObject({ what, ...step.json });
      if (what === story.asks) objective = said.json[story.key];
    }
  }, 60_000);

  test(`the whole story of ${story.name} as text: the same exit status, refusals on standard error, no more than 1.5 KB for a change`, async () => {
    const world = await story.world();
    for (const step of story.steps) {
      await step.before?.(world);
      const said = await world.run(spoken(step), step.stdin === undefined ? {} : { stdin: step.stdin });
      const what = step.args.join(" ");
      if (what === story.asks) objective = (await world.ask(...step.args)).json[story.key];
      expect({ what, exit: said.exit }).toEqual({ what, exit: step.exit ?? 0 });
      expectNoTrace(said);
      const listed = ["ulw-loop prove", "check", "ci", "performance-goal evaluate"].some((name) =>
        what.startsWith(name),
      );
      if (said.exit !== 0 && !listed) {
        expect({ what, out: said.out }).toEqual({ what, out: "" });
        expect({ what, err: said.err }).toEqual({
          what,
          err: expect.stringMatching(/ \[[a-z_]+\]\n[\s\S]*next: /),
        });
      } else {
        expect({ what, err: said.err }).toEqual({ what, err: "" });
        expect({ what, out: said.out }).toEqual({ what, out: expect.stringMatching(/\S\n$/) });
      }
      expect({ what, long: said.out.length + said.err.length > 1600 }).toEqual({ what, long: false });
    }
  }, 60_000);
}

/** They need a host; test/installer uses them. */
const WITH_A_HOST = new Set(["install", "update", "uninstall", "doctor"]);

test("every command and every flag of the table is used by the stories", () => {
  const used = new Map<string, Set<string>>();
  for (const { args } of [...STORY, ...PERFORMANCE_STORY]) {
    const [first = "", second = ""] = args;
    const name = ["ulw-loop", "performance-goal"].includes(first)
      ? `${first} ${second}`
      : SHORTCUTS.includes(first)
        ? `ulw-loop ${first}`
        : first;
    const flags = used.get(name) ?? new Set<string>();
    for (const word of args) if (word.startsWith("--")) flags.add(word.slice(2).split("=", 1)[0] ?? "");
    used.set(name, flags);
  }
  const unused = COMMANDS.filter(({ name }) => !WITH_A_HOST.has(name)).flatMap((command) =>
    used.has(command.name)
      ? Object.keys(command.flags)
          .filter((flag) => !used.get(command.name)?.has(flag))
          .map((flag) => `${command.name} --${flag}`)
      : [command.name],
  );
  expect(unused).toEqual([]);
});

test("help lists every command, and each command's help lists every flag", async () => {
  const world = await makeWorld({}, { git: false });
  const all = await world.run(["help"]);
  for (const command of COMMANDS) expect(all.out).toContain(`  ${command.name} `);
  expect((await world.run(["ulw-loop", "help"])).exit).toBe(0);
  expect((await world.ask("help")).json.commands.map((c: { name: string }) => c.name)).toEqual(
    COMMANDS.map((c) => c.name),
  );
  const pages = await Promise.all(COMMANDS.map((command) => world.run(["help", ...command.name.split(" ")])));
  const flagged = await Promise.all(
    COMMANDS.slice(0, 4).map((command) => world.run([...command.name.split(" "), "--help"])),
  );
  for (const [index, command] of COMMANDS.entries()) {
    const page = pages[index]?.out ?? "";
    for (const flag of [...Object.keys(command.flags), ...Object.keys(GLOBAL_FLAGS)])
      expect(page).toMatch(new RegExp(`  --${flag}( |$)`, "m"));
    if (flagged[index] !== undefined) expect(flagged[index]?.out).toBe(page);
  }
  const { version } = await Bun.file(join(import.meta.dir, "../../package.json")).json();
  expect((await world.run(["--version"])).out).toBe(`${version}\n`);
  expect((await world.ask("--version")).json).toEqual({ ok: true, version });
  expect((await world.run(["help", "steeer"])).err).toContain("proofgate help");
});

test("the program answers to the names omo and omx as well", async () => {
  const world = await makeWorld({}, { git: false });
  for (const name of ["omo", "omx"]) {
    symlinkSync(PROGRAM, join(world.home, name));
    const said = await world.sh(`'${world.home}/${name}' ulw-loop help`);
    expect({ exit: said.exit, says: said.out.includes("ulw-loop create-goals") }).toEqual({
      exit: 0,
      says: true,
    });
  }
});

test("a text may begin with a dash, and --flag=value works", async () => {
  const world = await makeWorld(FILES);
  await world.ask("goal", "Fix", "--check=sh test/rows.sh");
  const said = await world.ask(
    "ulw-loop",
    "steer",
    "--kind=annotate_ledger",
    "--evidence",
    "- a list\n- of points",
    "--rationale",
    "--none of the above",
  );
  expect(said.exit).toBe(0);
  expect(world.read(".omo/ulw-loop/ledger.jsonl")).toContain("--none of the above");
});
