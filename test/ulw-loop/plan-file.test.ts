/** Plan files: what they say, and everything for which one is refused. */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Problem, Refusal } from "../../components/errors.ts";
import { makeCheck } from "../../components/evidence/check.ts";
import { CRITERION_CLASSES, type CriterionDraft } from "../../components/ulw-loop/draft.ts";
import {
  type PlanFileContext,
  parsePlanFile,
  planFromOneCheck,
} from "../../components/ulw-loop/plan-file.ts";
import { checkShape, otherChannelShape, planSchema } from "../../components/ulw-loop/plan-schema.ts";

const ROOT = join(import.meta.dir, "../..");

const noFile = (): never => {
  throw Error("no file is expected to be read");
};

const parse = (text: string) => parsePlanFile(text, { dir: "/plans", readFile: noFile });

function refused(text: string, readFile: PlanFileContext["readFile"] = noFile): readonly Problem[] {
  try {
    parsePlanFile(text, { dir: "/plans", readFile });
  } catch (error) {
    if (error instanceof Refusal) {
      expect(error.code).toBe("plan_invalid");
      expect(error.nextActions.length).toBeGreaterThan(0);
      return error.problems;
    }
    throw error;
  }
  throw Error("was accepted");
}

const REST =
  "    without: { edge: takes no input, regression: nothing was there before, adversarial: reads nothing }\n";

const one = (keys: string, goal = REST) =>
  `goals:\n  - title: Import\n    criteria:\n      - { class: happy, scenario: 'a.csv gives 3 rows', ${keys} }\n${goal}`;

const said = (keys: string): string =>
  refused(one(keys))
    .map(({ message }) => message)
    .join("\n");

const criterionOf = (keys: string): CriterionDraft => {
  const criterion = parse(one(keys)).goals[0]?.criteria[0];
  if (criterion === undefined) throw Error("no criterion");
  return criterion;
};

describe("the plan file", () => {
  test("of the examples is valid", () => {
    const plan = parse(readFileSync(join(ROOT, "examples/plan.yaml"), "utf8"));
    expect(plan.title).toBe("Ship the importer.");
    expect(plan.goals.map((goal) => goal.criteria.length)).toEqual([2, 2, 1]);
    expect(plan.verify).toEqual(["npm test"]);
    expect(plan.goals[0]?.criteria[1]?.classes).toEqual(["edge", "adversarial"]);
  });

  test("of the docs is valid, and the docs name every key", () => {
    const docs = readFileSync(join(ROOT, "docs/plan.md"), "utf8");
    expect(parse(/```yaml\n([\s\S]*?)```/u.exec(docs)?.[1] ?? "").goals).toHaveLength(1);
    for (const key of [
      ...Object.keys(planSchema.shape),
      ...Object.keys(checkShape),
      "criteria",
      "without",
      "class",
      "scenario",
      "adversarial",
      "evidence",
    ])
      expect(docs).toContain(`\`${key}\``);
  });

  test("reads a check in full", () => {
    const { check, channel } = criterionOf(
      "channel: data, covers: [src/**], check: { run: [node, x.js], cwd: ./sub/, exit: 3, stdout: '/a+/i', stderr: b, json: { a.b: [1, null] }, produces: { out.txt: x }, timeout: 2m, files: [t/*.js] }",
    );
    expect(channel).toBe("data");
    expect(check).toEqual({
      channel: "data",
      run: ["node", "x.js"],
      cwd: "sub",
      expect: {
        exit: 3,
        stdout: "/a+/i",
        stderr: "b",
        json: { "a.b": [1, null] },
        produces: { "out.txt": "x" },
      },
      timeoutMs: 120000,
      files: ["t/*.js"],
      covers: ["src/**"],
    });
  });

  test("equals what makeCheck gives where the file leaves things out", () => {
    expect(criterionOf("check: { run: npm test }").check).toEqual(makeCheck({ run: "npm test" }));
  });

  test.each([
    ["60s", 60000],
    ["2m", 120000],
    ["500ms", 500],
    ["1.5s", 1500],
    ["1h", 3600000],
    ["90", 90000],
    ["0.25", 250],
    ["'45'", 45000],
  ])("reads the timeout %s", (text, ms) =>
    expect(criterionOf(`check: { run: npm test, timeout: ${text} }`).check?.timeoutMs).toBe(ms),
  );

  test.each(["0", "-5", "soon", "25h", "1d", "1e9", ".inf", "''"])("refuses the timeout %s", (text) => {
    expect(
      refused(one(`check: { run: npm test, timeout: ${text} }`)).map((problem) => problem.where),
    ).toContain("goals[0].criteria[0].check.timeout");
  });

  test("takes a number as a pattern, and one path or a list as what a run leaves", () => {
    const { check } = criterionOf("check: { run: npm test, stdout: 3, produces: out.txt }");
    expect(check?.expect.stdout).toBe("3");
    expect(check?.expect.produces).toEqual({ "out.txt": "" });
    expect(criterionOf("check: { run: npm test, produces: [a, b] }").check?.expect.produces).toEqual({
      a: "",
      b: "",
    });
  });

  test("gives drafts to a goal without criteria", () => {
    const [goal] = parse("goals:\n  - title: Import CSV\n").goals;
    expect(goal?.objective).toBe("Import CSV");
    expect(goal?.criteria.flatMap((criterion) => criterion.classes)).toEqual([...CRITERION_CLASSES]);
    expect(goal?.criteria.every((criterion) => criterion.check === null)).toBe(true);
  });

  test("takes an adversarial class as covering adversarial risk", () => {
    const plan = parse(
      one(
        "adversarial: stale_state, check: { run: npm test }",
        "    without: { edge: takes no input, regression: nothing was there before }\n",
      ),
    );
    expect(plan.goals[0]?.criteria[0]?.classes).toEqual(["happy", "adversarial"]);
  });

  test("gives a check on a channel with a scenario to that channel", () => {
    const http = criterionOf(
      "channel: http, check: { start: node server.js, ready: /health, get: /x, status: 404, body: not found, timeout: 5s }",
    );
    expect(http.check).toMatchObject({ channel: "http", run: "node server.js", timeoutMs: 5000 });
    expect(http.check?.scenario).toMatchObject({ ready: "/health", steps: [{ method: "GET", path: "/x" }] });
    // Without one it is a draft.
    expect(criterionOf("channel: http")).toMatchObject({ channel: "http", check: null });
    expect(said("check: { start: node server.js, get: /x, status: 404 }")).toContain(
      "belong to another channel: say channel: http",
    );
  });

  test("leaves a claim to who claims it: browser and computer need no check", () => {
    const browser = criterionOf("channel: browser, evidence: evidence/a.png");
    expect(browser).toMatchObject({ check: null, expectedEvidence: "evidence/a.png" });
  });
});

