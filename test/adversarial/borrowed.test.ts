/**
 * Words that count elsewhere, borrowed: a plan's id, an approval's number, a finished goal, a claim, a moment in which the
 * files were others. Each needs a sandboxed agent that writes ledger lines itself, or a program beside the gate.
 */

import { join } from "node:path";
import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import { honest, lie } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "../plugin/host.ts";
import { objectiveOf } from "../plugin/stage.ts";
import { forge, readLedger } from "./forge.ts";
import { ADD_TEST, BASE, BROKEN_KEEP, GATE, HAPPY, must, type Outcome, planText, TWO, work } from "./play.ts";
import { add, asked, begun, prove } from "./sandboxed.ts";

type Created = Extract<PlanEvent, { type: "plan_created" }>;

const createdIn = (host: Host, dir?: string): Created => {
  const [event] = readLedger(host.world, dir)[0]?.events ?? [];
  if (event?.type !== "plan_created") throw new Error("the ledger begins without a plan");
  return event;
};

/** What the agent says of its goal, without a command that would have asked for proof. */
const said = (status: "complete"): PlanEvent => ({
  type: "goal_checkpointed",
  goal: "G001",
  status,
  evidence: "done as asked",
  host: { seen: "none" },
  tree: null,
});

const EASY = "node test/easy.test.js";

/** A plan that asks for nothing, made in another session, so that it binds this one to nothing. */
async function easyPlan(host: Host): Promise<Created> {
  const other = new Host(host.world, "01a1f865-0000-7830-a3e6-9db0b3831fe6");
  await must(other.sandboxed("goal", "Less", "--check", EASY, "--session-id", "easy"));
  return createdIn(host, ".omo/ulw-loop/easy");
}

const doEasy = (host: Host): void => {
  host.world.write("test/easy.test.js", 'import "../src/easy.js";\n');
  host.world.write("src/easy.js", "");
};

