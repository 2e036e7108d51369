/** Honest runs in which the plan itself changes, or a host's goal goes along with it. */

import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import {
  Agent,
  doSlug,
  doTitle,
  edge,
  happy,
  implement,
  LIBRARY,
  npmTest,
  PLAN,
  planOf,
  SLUG,
  slugCriterion,
  slugTest,
  TITLE,
  test,
  titleCriterion,
} from "./agent.ts";

const SLUG_GOAL = { title: "slug", criteria: [slugCriterion] };
const TITLE_GOAL = { title: "title", criteria: [titleCriterion] };
const LOWER = "(text) => text.toLowerCase()";
const lowerTest = (): string => test("lower", '"A"', '"a"');

const snapshot = (objective: string, status: string): string =>
  JSON.stringify({
    goal: { threadId: "t1", objective, status, tokenBudget: null, tokensUsed: 1, timeUsedSeconds: 2 },
  });

honest("a goal of the host for each story, with snapshots", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL, TITLE_GOAL]));
  const agent = new Agent(world);
  await agent.creates("--codex-goal-mode", "per-story");
  const first = (await agent.takes()).json.handoff.create_goal.objective;
  doSlug(world);
  await agent.proves("red");
  await agent.closes("--codex-goal-json", snapshot(first, "complete"));
  const second = (await agent.takes()).json.handoff.create_goal.objective;
  doTitle(world);
  await agent.proves("red");
  return await agent.finishes("--codex-goal-json", snapshot(second, "complete"));
});

honest("one goal of the host for the whole plan: active, then paused, then complete", async () => {
  const world = await makeWorld(LIBRARY);
  const lower = happy('lower("A") returns "a".', "node --test test/lower.test.js");
  world.write(PLAN, planOf([SLUG_GOAL, TITLE_GOAL, { title: "lower", criteria: [lower] }]));
  const agent = new Agent(world);
  await agent.creates();
  const { objective } = (await agent.takes()).json.handoff.create_goal;
  doSlug(world);
  await agent.proves("red");
  await agent.closes("--codex-goal-json", snapshot(objective, "active"));
  await agent.takes();
  doTitle(world);
  await agent.proves("red");
  await agent.closes("--codex-goal-json", snapshot(objective, "paused"));
  await agent.takes();
  implement(world, "lower", LOWER);
  world.write("test/lower.test.js", lowerTest());
  await agent.proves("red");
  // The host may hand the objective back with other line breaks.
  const wrapped = `${objective.replace(" ", "\n  ")} `;
  return await agent.finishes("--codex-goal-json", snapshot(wrapped, "complete"));
});

honest("the host's goal is paused at the end: one refusal says how to go on without it", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  const { objective } = (await agent.takes()).json.handoff.create_goal;
  doSlug(world);
  await agent.proves("red");
  await agent.gates();
  const said = await agent.closes("--codex-goal-json", snapshot(objective, "paused"));
  if (!JSON.stringify(said.json.error.nextActions).includes("without --codex-goal-json"))
    agent.count(["next"], said);
  await agent.closes();
  return await agent.ends();
});

honest("the host's goal was cleared, or there never was one", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL, TITLE_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  await agent.closes("--codex-goal-json", '{"goal":null}');
  await agent.takes();
  doTitle(world);
  await agent.proves("red");
  world.write("../goal.json", "null");
  return await agent.finishes("--codex-goal-json", "../goal.json");
});

honest("a goal is blocked by something outside, and taken up again later", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL, TITLE_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  await agent.does(
    ...["checkpoint", "--status", "blocked"],
    ...["--evidence", "the registry is down, the dependency cannot be installed"],
  );
  await agent.takes();
  doTitle(world);
  await agent.proves("red");
  await agent.closes();
  await agent.takes("--retry-failed");
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("three honest tries that fail, recorded as such, then a fresh allowance and success", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("test/slug.test.js", slugTest());
  for (const body of ["(text) => text", "(text) => text.trim()", LOWER]) {
    world.write("src/texts.js", LIBRARY["src/texts.js"]);
    implement(world, "slug", body);
    await agent.sees("fail");
    await agent.does(
      ...["ulw-loop", "record-evidence", "--criterion-id", "C001", "--status", "fail"],
      ...["--evidence", "AssertionError: not big-cat"],
    );
  }
  await agent.takes("--retry-failed");
  world.write("src/texts.js", LIBRARY["src/texts.js"]);
  implement(world, "slug", SLUG);
  await agent.proves("red");
  return await agent.finishes();
});