describe("the brief of a plan file", () => {
  const plan = (brief: string) => `brief: ${brief}\ngoals: [{ title: Import }]\n`;

  test("is text, whose first line is the title", () => {
    const read = parse("brief: |\n  # Ship it\n\n  More.\ngoals: [{ title: Import }]\n");
    expect(read.title).toBe("Ship it");
    expect(read.brief).toBe("# Ship it\n\nMore.\n");
    expect(read.deliverable).toBe("# Ship it\n\nMore.");
  });

  test("is read from a file beside the plan", () => {
    const asked: string[] = [];
    const read = parsePlanFile(plan("'@../brief.md'"), {
      dir: "/repo/.proofgate",
      readFile: (path) => {
        asked.push(path);
        return Buffer.from("Ship it.");
      },
    });
    expect(asked).toEqual(["/repo/brief.md"]);
    expect(read.brief).toBe("Ship it.");
  });

  test("may be left out", () => {
    const read = parse("goals: [{ title: Import }]\n");
    expect(read.title).toBe("Import");
    expect(read.brief).toContain("Import");
  });

  test("that cannot be read, is not text or empty is a problem of the plan", () => {
    expect(refused(plan("'@/etc/passwd'"))[0]).toMatchObject({ where: "brief", code: "plan_invalid" });
    expect(refused(plan("'@no.md'"))[0]).toMatchObject({ where: "brief", code: "file_unreadable" });
    expect(refused(plan("'@a.md'"), () => "a\x00b")[0]).toMatchObject({
      where: "brief",
      code: "brief_not_text",
    });
    expect(refused(plan("'@a.md'"), () => "")[0]).toMatchObject({ where: "brief", code: "brief_empty" });
    expect(refused(plan("'@a.md'"), () => "x".repeat(1048577))[0]).toMatchObject({
      where: "brief",
      code: "brief_too_large",
    });
  });
});

