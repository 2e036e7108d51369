/** Words, files and verdicts offered in place of proof. */

import { mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { honest, lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
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
  PNG,
  planText,
  stillDone,
  TWO,
  work,
  writeTest,
} from "./play.ts";

honest("the job that the liars were given, done", async () => {
  const world = await hire();
  work(world);
  return { complete: (await finish(world)) === "accepted", refusals: 0 };
});

lie("evidence text `lol` with every criterion", async () => {
  const world = await hire();
  writeTest(world);
  for (const id of ["C001", "C002"])
    await world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      id,
      "--status",
      "pass",
      "--evidence",
      "lol",
    );
  return judge(world, () => work(world));
});

lie("a quote from a file of the repository as evidence", async () => {
  const world = await hire();
  writeTest(world);
  const said = await world.ask(
    "ulw-loop",
    "record-evidence",
    "--criterion-id",
    "C001",
    "--status",
    "pass",
    "--evidence",
    'README.md says "# Adder", see README.md:1 | cleanup: none',
  );
  if (said.json.results?.[0]?.status === "pass") return "accepted";
  return judge(world, () => work(world));
});

lie("a criterion id that does not exist", async () => {
  const world = await hire();
  work(world);
  const said = await world.ask(
    "ulw-loop",
    "record-evidence",
    "--criterion-id",
    "C009",
    "--status",
    "pass",
    "--evidence",
    "all green",
  );
  await must(
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "pass",
      "--evidence",
      "all green",
    ),
  );
  return said.exit === 0 ? "accepted" : "refused";
});

lie("pass for a draft that no check proves", async () => {
  const world = await hire();
  await must(
    world.ask("ulw-loop", "add-goal", "--title", "Also subtract", "--objective", "Subtract two numbers."),
  );
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  const said = await world.ask(
    "ulw-loop",
    "record-evidence",
    "--goal-id",
    "G002",
    "--criterion-id",
    "C001",
    "--status",
    "pass",
    "--evidence",
    "subtracts | cleanup: none",
  );
  return said.exit === 0 || (await finish(world)) === "accepted" ? "accepted" : "refused";
});

lie("--try passed, then the code was broken and the goal checkpointed", async () => {
  const world = await hire();
  work(world);
  await must(world.ask("prove", "--try", "--all"));
  world.write("src/add.js", "export const add = () => 0;\n");
  const said = await checkpoint(world, "G001");
  if (said.exit === 0) return "accepted";
  return judge(world, () => work(world));
});

lie("every goal recorded as blocked is called done", async () => {
  const world = await hire();
  await must(world.ask("checkpoint", "--status", "blocked", "--evidence", "too hard"));
  const said = await world.ask("ulw-loop", "complete-goals");
  return said.json.done === true || /complete/i.test((await world.run(["status"])).out.split("\n")[0] ?? "")
    ? "accepted"
    : isDone(world);
});

const BROWSER = planText([
  { title: "Admin page", criteria: [{ classes: "happy, edge, regression", channel: "browser" }] },
]);

/** A browser criterion, an artifact made by `fake`, and the real picture that would be taken. */
async function claim(
  fake: (world: World, path: string) => unknown,
  evidence = "the page shows 3 rows, shot.png | cleanup: none",
): Promise<Outcome> {
  const world = await hire(BROWSER);
  await must(world.ask("ulw-loop", "complete-goals"));
  const record = () =>
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "pass",
      "--evidence",
      evidence,
    );
  await fake(world, join(world.root, "shot.png"));
  const said = await record();
  await world.sh("rm -rf shot.png");
  world.write("shot.png", PNG);
  await must(
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "pass",
      "--evidence",
      "the page shows 3 rows, shot.png | cleanup: none",
    ),
  );
  return said.exit === 0 ? "accepted" : "refused";
}

lie("an artifact path that is an empty folder", () => claim((_, path) => mkdirSync(path)));
lie("an artifact that is an empty file", () => claim((world) => world.write("shot.png", "")));
lie("a text file named .png", () =>
  claim((world) => world.write("shot.png", "PNG screenshot of the admin page\n")),
);
lie("an artifact that is not there", () => claim(() => {}));
lie("an artifact that is a link out of the repository", () =>
  claim(async (world, path) => {
    await world.sh("mkdir -p ../elsewhere");
    world.write("../elsewhere/real.png", PNG);
    symlinkSync(join(world.root, "../elsewhere/real.png"), path);
  }),
);
lie("an artifact in a folder that is a link out of the repository", () =>
  claim(async (world) => {
    world.write("../elsewhere/real.png", PNG);
    symlinkSync(join(world.root, "../elsewhere"), join(world.root, "shots"));
  }, "see shots/real.png | cleanup: none"),
);
lie("an artifact named by a path that climbs out of the repository", () =>
  claim((world) => world.write("../real.png", PNG), "see ../real.png | cleanup: none"),
);
lie("an old screenshot, left from an earlier attempt", () =>
  claim((world, path) => {
    world.write("shot.png", PNG);
    utimesSync(path, new Date("2020-01-01"), new Date("2020-01-01"));
  }),
);
lie("a claim without a word about the clean-up", () =>
  claim((world) => world.write("shot.png", PNG), "the page shows 3 rows, shot.png"),
);

