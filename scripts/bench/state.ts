/** Builds the repositories that are measured: files, a plan of any size, a ledger of any length. */

import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fingerprint } from "../../components/evidence/fingerprint.ts";
import type { Tree } from "../../components/evidence/types.ts";
import { openJournal } from "../../components/journal/journal.ts";
import { encodeLine } from "../../components/journal/line.ts";
import { sha256, writeFileAtomic } from "../../components/journal/safe-fs.ts";
import { snapshotBody, snapshotFile } from "../../components/journal/snapshot.ts";
import type { Writer } from "../../components/journal/types.ts";
import { DEFAULT_POLICY } from "../../components/ulw-loop/config.ts";
import { createPlan } from "../../components/ulw-loop/create.ts";
import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import type { Plan } from "../../components/ulw-loop/model.ts";
import { placeOf } from "../../components/ulw-loop/place.ts";
import { parsePlanFile } from "../../components/ulw-loop/plan-file.ts";
import { ulwLoop } from "../../components/ulw-loop/reduce.ts";

const WRITER: Writer = { kind: "agent", host: "none", session: null };

export interface BenchWorld {
  readonly base: string;
  readonly env: Record<string, string>;
}

/** A throw-away folder with a home of its own. */
export function makeBenchWorld(): BenchWorld {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "proofgate-bench-")));
  for (const folder of ["home", "tmp"]) mkdirSync(join(base, folder));
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: join(base, "home"),
    XDG_STATE_HOME: join(base, "home", "state"),
    XDG_CONFIG_HOME: join(base, "home", "config"),
    TMPDIR: join(base, "tmp"),
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Bench",
    GIT_AUTHOR_EMAIL: "bench@example.invalid",
    GIT_COMMITTER_NAME: "Bench",
    GIT_COMMITTER_EMAIL: "bench@example.invalid",
  };
  return { base, env };
}