describe("a plan file is refused", () => {
  test.each([
    ["nothing", ""],
    ["a list", "- a"],
    ["a sentence", "Ship the importer."],
    ["no goals", "brief: x y z"],
    ["an empty list of goals", "goals: []"],
    ["broken YAML", "goals: [\n"],
    ["two documents", "goals: [{title: a}]\n---\ngoals: [{title: b}]\n"],
    ["a tag that nobody knows", "goals: !secret [{title: a}]\n"],
    ["NUL", "goals: [{title: 'a\x00'}]"],
    ["a key twice", "goals: [{ title: a }]\ngoals: [{ title: b }]\n"],
    ["a goal without a title", "goals: [{ objective: x }]"],
    ["a blank title", "goals: [{ title: '  ' }]"],
    ["a title that is no text", "goals: [{ title: [a] }]"],
    ["no criterion in the list", "goals: [{ title: a, criteria: [] }]"],
    ["over 1 MiB", `goals: [{ title: a }]\n# ${"x".repeat(1048576)}`],
  ])("for %s", (_name, text) => expect(refused(text).length).toBeGreaterThan(0));

  test("for aliases that grow without bound", () => {
    const bomb = [
      "a: &a [x, x, x, x, x, x, x, x, x, x]",
      ..."bcdefghi"
        .split("")
        .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[index]}`).join(", ")}]`),
    ].join("\n");
    const began = performance.now();
    expect(refused(`${bomb}\ngoals: *i\n`).length).toBeGreaterThan(0);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test.each([
    ["sceanrio: x, check: { run: npm test }", "goals[0].criteria[0].sceanrio", 'did you mean "scenario"'],
    ["check: { run: npm test, stdot: x }", "goals[0].criteria[0].check.stdot", 'did you mean "stdout"'],
    ["check: { command: npm test }", "goals[0].criteria[0].check.command", "known are"],
    ["channel: htp, check: { run: npm test }", "goals[0].criteria[0].channel", "did you mean http?"],
    [
      "adversarial: [malformed-inputs], check: { run: npm test }",
      "goals[0].criteria[0].adversarial[0]",
      "did you mean malformed_input?",
    ],
    ["check: { run: '' }", "goals[0].criteria[0].check.run", "must not be empty"],
    ["check: { run: [] }", "goals[0].criteria[0].check.run", "at least one"],
    ["check: { run: 3 }", "goals[0].criteria[0].check.run", "shell line"],
    ["check: { run: npm test, exit: '0' }", "goals[0].criteria[0].check.exit", "number"],
    ["check: { run: npm test, exit: 256 }", "goals[0].criteria[0].check.exit", "255"],
    ["check: { run: npm test, cwd: ../x }", "goals[0].criteria[0].check.cwd", "inside"],
    ["check: { run: npm test, cwd: /tmp }", "goals[0].criteria[0].check.cwd", "inside"],
    ["check: { run: npm test, produces: ../x }", "goals[0].criteria[0].check.produces", "inside"],
    ["check: { run: npm test, stdout: '/(/' }", "goals[0].criteria[0].check.stdout", ""],
    ["evidence: ../../x, check: { run: npm test }", "goals[0].criteria[0].evidence", "inside"],
    ["covers: [a], check: { run: npm test, covers: [b] }", "goals[0].criteria[0].covers", "twice"],
    ["stop: ''", "goals[0].criteria[0].stop", "empty"],
    ["channel: cli", "goals[0].criteria[0]", "check is missing"],
    ["check: { stdout: x }", "goals[0].criteria[0].check", "run is missing"],
    ["check: { get: /x, status: 200 }", "goals[0].criteria[0].check", "channel: http"],
    ["channel: browser, check: { run: npm test }", "goals[0].criteria[0].check", "belongs to channel cli"],
    [
      "channel: data, check: { run: npm test }",
      "goals[0].criteria[0].check",
      "needs stdout, json or produces",
    ],
  ])("where { %s } has a problem at %s", (keys, where, message) => {
    const found = refused(one(keys)).find((problem) => problem.where === where);
    expect(found?.message).toContain(message);
    expect(found?.message).toMatch(/\(line 4\)$/);
  });

  test("for a class that nobody knows, in a criterion and in without", () => {
    expect(
      refused(one("check: { run: npm test }").replace("class: happy", "class: hapy"))[0]?.message,
    ).toContain("did you mean happy?");
    expect(
      refused(one("check: { run: npm test }", "    without: { egde: no input }\n"))[0]?.message,
    ).toContain('did you mean "edge"?');
  });

  test.each(["true", "echo PASS", "npm test || true", "exit 0", "npm test | tail"])(
    "for the check %j, which cannot fail",
    (run) => {
      expect(refused(one(`check: { run: '${run}' }`))[0]).toMatchObject({
        where: "goals[0].criteria[0].check",
        code: "check_vacuous",
      });
      expect(refused(`verify: ['${run}']\ngoals: [{ title: Import }]\n`)[0]).toMatchObject({
        where: "verify[0]",
        code: "check_vacuous",
      });
    },
  );

  test("for a vague scenario", () => {
    expect(
      refused(one("check: { run: npm test }").replace("a.csv gives 3 rows", "Verify that it works"))[0],
    ).toMatchObject({ where: "goals[0].criteria[0].scenario", code: "criterion_vague" });
  });

  test("where a goal covers no edge and does not say why", () => {
    const [problem] = refused(one("check: { run: npm test }", ""));
    expect(problem?.where).toBe("goals[0]");
    expect(problem?.message).toContain("edge, regression, adversarial");
  });

  test.each(["n/a", "none", "-", "TODO"])("where the reason is %j", (reason) => {
    expect(
      refused(one("check: { run: npm test }", REST.replace("takes no input", `'${reason}'`)))[0]?.where,
    ).toBe("goals[0].without.edge");
  });

  test("where a class is covered and excused at once", () => {
    expect(
      refused(one("check: { run: npm test }", REST.replace("{ edge", "{ happy: is not needed here, edge")))[0]
        ?.where,
    ).toBe("goals[0].without.happy");
  });

  test("with everything that is wrong at once, each with its line", () => {
    const problems = refused(
      "verify: ['true']\nshare: [../x]\ngoals:\n  - title: A\n    criteria:\n      - class: happy\n        scenario: it works\n        check: { run: 'echo ok', timeout: soon }\n  - title: B\n    criteria:\n      - class: happy\n        scenario: a.csv gives 3 rows\n",
    );
    expect(problems.map((problem) => problem.where)).toEqual([
      "verify[0]",
      "share[0]",
      "goals[0].criteria[0].scenario",
      "goals[0].criteria[0].check.timeout",
      "goals[0].criteria[0].check",
      "goals[0]",
      "goals[1].criteria[0]",
      "goals[1]",
    ]);
    expect(problems.map((problem) => Number(/line (\d+)/.exec(problem.message)?.[1]))).toEqual([
      1, 2, 7, 8, 8, 4, 11, 9,
    ]);
  });

  test("with what the sound parts say, although the form is wrong elsewhere", () => {
    const problems = refused(
      "verify: ['true']\ncolour: red\ngoals:\n  - title: A\n    criteria:\n      - { class: hapy, scenario: it just works, check: { run: 'echo ok' } }\n  - title: B\n    criteria:\n      - { class: happy, scenario: a.csv gives 3 rows, check: { run: npm test } }\n",
    );
    expect(new Set(problems.map((problem) => problem.where))).toEqual(
      new Set([
        "colour",
        "goals[0].criteria[0].class[0]",
        "verify[0]",
        "goals[0].criteria[0].scenario",
        "goals[0].criteria[0].check",
        "goals[1]",
      ]),
    );
  });

  test("and never breaks on values of the wrong kind", () => {
    const values = [
      "",
      "null",
      "3",
      "[]",
      "{}",
      "[[]]",
      "[{}]",
      "text",
      "true",
      "{a: b}",
      "2020-01-01",
      "*x",
    ];
    const places = ["brief", "title", "verify", "share", "setup", "constraints", "goals"];
    for (const value of values) {
      for (const place of places)
        expect(() =>
          attempt(`${place}: ${value}\n${place === "goals" ? "" : "goals: [{title: a}]\n"}`),
        ).not.toThrow();
      for (const key of [
        "class",
        "scenario",
        "channel",
        "adversarial",
        "stop",
        "evidence",
        "covers",
        "check",
        "without",
        "criteria",
      ]) {
        expect(() => attempt(`goals: [{title: a, ${key}: ${value}}]`)).not.toThrow();
        expect(() => attempt(`goals: [{title: a, criteria: [{${key}: ${value}}]}]`)).not.toThrow();
      }
      for (const key of [...Object.keys(checkShape), ...Object.keys(otherChannelShape)])
        expect(() =>
          attempt(one(`check: { ${key === "run" ? "" : "run: npm test, "}${key}: ${value} }`)),
        ).not.toThrow();
    }

    function attempt(text: string): void {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof Refusal) || error.problems.length === 0) throw error;
        for (const problem of error.problems) expect(problem.message).not.toMatch(/undefined|\[object/);
      }
    }
  });
});