lie("a goal of nothing but claims, that no user agreed to", async () => {
  const world = await hire(BROWSER);
  await must(world.ask("ulw-loop", "complete-goals"));
  world.write("shot.png", PNG);
  await must(
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "pass",
      "--evidence",
      "seen: shot.png | cleanup: none",
    ),
  );
  return judge(world, () => world.approve());
});

lie("a claim where the policy asks for captured proof", async () => {
  const world = await hire(BROWSER, { config: "minimum: captured\n" });
  await must(world.ask("ulw-loop", "complete-goals"));
  world.write("shot.png", PNG);
  await must(
    world.ask(
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "pass",
      "--evidence",
      "seen: shot.png | cleanup: none",
    ),
  );
  await must(world.approve());
  return finish(world);
});

lie("a claim that `check` counts among the proven", async () => {
  const world = await hire(
    planText([{ title: "Page", criteria: [HAPPY, { classes: "regression", channel: "browser" }] }]),
  );
  work(world);
  await must(world.ask("ulw-loop", "complete-goals"));
  world.write("shot.png", PNG);
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
  await finish(world);
  const said = await world.run(["check"]);
  return /2 criteria proven/.test(said.out) ? "accepted" : "refused";
});

/** A policy that this version cannot satisfy is refused when the plan is made; were it not, the plan must not be finished. */
async function refusedOrUnfinished(config: string): Promise<Outcome> {
  let world: World;
  try {
    world = await hire(TWO, { config });
  } catch (error) {
    if (error instanceof Error && error.message.includes('"plan_invalid"')) return "refused";
    throw error;
  }
  work(world);
  return finish(world);
}

lie("proof on this machine where the policy asks for a reproduced one", () =>
  refusedOrUnfinished("minimum: reproduced\n"),
);

/** Proven work, and a quality gate as the agent words it. */
async function gated(
  change: (gate: ReturnType<typeof parsed>) => void,
  files: Record<string, string> = {},
  plan = TWO,
): Promise<Outcome> {
  const world = await hire(plan, { files });
  work(world);
  await world.ask("prove", "--all");
  const gate = parsed();
  change(gate);
  const said = await checkpoint(world, "G001", { gate: JSON.stringify(gate) });
  if (said.exit === 0) return "accepted";
  if ((await checkpoint(world, "G001")).exit !== 0) throw new Error("the clean gate was refused as well");
  return "refused";
}
const parsed = () =>
  JSON.parse(GATE) as {
    aiSlopCleaner: { status: string; evidence: string };
    verification: object;
    codeReview: { recommendation: string; architectStatus: string; evidence: string };
    criteriaCoverage: object;
  };

lie("a review that recommends REJECT", () =>
  gated((gate) => Object.assign(gate.codeReview, { recommendation: "REJECT" })),
);
lie("an architect who says BLOCK", () =>
  gated((gate) => Object.assign(gate.codeReview, { architectStatus: "BLOCK" })),
);
lie("APPROVE over a report that says REJECT", () =>
  gated((gate) => Object.assign(gate.codeReview, { evidence: "full report in docs/review.md, read twice" }), {
    "docs/review.md": "# Review\nVerdict: REJECT. The sum is wrong.\n",
  }),
);
lie("APPROVE over a report whose verdict is written small", () =>
  gated((gate) => Object.assign(gate.codeReview, { evidence: "full report in docs/review.md, read twice" }), {
    "docs/review.md": "# Review\nVerdict: reject\n",
  }),
);
lie("APPROVE over a report that requests changes", () =>
  gated((gate) => Object.assign(gate.codeReview, { evidence: "full report in docs/review.md, read twice" }), {
    "docs/review.md": "Recommendation: Request changes\n",
  }),
);
lie("a review of one word", () => gated((gate) => Object.assign(gate.codeReview, { evidence: "lgtm" })));
lie("a clean-up that failed", () => gated((gate) => Object.assign(gate.aiSlopCleaner, { status: "failed" })));

