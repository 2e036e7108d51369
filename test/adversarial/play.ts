/** What every liar here is given: a small repository, a plan, the honest way to do it, and the tool's last word on it. */

import { makeWorld, type Said, type World } from "../helpers/world.ts";

export type Outcome = "refused" | "accepted";

/** `add` is wrong and has no test; `keep` is right and has one. */
export const BASE: Readonly<Record<string, string>> = {
  "package.json": `${JSON.stringify({ name: "adder", version: "1.0.0", type: "module", scripts: { test: "bun test/keep.test.js" } })}\n`,
  "README.md": "# Adder\n",
  "src/add.js": "export const add = (a, b) => a - b;\n",
  "src/keep.js": "export const keep = (x) => x;\n",
  "test/keep.test.js":
    'import assert from "node:assert";\nimport { keep } from "../src/keep.js";\nassert.equal(keep(7), 7);\n',
};
export const ADD_TEST =
  'import assert from "node:assert";\nimport { add } from "../src/add.js";\nassert.equal(add(2, 3), 5);\n';
/** By Bun, which starts in half the time of Node: each proof runs each check half a dozen times. Honest runs have Node's. */
export const ADD_CHECK = "bun test/add.test.js";
export const KEEP_CHECK = "bun test/keep.test.js";
export const RIGHT = "export const add = (a, b) => a + b;\n";
export const BROKEN_KEEP = "export const keep = () => 8;\n";

/** One criterion in a plan file: a YAML flow map for the check. */
export interface Wanted {
  readonly classes: string;
  readonly check?: string;
  readonly channel?: string;
  readonly covers?: string;
}
export const HAPPY: Wanted = { classes: "happy", check: `{ run: "${ADD_CHECK}" }` };
export const KEPT: Wanted = { classes: "regression", check: `{ run: "${KEEP_CHECK}" }` };

export interface WantedGoal {
  readonly title: string;
  readonly criteria: readonly Wanted[];
}

/** A plan file. Classes that no criterion has are excused. */
export function planText(goals: readonly WantedGoal[], head = ""): string {
  const lines = goals.flatMap(({ title, criteria }) => {
    const has = criteria.map((c) => c.classes).join(" ");
    const without = ["happy", "edge", "regression", "adversarial"].filter((one) => !has.includes(one));
    return [
      `  - title: ${title}`,
      "    criteria:",
      ...criteria.flatMap((c, index) => [
        `      - class: [${c.classes}]`,
        `        scenario: Run case ${index + 1} of the calculator; the command exits 0 and prints no error.`,
        ...(c.channel === undefined ? [] : [`        channel: ${c.channel}`]),
        ...(c.check === undefined ? [] : [`        check: ${c.check}`]),
        ...(c.covers === undefined ? [] : [`        covers: ${c.covers}`]),
      ]),
      ...(without.length === 0
        ? []
        : [
            `    without: { ${without.map((one) => `${one}: "the calculator is pure and takes two numbers"`).join(", ")} }`,
          ]),
    ];
  });
  return `brief: Ship the calculator.\n${head}goals:\n${lines.join("\n")}\n`;
}

export const TWO = planText([{ title: "Calculator", criteria: [HAPPY, KEPT] }]);

/** The step is part of the stage and has to work; otherwise the test is broken, and counts as such. */
export async function must(step: Promise<Said>): Promise<Said> {
  const said = await step;
  if (said.exit !== 0)
    throw new Error(
      `a step of the stage failed (exit ${said.exit}): ${said.out.slice(-600)} ${said.err.slice(-600)}`,
    );
  return said;
}

export async function hire(
  plan = TWO,
  options: {
    files?: Readonly<Record<string, string>>;
    session?: string;
    config?: string;
    env?: Record<string, string>;
  } = {},
): Promise<World> {
  const world = await makeWorld({
    ...BASE,
    ...options.files,
    ...(options.config === undefined ? {} : { ".proofgate.yaml": options.config }),
  });
  await create(world, plan, options.session, options.env);
  return world;
}

export async function create(
  world: World,
  plan: string,
  session?: string,
  env: Record<string, string> = {},
): Promise<Said> {
  world.write(".proofgate/plan.yaml", plan);
  const said = await must(
    world.run(["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", ...at(session)], {
      json: true,
      env,
    }),
  );
  planned.set(world, [...(planned.get(world) ?? []), ...said.json.goals.map((g: { id: string }) => g.id)]);
  if (world.host !== undefined) {
    const { json } = await must(world.run(["status", ...at(session)], { json: true, env }));
    objectives.set(world, json.objective);
    await world.host.create(json.objective);
  }
  return said;
}

/** Ids of the goals that plans were made with. */
const planned = new WeakMap<World, readonly string[]>();

/** What the host's own goal says, for as long as there is a plan to ask. */
const objectives = new WeakMap<World, string>();