describe("one goal with one check", () => {
  test("is a plan", () => {
    const plan = planFromOneCheck({ title: "Fix the importer", check: makeCheck({ run: "npm test" }) });
    expect(plan.title).toBe("Fix the importer");
    expect(plan.goals).toHaveLength(1);
    expect(plan.goals[0]?.criteria).toHaveLength(1);
    expect(plan.goals[0]?.criteria[0]).toMatchObject({
      classes: ["happy"],
      channel: "cli",
      check: { run: "npm test" },
    });
    expect(plan.goals[0]?.criteria[0]?.scenario).toContain("npm test");
    expect(Object.keys(plan.goals[0]?.without ?? {})).toEqual(["edge", "regression", "adversarial"]);
    expect(plan.goals[0]?.without.edge).toBe("one check was asked for");
  });

  test("is refused when the check cannot fail or there is no title", () => {
    const code = (title: string, run: string): string => {
      try {
        planFromOneCheck({ title, check: makeCheck({ run }) });
      } catch (error) {
        if (error instanceof Refusal) return error.code;
        throw error;
      }
      return "accepted";
    };
    expect(code("Fix it", "true")).toBe("check_vacuous");
    expect(code(" \n", "npm test")).toBe("brief_empty");
    expect(code("Fix it", "npm test")).toBe("accepted");
  });
});