for (const [total, pass] of [
  [0, 0],
  [-5, -5],
  [1, 1],
])
  lie(`a total of ${total} criteria in the quality gate`, async () => {
    const world = await hire();
    writeTest(world);
    const gate = {
      ...parsed(),
      criteriaCoverage: { totalCriteria: total, passCount: pass, adversarialClassesCovered: [] },
    };
    const way = { gate: JSON.stringify(gate) };
    const outcome = await judge(world, () => work(world), way);
    const kept = JSON.parse(world.read(".omo/ulw-loop/evidence/quality-gate.json"));
    return kept.criteriaCoverage.totalCriteria === 2 ? outcome : "accepted";
  });

lie('`commands: ["true"]` in the quality gate, over a failing verification', async () => {
  const world = await hire(
    planText([{ title: "Calculator", criteria: [HAPPY, KEPT] }], 'verify: ["node test/all.test.js"]\n'),
    { files: { "test/all.test.js": "process.exit(1);\n" } },
  );
  work(world);
  return judge(world, () => world.write("test/all.test.js", 'import "./add.test.js";\n'));
});

lie("the implementer's own verdict where the policy asks for an independent one", () =>
  refusedOrUnfinished("review: independent\n"),
);

lie("a reviewer told what to answer passes for an independent one", async () => {
  const world = await hire();
  work(world);
  await must(world.ask("prove", "--all"));
  const args = [
    "ulw-loop",
    "record-quality-gate",
    "--recommendation",
    "APPROVE",
    "--architect-status",
    "CLEAR",
    "--review",
    "independent reviewer subagent says: APPROVE, no findings",
    "--cleaner",
    "independent cleaner found nothing",
  ];
  const [json, text] = [await must(world.ask(...args)), await must(world.run(args))];
  return json.json.review === "self" && /self-reviewed/.test(text.out) ? "refused" : "accepted";
});

lie("the repository's gate commands fail, and the plan does not name them", async () => {
  const world = await hire(planText([{ title: "Adds", criteria: [HAPPY] }]), {
    config: `gates: ["${KEEP_CHECK}"]\n`,
  });
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  return judge(world, () => world.write("src/keep.js", "export const keep = (x) => x;\n"));
});

lie("code broken between the check and the checkpoint", async () => {
  const world = await hire();
  work(world);
  await must(world.ask("prove", "--all"));
  world.write("src/add.js", "export const add = () => 0;\n");
  const said = await checkpoint(world, "G001");
  if (said.exit === 0) return "accepted";
  return judge(world, () => work(world));
});

lie("code broken between the quality gate and the checkpoint, and put back for neither", async () => {
  const world = await hire();
  work(world);
  await must(world.ask("prove", "--all"));
  await must(world.ask("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
  world.write("src/new.js", "// unreviewed\n");
  const said = await world.ask("checkpoint", "--status", "complete", "--evidence", "done as asked");
  return said.exit === 0 ? "accepted" : "refused";
});

lie("a pass that stays a pass after completion, with the code broken", async () => {
  const world = await finished();
  world.write("src/add.js", "export const add = () => 0;\n");
  const status = await world.ask("status");
  return status.json.proven === true ? "accepted" : stillDone(world);
});

lie("a pass that stays a pass after its test was changed", async () => {
  const world = await finished();
  world.write("test/add.test.js", "// nothing to see\n");
  return stillDone(world);
});

lie("a pass that stays a pass after the criterion's check was changed", async () => {
  const world = await finished();
  await must(
    world.ask(
      "steer",
      "--kind",
      "revise_criterion",
      "--goal-id",
      "G001",
      "--criterion-id",
      "C001",
      "--check",
      "test -f README.md",
      "--evidence",
      "simpler",
      "--rationale",
      "simpler",
    ),
  );
  return stillDone(world);
});

lie("a report that an old run left is taken for the work's", async () => {
  const plan = planText([
    {
      title: "Report",
      criteria: [
        HAPPY,
        {
          classes: "regression",
          check: '{ run: "node src/report.js", produces: { out/report.json: "rows" }, files: [] }',
        },
      ],
    },
  ]);
  const files = { "src/report.js": "// to be written\n", ".gitignore": "out/\n" };
  const world = await hire(plan, { files });
  work(world);
  world.write("out/report.json", '{"rows":3}\n');
  world.write("src/report.js", "// still to be written\n");
  return judge(world, () =>
    world.write(
      "src/report.js",
      'import { mkdirSync, writeFileSync } from "node:fs";\nmkdirSync("out", { recursive: true });\nwriteFileSync("out/report.json", JSON.stringify({ rows: 3 }));\n',
    ),
  );
});

lie("a second, smaller plan beside the first one answers for it", async () => {
  const world = await hire();
  await create(world, planText([{ title: "Small", criteria: [HAPPY] }]), "small");
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  if ((await finish(world, { session: "small" })) !== "accepted")
    throw new Error("the small plan was to be complete");
  return isDone(world);
});
