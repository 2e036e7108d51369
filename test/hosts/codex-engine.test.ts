/** The built program inside the sandbox of the real Codex: a plan from start to proof, and a check that the sandbox forbids. */

import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runInCodexSandbox, sandboxMissing } from "./codex.ts";
import { testUnless } from "./host-test.ts";
import { makeRepo, type TestRepo } from "./repo.ts";

const CLI = join(import.meta.dirname, "..", "..", "dist", "proofgate.js");
const missing = existsSync(CLI)
  ? await sandboxMissing()
  : "dist/proofgate.js is not built: bun scripts/build.ts";
const engineTest = testUnless(missing);
const SESSION_MS = 120_000;
const proofgate = (words: string): string => `node '${CLI}' ${words} --json`;

/** The parts of the program's answers that are looked at here. */
interface Json {
  readonly goal?: unknown;
  readonly goals?: readonly {
    readonly status?: string;
    readonly criteria?: readonly {
      readonly status?: string;
      readonly level?: string;
      readonly fresh?: boolean;
    }[];
  }[];
  readonly error?: { readonly code: string; readonly nextActions: readonly string[] };
}

interface Answer {
  readonly exit: number;
  readonly json: Json;
}

/** Runs the lines in one Codex session. @returns each line's exit status and JSON, an empty object where it printed none */
async function session<Name extends string>(
  repo: TestRepo,
  lines: Readonly<Record<Name, string>>,
): Promise<Readonly<Record<Name, Answer>>> {
  const names = Object.keys(lines) as Name[];
  const commands = names.map((name) => lines[name]);
  const report = await runInCodexSandbox({ repo: repo.path, commands, timeoutMs: SESSION_MS });
  const answers = names.map((name, index): [Name, Answer] => {
    const output = report.outputs[index]?.trim() ?? "";
    const start = output.indexOf("{");
    const json = start < 0 ? {} : parse(name, output.slice(start));
    return [name, { exit: report.exits[index] ?? -1, json }];
  });
  return Object.fromEntries(answers) as Record<Name, Answer>;
}