honest("a goal checkpointed failed, then taken up by itself and done", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  await agent.does("checkpoint", "--status", "failed", "--evidence", "the first approach does not work");
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("a review with blockers, the follow-up goal, then a clean review", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  await agent.does(
    ...["ulw-loop", "record-review-blockers", "--goal-id", "G001", "--title", "slug of several spaces"],
    ...["--objective", 'slug("a  b") must return "a-b", not "a--b".'],
    ...["--evidence", "The reviewer ran slug with two spaces and got two dashes."],
  );
  const drafts: { id: string; classes: string[] }[] = (await agent.takes()).json.criteria;
  for (const { id, classes } of drafts)
    await agent.revises(
      id,
      `slug("a  b") returns "a-b" (${classes.join(", ")}): node --test test/spaces.test.js exits 0.`,
      "node --test test/spaces.test.js",
    );
  const source = world.read("src/texts.js");
  world.write("src/texts.js", source.replace('replaceAll(" ", "-")', 'replace(/ +/g, "-")'));
  world.write("test/spaces.test.js", test("slug", '"a  b"', '"a-b"'));
  await agent.proves("red");
  await agent.closes();
  await agent.takes();
  await agent.proves("red");
  return await agent.finishes();
});

honest("a goal split in two, its criteria shared out", async () => {
  const world = await makeWorld(LIBRARY);
  const both = { title: "slug and title", criteria: [slugCriterion, titleCriterion, npmTest] };
  world.write(PLAN, planOf([both]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  const children = [
    { title: "slug", objective: "slug of a text", criteria: ["C001"] },
    { title: "title", objective: "title of a text", criteria: ["C002", "C003"] },
  ];
  await agent.steers(
    ...["--kind", "split_subgoal", "--goal-id", "G001", "--children", JSON.stringify(children)],
  );
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  await agent.closes();
  await agent.takes();
  doTitle(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("a goal that turned out wrong, superseded by a new one", async () => {
  const world = await makeWorld(LIBRARY);
  const library = happy(
    'slug("Big Cat") of the library returns "big-cat".',
    "node --test test/library.test.js",
  );
  world.write(PLAN, planOf([{ title: "slug with a library", criteria: [library] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  await agent.does("goal", "slug of our own", "--check", "node --test test/slug.test.js");
  await agent.steers(...["--kind", "mark_blocked_superseded", "--goal-id", "G001", "--replacements", "G002"]);
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("a criterion that was wrong is amended after it failed, and the user approves", async () => {
  const world = await makeWorld(LIBRARY);
  const wrong = happy('slug("Big Cat") returns "Big-Cat".', "node --test test/wrong.test.js");
  world.write(PLAN, planOf([{ title: "slug", criteria: [wrong] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  world.write("test/wrong.test.js", test("slug", '"Big Cat"', '"Big-Cat"'));
  await agent.sees("fail");
  await world.sh("rm test/wrong.test.js");
  await agent.revises("C001", 'slug("Big Cat") returns "big-cat".', "node --test test/slug.test.js");
  await agent.proves("red");
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("a criterion waived, with the user's approval", async () => {
  const world = await makeWorld(LIBRARY);
  const impossible = edge("slug of 1 GB ends within 1 s.", "node --test test/huge.test.js");
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, impossible] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red", "C001");
  await agent.does(
    ...["ulw-loop", "waive", "--criterion-id", "C002", "--evidence", "the machine has 512 MB of memory"],
    ...["--rationale", "it cannot be run here; the user said it may go"],
  );
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("an added goal, a new order, and a note in the ledger", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL, TITLE_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.steers("--kind", "reorder_pending", "--order", '["G002","G001"]');
  await agent.does("goal", "lower", "--check", "node --test test/lower.test.js");
  await agent.takes();
  doTitle(world);
  await agent.proves("red");
  await agent.closes();
  await agent.steers("--kind", "annotate_ledger");
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  await agent.closes();
  await agent.takes();
  implement(world, "lower", LOWER);
  world.write("test/lower.test.js", lowerTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest(
  "two plans side by side in one repository, each its own session",
  async () => {
    const world = await makeWorld(LIBRARY);
    for (const name of ["lower", "trim"]) {
      const does = happy(`test/${name}.test.js of src/${name}.js exits 0.`, {
        run: `node --test test/${name}.test.js`,
        covers: [`src/${name}.js`, `test/${name}.test.js`],
      });
      world.write(`.proofgate/${name}.yaml`, planOf([{ title: name, criteria: [does] }]));
    }
    const root = new Agent(world);
    const a = root.with({ always: ["--session-id", "a"] });
    const b = root.with({ always: ["--session-id", "b"] });
    await Promise.all([
      a.does("ulw-loop", "create-goals", "--plan", ".proofgate/lower.yaml"),
      b.does("ulw-loop", "create-goals", "--plan", ".proofgate/trim.yaml"),
    ]);
    await Promise.all([a.takes(), b.takes()]);
    world.write("src/lower.js", "export const lower = (text) => text.toLowerCase();\n");
    world.write("test/lower.test.js", test("lower", '" A "', '" a "', "../src/lower.js"));
    await a.proves("red");
    world.write("src/trim.js", "export const trim = (text) => text.trim();\n");
    world.write("test/trim.test.js", test("trim", '" A "', '"A"', "../src/trim.js"));
    await b.proves("red");
    const first = await a.finishes();
    const second = await b.finishes();
    return { complete: first.complete && second.complete, refusals: root.refusals };
  },
  { not: "it takes two sessions, as in test/hosts/codex-gate.test.ts" },
);

honest(
  "two plans one after the other: the first goes stale by the second's work, and is proven again",
  async () => {
    const world = await makeWorld(LIBRARY);
    world.write(".proofgate/a.yaml", planOf([SLUG_GOAL]));
    world.write(".proofgate/b.yaml", planOf([TITLE_GOAL]));
    const root = new Agent(world);
    const a = root.with({ always: ["--session-id", "a"] });
    const b = root.with({ always: ["--session-id", "b"] });
    await a.does("ulw-loop", "create-goals", "--plan", ".proofgate/a.yaml");
    await a.takes();
    doSlug(world);
    await a.proves("red");
    await a.finishes();
    await b.does("ulw-loop", "create-goals", "--plan", ".proofgate/b.yaml");
    await b.takes();
    doTitle(world);
    await b.proves("red");
    await b.finishes();
    await a.proves("red", "--all");
    await a.gates();
    const first = await a.ends();
    const second = await b.ends();
    return { complete: first.complete && second.complete, refusals: root.refusals };
  },
);

honest("a second plan after the first one is complete", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  await agent.finishes();
  await world.commit("slug");
  world.write(PLAN, planOf([TITLE_GOAL]));
  await agent.creates();
  await agent.takes();
  doTitle(world);
  await agent.proves("red");
  return await agent.finishes();
});

for (const [language, brief, scenario] of [
  [
    "Chinese",
    "# 文本工具\n\n## 目标一：生成网址别名\n\n为标题生成由小写字母和连字符组成的别名。\n",
    '调用 slug("Big Cat") 返回 "big-cat"，命令以 0 退出。',
  ],
  [
    "Arabic",
    "# أدوات النصوص\n\n- إنشاء اسم قصير للعنوان بحروف صغيرة وشرطات\n",
    'استدعاء slug("Big Cat") يعيد "big-cat" وينتهي الأمر بالرمز 0.',
  ],
] as const)
  honest(`a brief in ${language}, its drafts revised by steering`, async () => {
    const world = await makeWorld(LIBRARY);
    const agent = new Agent(world);
    const args = ["ulw-loop", "create-goals", "--from-stdin"];
    const made = await agent.run(args, brief);
    if (made.exit !== 0) agent.count(args, made);
    const goals: { id: string }[] = made.json.goals;
    for (const [index] of goals.entries()) {
      const drafts: { id: string }[] = (await agent.takes()).json.criteria;
      for (const { id } of drafts)
        await agent.revises(id, `${scenario} (${id})`, "node --test test/slug.test.js");
      if (index === 0) doSlug(world);
      await agent.proves("red");
      if (index < goals.length - 1) await agent.closes();
    }
    return await agent.finishes();
  });

honest("another tool's .omo is there: told so once, imported, its drafts revised, done", async () => {
  const world = await makeWorld({ ...LIBRARY, ".gitignore": "node_modules/\n.omo/\n" });
  const theirs = { id: "a", scenario: 'slug("Big Cat") returns "big-cat".', status: "pass", evidence: "lol" };
  world.write(
    ".omo/ulw-loop/goals.json",
    JSON.stringify({
      version: 2,
      goals: [{ id: "1", title: "slug", status: "complete", successCriteria: [theirs] }],
    }),
  );
  world.write(".omo/ulw-loop/ledger.jsonl", '{"event":"goal_completed","goal":"1"}\n');
  const agent = new Agent(world);
  const said = await agent.does("status");
  if (said.json.error?.code !== "foreign_state") agent.count(["status"], said);
  await agent.does("ulw-loop", "import");
  const drafts: { id: string; scenario: string }[] = (await agent.takes()).json.criteria;
  for (const { id, scenario } of drafts) await agent.revises(id, scenario, "node --test test/slug.test.js");
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("a plan cancelled in the evening and taken up the next day", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", SLUG);
  await agent.does("ulw-loop", "cancel", "--evidence", "the user goes home");
  await agent.does("ulw-loop", "attach");
  await agent.takes();
  world.write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("a new session goes on where another one stopped, half of the work done", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([SLUG_GOAL, TITLE_GOAL]));
  const root = new Agent(world);
  const first = root.with({ env: { CODEX_THREAD_ID: "thread-one" } });
  await first.creates();
  await first.takes();
  doSlug(world);
  await first.proves("red");
  await first.closes();
  await first.takes();
  implement(world, "title", TITLE);
  const second = root.with({ env: { CODEX_THREAD_ID: "thread-two" } });
  const taken = await second.takes();
  if (taken.exit !== 0) {
    await second.does("ulw-loop", "attach");
    await second.takes();
  }
  world.write("test/title.test.js", test("title", '"big cat"', '"Big Cat"'));
  await second.proves("red");
  const { complete } = await second.finishes();
  return { complete, refusals: root.refusals };
});
