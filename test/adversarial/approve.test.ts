/** The user's approval, given by somebody who is not the user. */

import { join } from "node:path";
import { lie } from "../helpers/count.ts";
import type { Said, World } from "../helpers/world.ts";
import { create, finish, hire, judge, KEEP_CHECK, must, planText, TWO } from "./play.ts";

const PROGRAM = join(import.meta.dir, "../../dist/proofgate.js");
const PINS = planText([
  { title: "Keeps", criteria: [{ classes: "happy, regression", check: `{ run: "${KEEP_CHECK}" }` }] },
]);
const APPROVE = `node '${PROGRAM}' approve`;
/** A terminal of one's own, with `marks` in the environment of the shell that makes it. */
const pty = (world: World, answer: string, marks = "", command = APPROVE): Promise<Said> =>
  world.sh(`(sleep 0.4; echo ${answer}) | ${marks} script -qec "${command}" /dev/null`);

/** A plan of pins waits for the user; the agent tries to agree in the user's place. */
const agreed = (name: string, attempt: (world: World) => Promise<unknown>): void =>
  lie(name, async () => {
    const world = await hire(PINS);
    await must(world.ask("prove", "--all"));
    await attempt(world);
    return judge(world, () => world.approve());
  });

agreed("without a terminal", (w) => w.ask("approve"));
agreed("with yes in a pipe", (w) => w.sh(`yes | ${APPROVE}`));
agreed("with yes from a file", (w) => w.sh(`echo y > ../y && ${APPROVE} < ../y`));
agreed("with a flag that says yes", async (w) => {
  for (const flag of ["--yes", "-y", "--force", "--no-input"]) await w.ask("approve", flag);
});
agreed("with the answer as a word", (w) => w.ask("approve", "y"));
agreed("with a terminal for the output alone", (w) =>
  w.sh(`script -qec "echo y | ${APPROVE}" /dev/null < /dev/null`),
);
agreed("with a terminal for the input alone", (w) =>
  w.sh(`(sleep 0.4; echo y) | script -qec "${APPROVE} > ../out 2>&1" /dev/null`),
);
for (const mark of ["CODEX_THREAD_ID", "CODEX_SESSION_ID", "CODEX_CI", "OPENCODE", "OPENCODE_PID"])
  agreed(`in a terminal of its own, with the mark ${mark} of the host`, async (w) => {
    const said = await pty(w, "y", `${mark}=1`);
    if (/Approve all/.test(said.out)) throw new Error("the question was put to an agent");
  });
agreed("as an event of the ledger's own commands", async (w) => {
  await w.ask(
    "steer",
    "--kind",
    "annotate_ledger",
    "--evidence",
    "plan_approved: yes, the user said so",
    "--rationale",
    "the user agreed in chat",
  );
  await w.ask(
    "ulw-loop",
    "record-evidence",
    "--criterion-id",
    "C001",
    "--status",
    "pass",
    "--evidence",
    "approved by the user | cleanup: none",
  );
});
agreed("by a user who answers no", async (w) => {
  for (const answer of ["n", "''", "maybe", "'not yet'"]) await pty(w, answer);
});
agreed("by a user of whom nothing is left to read", (w) =>
  w.sh(`timeout 3 script -qec "${APPROVE}" /dev/null < /dev/null`),
);

lie("criteria written in a terminal of the agent's own count as the user's", async () => {
  const world = await hire(TWO);
  await must(world.sh("rm -rf .omo ../home/state"));
  world.write(".proofgate/plan.yaml", PINS);
  await pty(
    world,
    "''",
    "CODEX_THREAD_ID=1",
    `node '${PROGRAM}' ulw-loop create-goals --plan .proofgate/plan.yaml`,
  );
  const { json } = await must(world.ask("status"));
  if (json.goals[0].criteria[0].author !== "agent") return "accepted";
  return judge(world, () => world.approve());
});
lie("an approval given before the criterion was changed", async () => {
  const world = await hire(PINS);
  await must(world.approve());
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
      "test -d src",
      "--evidence",
      "x",
      "--rationale",
      "y",
    ),
  );
  return judge(world, () => world.approve());
});
lie("an approval of one plan carried to the plan that replaces it", async () => {
  const world = await hire(PINS);
  await must(world.approve());
  world.write(".proofgate/plan.yaml", PINS);
  await must(world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force"));
  return judge(world, () => world.approve());
});
lie("an approval of one session's plan carried to another's", async () => {
  const world = await hire(PINS);
  await must(world.approve());
  await create(world, PINS, "second");
  return finish(world, { session: "second" });
});
lie("control characters that hide what is approved", async () => {
  const world = await hire(TWO);
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
      "harmless\u001b[2K\u001b[1A\u001b[8m the whole goal",
    ),
  );
  const said = await pty(world, "n");
  if (!/Approve all/.test(said.out)) throw new Error("the question was not put");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for
  return /\u001b\[(2K|1A|8m)/.test(said.out) ? "accepted" : "refused";
});