function parse(name: string, text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${name} did not print one JSON object: ${text.slice(0, 2000)}`);
  }
}

const WITHOUT =
  "{ edge: one value is enough, regression: nothing else is here, adversarial: no input from outside }";

describe("a plan of two goals, one of them done", () => {
  const FILES = {
    "sum.mjs": `export const sum = (a, b) => a - b;
`,
    "test/sum.test.mjs": `import assert from "node:assert/strict";
import { test } from "node:test";
import { sum } from "../sum.mjs";
test("two and three make five", () => assert.equal(sum(2, 3), 5));
`,
    ".proofgate/plan.yaml": `brief: Make the sums right.
goals:
  - title: Sum
    objective: sum.mjs adds two numbers.
    without: ${WITHOUT}
    criteria:
      - class: [happy]
        scenario: Run node --test test/sum.test.mjs; it exits 0.
        check: { run: node --test test/sum.test.mjs, timeout: 60s }
  - title: Readme
    objective: README.md tells what sum.mjs does.
    without: ${WITHOUT}
    criteria:
      - class: [happy]
        scenario: Run grep -q adds README.md; it exits 0.
        check: { run: grep -q adds README.md, timeout: 60s }
`,
  };
  const LINES = {
    create: proofgate("ulw-loop create-goals --plan .proofgate/plan.yaml"),
    start: proofgate("ulw-loop complete-goals"),
    tooEarly: proofgate("ulw-loop prove"),
    openStatus: proofgate("ulw-loop status"),
    refused: proofgate("ulw-loop checkpoint --goal-id G001 --status complete --evidence 'it works'"),
    fix: "sed -i.bak 's/a - b/a + b/' sum.mjs && rm sum.mjs.bak",
    prove: proofgate("ulw-loop prove"),
    provenStatus: proofgate("ulw-loop status"),
    checkpoint: proofgate(
      "ulw-loop checkpoint --goal-id G001 --status complete --evidence 'the sum is right'",
    ),
    verify: proofgate("ulw-loop verify"),
    endStatus: proofgate("ulw-loop status"),
  };

  let repo: TestRepo;
  let gave: Readonly<Record<keyof typeof LINES, Answer>>;

  beforeAll(async () => {
    if (missing !== null) return;
    repo = await makeRepo(FILES);
    gave = await session(repo, LINES);
  }, SESSION_MS);
  afterAll(() => repo?.remove());

  const firstCriterion = (answer: Answer) => answer.json.goals?.[0]?.criteria?.[0];

  engineTest("create-goals reads the plan, and complete-goals hands over its first goal", () => {
    expect(gave.create).toMatchObject({
      exit: 0,
      json: { ok: true, goals: [{ title: "Sum" }, { title: "Readme" }] },
    });
    expect(gave.start).toMatchObject({ exit: 0, json: { ok: true } });
    expect(JSON.stringify(gave.start.json.goal)).toContain("G001");
  });

  engineTest("a failing test is no proof, and the goal cannot be completed on words", () => {
    expect(gave.tooEarly.exit).not.toBe(2);
    expect(firstCriterion(gave.openStatus)?.status).not.toBe("pass");
    expect(gave.refused).toMatchObject({ exit: 1, json: { ok: false, error: { code: "not_proven" } } });
  });

  engineTest("prove runs the test on the base tree and on today's, although .git is read-only", () => {
    expect(gave.prove).toMatchObject({
      exit: 0,
      json: { ok: true, results: [{ goal: "G001", criterion: "C001", status: "pass", level: "captured" }] },
    });
    expect(firstCriterion(gave.provenStatus)).toMatchObject({
      status: "pass",
      level: "captured",
      fresh: true,
    });
  });

  engineTest("checkpoint completes the proven goal and leaves the other open", () => {
    expect(gave.checkpoint).toMatchObject({ exit: 0, json: { ok: true, goal: "G001", status: "complete" } });
    expect(gave.endStatus.json.goals?.[0]?.status).toBe("complete");
    expect(gave.endStatus.json.goals?.[1]?.status).not.toBe("complete");
  });

  engineTest("the ledger that was written in the sandbox verifies", async () => {
    expect(gave.verify).toMatchObject({ exit: 0, json: { ok: true, valid: true, problems: [] } });
    const ledger = await readFile(join(repo.path, ".omo", "ulw-loop", "ledger.jsonl"), "utf8");
    expect(ledger.trimEnd().split("\n").length).toBeGreaterThanOrEqual(4);
  });
});

describe("a check that needs a socket", () => {
  const FILES = {
    "serve.mjs": `import { createServer } from "node:http";
createServer().listen(0, "127.0.0.1", function () {
  console.log("ready");
  this.close();
});
`,
    ".proofgate/plan.yaml": `brief: Serve.
goals:
  - title: Server
    objective: serve.mjs listens on a free port.
    without: ${WITHOUT}
    criteria:
      - class: [happy]
        scenario: Run node serve.mjs; it prints ready and exits 0.
        check: { run: node serve.mjs, stdout: ready, timeout: 30s }
`,
  };
  const LINES = {
    create: proofgate("ulw-loop create-goals --plan .proofgate/plan.yaml"),
    start: proofgate("ulw-loop complete-goals"),
    prove: proofgate("ulw-loop prove"),
    status: proofgate("ulw-loop status"),
  };

  let repo: TestRepo;
  let gave: Readonly<Record<keyof typeof LINES, Answer>>;

  beforeAll(async () => {
    if (missing !== null) return;
    repo = await makeRepo(FILES);
    gave = await session(repo, LINES);
  }, SESSION_MS);
  afterAll(() => repo?.remove());

  engineTest("is inconclusive because of the sandbox, and the ways out are named", () => {
    expect(gave.create.exit).toBe(0);
    expect(gave.prove).toMatchObject({ exit: 1, json: { ok: false, error: { code: "check_inconclusive" } } });
    expect(JSON.stringify(gave.prove.json)).toContain("sandbox");
    expect(gave.prove.json.error?.nextActions.length).toBeGreaterThan(0);
  });

  engineTest("counts neither as a failure nor as a pass", () => {
    expect(gave.status.json.goals?.[0]?.criteria?.[0]?.status).toBe("open");
  });
});
