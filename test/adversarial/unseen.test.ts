/**
 * An agent in a sandbox that writes ledger lines itself. Nothing outside saw what its commands wrote, every hash is right, and
 * the lines say that a sandboxed command wrote them: only what the gate runs and looks at itself can tell.
 */

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { PlanEvent } from "../../components/ulw-loop/events.ts";
import type { Criterion } from "../../components/ulw-loop/model.ts";
import { honest, lie } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "../plugin/host.ts";
import { objectiveOf } from "../plugin/stage.ts";
import { forge, type LedgerLine, readLedger } from "./forge.ts";
import { BASE, GATE, must, planText, TWO, work, writeTest } from "./play.ts";
import { add, asked, begun, prove } from "./sandboxed.ts";

/** The plan proven honestly, and then everything taken back but the lines. */
async function unproven(plan = TWO): Promise<Host> {
  const host = await begun(plan);
  const src = host.world.read("src/add.js");
  work(host.world);
  await prove(host);
  host.world.write("src/add.js", src);
  return host;
}

/** Every pass and the gate say that they are of the tree as it is. */
async function onPresentTree(host: Host): Promise<void> {
  const now = new Host(host.world, "01a1f865-0000-7830-a3e6-9db0b3831fe6");
  await must(now.sandboxed("goal", "Spy", "--check", "node test/keep.test.js", "--session-id", "spy"));
  await must(now.sandboxed("prove", "--session-id", "spy"));
  const spied = readLedger(host.world, ".omo/ulw-loop/spy").flatMap(({ events }) => events);
  const pass = spied.flatMap((e) =>
    e.type === "criterion_ran" && e.outcome.kind === "pass" ? [e.outcome] : [],
  )[0];
  if (pass === undefined) throw new Error("the spy saw no tree");
  const { tree, covered, whole } = pass;
  forge(host.world, (lines) => [
    ...lines,
    ...lines
      .filter(({ events }) => events.some((e) => e.type === "criterion_ran" || e.type === "gate_recorded"))
      .map((line) => ({
        ...line,
        events: line.events.map((event): PlanEvent => {
          if (event.type === "criterion_ran" && event.outcome.kind === "pass")
            return { ...event, outcome: { ...event.outcome, tree, covered, whole } };
          return event.type === "gate_recorded" ? { ...event, tree } : event;
        }),
      })),
  ]);
}

lie("unseen: passes of the present tree, written by hand", async () => {
  const host = await unproven();
  await onPresentTree(host);
  return asked(host, /G001-C001 failing: wanted exit 0.*run by the gate/);
});

