/** The gate's own runs in the real Codex: in the session's sandbox, and believed in the place of what only the agent saw. */

import { afterAll, describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeLine } from "../../components/journal/line.ts";
import { snapshotBody, snapshotFile } from "../../components/journal/snapshot.ts";
import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import { ulwLoop } from "../../components/ulw-loop/reduce.ts";
import { sandboxMissing } from "./codex.ts";
import { createGoal, type GatedCodex, gatedCodex, getGoal, sh, updateGoal } from "./gated.ts";
import { testUnless } from "./host-test.ts";

const gateTest = testUnless(await sandboxMissing());
const made: GatedCodex[] = [];
afterAll(async () => {
  for (const one of made) await one.remove();
});

const OBJECTIVE =
  "Complete every goal of the plan in .omo/ulw-loop/goals.json (audit trail: .omo/ulw-loop/ledger.jsonl), one after another, until each criterion is proven. The tool says what comes next: proofgate next.";
const FILES = {
  "package.json": '{"name":"adder","version":"1.0.0","type":"module"}\n',
  "src/add.js": "export const add = (a, b) => a - b;\n",
};
const TEST =
  'import assert from "node:assert"; import { add } from "../src/add.js"; assert.equal(add(2, 3), 5);';
const WRONG = "printf 'export const add = (a, b) => a - b;\\n' > src/add.js";
const WORK = `mkdir -p test && printf '%s' '${TEST}' > test/add.test.js && printf 'export const add = (a, b) => a + b;\\n' > src/add.js`;
const GATE = sh(
  'proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR --review "read src/add.js and its test line by line" --cleaner "looked at src/add.js: nothing to clean"',
);
const status = (text: string | undefined): string => {
  try {
    return JSON.parse(text ?? "").goal?.status ?? "none";
  } catch {
    return "none";
  }
};

async function codex(files: Readonly<Record<string, string>> = FILES): Promise<GatedCodex> {
  const one = await gatedCodex(files);
  made.push(one);
  return one;
}

/** What the agent writes into its own ledger: the last pass once more, said to be of the tree as it is now. */
function forgePass(repo: string): void {
  const folder = join(repo, ".omo", "ulw-loop");
  const lines = readFileSync(join(folder, "ledger.jsonl"), "utf8").trimEnd().split("\n");
  const parsed = lines.map((line) => JSON.parse(line));
  const failed = parsed.at(-1);
  const passed = parsed.findLast((line) =>
    line.events.some((e: PlanEvent) => e.type === "criterion_ran" && e.outcome.kind === "pass"),
  );
  const gate = parsed.findLast((line) => line.events.some((e: PlanEvent) => e.type === "gate_recorded"));
  const now = failed.events.find((e: PlanEvent) => e.type === "criterion_ran").outcome.tree;
  let state = parsed.reduce(
    (plan, line) => line.events.reduce((p: never, e: PlanEvent) => ulwLoop.reduce(p, e, line), plan),
    ulwLoop.initial,
  );
  let { seq, hash: prev } = failed;
  let bytes = "";
  let body = "";
  for (const [cmd, events] of [
    [
      "prove",
      passed.events.map((e: PlanEvent) =>
        e.type === "criterion_ran"
          ? { ...e, outcome: { ...e.outcome, tree: now, covered: now, whole: now } }
          : e,
      ),
    ],
    ["record-quality-gate", gate.events.map((e: PlanEvent) => ({ ...e, tree: now }))],
  ] as const) {
    const meta = { seq: ++seq, at: new Date().toISOString(), by: failed.by };
    for (const event of events) state = ulwLoop.reduce(state, event, meta);
    body = snapshotBody(state);
    const digest = new Bun.CryptoHasher("sha256").update(body).digest("hex");
    const line = encodeLine({
      ...meta,
      prev,
      format: ulwLoop.format,
      cmd,
      events,
      healed: null,
      state: digest,
    });
    bytes += line.bytes.toString("utf8");
    prev = line.head.hash;
  }
  writeFileSync(join(folder, "ledger.jsonl"), `${lines.join("\n")}\n${bytes}`);
  writeFileSync(join(folder, "goals.json"), snapshotFile(ulwLoop.format, { seq, hash: prev }, body));
}

