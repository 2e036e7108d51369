/** The host's goal as a snapshot says it is: written by hand, of another thread, or in words that only sound like complete. */

import { lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
import {
  finish,
  GATE,
  HAPPY,
  hire,
  isDone,
  judge,
  KEEP_CHECK,
  must,
  type Outcome,
  planText,
  TWO,
  work,
  writeTest,
} from "./play.ts";

const AT = "2026-02-03T04:05:06Z";
const goalOf = (objective: string, status: unknown): string =>
  JSON.stringify({
    goal: { threadId: "t1", objective, status, createdAt: AT, updatedAt: AT },
    remainingTokens: null,
  });
const close = (world: World, snapshot: string, goal = "G001") =>
  world.ask(
    "checkpoint",
    "--goal-id",
    goal,
    "--status",
    "complete",
    "--evidence",
    "done as asked",
    "--codex-goal-json",
    snapshot,
    "--quality-gate-json",
    GATE,
  );
async function objectiveOf(world: World): Promise<string> {
  const { json } = await must(world.ask("status"));
  if (typeof json.objective !== "string" || json.objective === "") throw new Error("no objective");
  return json.objective;
}

/** Everything is proven; only the snapshot is wrong. The right one has to be taken afterwards. */
const wrong = (name: string, snapshots: (objective: string) => readonly string[]): void =>
  lie(name, async () => {
    const world = await hire();
    await must(world.ask("ulw-loop", "complete-goals"));
    work(world);
    await must(world.ask("prove", "--all"));
    const objective = await objectiveOf(world);
    const through: string[] = [];
    for (const snapshot of snapshots(objective))
      if ((await close(world, snapshot)).exit === 0) through.push(snapshot);
    if (through.length > 0) console.error(`accepted: ${through.join("  ")}`);
    else await must(close(world, goalOf(objective, "complete")));
    return through.length > 0 ? "accepted" : "refused";
  });

wrong("a snapshot of another thread's goal", () => [
  goalOf("Make the tea.", "complete"),
  goalOf("", "complete"),
]);
wrong("a snapshot whose objective only begins like the plan's", (o) => [
  goalOf(o.slice(0, 60), "complete"),
  goalOf(`${o} And nothing else.`, "complete"),
  goalOf(o.toUpperCase(), "complete"),
]);
wrong("synonyms of complete", (o) =>
  [
    "completed",
    "done",
    "achieved",
    "finished",
    "COMPLETE",
    "Complete",
    " complete",
    "complete ",
    "success",
  ].map((s) => goalOf(o, s)),
);
wrong("a status that is no word", (o) =>
  [null, true, 1, ["complete"], { complete: true }].map((s) => goalOf(o, s)),
);
wrong("a goal that the host has still open", (o) =>
  ["active", "paused", "blocked", "usageLimited", "budget_limited"].map((s) => goalOf(o, s)),
);
wrong("a snapshot that is not one", () => [
  '"complete"',
  "[]",
  '{"goal":[]}',
  '{"goal":"complete"}',
  "{}",
  "true",
  '{"goal":',
  "no/such/file.json",
]);
wrong("two goals in one snapshot", (o) => [
  JSON.stringify([JSON.parse(goalOf(o, "complete"))]),
  JSON.stringify({ goals: [JSON.parse(goalOf(o, "complete")).goal] }),
]);

/** The snapshot is right in every way, and nothing is proven. */
const instead = (name: string, snapshot: (objective: string) => string): void =>
  lie(name, async () => {
    const world = await hire();
    await must(world.ask("ulw-loop", "complete-goals"));
    writeTest(world);
    const said = await close(world, snapshot(await objectiveOf(world)));
    return said.exit === 0 ? "accepted" : judge(world, () => work(world));
  });
instead("a snapshot written by hand in place of proof", (o) => goalOf(o, "complete"));
instead("a host without a goal in place of proof", () => '{"goal":null}');

const THREE = planText([
  { title: "Adds", criteria: [HAPPY] },
  { title: "Keeps", criteria: [{ classes: "happy, regression", check: `{ run: "${KEEP_CHECK}" }` }] },
]);
lie("the host's goal complete before the last goal of the plan", async () => {
  const world = await hire(THREE);
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  await must(world.ask("prove", "--all"));
  const objective = await objectiveOf(world);
  const said = await close(world, goalOf(objective, "complete"));
  await must(close(world, goalOf(objective, "active")));
  return said.exit === 0 ? "accepted" : isDone(world);
});
lie("the next goals left out once the host's goal is complete", async () => {
  const world = await hire(THREE);
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  world.write("src/keep.js", "export const keep = () => 8;\n");
  await world.ask("prove", "--all");
  await close(world, goalOf(await objectiveOf(world), "complete"), "G002");
  await close(world, '{"goal":null}', "G001");
  return isDone(world);
});

async function story(snapshot: (mine: string, other: string) => string): Promise<Outcome> {
  const world = await hire(TWO);
  await must(world.sh("rm -rf .omo ../home/state"));
  world.write(".proofgate/plan.yaml", THREE);
  await must(
    world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--codex-goal-mode", "per-story"),
  );
  const first = await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  await must(world.ask("prove", "--all"));
  const mine: string = first.json.handoff?.create_goal?.objective ?? "";
  if (!mine.includes("G001")) throw new Error(`no objective of the story: ${mine}`);
  const said = await close(world, snapshot(mine, mine.replace("G001", "G002").replace("Adds", "Keeps")));
  if (said.exit === 0) return "accepted";
  await must(close(world, goalOf(mine, "complete")));
  return "refused";
}
lie("per story: another story's goal", () => story((_, other) => goalOf(other, "complete")));
lie("per story: the story's goal still active", () => story((mine) => goalOf(mine, "active")));

lie("a snapshot with blocked, to have the goal counted as delivered", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  await must(
    world.ask(
      "checkpoint",
      "--status",
      "blocked",
      "--evidence",
      "snapshot unavailable; delivered",
      "--codex-goal-json",
      '{"goal":null}',
    ),
  );
  const done = await world.ask("ulw-loop", "complete-goals");
  return done.json.done === true ? "accepted" : isDone(world);
});
lie("advice to record delivered goals as blocked", async () => {
  const world = await hire();
  await must(world.ask("ulw-loop", "complete-goals"));
  work(world);
  await must(world.ask("prove", "--all"));
  const said = await close(world, goalOf("Another one.", "complete"));
  if (said.exit === 0) throw new Error("the other goal was to be refused");
  if (/--status blocked/.test(said.out)) return "accepted";
  return (await finish(world)) === "accepted" ? "refused" : "accepted";
});
