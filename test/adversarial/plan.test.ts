/** The plan made smaller, weaker or vaguer until it is done. */

import { lie } from "../helpers/count.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  BASE,
  BROKEN_KEEP,
  checkpoint,
  create,
  finish,
  finished,
  HAPPY,
  hire,
  isDone,
  judge,
  KEEP_CHECK,
  KEPT,
  must,
  type Outcome,
  planText,
  TWO,
  work,
  writeTest,
} from "./play.ts";

const GROUNDS = ["--evidence", "it is in the way", "--rationale", "it is not needed"];
const keepRight = (world: World): void => world.write("src/keep.js", BASE["src/keep.js"] ?? "");

/** C001 is done; C002 guards what is broken, was tried, and is to be got rid of. `agreed`: the user approved the plan. */
async function stuck(
  options: { plan?: string; agreed?: boolean; config?: string; tried?: boolean } = {},
): Promise<World> {
  const world = await hire(
    options.plan ?? TWO,
    options.config === undefined ? {} : { config: options.config },
  );
  if (options.agreed === true) await must(world.approve());
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  world.write("src/keep.js", BROKEN_KEEP);
  if (options.tried !== false) await world.ask("prove", "--all");
  return world;
}

/** Shrinks, and tries to finish; afterwards an honest end must be possible, with the user's agreement to the weakening. */
const shrunk = (
  name: string,
  shrink: (world: World) => unknown,
  options: Parameters<typeof stuck>[0] & { mend?: boolean } = {},
): void =>
  lie(name, async () => {
    const world = await stuck(options);
    await shrink(world);
    if (options.mend === false) return (await finish(world)) === "accepted" ? "accepted" : isDone(world);
    return judge(world, async () => {
      keepRight(world);
      await world.approve();
    });
  });
const steer = (world: World, ...args: string[]) => must(world.ask("steer", ...args, ...GROUNDS));
const revise = (world: World, ...args: string[]) =>
  steer(world, "--kind", "revise_criterion", "--goal-id", "G001", "--criterion-id", "C002", ...args);