lie("borrowed: a claim in the place of a check's run", async () => {
  const host = await begun();
  work(host.world);
  host.world.write("src/keep.js", BROKEN_KEEP);
  await host.sandboxed("prove", "--all");
  const ran = readLedger(host.world)
    .flatMap(({ events }) => events)
    .find((event) => event.type === "criterion_ran" && event.outcome.kind === "pass");
  if (ran?.type !== "criterion_ran" || ran.outcome.kind !== "pass") throw new Error("nothing passed");
  const { tree, whole } = ran.outcome;
  const { artifact } = ran.receipt;
  const claim = { tree, covered: whole, artifact, evidence: "looked at it" };
  add(host, { type: "criterion_claimed", goal: "G001", criterion: "C002", ...claim });
  await must(host.sandboxed("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
  return asked(host, /1 of 2 proven[\s\S]*G001-C002 open: claimed, and only a run of its check counts/);
});

lie("borrowed: a weakening told before the plan that it is about, and so forgotten", async () => {
  const host = await begun();
  const { plan, ...event } = createdIn(host);
  const easy = await easyPlan(host);
  add(
    host,
    { type: "plan_weakened", id: "W001", kind: "forced", what: "the open plan was replaced" },
    { ...event, plan: { ...plan, goals: easy.plan.goals } },
    { type: "goal_started", goal: "G001", fresh: false },
  );
  doEasy(host);
  await prove(host);
  return asked(host, /L\d+ an open plan was replaced/);
});

/** The user lets one goal go, which is W001. */
async function approvedOnce(): Promise<Host> {
  const host = await begun();
  const why = ["--evidence", "seen", "--rationale", "not asked for"];
  const more = ["--title", "Poem", "--objective", "Write a poem about adders"];
  await must(host.sandboxed("ulw-loop", "steer", "--kind", "add_subgoal", ...more, ...why));
  const drop = ["--kind", "mark_blocked_superseded", "--goal-id", "G002"];
  await must(host.sandboxed("ulw-loop", "steer", ...drop, ...why));
  await host.hook("post-shell");
  const answer = await host.says("prompt", { prompt: "proofgate approve W001" });
  if (!answer.includes("approved W001")) throw new Error(answer);
  work(host.world);
  host.world.write("src/keep.js", BROKEN_KEEP);
  return host;
}

const waived = (weakening: string): PlanEvent => ({
  type: "criterion_waived",
  goal: "G001",
  criterion: "C002",
  weakening,
  evidence: "seen",
  rationale: "not needed",
});

lie("borrowed: a criterion waived under what the user approved of another one", async () => {
  const host = await approvedOnce();
  add(host, waived("W001"));
  await prove(host);
  return asked(host, /L\d+ G001-C002 waived under W001, which is about something else/);
});

lie("borrowed: the user's approval told a second time, of a second W001", async () => {
  const host = await approvedOnce();
  const approval = readLedger(host.world)
    .flatMap(({ events }) => events)
    .find((event) => event.type === "plan_approved");
  if (approval === undefined) throw new Error("the user's approval is not in the ledger");
  add(host, waived("W001"), { type: "plan_weakened", id: "W001", kind: "waived", what: "C002" }, approval);
  await prove(host);
  return asked(host, /L\d+ there is another W001/);
});

lie("borrowed: a goal called complete by a line, for a host's goal in the agent's own words", async () => {
  const host = await begun(TWO, BASE, "Write a poem");
  add(host, said("complete"));
  return asked(host, /0 of 2 proven[\s\S]*G001-C001 open/);
});

lie("borrowed: a plan called complete by a line, and a smaller one made after it", async () => {
  const host = await begun();
  add(host, said("complete"));
  await must(host.sandboxed("goal", "Less", "--check", EASY));
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  doEasy(host);
  await prove(host);
  return asked(host, /L\d+ a plan was replaced that nobody but the agent saw complete/);
});

/** The first plan, done and let through, and its work committed. */
async function firstDone(): Promise<Host> {
  const host = await begun();
  work(host.world);
  await prove(host);
  if ((await asked(host, /./)) === "refused") throw new Error("the honest plan is refused");
  const end = ["--goal-id", "G001", "--status", "complete", "--evidence", "done as asked"];
  await must(host.sandboxed("ulw-loop", "checkpoint", ...end));
  await host.hook("post-shell");
  await host.world.commit("the calculator");
  return host;
}

lie("borrowed: the id of an earlier plan, with its base and the runs that the gate kept of it", async () => {
  const host = await firstDone();
  const before = readLedger(host.world).length;
  const { planId, base } = createdIn(host).plan;
  await must(host.sandboxed("goal", "Something new", "--check", "node test/add.test.js"));
  forge(host.world, (lines) =>
    lines.map((line, index) => ({
      ...line,
      events: line.events.map((event) =>
        index >= before && event.type === "plan_created"
          ? { ...event, plan: { ...event.plan, planId, base } }
          : event,
      ),
    })),
  );
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.create(await objectiveOf(host.world));
  await prove(host);
  return asked(host, /L\d+ the plan has the id of another one/);
});

/** A session in a repository that asks for more, which the agent takes out of the configuration before its plan begins. */
async function lowered(config: string): Promise<Host> {
  const host = new Host(
    await makeWorld({ ...BASE, ".proofgate.yaml": config, "gate.js": "process.exit(1);\n" }),
  );
  await host.hook("start");
  await must(host.world.sh("rm .proofgate.yaml"));
  host.world.write(".proofgate/plan.yaml", TWO);
  await must(host.sandboxed("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  await host.create(await objectiveOf(host.world));
  work(host.world);
  await prove(host);
  return host;
}

lie("borrowed: an independent review no longer asked for, before the plan begins", async () =>
  asked(await lowered("review: independent\n"), /asks for an independent review of this very tree/),
);
lie("borrowed: the repository's gates taken away before the plan begins", async () =>
  asked(await lowered("gates: [node gate.js]\n"), /gate `node gate.js`: exit 1/),
);

lie("borrowed: an older base, in a plan that no hook sees before the conversation is compacted", async () => {
  const host = new Host(await makeWorld({ "README.md": "# nothing yet\n" }));
  const { world } = host;
  const early = await world.git("rev-parse", "HEAD");
  for (const [path, text] of Object.entries(BASE)) world.write(path, text);
  await world.commit("the calculator");
  await host.hook("start");
  await must(host.sandboxed("goal", "Keep", "--check", "node test/keep.test.js"));
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  forge(world, (lines) =>
    lines.map((line) => ({
      ...line,
      events: line.events.map((event) =>
        event.type === "plan_created"
          ? { ...event, plan: { ...event.plan, base: { ...event.plan.base, commit: early } } }
          : event,
      ),
    })),
  );
  // A hook after a command looks only where a ledger is newer than its last look.
  await must(world.sh("touch -d 2001-01-01 .omo/ulw-loop/ledger.jsonl"));
  await host.hook("post-shell");
  await host.hook("start", { source: "compact" });
  await host.create(await objectiveOf(world));
  await prove(host);
  return asked(host, /the plan's base is/);
});

/** Puts another test in its place as long as the first command runs that the gate starts. */
const SWAP = `
const { existsSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const [, , tmp, file] = process.argv;
const own = readFileSync(file);
const runs = (name) => existsSync(tmp + "/" + name + "/t");
let run;
for (const end = Date.now() + 30_000; Date.now() < end; ) {
  if (run === undefined) {
    run = (existsSync(tmp) ? readdirSync(tmp) : []).find(runs);
    if (run !== undefined) writeFileSync(file, "process.exit(0);");
  } else if (!runs(run)) {
    writeFileSync(file, own);
    console.log("swapped");
    break;
  }
}
`;

lie("borrowed: a moment in which the test is another one, while the gate runs it", async () => {
  const plan = planText([{ title: "Calculator", criteria: [HAPPY] }]);
  const host = await begun(plan, { ...BASE, "test/add.test.js": ADD_TEST });
  const { world } = host;
  work(world);
  await must(host.sandboxed("prove", "--all"));
  const pass = readLedger(world).at(-1)?.events[0];
  world.write("src/add.js", BASE["src/add.js"] ?? "");
  await host.sandboxed("prove", "--all");
  const fail = readLedger(world).at(-1)?.events[0];
  if (pass?.type !== "criterion_ran" || pass.outcome.kind !== "pass") throw new Error("no pass to forge");
  if (fail?.type !== "criterion_ran" || fail.outcome.kind !== "fail") throw new Error("it did not fail");
  const { tree } = fail.outcome;
  const outcome = { ...pass.outcome, tree, covered: tree, whole: tree };
  add(host, { ...pass, outcome, receipt: fail.receipt });
  await must(host.sandboxed("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
  world.write("../swap.cjs", SWAP);
  const tmp = join(world.env.XDG_STATE_HOME ?? "", "proofgate", "tmp");
  const script = [join(world.root, "../swap.cjs"), tmp, join(world.root, "test/add.test.js")];
  const beside = Bun.spawn(["node", ...script], { stdout: "pipe" });
  const outcomeOf: Outcome = await asked(host, /a clean copy of today's tree fails as well/);
  if (!(await new Response(beside.stdout).text()).includes("swapped")) throw new Error("nothing was swapped");
  return outcomeOf;
});

honest("a second plan in a sandbox, after one that was let through", async () => {
  const host = await firstDone();
  await must(host.sandboxed("goal", "Easy", "--check", EASY));
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  await host.create(await objectiveOf(host.world));
  doEasy(host);
  await prove(host);
  const refusals = (await host.update("complete")) === null ? 0 : 1;
  return { complete: refusals === 0, refusals };
});

honest(
  "a goal in own words in a sandbox, after a plan that was let through, on a tree that changed",
  async () => {
    const host = await firstDone();
    await host.create("Write a poem");
    host.world.write("poem.md", "Two and three, a tale of five.\n");
    const refusals = (await host.update("complete")) === null ? 0 : 1;
    return { complete: refusals === 0, refusals };
  },
);
