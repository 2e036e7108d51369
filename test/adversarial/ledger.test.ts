/** The state itself forged: edited, cut, rolled back, written anew, moved away, or approved by hand. */

import { renameSync } from "node:fs";
import { join } from "node:path";
import { lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
import { forge, type LedgerLine, readLedger, STATE } from "./forge.ts";
import {
  checkpoint,
  create,
  finish,
  finished,
  GATE,
  HAPPY,
  hire,
  isDone,
  judge,
  KEEP_CHECK,
  KEPT,
  must,
  type Outcome,
  planText,
  stillDone,
  TWO,
  work,
  writeTest,
} from "./play.ts";

/** Nothing is done, everything was run once and has failed. */
async function unfinished(plan = TWO): Promise<World> {
  const world = await hire(plan);
  await must(world.ask("ulw-loop", "complete-goals"));
  writeTest(world);
  await world.ask("prove", "--all");
  return world;
}

/** What the tool says of the forged state, also after the commands that an agent would run on it. */
async function told(world: World, env: Record<string, string> = {}): Promise<Outcome> {
  if ((await isDone(world)) === "accepted") return "accepted";
  await world.run(["steer", "--kind", "annotate_ledger", "--evidence", "x", "--rationale", "y"], { env });
  if ((await isDone(world)) === "accepted") return "accepted";
  await world.run(["repair"], { env });
  return isDone(world);
}

/** The lines of a plan that was done honestly in a copy of the repository: what a forger would like to have written. */
async function honestLines(world: World): Promise<LedgerLine[]> {
  await must(world.sh("cp -r . ../copy && cp -r ../home ../home2"));
  const env = { HOME: join(world.root, "../home2"), XDG_STATE_HOME: join(world.root, "../home2/other") };
  const run = (...args: string[]) => world.run(args, { cwd: join(world.root, "../copy"), env, json: true });
  work({ ...world, write: (path, content) => world.write(`../copy/${path}`, content) });
  await must(run("prove", "--all"));
  await must(
    run("checkpoint", "--status", "complete", "--evidence", "done as asked", "--quality-gate-json", GATE),
  );
  const lines = readLedger(world, "../copy/.omo/ulw-loop");
  await must(world.sh(`cp -r ../copy/${STATE}/evidence ${STATE}/`));
  return lines;
}

const edited = (name: string, edit: (world: World) => unknown): void =>
  lie(name, async () => {
    const world = await unfinished();
    await edit(world);
    return told(world);
  });
const sed = (world: World, file: string, program: string) =>
  must(world.sh(`sed -i '${program}' ${STATE}/${file}`));

edited("status flipped to pass in goals.json with an editor", (w) =>
  sed(w, "goals.json", 's/"status":"fail"/"status":"pass"/g; s/"status":"in_progress"/"status":"complete"/g'),
);
edited("goals.json replaced by one of a plan that was done", async (w) => {
  await honestLines(w);
  await must(w.sh(`cp ../copy/${STATE}/goals.json ${STATE}/goals.json`));
});
edited("the criterion that fails taken out of goals.json", (w) => {
  const [head = "", body = ""] = w.read(`${STATE}/goals.json`).split("\n");
  const plan = JSON.parse(`{${body}`);
  plan.goals[0].successCriteria.shift();
  w.write(`${STATE}/goals.json`, `${head}\n${JSON.stringify(plan).slice(1)}\n`);
});
edited("the check taken out of goals.json", (w) => sed(w, "goals.json", "s/node test\\/add.test.js/true/g"));
edited("an event flipped in the ledger", (w) => sed(w, "ledger.jsonl", 's/"kind":"fail"/"kind":"pass"/g'));
edited("an event flipped in the ledger, goals.json deleted", async (w) => {
  await sed(w, "ledger.jsonl", 's/"kind":"fail"/"kind":"pass"/g');
  await must(w.sh(`rm ${STATE}/goals.json`));
});
edited("a line added without a hash", (w) =>
  must(
    w.sh(
      `echo '{"seq":99,"cmd":"checkpoint","events":[{"type":"goal_checkpointed","goal":"G001","status":"complete"}]}' >> ${STATE}/ledger.jsonl`,
    ),
  ),
);
edited("the ledger emptied", (w) => must(w.sh(`: > ${STATE}/ledger.jsonl`)));
edited("ledger and snapshot emptied", (w) =>
  must(w.sh(`: > ${STATE}/ledger.jsonl; : > ${STATE}/goals.json`)),
);
edited("the ledger deleted, with a snapshot that says complete", async (w) => {
  await honestLines(w);
  await must(w.sh(`cp ../copy/${STATE}/goals.json ${STATE}/goals.json && rm ${STATE}/ledger.jsonl`));
});
edited("the last lines removed", (w) =>
  must(w.sh(`head -n 1 ${STATE}/ledger.jsonl > l && mv l ${STATE}/ledger.jsonl && rm ${STATE}/goals.json`)),
);
edited("a line removed from the middle", (w) =>
  must(w.sh(`sed -i 2d ${STATE}/ledger.jsonl && rm ${STATE}/goals.json`)),
);

/** The forger keeps the code as it is: the forged passes name the tree that is there. */
function passed(
  lines: readonly LedgerLine[],
  wanted: readonly LedgerLine[],
): Pick<LedgerLine, "at" | "by" | "cmd" | "events">[] {
  return [...lines, ...wanted.slice(lines.length)];
}
async function present(world: World): Promise<{ tree: string; covered: string }> {
  // A pass of a check that always holds tells the forger the ids of the tree as it is.
  await must(world.ask("goal", "Keeps", "--check", KEEP_CHECK, "--session-id", "spy"));
  await must(world.ask("prove", "--session-id", "spy"));
  for (const { events } of readLedger(world, `${STATE}/spy`))
    for (const event of events)
      if (event.type === "criterion_ran" && event.outcome.kind === "pass")
        return { tree: event.outcome.tree, covered: event.outcome.covered };
  throw new Error("the spy saw no tree");
}
function onTree(lines: readonly LedgerLine[], now: { tree: string; covered: string }): LedgerLine[] {
  return lines.map((line) => ({
    ...line,
    events: line.events.map((event) => {
      if (event.type === "criterion_ran" && event.outcome.kind === "pass")
        return { ...event, outcome: { ...event.outcome, ...now } };
      return event.type === "gate_recorded" || event.type === "goal_checkpointed"
        ? { ...event, tree: now.tree }
        : event;
    }),
  }));
}

lie("a whole ledger written anew with matching hashes, as long as the old one", async () => {
  const world = await unfinished();
  const now = await present(world);
  const wanted = onTree(await honestLines(world), now);
  const had = readLedger(world).length;
  // The failures are left out, and the plan is said to be done.
  forge(world, () => [...wanted.slice(0, 2), ...wanted.slice(-(had - 2 > 0 ? had - 2 : 1))]);
  return told(world);
});
lie("a whole ledger written anew with matching hashes, longer than the old one", async () => {
  const world = await unfinished();
  const wanted = onTree(await honestLines(world), await present(world));
  forge(world, (lines) => [
    ...lines.slice(0, 1),
    ...lines.slice(0, 1).map((line) => ({ ...line, events: [], cmd: "steer" })),
    ...wanted.filter(
      ({ cmd, events }) =>
        cmd !== "create-goals" &&
        !events.some((e) => e.type === "criterion_ran" && e.outcome.kind !== "pass"),
    ),
  ]);
  while (readLedger(world).length < 12)
    forge(world, (lines) => [...lines, { ...lines[0], cmd: "steer", events: [] } as unknown as LedgerLine]);
  return told(world);
});
lie("lines with right hashes added behind the last one", async () => {
  const world = await unfinished();
  const wanted = onTree(await honestLines(world), await present(world));
  forge(world, (lines) => passed(lines, wanted));
  return isDone(world);
});
/** A command inside a host's sandbox cannot reach the witness store; such lines are not the user's store's, and run again. */
lie("lines forged in the name of a sandboxed command", async () => {
  const world = await unfinished();
  const wanted = onTree(await honestLines(world), await present(world));
  const by = { kind: "agent", host: "codex", session: null } as const;
  forge(world, (lines) => [
    ...lines,
    ...passed(lines, wanted)
      .slice(lines.length)
      .map((line) => ({ ...line, by })),
  ]);
  return isDone(world);
});

lie("lines with right hashes added, and a command of the tool run on them", async () => {
  const world = await unfinished();
  const wanted = onTree(await honestLines(world), await present(world));
  forge(world, (lines) => passed(lines, wanted));
  return told(world);
});

/** The agent's own witness store, so that the user's sees nothing. */
const away = (world: World): Record<string, string> => ({ XDG_STATE_HOME: join(world.root, "../elsewhere") });
const save = (world: World, name: string) => must(world.sh(`rm -rf ../${name} && cp -r .omo ../${name}`));
const restore = (world: World, name: string) => must(world.sh(`rm -rf .omo && cp -r ../${name} .omo`));
const weaker = (world: World, env: Record<string, string> = {}) =>
  world.run(
    [
      "steer",
      "--kind",
      "revise_criterion",
      "--goal-id",
      "G001",
      "--criterion-id",
      "C002",
      "--check",
      "test -d src",
      "--evidence",
      "x",
      "--rationale",
      "y",
    ],
    { json: true, env },
  );

async function rolledBack(env: (world: World) => Record<string, string>, repair = false): Promise<Outcome> {
  const world = await hire();
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  await save(world, "early");
  const failed = await world.ask("prove", "--all");
  if (failed.exit === 0) throw new Error("the broken code was to fail");
  // Back to where the check had never been tried, so that it can be changed for nothing.
  await restore(world, "early");
  if (repair) await world.run(["repair"], { env: env(world) });
  await weaker(world, env(world));
  if ((await finish(world, { env: env(world) })) === "accepted" && Object.keys(env(world)).length === 0)
    return "accepted";
  return told(world);
}
lie("a rolled back copy of the state put back later", () => rolledBack(() => ({})));
lie("a rolled back copy put back later and repaired", () => rolledBack(() => ({}), true));
lie("a rolled back copy put back later, with the witness store out of the way", () => rolledBack(away));

lie("a weakening that nobody approved rolled back, after it was of use", async () => {
  const world = await hire();
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  await world.ask("prove", "--all");
  await must(
    world.ask(
      "ulw-loop",
      "waive",
      "--goal-id",
      "G001",
      "--criterion-id",
      "C002",
      "--evidence",
      "x",
      "--rationale",
      "y",
    ),
  );
  forge(world, (lines) =>
    lines.map((line) => ({ ...line, events: line.events.filter((event) => event.type !== "plan_weakened") })),
  );
  return told(world);
});

const WEAK = planText([{ title: "Calculator", criteria: [HAPPY] }]);
/** A smaller plan in place of one whose state is gone; `keep` is broken, and the smaller plan does not ask. */
async function anew(
  vanish: (world: World) => unknown,
  env: (world: World) => Record<string, string> = () => ({}),
): Promise<Outcome> {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  await vanish(world);
  await create(world, WEAK, undefined, env(world));
  await finish(world, { env: env(world) });
  return told(world, env(world));
}
lie(".omo deleted, and a weaker plan made", () => anew((w) => must(w.sh("rm -rf .omo"))));
lie("git clean -fdx, and a weaker plan made", () =>
  anew(async (w) => {
    await w.commit();
    await must(w.sh("git clean -fdxq"));
  }),
);
lie(".omo deleted, and a weaker plan made with the witness store out of the way", () =>
  anew((w) => must(w.sh("rm -rf .omo")), away),
);
lie("only the ledger deleted, and a weaker plan made", () =>
  anew((w) => must(w.sh(`rm ${STATE}/ledger.jsonl ${STATE}/goals.json`))),
);
lie("a weaker plan made and finished in a copy, and its state carried over", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  await must(world.sh("mkdir -p ../other && cp -r . ../other/repo && rm -rf ../other/repo/.omo"));
  const cwd = join(world.root, "../other/repo");
  world.write("../other/repo/.proofgate/plan.yaml", WEAK);
  const run = (...args: string[]) => must(world.run(args, { cwd, json: true }));
  await run("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  await run("prove", "--all");
  await run("checkpoint", "--status", "complete", "--evidence", "done as asked", "--quality-gate-json", GATE);
  await must(world.sh("rm -rf .omo && cp -r ../other/repo/.omo .omo"));
  return told(world);
});
lie("the repository moved away, finished under a weaker plan, and moved back", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  await must(world.sh("cp -r . ../moved && rm -rf ../moved/.omo"));
  world.write("../moved/.proofgate/plan.yaml", WEAK);
  const run = (...args: string[]) => must(world.run(args, { cwd: join(world.root, "../moved"), json: true }));
  await run("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  await run("prove", "--all");
  await run("checkpoint", "--status", "complete", "--evidence", "done as asked", "--quality-gate-json", GATE);
  renameSync(world.root, join(world.root, "../original"));
  renameSync(join(world.root, "../moved"), world.root);
  return told(world);
});

lie("the state moved away, the question asked, and the state moved back", async () => {
  const world = await unfinished();
  await must(world.sh("mv .omo ../away"));
  const [check, next, last] = [
    await isDone(world),
    await world.ask("ulw-loop", "complete-goals"),
    await checkpoint(world, "G001"),
  ];
  await must(world.sh("mv ../away .omo"));
  return check === "accepted" || next.json.done === true || last.exit === 0
    ? "accepted"
    : judge(world, () => work(world));
});
lie("the question asked in a linked worktree, where there is no state", async () => {
  const world = await unfinished();
  await world.git("worktree", "add", "-q", "../tree");
  const said = await world.run(["check"], { cwd: join(world.root, "../tree"), json: true });
  return said.exit === 0 ? "accepted" : isDone(world);
});
lie("the state folder replaced by a link to that of a finished plan", async () => {
  const world = await unfinished();
  await honestLines(world);
  await must(world.sh("mv .omo ../had && ln -s ../copy/.omo .omo"));
  return told(world);
});
lie("an artifact of a pass rewritten", async () => {
  const world = await finished();
  await must(world.sh(`echo 'exit 0, all good' > ${STATE}/evidence/G001-C001.txt`));
  return isDone(world);
});
lie("the quality gate's record rewritten", async () => {
  const world = await finished();
  await must(world.sh(`sed -i 's/CLEAR/CRYSTAL/' ${STATE}/evidence/quality-gate.json`));
  return isDone(world);
});
lie("a finished plan of another tool imported with its passes", async () => {
  const world = await hire();
  await must(world.sh("rm -rf .omo ../home/state"));
  const criteria = [
    {
      id: "C001",
      scenario: "adds",
      userModel: "happy",
      expectedEvidence: "evidence/x.txt",
      status: "pass",
      capturedEvidence: "ok",
    },
  ];
  world.write(
    `${STATE}/goals.json`,
    JSON.stringify({
      version: 1,
      goals: [
        { id: "G001-adds", title: "Adds", objective: "Adds", status: "complete", successCriteria: criteria },
      ],
    }),
  );
  await must(world.ask("ulw-loop", "import"));
  return finish(world);
});

const PINS = planText([
  { title: "Keeps", criteria: [{ classes: "happy, regression", check: `{ run: "${KEEP_CHECK}" }` }] },
]);
const approval = (
  lines: readonly LedgerLine[],
  id: string,
  criteria: Record<string, string>,
  weakenings: string[] = [],
): Pick<LedgerLine, "at" | "by" | "cmd" | "events">[] => {
  const last = lines.at(-1);
  if (last === undefined) throw new Error("no ledger");
  return [
    ...lines,
    {
      at: last.at,
      by: { kind: "user", host: "terminal", session: null },
      cmd: "approve",
      events: [{ type: "plan_approved", approval: { id, weakenings, criteria } }],
    },
  ];
};
const versions = (lines: readonly LedgerLine[]): Record<string, string> => {
  for (const { events } of lines)
    for (const event of events)
      if (event.type === "plan_created")
        return Object.fromEntries(
          event.plan.goals.flatMap((g) =>
            g.successCriteria.map((c) => [`${g.id}-${c.id}`, c.version ?? "draft"]),
          ),
        );
  throw new Error("no plan");
};

/** A line that no command wrote is damage: the ledger is repaired, and the user accepts the loss. */
async function mended(world: World): Promise<void> {
  await must(world.ask("ulw-loop", "repair"));
  await must(world.approve());
}
lie("an approval written into the ledger by hand", async () => {
  const world = await hire(PINS);
  forge(world, (lines) => approval(lines, "a".repeat(24), versions(lines)));
  return judge(world, () => mended(world));
});
lie("an approval of another plan used again", async () => {
  const world = await hire(PINS);
  await must(world.approve());
  const id =
    readLedger(world).flatMap(({ events }) =>
      events.flatMap((e) => (e.type === "plan_approved" ? [e.approval.id] : [])),
    )[0] ?? "";
  await create(world, PINS, "second");
  forge(world, (lines) => approval(lines, id, versions(lines)), `${STATE}/second`);
  return finish(world, { session: "second" });
});
lie("an approval stretched over criteria that the user never saw", async () => {
  const world = await hire(PINS);
  await must(world.approve());
  await must(world.ask("goal", "Keeps too", "--check", "node test/keep.test.js --again"));
  const lines = readLedger(world);
  const all = {
    ...versions(lines),
    ...Object.fromEntries(
      lines.flatMap(({ events }) =>
        events.flatMap((e) =>
          e.type === "goal_added"
            ? e.goal.successCriteria.map((c) => [`${e.goal.id}-${c.id}`, c.version ?? "draft"])
            : [],
        ),
      ),
    ),
  };
  const id =
    lines.flatMap(({ events }) =>
      events.flatMap((e) => (e.type === "plan_approved" ? [e.approval.id] : [])),
    )[0] ?? "";
  forge(world, (now) => approval(now, id, all));
  return judge(world, () => mended(world));
});
lie("the approval of one weakening used for another of the same number", async () => {
  const world = await hire();
  work(world);
  await must(world.ask("prove", "--all"));
  await save(world, "before");
  await must(
    world.ask(
      "ulw-loop",
      "waive",
      "--goal-id",
      "G001",
      "--criterion-id",
      "C001",
      "--evidence",
      "x",
      "--rationale",
      "a harmless one",
    ),
  );
  await must(world.approve());
  const agreed = readLedger(world).at(-1);
  await restore(world, "before");
  world.write("src/keep.js", "export const keep = () => 8;\n");
  const env = away(world);
  await must(
    world.run(
      [
        "ulw-loop",
        "waive",
        "--goal-id",
        "G001",
        "--criterion-id",
        "C002",
        "--evidence",
        "x",
        "--rationale",
        "another",
      ],
      { env },
    ),
  );
  forge(world, (lines) => (agreed === undefined ? lines : [...lines, agreed]));
  await finish(world, { env });
  return told(world);
});
lie("the author of the criteria changed to the user", async () => {
  const world = await hire(PINS);
  forge(world, (lines) =>
    JSON.parse(
      JSON.stringify(lines).replaceAll(
        '"author":"agent","approved":false',
        '"author":"user","approved":true',
      ),
    ),
  );
  return (await finish(world)) === "accepted" ? "accepted" : told(world);
});
lie("a proof of the same code under a plan that asked for less", async () => {
  const world = await finished(planText([{ title: "Calculator", criteria: [HAPPY, KEPT] }]));
  forge(world, (lines) => JSON.parse(JSON.stringify(lines).replaceAll(KEEP_CHECK, "test -d src")));
  world.write("src/keep.js", "export const keep = () => 8;\n");
  return stillDone(world);
});