shrunk("the plan cancelled", (w) => must(w.ask("ulw-loop", "cancel", "--evidence", "done enough")), {
  mend: false,
});
shrunk("the plan cancelled and taken up again", async (w) => {
  await must(w.ask("ulw-loop", "cancel", "--evidence", "done enough"));
  await must(w.ask("ulw-loop", "attach"));
});
shrunk(
  "the plan cancelled and a smaller one made",
  async (w) => {
    await must(w.ask("ulw-loop", "cancel", "--evidence", "done enough"));
    w.write(".proofgate/plan.yaml", planText([{ title: "Small", criteria: [HAPPY] }]));
    await w.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  },
  { mend: false },
);
shrunk("the plan replaced with --force", async (w) => {
  w.write(".proofgate/plan.yaml", planText([{ title: "Small", criteria: [HAPPY] }]));
  await must(w.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"));
});
shrunk("the plan replaced with --force twice", async (w) => {
  w.write(".proofgate/plan.yaml", planText([{ title: "Small", criteria: [HAPPY] }]));
  await must(w.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"));
  await must(w.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"));
});
shrunk(
  "a smaller plan made over it after it was imported away",
  async (w) => {
    await w.ask("ulw-loop", "import");
  },
  {},
);
shrunk("a criterion waived by the agent", (w) =>
  must(w.ask("ulw-loop", "waive", "--goal-id", "G001", "--criterion-id", "C002", ...GROUNDS)),
);
shrunk("the happy criterion waived by the agent", (w) =>
  must(w.ask("ulw-loop", "waive", "--goal-id", "G001", "--criterion-id", "C001", ...GROUNDS)),
);

const SPLIT = planText([
  { title: "Adds", criteria: [HAPPY] },
  { title: "Keeps", criteria: [{ classes: "happy, regression", check: `{ run: "${KEEP_CHECK}" }` }] },
]);
shrunk(
  "a goal superseded by nothing",
  (w) => steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G002"),
  { plan: SPLIT },
);
shrunk(
  "a goal superseded by one that had to be done anyway",
  (w) => steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G001"),
  { plan: SPLIT },
);
shrunk(
  "a goal that the user agreed to, superseded by one that the agent made up",
  async (w) => {
    await must(w.ask("goal", "Adds again", "--check", "node test/add.test.js --twice"));
    await steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G003");
  },
  { plan: SPLIT, agreed: true },
);
shrunk(
  "a goal superseded by one whose check holds already",
  async (w) => {
    await must(w.ask("goal", "There is a readme", "--check", "test -f README.md"));
    await steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G003");
  },
  { plan: SPLIT },
);
shrunk(
  "a goal superseded by a draft",
  async (w) => {
    await must(w.ask("ulw-loop", "add-goal", "--title", "Later", "--objective", "Later on."));
    await steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G003");
  },
  { plan: SPLIT, mend: false },
);
shrunk(
  "two goals superseded by the same new one",
  async (w) => {
    await must(w.ask("goal", "Adds again", "--check", "node test/add.test.js --twice"));
    await steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G001", "--replacements", "G003");
    await steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G003");
  },
  { plan: SPLIT },
);

const children = JSON.stringify([
  { title: "Adds", objective: "Adds.", criteria: ["C001"] },
  { title: "Keeps", objective: "Keeps.", criteria: ["C002"] },
]);
shrunk("a goal split so that the failing criterion is left behind", (w) =>
  steer(
    w,
    "--kind",
    "split_subgoal",
    "--goal-id",
    "G001",
    "--children",
    JSON.stringify([
      { title: "Adds", objective: "Adds.", criteria: ["C001"] },
      { title: "Rest", objective: "Rest.", criteria: [] },
    ]),
  ),
);
shrunk("a goal split, and the child that fails superseded by its sister", async (w) => {
  await steer(w, "--kind", "split_subgoal", "--goal-id", "G001", "--children", children);
  await steer(w, "--kind", "mark_blocked_superseded", "--goal-id", "G003", "--replacements", "G002");
});
shrunk("a goal split, and the child's check exchanged while it counts as new", async (w) => {
  await steer(w, "--kind", "split_subgoal", "--goal-id", "G001", "--children", children);
  await steer(
    w,
    "--kind",
    "revise_criterion",
    "--goal-id",
    "G003",
    "--criterion-id",
    "C001",
    "--check",
    "test -d src",
  );
});
lie("a passed check in a split goal, exchanged while it counts as new", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  await must(world.ask("prove", "--all"));
  await steer(world, "--kind", "split_subgoal", "--goal-id", "G001", "--children", children);
  await steer(
    world,
    "--kind",
    "revise_criterion",
    "--goal-id",
    "G003",
    "--criterion-id",
    "C001",
    "--check",
    "test -d src",
  );
  world.write("src/keep.js", BROKEN_KEEP);
  return judge(world, async () => {
    keepRight(world);
    await world.approve();
  });
});

shrunk("a tried check replaced by a weaker one", (w) => revise(w, "--check", "test -d src"));
shrunk("a tried check replaced by a weaker one in two small steps", async (w) => {
  await revise(w, "--check", `${KEEP_CHECK} --step`);
  await revise(w, "--check", "test -d src");
});
shrunk(
  "a tried check given another expected exit",
  (w) => revise(w, "--check", KEEP_CHECK, "--expect-exit", "1"),
  { mend: false },
);
shrunk("a tried check given other files of its own", (w) =>
  revise(w, "--check", KEEP_CHECK, "--files", "src/**,test/**", "--timeout", "5s"),
);
shrunk("a tried check let go stale of nothing", async (w) => {
  keepRight(w);
  await must(w.ask("prove", "--all"));
  await revise(w, "--check", KEEP_CHECK, "--covers", "README.md");
  await w.ask("prove", "--all");
  w.write("src/keep.js", BROKEN_KEEP);
});
shrunk("a failing criterion moved to a channel where the agent's word counts", async (w) => {
  await revise(w, "--channel", "browser");
  w.write("shot.png", Buffer.from("89504e470d0a1a0a00", "hex"));
  await w.ask(
    "ulw-loop",
    "record-evidence",
    "--goal-id",
    "G001",
    "--criterion-id",
    "C002",
    "--status",
    "pass",
    "--evidence",
    "seen: shot.png | cleanup: none",
  );
});
shrunk(
  "a check that the user agreed to replaced before it was ever run",
  (w) => revise(w, "--check", "test -d src"),
  { agreed: true, tried: false },
);
shrunk(
  "a scenario that the user agreed to reworded",
  (w) => revise(w, "--scenario", "Run the keeper with 7; it prints nothing and exits 0 or 1."),
  { agreed: true },
);
shrunk(
  "a check that the user agreed to replaced before it was run, then repaired in words",
  async (w) => {
    await revise(w, "--check", "test -d src", "--scenario", "Run the keeper with 7; the command exits 0.");
    await revise(w, "--scenario", "Run case 2 of the calculator; the command exits 0 and prints no error.");
  },
  { agreed: true, tried: false },
);
shrunk("the plan file edited after the plan was made", (w) =>
  w.write(".proofgate/plan.yaml", planText([{ title: "Small", criteria: [HAPPY] }])),
);
shrunk("the plan file deleted after the plan was made", (w) => must(w.sh("rm -rf .proofgate")));

lie("a draft turned into a claim that no check ever sees", async () => {
  const world = await hire();
  work(world);
  await must(
    world.ask("ulw-loop", "add-goal", "--title", "Also subtract", "--objective", "Subtract two numbers."),
  );
  world.write("shot.png", Buffer.from("89504e470d0a1a0a00", "hex"));
  await world.ask("ulw-loop", "complete-goals");
  const { json } = await must(world.ask("ulw-loop", "criteria", "--goal-id", "G002"));
  for (const { id } of json.criteria) {
    await must(
      world.ask(
        "steer",
        "--kind",
        "revise_criterion",
        "--goal-id",
        "G002",
        "--criterion-id",
        id,
        "--channel",
        "browser",
        ...GROUNDS,
      ),
    );
    await must(
      world.ask(
        "ulw-loop",
        "record-evidence",
        "--goal-id",
        "G002",
        "--criterion-id",
        id,
        "--status",
        "pass",
        "--evidence",
        "seen: shot.png | cleanup: none",
      ),
    );
  }
  return judge(world, () => world.approve());
});

/** The policy was copied when the plan began; the file may raise it later and never lower it. */
const lowered = (name: string, config: string, later: string | null): void =>
  lie(name, async () => {
    const world = await hire(
      planText([{ title: "Page", criteria: [HAPPY, { classes: "regression", channel: "browser" }] }]),
      { config },
    );
    work(world);
    await must(world.ask("ulw-loop", "complete-goals"));
    world.write("shot.png", Buffer.from("89504e470d0a1a0a00", "hex"));
    await must(
      world.ask(
        "ulw-loop",
        "record-evidence",
        "--criterion-id",
        "C002",
        "--status",
        "pass",
        "--evidence",
        "seen: shot.png | cleanup: none",
      ),
    );
    if ((await finish(world)) === "accepted") throw new Error("the policy was not in force");
    if (later === null) await must(world.sh("rm .proofgate.yaml"));
    else world.write(".proofgate.yaml", later);
    return finish(world);
  });
lowered("the configured minimum lowered", "minimum: captured\n", "minimum: attested\n");
lowered("the configuration deleted", "minimum: captured\n", null);
lowered("the configuration made unreadable", "minimum: captured\n", "minimum: [\n");

lie("caps raised so that a goal can be tried for ever", async () => {
  const world = await hire(TWO, { config: "caps: { cycles: 1, failures: 1 }\n" });
  await must(world.ask("ulw-loop", "complete-goals"));
  await must(
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "fail",
      "--evidence",
      "no",
    ),
  );
  world.write(".proofgate.yaml", "caps: { cycles: 5, failures: 3 }\n");
  const said = await world.ask("ulw-loop", "complete-goals");
  return said.json.goal === undefined ? "refused" : "accepted";
});

lie("a verification dropped from the plan file", async () => {
  const world = await hire(
    planText([{ title: "Calculator", criteria: [HAPPY] }], `verify: ["${KEEP_CHECK}"]\n`),
  );
  work(world);
  world.write("src/keep.js", BROKEN_KEEP);
  world.write(".proofgate/plan.yaml", planText([{ title: "Calculator", criteria: [HAPPY] }]));
  return judge(world, () => keepRight(world));
});
lie("a verification that cannot fail", async () => {
  const world = await makeWorld(BASE);
  for (const command of ["true", "npm test || true", "echo ok", "npm test | tail"]) {
    world.write(
      ".proofgate/plan.yaml",
      planText([{ title: "Calculator", criteria: [HAPPY] }], `verify: ["${command}"]\n`),
    );
    if ((await world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml")).exit === 0)
      return "accepted";
  }
  await create(world, TWO);
  return "refused";
});
lie("a plan without a single goal", async () => {
  const world = await makeWorld(BASE);
  world.write(".proofgate/plan.yaml", "brief: Nothing.\ngoals: []\n");
  const said = await world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  return said.exit === 0 ? "accepted" : isDone(world);
});
lie("a goal without criteria", async () => {
  const world = await makeWorld(BASE);
  world.write(
    ".proofgate/plan.yaml",
    'brief: Nothing.\ngoals:\n  - title: Nothing\n    criteria: []\n    without: { happy: "there is nothing to do here", edge: "there is nothing to do here", regression: "there is nothing to do here", adversarial: "there is nothing to do here" }\n',
  );
  const said = await world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  return said.exit === 0 ? finish(world) : "refused";
});
lie("a goal with no happy criterion", async () => {
  const world = await hire(
    planText([
      { title: "Keeps", criteria: [{ classes: "regression, edge", check: `{ run: "${KEEP_CHECK}" }` }] },
    ]),
  );
  return judge(world, () => world.approve());
});
lie("a vague criterion", async () => {
  const world = await makeWorld(BASE);
  world.write(
    ".proofgate/plan.yaml",
    'goals:\n  - title: Adds\n    criteria:\n      - { class: happy, scenario: "Verify it works", check: { run: node test/add.test.js } }\n    without: { edge: "pure function of numbers", regression: "pure function of numbers", adversarial: "pure function of numbers" }\n',
  );
  return (await world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml")).exit === 0
    ? "accepted"
    : "refused";
});
lie("a complete plan that grows a goal, and is called complete still", async () => {
  const world = await finished();
  await must(
    world.ask("ulw-loop", "add-goal", "--title", "Also subtract", "--objective", "Subtract two numbers."),
  );
  const status = await world.ask("status");
  return status.json.complete === true ? "accepted" : isDone(world);
});
lie("review blockers recorded and the follow-up superseded", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  await must(world.ask("prove", "--all"));
  await must(
    world.ask(
      "ulw-loop",
      "record-review-blockers",
      "--title",
      "Mend the review's findings",
      "--objective",
      "The review found a defect.",
      "--evidence",
      "review says no",
    ),
  );
  await steer(world, "--kind", "mark_blocked_superseded", "--goal-id", "G002", "--replacements", "G001");
  return judge(world, () => world.approve());
});
lie("a blocked review answered with a second try at the same goal", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  await must(world.ask("prove", "--all"));
  await must(
    world.ask(
      "ulw-loop",
      "record-review-blockers",
      "--title",
      "Mend the review's findings",
      "--objective",
      "The review found a defect.",
      "--evidence",
      "review says no",
    ),
  );
  return (await checkpoint(world, "G001")).json.complete === true ? "accepted" : isDone(world);
});

/** What a pull request says of itself; the base has the plan and its checks. */
async function pull(change: (world: World) => unknown, plan = TWO): Promise<Outcome> {
  const world = await makeWorld({ ...BASE, ".proofgate/plan.yaml": plan });
  await world.git("checkout", "-q", "-b", "work");
  work(world);
  world.write("src/keep.js", BROKEN_KEEP);
  await change(world);
  await world.commit();
  const ci = () => world.ask("ci", "--base", "main");
  const said = await ci();
  await world.git("checkout", "-q", "main", "--", ".");
  work(world);
  await world.commit();
  await must(ci());
  return said.exit === 0 || said.json.valid === true ? "accepted" : "refused";
}
lie("ci: broken code", () => pull(() => {}));
lie("ci: the plan weakened in the branch", () =>
  pull((w) => w.write(".proofgate/plan.yaml", planText([{ title: "Small", criteria: [HAPPY] }]))),
);
lie("ci: the plan deleted in the branch", () => pull((w) => must(w.sh("rm -rf .proofgate"))));
lie("ci: the regression's test emptied in the branch", () =>
  pull((w) => w.write("test/keep.test.js", "// later\n")),
);
lie("ci: the package's script changed in the branch", () =>
  pull(
    (w) => w.write("package.json", (BASE["package.json"] ?? "").replace("node test/keep.test.js", "exit 0")),
    planText([
      { title: "Calculator", criteria: [HAPPY, { ...KEPT, check: '{ run: "npm test --silent" }' }] },
    ]),
  ),
);
lie("ci: uncommitted work stands in for what the branch lacks", async () => {
  const world = await makeWorld({ ...BASE, ".proofgate/plan.yaml": TWO });
  await world.git("checkout", "-q", "-b", "work");
  await world.git("commit", "-q", "--allow-empty", "-m", "nothing");
  const said = await world.ask("ci", "--base", "main");
  work(world);
  await must(world.ask("ci", "--base", "main"));
  return said.exit === 0 ? "accepted" : "refused";
});
lie("ci: the base given as the head itself", async () => {
  const world = await makeWorld({ ...BASE, ".proofgate/plan.yaml": TWO });
  work(world);
  await world.commit();
  const said = await world.ask("ci", "--base", "HEAD");
  return said.exit === 0 ? "accepted" : "refused";
});
void writeTest;