describe("lines that a sandboxed agent wrote itself", () => {
  gateTest(
    "are not believed: the gate runs the check, and it fails",
    async () => {
      const host = await codex();
      await host.play([
        sh('proofgate goal "Fix add" --check "node test/add.test.js"'),
        createGoal(OBJECTIVE),
        sh(WORK),
        sh("proofgate ulw-loop complete-goals && proofgate prove"),
        GATE,
        sh(`cp .omo/ulw-loop/evidence/G001-C001.txt kept.txt && ${WRONG}`),
        sh("proofgate prove C001; cp kept.txt .omo/ulw-loop/evidence/G001-C001.txt"),
      ]);
      forgePass(host.repo);
      const { outputs } = await host.play([sh("proofgate status"), updateGoal("complete"), getGoal], {
        resume: true,
      });
      expect(outputs[0]).toMatch(/C001 .* proven/); // Here the lie looks whole.
      expect(outputs[1]).toMatch(
        /Not complete[\s\S]*G001-C001 failing: wanted exit 0, got exit 1 \(run by the gate\)/,
      );
      expect(status(outputs[2])).toBe("active");
    },
    240_000,
  );
});

describe("what the gate runs stays in the sandbox", () => {
  const mine = (host: GatedCodex): string[] =>
    readdirSync(host.home, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("ESCAPED"));

  gateTest(
    "checks and their set-up, on the tree and on the base",
    async () => {
      const host = await codex();
      const out = join(host.home, "ESCAPED-check");
      const up = join(host.home, "ESCAPED-setup");
      const plan = [
        "brief: Fix add.",
        `setup: ["touch '${up}' || true"]`,
        "goals:",
        "  - title: Fix add",
        "    criteria:",
        "      - class: [happy, edge, regression, adversarial]",
        "        scenario: node test/add.test.js exits 0 after adding two and three.",
        `        check: { run: "touch '${out}' 2>/dev/null; node test/add.test.js" }`,
      ].join("\n");
      const { outputs } = await host.play([
        sh(
          `mkdir -p .proofgate && cat > .proofgate/plan.yaml <<'X'\n${plan}\nX\nproofgate ulw-loop create-goals --plan .proofgate/plan.yaml`,
        ),
        createGoal(OBJECTIVE),
        sh(WORK),
        sh("proofgate ulw-loop complete-goals && proofgate prove"),
        GATE,
        updateGoal("complete"),
        getGoal,
      ]);
      expect(status(outputs[6])).toBe("complete");
      expect(mine(host)).toEqual([]);
    },
    240_000,
  );

  gateTest(
    "the repository's gates, its notify command, and what Git settings and filters of a nested repository name",
    async () => {
      const host = await codex({ ...FILES, ".proofgate.yaml": "gates: [node gate.js]\n", "gate.js": "" });
      const touch = (name: string): string => `touch '${join(host.home, `ESCAPED-${name}`)}'`;
      const evil = `import { execSync } from "node:child_process"; try { execSync(${JSON.stringify(touch("gate"))}); } catch {}`;
      const { outputs } = await host.play([
        createGoal("Write a poem"),
        sh(
          `cat > gate.js <<'X'\n${evil}\nX\nmv gate.js gate.mjs; printf '%s\\n' 'gates: [node gate.js, node gate.mjs]' "notify: touch rung; ${touch("notify").replaceAll("'", "")}" > .proofgate.yaml; touch gate.js`,
        ),
        sh(
          [
            "git init -q nested && cd nested && echo x > a.txt && echo '* filter=evil' > .gitattributes",
            `git config core.fsmonitor ${JSON.stringify(`${touch("fsmonitor")};`)}`,
            `git config filter.evil.clean ${JSON.stringify(`${touch("clean")}; cat`)}`,
            `git config filter.lfs.smudge ${JSON.stringify(`${touch("smudge")}; cat`)}`,
            "git -c filter.evil.clean=cat -c core.fsmonitor=false add -A 2>&1; echo y > a.txt; echo made",
          ].join("\n"),
        ),
        sh('proofgate goal "Fix add" --check "node test/add.test.js"'),
        sh(WORK),
        sh("proofgate ulw-loop complete-goals && proofgate prove"),
        GATE,
        updateGoal("complete"),
        getGoal,
      ]);
      expect(outputs[2]).toContain("made");
      expect(status(outputs[8])).toBe("complete");
      expect(existsSync(join(host.repo, "rung"))).toBe(true);
      expect(mine(host)).toEqual([]);
    },
    240_000,
  );
});