/** A repository with committed files, of which `changed` differ from the commit. */
export async function makeRepo(
  world: BenchWorld,
  name: string,
  files: number,
  changed: number,
): Promise<string> {
  const root = join(world.base, name);
  for (let i = 0; i < files; i++) {
    const path = join(root, "src", `part-${i % 100}`, `file-${i}.js`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `export const value${i} = ${i};\n${`// line ${i}\n`.repeat(20)}`);
  }
  for (const args of [
    ["init", "-q", "-b", "main"],
    ["add", "-A"],
    ["commit", "-q", "-m", "base"],
  ]) {
    const child = Bun.spawn(["git", ...args], {
      cwd: root,
      env: world.env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if ((await child.exited) !== 0) throw new Error(`git ${args.join(" ")} failed`);
  }
  for (let i = 0; i < changed; i++)
    appendFileSync(join(root, "src", `part-${i % 100}`, `file-${i}.js`), "// changed\n");
  return root;
}

/**
 * Writes a plan of `goals` goals with three criteria each, a fifth of them complete, and a ledger of `lines` lines, with the
 * journal's own encoder. @throws Error when the journal's own check does not find it valid
 */
export async function writeState(root: string, goals: number, lines: number): Promise<void> {
  const place = placeOf(root, null);
  const tree = await fingerprint(root);
  const journal = openJournal(place.dir, ulwLoop, { root, writer: WRITER });
  // The first commit makes the folder as every command does.
  journal.commit("create-goals", () => ({ events: created(goals, tree, place), result: null }));
  const first = journal.read();
  if (first === null) throw new Error("no state");
  let { state, head } = first;
  const at = new Date().toISOString();
  const bytes: Buffer[] = [];
  const append = (events: readonly PlanEvent[], digest: string): void => {
    const line = encodeLine({
      seq: head.seq + 1,
      prev: head.hash,
      at,
      by: WRITER,
      format: ulwLoop.format,
      cmd: "bench",
      events,
      healed: null,
      state: digest,
    });
    bytes.push(line.bytes);
    head = line.head;
  };
  const proven = passes(state, Math.floor(goals / 5), tree);
  state = proven.reduce(
    (now, event) => ulwLoop.reduce(now, event, { seq: head.seq + 1, at, by: WRITER }),
    state,
  );
  const body = snapshotBody(state);
  const digest = sha256(body);
  append(proven, digest);
  // Notes leave the state as it is, so its digest stays true on every line.
  const note = "what was seen, and why it matters for the plan. ".repeat(6);
  while (head.seq < lines)
    append([{ type: "ledger_annotated", evidence: note, rationale: `note ${head.seq}` }], digest);
  appendFileSync(join(place.dir, "ledger.jsonl"), Buffer.concat(bytes));
  writeFileAtomic(join(place.dir, "goals.json"), snapshotFile(ulwLoop.format, head, body));
  const report = journal.verify();
  if (!report.valid || report.lines !== lines)
    throw new Error(`bench state is not valid: ${JSON.stringify(report.problems)}`);
}

function created(goals: number, tree: Tree, place: ReturnType<typeof placeOf>): readonly PlanEvent[] {
  const text = [
    "brief: A plan to measure with.",
    "goals:",
    ...Array.from({ length: goals }, (_, i) => goalYaml(i)),
  ].join("\n");
  const draft = parsePlanFile(text, { dir: place.root, readFile: () => "" });
  return createPlan(null, {
    draft,
    mode: "aggregate",
    force: false,
    writer: WRITER,
    policy: DEFAULT_POLICY,
    base: { commit: null, tree: tree.id },
    paths: { goals: place.goalsPath, ledger: place.ledgerPath },
    copies: null,
    lost: null,
  });
}

const goalYaml = (i: number): string => `  - title: Part ${i}
    objective: Make part ${i} answer as the others do, from the command line and over HTTP.
    criteria:
      - { class: happy, scenario: "node part.js ${i} prints ${i} and exits 0.", check: { run: node --test test/part-${i}.test.js } }
      - { class: [edge, adversarial], adversarial: [malformed_input], scenario: "node part.js -${i} prints an error and exits 1.", check: { run: node --test test/edge-${i}.test.js } }
      - { class: regression, scenario: "The other parts print what they printed; npm test exits 0.", check: { run: node --test test/all-${i}.test.js } }`;

/** The first goals' criteria pass on this tree and the goals are complete; the next goal is in progress. */
function passes(plan: Plan, count: number, tree: Tree): readonly PlanEvent[] {
  const artifact = { path: "evidence/none.txt", sha256: "0".repeat(64) };
  const stream = { sha256: "0".repeat(64), size: 100 };
  const ran = plan.goals.slice(0, count).flatMap((goal): PlanEvent[] => [
    { type: "goal_started", goal: goal.id, fresh: false },
    ...goal.successCriteria.map(
      (criterion): PlanEvent => ({
        type: "criterion_ran",
        goal: goal.id,
        criterion: criterion.id,
        version: criterion.version ?? "",
        outcome: {
          kind: "pass",
          tree: tree.id,
          covered: tree.id,
          whole: tree.id,
          before: { outcome: "red", saw: "exit 1", base: null, checkFiles: "0".repeat(64), durationMs: 100 },
          own: [`test/part-${goal.id}.test.js`],
          ignored: {},
          repeats: 0,
        },
        receipt: {
          command: criterion.check?.run ?? "",
          cwd: "",
          exit: 0,
          signal: null,
          timedOut: false,
          flooded: false,
          spawnError: null,
          durationMs: 100,
          stdout: stream,
          stderr: stream,
          programs: [{ name: "node", path: "/usr/bin/node" }],
          dropped: [],
          ended: [],
          alive: [],
          treeBefore: tree.id,
          treeAfter: tree.id,
          artifact,
        },
      }),
    ),
    {
      type: "goal_checkpointed",
      goal: goal.id,
      status: "complete",
      evidence: "as the receipts say",
      host: { seen: "none" },
      tree: tree.id,
    },
  ]);
  const next = plan.goals[count];
  return next === undefined ? ran : [...ran, { type: "goal_started", goal: next.id, fresh: false }];
}
