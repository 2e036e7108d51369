/** A directive's JSON becomes arguments of one command, and nothing in it becomes anything else. */

import { describe, expect, test } from "bun:test";
import { parseInvocation } from "../../components/cli/args.ts";
import { COMMANDS } from "../../components/cli/spec.ts";
import { STEERING_KINDS } from "../../components/ulw-loop/steer.ts";
import { steerArguments } from "../../hooks/steering.ts";
import { wild } from "./facts.ts";

const why = { evidence: "seen in the log", rationale: "it cannot work" };
const why2 = ["--evidence=seen in the log", "--rationale=it cannot work"];

const argv = (json: unknown): readonly string[] => {
  const read = steerArguments(json);
  if ("refused" in read) throw new Error(read.refused);
  return read.argv;
};
const refused = (json: unknown): string => {
  const read = steerArguments(json);
  if ("argv" in read) throw new Error(read.argv.join(" "));
  return read.refused;
};

describe("steerArguments", () => {
  test.each([
    [{ kind: "add_subgoal", title: "T", objective: "O" }, ["--title=T", "--objective=O"]],
    [
      { kind: "split_subgoal", goalId: "G001", children: [{ title: "a", objective: "b" }] },
      ["--goal-id=G001", '--children=[{"title":"a","objective":"b"}]'],
    ],
    [{ kind: "reorder_pending", order: ["G002", "G001"] }, ['--order=["G002","G001"]']],
    [{ kind: "revise_pending_wording", goal_id: "G001", title: "T" }, ["--goal-id=G001", "--title=T"]],
    [
      {
        kind: "revise_criterion",
        "criterion-id": "G001-C002",
        scenario: "run x",
        expectedEvidence: "evidence/a.txt",
        check: "npm test",
        expect_exit: 0,
        files: ["test/a.ts", "test/b.ts"],
      },
      [
        "--criterion-id=G001-C002",
        "--scenario=run x",
        "--expected-evidence=evidence/a.txt",
        "--check=npm test",
        "--expect-exit=0",
        "--files=test/a.ts,test/b.ts",
      ],
    ],
    [{ kind: "annotate_ledger" }, []],
    [
      { kind: "mark_blocked_superseded", goalId: "G001", replacements: "G002, G003" },
      ["--goal-id=G001", '--replacements=["G002","G003"]'],
    ],
  ])("%j", (json, flags) => {
    const made = argv({ ...json, ...why });
    expect(made).toEqual(["ulw-loop", "steer", `--kind=${json.kind}`, ...why2, ...flags]);
    expect(parseInvocation(made).command?.name).toBe("ulw-loop steer");
  });

  test("values stay values, whatever they look like", () => {
    const hostile = "--force --json\n; rm -rf . $(x) `y` '\" -- -";
    const made = argv({ kind: "add_subgoal", title: "--json", objective: hostile, ...why });
    const read = parseInvocation(made);
    expect(read.values.title).toBe("--json");
    expect(read.values.objective).toBe(hostile);
    expect([...read.switches]).toEqual([]);
    expect(read.positionals).toEqual([]);
  });

  test("knows every flag of the command, and every kind", () => {
    const spec = COMMANDS.find((command) => command.name === "ulw-loop steer");
    const all = Object.keys(spec?.flags ?? {}).filter((flag) => flag !== "kind");
    for (const flag of all) {
      const message = refused({ kind: "annotate_ledger", ...why, [flag]: flag in why ? "" : "x" });
      expect(message).not.toContain("keys that steering knows");
    }
    for (const kind of STEERING_KINDS) expect(refused({ kind })).toContain(`Expected: ${kind} with`);
  });
});

describe("steerArguments refuses", () => {
  test.each([
    [null, "one JSON object", "null"],
    [[], "one JSON object", "a list"],
    ["x", "one JSON object", "a string"],
    [{}, '"kind" to be one of add_subgoal', "no kind"],
    [{ kind: "waive", ...why }, '"kind" to be one of', '"waive"'],
    [{ kind: "add-subgoal", ...why }, 'Did you mean "add_subgoal"?', '"add-subgoal"'],
    [{ kind: ["add_subgoal"] }, '"kind" to be one of', "a list"],
    [{ kind: "annotate_ledger", evidence: "e" }, "evidence, rationale", "no rationale"],
    [{ kind: "annotate_ledger", evidence: " ", rationale: "r" }, "evidence, rationale", "no evidence"],
    [{ kind: "add_subgoal", title: "T", ...why }, "title, objective", "no objective"],
    [{ kind: "revise_criterion", ...why }, "criterionId", "no criterionId"],
    [{ kind: "add_subgoal", titel: "T", ...why }, 'Did you mean "title"?', '"titel"'],
    [{ kind: "annotate_ledger", force: true, ...why }, "keys that steering knows", '"force"'],
    [{ kind: "annotate_ledger", "--json": "", ...why }, "keys that steering knows", '"--json"'],
    [{ kind: "annotate_ledger", sessionId: "x", ...why }, "keys that steering knows", '"sessionId"'],
    [JSON.parse('{"kind":"annotate_ledger","__proto__":{}}'), "keys that steering knows", "__proto__"],
    [{ kind: "annotate_ledger", constructor: "x", ...why }, "keys that steering knows", "constructor"],
    [{ kind: "annotate_ledger", title: "T", ...why }, "for annotate_ledger only", '"title"'],
    [
      { kind: "revise_pending_wording", goalId: "G001", goal_id: "G002", ...why },
      '"goalId" once',
      "two spellings",
    ],
    [{ kind: "add_subgoal", title: 7, objective: "O", ...why }, '"title" to be a text', "a number"],
    [{ kind: "reorder_pending", order: "plan.json", ...why }, "a list of goal ids", "a string"],
    [{ kind: "reorder_pending", order: "-", ...why }, "a list of goal ids", "a string"],
    [{ kind: "split_subgoal", goalId: "G001", children: "/etc/x", ...why }, "a list like", "a string"],
    [
      { kind: "mark_blocked_superseded", goalId: "G001", replacements: ["--json"], ...why },
      "a list of goal ids",
      "a list",
    ],
    [
      { kind: "revise_criterion", criterionId: "C001", files: ["a,b"], ...why },
      "globs without commas",
      "a list",
    ],
    [{ kind: "add_subgoal", title: "a\0b", objective: "O", ...why }, "without NUL", "a NUL character"],
    [{ kind: "add_subgoal", title: "x".repeat(70_000), objective: "O", ...why }, "64 KiB", "70000 bytes"],
  ])("%#: %j", (json, expected, found) => {
    const message = refused(json);
    expect(message).toContain(expected);
    expect(message).toContain(found);
    expect(message).toEndWith("Next: proofgate ulw-loop help steer");
  });

  test("within 600 characters, whatever it is given", () => {
    for (const text of wild(200))
      for (const json of [
        text,
        { [text]: 1 },
        { kind: text },
        { kind: "add_subgoal", [text]: text, ...why },
      ]) {
        const read = steerArguments(json);
        if ("refused" in read) expect(read.refused.length).toBeLessThanOrEqual(600);
      }
  });
});
