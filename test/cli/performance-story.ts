/** The commands of performance-goal in one story: every command, every flag. */

import { expect } from "bun:test";
import { makeWorld, type World } from "../helpers/world.ts";
import type { Step } from "./story.ts";

const text = expect.any(String);
const keys = {
  slug: text,
  status: text,
  objective: text,
  ledger: { seq: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  next: { why: text, command: text },
};
const pass = {
  status: "pass",
  evidence: text,
  recordedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  level: "captured",
  fresh: true,
};
const goal = (name: string, ...flags: string[]): string[] => ["performance-goal", name, ...flags];
const contract = (slug: string): string[] => [
  ...["--objective", "Ship a smaller bundle", "--slug", slug],
  ...["--evaluator-command", "node tools/size.js", "--evaluator-contract", "The bundle is smaller."],
];
const size = (bytes: number) => (world: World) => world.write("bundle.txt", "x".repeat(bytes));
const slug = ["--slug", "size"];

export const performanceWorld = (): Promise<World> =>
  makeWorld({
    "bundle.txt": "x".repeat(1000),
    "tools/size.js":
      "console.log('METRIC size=' + require('fs').readFileSync('bundle.txt').length + 'bytes');\n",
    "objective.md": "Ship a smaller bundle\n\nfor slow networks\n",
    "contract.md": "The bundle has to be smaller by a tenth.\n",
    ".gitignore": "cache\n",
  });

export const PERFORMANCE_STORY: readonly Step[] = [
  { args: goal("status"), exit: 1, code: "no_plan" },
  { args: goal("list"), json: { goals: [] } },
  {
    args: [
      ...goal("create", "--objective-file", "objective.md", "--evaluator-contract-file", "contract.md"),
      ...["--evaluator-command", "node tools/size.js", ...slug, "--metric", "size", "--target", "-10%"],
      ...["--better", "lower", "--guard", "test -s bundle.txt", "--guard", "test -d tools"],
      ...["--protect", "tools/**", "--covers", "bundle.txt", "--warm-up", "0", "--budget", "20s"],
      ...["--min-effect", "2%", "--confidence", "95%", "--base", "HEAD"],
      ...["--setup", "test -f bundle.txt", "--share", "cache"],
    ],
    json: {
      ...keys,
      slug: "size",
      status: "created",
      lastValidation: null,
      protected: ["tools/size.js"],
      contract: {
        measure: { metric: "size", unit: "bytes", better: "lower", minEffect: 0.02, warmUp: 0 },
        guards: ["test -s bundle.txt", "test -d tools"],
        covers: ["bundle.txt"],
      },
    },
  },
  { args: goal("create", ...contract("size"), "--metric", "size"), exit: 1, code: "plan_exists" },
  {
    args: goal("checkpoint", ...slug, "--status", "pass", "--evidence", "before start"),
    exit: 1,
    code: "goal_not_open",
  },
  {
    args: goal("start", ...slug),
    json: { ...keys, status: "active", handoff: { create_goal: { objective: text } } },
  },
  {
    args: goal("baseline", ...slug, "--budget", "10s"),
    json: { ...keys, baseline: { base: 1000, exact: true } },
  },
  {
    args: goal("evaluate", ...slug, "--budget", "10s"),
    json: { ...keys, evaluation: { word: "same", met: false } },
  },
  {
    args: goal("checkpoint", ...slug, "--status", "pass", "--evidence", "I made it 40 % smaller"),
    exit: 1,
    code: "not_proven",
  },
  { args: goal("evaluate", ...slug, "--self-test"), json: { ...keys, sound: true } },
  { args: goal("evaluate", ...slug), before: size(1100), exit: 1, code: "check_failed" },
  { args: goal("revert", ...slug), json: { ...keys, reverted: ["bundle.txt"], left: [] } },
  { args: goal("revert", ...slug, "--undo"), json: { ...keys, restored: ["bundle.txt"] } },
  { args: goal("revert", ...slug, "--undo"), exit: 1, code: "goal_not_open" },
  {
    args: goal("evaluate", ...slug),
    before: size(800),
    json: { ...keys, evaluation: { word: "improved", met: true, kept: true } },
  },
  {
    args: goal("checkpoint", ...slug, "--status", "blocked", "--evidence", "waiting for a review"),
    json: { ...keys, lastValidation: { status: "blocked", level: "attested" } },
  },
  {
    args: goal("checkpoint", ...slug, "--status", "pass", "--evidence", "reviewed"),
    json: { ...keys, lastValidation: pass },
  },
  {
    args: goal("status", ...slug, "--codex-goal-json", "OBJECTIVE active"),
    json: { ...keys, lastValidation: pass, hostAgrees: true, armed: false },
  },
  {
    args: goal("complete", ...slug, "--codex-goal-json", "OBJECTIVE active"),
    exit: 1,
    code: "snapshot_mismatch",
  },
  {
    args: goal("complete", ...slug, "--evidence", "smaller", "--codex-goal-json", "OBJECTIVE complete"),
    json: { ...keys, status: "complete", lastValidation: pass },
  },
  { args: goal("complete", ...slug), exit: 1, code: "goal_not_open" },
  {
    args: goal("plot", ...slug, "--svg", "docs/course.svg"),
    json: { ...keys, svg: "docs/course.svg", points: expect.any(Array) },
  },
  { args: goal("create", ...contract("other"), "--target", "<=900bytes"), json: { ...keys, slug: "other" } },
  {
    args: goal("create", ...contract("other"), "--force"),
    exit: 1,
    code: "measurement_invalid",
    before: (world) => world.write("tools/size.js", "process.exit(127);\n"),
  },
  {
    args: goal("create", ...contract("other"), "--force", "--metric", "size"),
    before: (world) =>
      world.write(
        "tools/size.js",
        "console.log('METRIC size=' + 5 * require('fs').statSync('bundle.txt').size);\n",
      ),
    json: { ...keys, slug: "other", status: "created", next: { command: text } },
  },
  { args: goal("abandon", "--slug", "other", "--evidence", "not worth it"), json: { status: "abandoned" } },
  {
    args: goal("list"),
    json: {
      goals: [
        { slug: "other", status: "abandoned" },
        { slug: "size", status: "complete" },
      ],
    },
  },
  { args: goal("verify", ...slug), json: { valid: true, problems: [] } },
  { args: goal("repair", ...slug), json: { repaired: false, lost: [] } },
];