lie("unseen: a check that passed before as well, said to have failed there", async () => {
  const vacuous = planText([
    {
      title: "Calculator",
      criteria: [{ classes: "happy, regression", check: '{ run: "node test/keep.test.js" }' }],
    },
  ]);
  const host = await begun(vacuous);
  await must(host.sandboxed("prove", "--all"));
  await must(host.sandboxed("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
  forge(host.world, (lines) =>
    lines.map((line) => ({
      ...line,
      events: line.events.map((event): PlanEvent => {
        if (event.type !== "criterion_ran" || event.outcome.kind !== "pass") return event;
        const before = { ...event.outcome.before, outcome: "red", saw: "exit 1" } as const;
        return { ...event, outcome: { ...event.outcome, before } };
      }),
    })),
  );
  return asked(host, /no happy criterion failed before/);
});

lie("unseen: the quality gate's commands never passed", async () => {
  const host = await begun(
    planText(
      [
        {
          title: "Calculator",
          criteria: [{ classes: "happy, regression", check: '{ run: "node test/add.test.js" }' }],
        },
      ],
      'verify: ["node verify.js"]\n',
    ),
  );
  work(host.world);
  host.world.write("verify.js", "process.exit(0);\n");
  await prove(host);
  host.world.write("verify.js", "process.exit(3);\n");
  await must(host.sandboxed("prove", "--all"));
  await onPresentTree(host);
  return asked(host, /node verify.js: wanted exit 0, got/);
});

/** What the agent changes in a criterion behind the commands' back, and the pass of the new check. */
async function revised(
  host: Host,
  change: (criterion: Criterion) => Partial<Extract<PlanEvent, { type: "criterion_revised" }>>,
): Promise<void> {
  const created = readLedger(host.world)[0]?.events[0];
  const criterion = created?.type === "plan_created" ? created.plan.goals[0]?.successCriteria[0] : undefined;
  if (criterion === undefined) throw new Error("no criterion to revise");
  add(host, {
    type: "criterion_revised",
    goal: "G001",
    criterion: criterion.id,
    by: "agent",
    evidence: "x",
    rationale: "y",
    ...change(criterion),
  });
}

/** A check that fails before and passes now, and has nothing to do with what was asked for. */
const EASY = "test -e done.test.js";

async function easyCheck(host: Host): Promise<{ check: Criterion["check"]; version: string | null }> {
  await must(host.sandboxed("goal", "Spy", "--check", EASY, "--session-id", "easy"));
  const made = readLedger(host.world, ".omo/ulw-loop/easy")[0]?.events[0];
  const found = made?.type === "plan_created" ? made.plan.goals[0]?.successCriteria[0] : undefined;
  return { check: found?.check ?? null, version: found?.version ?? null };
}

lie("unseen: a check that had failed, changed without a word of it", async () => {
  const host = await begun();
  writeTest(host.world);
  await host.sandboxed("prove", "--all"); // It fails, so changing it is no longer free.
  await host.hook("post-shell");
  const { check, version } = await easyCheck(host);
  await revised(host, () => ({ check: check ?? undefined, version: version ?? undefined }));
  host.world.write("done.test.js", "");
  await prove(host);
  return asked(host, /L\d+ G001-C001: check changed after it failed/);
});

lie("unseen: another check under the name of one that the gate has run", async () => {
  const host = await begun();
  work(host.world);
  await prove(host);
  await host.update("complete"); // Its runs are kept.
  host.goals.set(host.session, { objective: await objectiveOf(host.world), status: "active" });
  host.world.write("src/add.js", BASE["src/add.js"] ?? "");
  host.world.write("done.test.js", "");
  const { check } = await easyCheck(host);
  await revised(host, ({ version }) => ({ check: check ?? undefined, version: version ?? undefined }));
  await must(host.sandboxed("prove", "--all"));
  await must(host.sandboxed("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
  return asked(host, /its run was seen by nobody/);
});

lie("unseen: criteria that say the user wrote and approved them", async () => {
  const host = new Host(await makeWorld(BASE));
  await host.hook("start");
  host.world.write(
    ".proofgate/plan.yaml",
    planText([
      {
        title: "Keep",
        criteria: [{ classes: "happy, regression", check: '{ run: "node test/keep.test.js" }' }],
      },
    ]),
  );
  await must(host.sandboxed("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
  forge(host.world, ([first, ...rest]) => [
    {
      ...(first as LedgerLine),
      by: { kind: "user", host: "terminal", session: null },
      events: (first as LedgerLine).events.map(asUsers),
    },
    ...rest,
  ]);
  await host.sandboxed("ulw-loop", "attach");
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  await host.create(await objectiveOf(host.world));
  await prove(host);
  return asked(host, /approval/);
});

const asUsers = (event: PlanEvent): PlanEvent =>
  event.type !== "plan_created"
    ? event
    : {
        ...event,
        plan: {
          ...event.plan,
          goals: event.plan.goals.map((goal) => ({
            ...goal,
            author: "user",
            successCriteria: goal.successCriteria.map((c) => ({ ...c, author: "user", approved: true })),
          })),
        },
      };

lie("unseen: an older commit named as the base, where nothing passed yet", async () => {
  const host = new Host(await makeWorld({ "README.md": "# nothing yet\n" }));
  const { world } = host;
  const early = await world.git("rev-parse", "HEAD");
  for (const [path, text] of Object.entries(BASE)) world.write(path, text);
  await world.commit("the calculator");
  await host.hook("start");
  world.write(
    ".proofgate/plan.yaml",
    planText([
      {
        title: "Keep",
        criteria: [{ classes: "happy, regression", check: '{ run: "node test/keep.test.js" }' }],
      },
    ]),
  );
  await must(host.sandboxed("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
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
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  await host.create(await objectiveOf(world));
  await prove(host);
  return asked(host, /base is/);
});

lie("unseen: a split that forgets the hard half", async () => {
  const host = await begun();
  writeTest(host.world);
  const created = readLedger(host.world)[0]?.events[0];
  const goal = created?.type === "plan_created" ? created.plan.goals[0] : undefined;
  if (goal === undefined) throw new Error("no goal to split");
  const child = (id: string) => ({
    ...goal,
    id,
    status: "pending" as const,
    successCriteria: goal.successCriteria.slice(1),
  });
  add(host, {
    type: "goal_split",
    goal: "G001",
    children: [child("G002"), child("G003")],
    evidence: "x",
    rationale: "y",
  });
  await host.sandboxed("ulw-loop", "complete-goals");
  await prove(host).catch(() => undefined);
  return asked(host, /a split lost G001-C001/);
});

lie("unseen: the user's own look believes what only the agent saw", async () => {
  const host = await unproven();
  await onPresentTree(host);
  await must(
    host.sandboxed(
      "ulw-loop",
      "checkpoint",
      "--goal-id",
      "G001",
      "--status",
      "complete",
      "--evidence",
      "done",
    ),
  );
  const said = await host.world.run(["check"], { json: true });
  return said.exit === 0 || said.json.valid === true ? "accepted" : "refused";
});

/** Completes, and counts what stood in the way. */
async function completed(host: Host): Promise<{ complete: boolean; refusals: number }> {
  const refused = (await host.update("complete")) === null ? 0 : 1;
  await must(
    host.sandboxed(
      "ulw-loop",
      "checkpoint",
      "--goal-id",
      "G001",
      "--status",
      "complete",
      "--evidence",
      "done",
    ),
  );
  const said = await host.world.run(["check"], { json: true });
  return { complete: refused === 0 && said.exit === 0, refusals: refused };
}

honest("a plan whose every command ran in a sandbox", async () => {
  const host = await begun();
  work(host.world);
  await prove(host);
  return completed(host);
});

honest("a sandboxed plan with commands for the quality gate, a set-up and a shared folder", async () => {
  const plan = planText(
    [
      {
        title: "Calculator",
        criteria: [{ classes: "happy, regression", check: '{ run: "node test/add.test.js" }' }],
      },
    ],
    'verify: ["node test/keep.test.js"]\nsetup: ["node -e 0"]\n',
  );
  const host = await begun(plan);
  work(host.world);
  await prove(host);
  return completed(host);
});

honest("a plan of the user's own, worked on in a sandbox and split there", async () => {
  const host = new Host(await makeWorld(BASE));
  await host.hook("start");
  host.world.write(".proofgate/plan.yaml", TWO);
  await must(host.world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
  await host.sandboxed("ulw-loop", "attach");
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  await host.create(await objectiveOf(host.world));
  work(host.world);
  await prove(host);
  return completed(host);
});

test("what the gate ran is kept: the next completion runs only what changed", async () => {
  const host = await begun();
  work(host.world);
  const counted =
    "import { appendFileSync } from 'node:fs';\nappendFileSync(process.env.HOME + '/runs', 'x');\n";
  host.world.write("test/add.test.js", `${counted}${host.world.read("test/add.test.js")}`);
  await prove(host);
  const runs = (): number => host.world.read("../home/runs").length;
  const before = runs();
  expect(await host.update("complete")).toBeNull();
  expect(runs()).toBeGreaterThan(before);
  const after = runs();
  host.goals.set(host.session, { objective: await objectiveOf(host.world), status: "active" });
  await host.create(await objectiveOf(host.world));
  expect(await host.update("complete")).toBeNull();
  expect(runs()).toBe(after);
});

honest("a tool that only the agent's login shell has on PATH", async () => {
  const plan = planText([
    {
      title: "Calculator",
      criteria: [{ classes: "happy, regression", check: '{ run: "my-runner test/add.test.js" }' }],
    },
  ]);
  const host = await begun(plan);
  const tools = join(host.world.home, "tools");
  host.world.write("../home/tools/my-runner", '#!/bin/sh\nexec node "$@"\n');
  await must(host.world.sh(`chmod +x '${tools}/my-runner'`));
  host.world.write("../home/.profile", `PATH="${tools}:$PATH"\n`);
  work(host.world);
  const { PATH } = host.world.env;
  host.world.env.PATH = `${tools}:${PATH}`;
  await prove(host);
  host.world.env.PATH = PATH ?? "";
  return completed(host);
});

honest("a plan done without the host's goal, then another one that the user asked for", async () => {
  const host = await begun();
  work(host.world);
  await prove(host);
  const done = ["ulw-loop", "checkpoint", "--goal-id", "G001", "--status", "complete", "--evidence", "done"];
  await must(host.sandboxed(...done));
  await host.hook("post-shell");
  await host.says("prompt", { prompt: "and now make multiplication work" });
  host.world.write(
    ".proofgate/plan.yaml",
    planText([
      {
        title: "Times",
        criteria: [{ classes: "happy, regression", check: '{ run: "node test/mul.test.js" }' }],
      },
    ]),
  );
  await must(host.sandboxed("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
  await must(host.sandboxed("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  host.goals.delete(host.session);
  await host.create(await objectiveOf(host.world));
  host.world.write("src/mul.js", "export const mul = (a, b) => a * b;\n");
  host.world.write(
    "test/mul.test.js",
    'import assert from "node:assert";\nimport { mul } from "../src/mul.js";\nassert.equal(mul(2, 3), 6);\n',
  );
  await prove(host);
  return completed(host);
});

lie("unseen: the plan called off in the user's name, before a hook ever saw it", async () => {
  const host = new Host(await makeWorld(BASE));
  await host.hook("start");
  await host.says("prompt", { prompt: "ulw make add work" });
  host.world.write(".proofgate/plan.yaml", TWO);
  await must(host.sandboxed("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"));
  forge(host.world, (lines) => [
    ...lines,
    {
      at: new Date().toISOString(),
      by: { kind: "user", host: "terminal", session: null },
      cmd: "cancel",
      events: [{ type: "plan_cancelled", why: "changed my mind" }],
    },
  ]);
  await host.hook("post-shell");
  await host.create("Make add work");
  return asked(host, /cancelled/);
});