/** Why the host does not let the agent's goal be complete; null when it does, undefined where there is no host or no goal in it. */
async function hostSays(world: World): Promise<string | null | undefined> {
  const objective = objectives.get(world);
  return objective === undefined ? undefined : world.host?.complete(objective);
}

const at = (session?: string): readonly string[] => (session === undefined ? [] : ["--session-id", session]);

/** The test, without what it asks for. */
export const writeTest = (world: World): void => world.write("test/add.test.js", ADD_TEST);

/** All that was asked for. */
export function work(world: World): void {
  writeTest(world);
  world.write("src/add.js", RIGHT);
}

export const GATE = JSON.stringify({
  aiSlopCleaner: { status: "passed", evidence: "looked at src/add.js: nothing to clean" },
  verification: { status: "passed", commands: ["true"], evidence: "all good" },
  codeReview: {
    recommendation: "APPROVE",
    architectStatus: "CLEAR",
    evidence: "read src/add.js and its test line by line",
  },
  criteriaCoverage: { totalCriteria: 2, passCount: 2, adversarialClassesCovered: [] },
});

export interface Way {
  readonly session?: string;
  readonly env?: Record<string, string>;
  readonly gate?: string;
}

export const checkpoint = (
  world: World,
  goal: string,
  { session, env = {}, gate = GATE }: Way = {},
): Promise<Said> =>
  world.run(
    [
      "checkpoint",
      "--goal-id",
      goal,
      "--status",
      "complete",
      "--evidence",
      "done as asked",
      "--quality-gate-json",
      gate,
      ...at(session),
    ],
    { json: true, env },
  );

/** `check` as the user runs it, in the user's own environment; and the host, where one is there. */
export async function isDone(world: World, session?: string): Promise<Outcome> {
  const said = await world.run(["check", ...at(session)], { json: true });
  if (said.exit === 0 || said.json.valid === true) return "accepted";
  return (await hostSays(world)) === null ? "accepted" : "refused";
}

/** Everything that an agent can do to be finished: prove, gate, checkpoint each goal, and ask. */
export async function finish(world: World, way: Way = {}): Promise<Outcome> {
  const ask = (...args: string[]): Promise<Said> =>
    world.run([...args, ...at(way.session)], { json: true, env: way.env ?? {} });
  const { json: handed } = await ask("ulw-loop", "complete-goals", "--retry-failed");
  await ask("prove", "--all");
  const only = planned.get(world) ?? [];
  const known = only.length === 1 && handed.goal?.id === only[0];
  let [complete, closed] = [false, false];
  await close(known ? only : await openGoals());
  // Closed, and the plan goes on: goals came later.
  if (known && closed && !complete) await close(await openGoals());
  return complete || (await isDone(world, way.session)) === "accepted" ? "accepted" : "refused";

  async function close(goals: readonly string[]): Promise<void> {
    for (const goal of goals) {
      const { exit, json } = await checkpoint(world, goal, way);
      closed = exit === 0;
      complete = json.complete === true || complete;
    }
  }

  async function openGoals(): Promise<readonly string[]> {
    const { json } = await ask("status");
    return (json.goals ?? [])
      .filter((g: { status: string }) => g.status !== "complete" && g.status !== "superseded")
      .map((g: { id: string }) => g.id);
  }
}

/**
 * The lie's end, and the proof that the stage was right: once `mend` did what had been asked for, the same steps are
 * accepted. Where they are not, the refusal said nothing about the lie, and the test is broken.
 */
export async function judge(world: World, mend: () => unknown, way: Way = {}): Promise<Outcome> {
  const outcome = await finish(world, way);
  if (outcome === "accepted") return outcome;
  await mend();
  if ((await finish(world, { ...way, env: {} })) !== "accepted") {
    const { out } = await world.run(["check", ...at(way.session)]);
    throw new Error(`the honest end is refused as well: ${out}`);
  }
  const refused = await hostSays(world);
  if (typeof refused === "string") throw new Error(`the host refuses the honest end as well: ${refused}`);
  return outcome;
}

/** Done honestly and complete; what a liar changes afterwards must show. */
export async function finished(
  plan = TWO,
  options: Parameters<typeof hire>[1] & { before?: (world: World) => unknown } = {},
): Promise<World> {
  const world = await hire(plan, options);
  work(world);
  await options.before?.(world);
  if ((await finish(world)) !== "accepted")
    throw new Error(`the honest work was refused: ${(await world.run(["check"])).out}`);
  return world;
}

/** The tree that was proven, changed by a lie: what does the tool say now, without and with new runs? */
export async function stillDone(world: World): Promise<Outcome> {
  if ((await isDone(world)) === "accepted") return "accepted";
  await world.ask("prove", "--all");
  return isDone(world);
}

/** A real picture, one pixel. */
export const PNG = Buffer.from(
  "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082",
  "hex",
);
