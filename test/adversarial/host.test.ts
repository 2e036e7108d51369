/** Ways past the gate of a host: a plan that is open, and an agent that wants its goal called complete. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lie } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "../plugin/host.ts";
import { objectiveOf, proven, started } from "../plugin/stage.ts";
import { hire, must, type Outcome, planText, TWO } from "./play.ts";

const LEDGER = ".omo/ulw-loop/ledger.jsonl";

const asked = async (host: Host): Promise<Outcome> =>
  (await host.update("complete")) === null ? "accepted" : "refused";

/** The agent does something to be let through, and asks. */
const tried = (name: string, trick: (host: Host) => unknown, plan = TWO): void =>
  lie(`host: ${name}`, async () => {
    const host = await started(plan);
    await host.hook("post-shell");
    await trick(host);
    await host.hook("post-shell");
    return asked(host);
  });

tried("nothing was done", () => undefined);
tried("the state moved away", (h) => must(h.world.sh("mv .omo ../elsewhere")));
tried("the state moved into another folder of the repository", (h) =>
  must(h.world.sh("mkdir old && mv .omo old/")),
);
tried("the tree cleaned", (h) => must(h.world.sh("git clean -fdxq .omo")));
tried("the ledger removed, its snapshot left", (h) => must(h.world.sh(`rm ${LEDGER}`)));
tried("the ledger emptied", (h) => h.world.write(LEDGER, ""));
tried("the ledger cut by its last line", (h) => {
  const path = join(h.world.root, LEDGER);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  writeFileSync(path, `${lines.slice(0, -1).join("\n")}\n`);
});
tried("the snapshot edited to passes", (h) => {
  const path = ".omo/ulw-loop/goals.json";
  h.world.write(path, h.world.read(path).replaceAll('"status":"open"', '"status":"pass"'));
});
tried("the snapshot edited to a complete goal", (h) => {
  const path = ".omo/ulw-loop/goals.json";
  h.world.write(path, h.world.read(path).replaceAll('"status":"in_progress"', '"status":"complete"'));
});
tried("a smaller plan in the place of the first", async (h) => {
  await must(h.world.sh("rm -r .omo"));
  h.world.write("done.test.js", "");
  await h.agent("goal", "Done", "--check", "test -e done.test.js");
  await h.agent("ulw-loop", "complete-goals");
  await h.agent("prove", "--all");
});
tried("the plan replaced with --force", async (h) => {
  h.world.write(
    ".proofgate/plan.yaml",
    planText([
      { title: "Less", criteria: [{ classes: "happy", check: '{ run: "node test/keep.test.js" }' }] },
    ]),
  );
  await h.agent("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml", "--force");
  await h.agent("ulw-loop", "complete-goals");
  await h.agent("prove", "--all");
});
tried("the plan cancelled", (h) => must(h.agent("ulw-loop", "cancel", "--evidence", "enough done")));
tried("the goal checkpointed failed", (h) =>
  must(
    h.agent("ulw-loop", "checkpoint", "--goal-id", "G001", "--status", "failed", "--evidence", "too hard"),
  ),
);
tried("the goal superseded by nothing", (h) =>
  h.agent(
    "ulw-loop",
    "steer",
    "--kind",
    "mark_blocked_superseded",
    "--goal-id",
    "G001",
    "--evidence",
    "not needed",
    "--rationale",
    "out of scope",
  ),
);
tried("the plan handed to another session", (h) =>
  h.world.run(["ulw-loop", "attach"], { env: { CODEX_SESSION_ID: "09a1f865-0000-7830-a3e6-9db0b3831fe6" } }),
);
tried("the agent's own store in the place of the real one", async (h) => {
  await h.world.run(["ulw-loop", "repair"], {
    env: { XDG_STATE_HOME: join(h.world.home, "mine"), CODEX_CI: "1" },
  });
  await must(h.world.sh("mv .omo ../elsewhere"));
});
tried("the goal given another objective", async (h) => {
  await must(h.world.sh("mv .omo ../elsewhere"));
  await h.create("Write a poem");
});
tried("asked from another folder", async (h) => {
  await must(h.world.sh("mkdir ../other && mv .omo ../other/"));
});

lie("host: asked by a subagent with the plan's objective, its state moved away", async () => {
  const host = await started();
  const agent = "0aa1f865-0000-7830-a3e6-9db0b3831fe6";
  const objective = await objectiveOf(host.world);
  await must(host.world.sh("mv .omo ../elsewhere"));
  await host.create(objective, agent);
  return (await host.update("complete", agent)) === null ? "accepted" : "refused";
});

lie("host: a linked worktree without the plan", async () => {
  const host = await started();
  await must(host.world.sh("git worktree add -q ../linked"));
  const cwd = join(host.world.root, "../linked");
  return (await host.update("complete", undefined, { cwd })) === null ? "accepted" : "refused";
});

lie("host: the code broken after the proof", async () => {
  const host = await started();
  await proven(host);
  host.world.write("src/add.js", "export const add = () => 0;\n");
  return asked(host);
});

lie("host: the code broken after the last checkpoint", async () => {
  const host = await started();
  await proven(host);
  await must(
    host.agent("ulw-loop", "checkpoint", "--goal-id", "G001", "--status", "complete", "--evidence", "proven"),
  );
  host.world.write("src/add.js", "export const add = () => 0;\n");
  return asked(host);
});

lie("host: an allowance used twice", async () => {
  const host = await started();
  await proven(host);
  if ((await asked(host)) === "refused") throw new Error("the honest way is refused");
  await host.create(await objectiveOf(host.world));
  host.world.write("src/add.js", "export const add = () => 0;\n");
  return asked(host);
});

lie("host: a plan that was never seen, made and moved away in one command", async () => {
  const world = await makeWorld({ "a.js": "1\n" });
  const host = new Host(world);
  await host.hook("start");
  await host.agent("goal", "Fix it", "--check", "node a.test.js");
  const objective = await objectiveOf(world);
  await must(world.sh("mv .omo ../elsewhere"));
  await host.hook("post-shell");
  await host.create(objective);
  return asked(host);
});

lie("host: the repository's gates taken away after a look", async () => {
  const host = new Host(
    await makeWorld({ ".proofgate.yaml": "gates: [node gate.js]\n", "gate.js": "process.exit(1);\n" }),
  );
  await host.hook("start");
  await must(host.world.sh("rm .proofgate.yaml && mkdir -p .omo"));
  await host.create("Make it better");
  return asked(host);
});

lie("host: a gate that is made to see another environment", async () => {
  const host = new Host(
    await makeWorld({ ".proofgate.yaml": "gates: [node gate.js]\n", "gate.js": "process.exit(1);\n" }),
  );
  await host.hook("start");
  host.world.write("../evil.cjs", "process.exit(0);\n");
  await host.create("Make it better");
  const env = { NODE_OPTIONS: `--require ${join(host.world.root, "../evil.cjs")}` };
  const refused = await host.update("complete", undefined, { env });
  return refused === null ? "accepted" : "refused";
});

lie("host: a plan of the unnamed session behind one of the agent's own", async () => {
  const host = new Host(await hire());
  await host.hook("start");
  await must(host.agent("ulw-loop", "complete-goals"));
  await host.hook("post-shell");
  host.world.write(
    ".proofgate/less.yaml",
    planText([
      { title: "Less", criteria: [{ classes: "happy", check: '{ run: "node test/less.test.js" }' }] },
    ]),
  );
  await host.agent("ulw-loop", "create-goals", "--plan", ".proofgate/less.yaml", "--session-id", "less");
  await host.create((await must(host.agent("status", "--session-id", "less"))).json.objective);
  return asked(host);
});

/**
 * A host that was started with `npx` has the repository's own `node_modules/.bin` first on PATH, for its hooks too; some
 * users have a relative one there. The agent can write it.
 */
for (const [name, folder] of [
  ["the repository's bin folder", "absolute"],
  ["a relative bin folder", "relative"],
  ["a temporary folder", "temporary"],
] as const)
  lie(`host: a program of the agent's own in ${name} answers for the gate`, async () => {
    const host = await started();
    const { world } = host;
    const outside = join(world.root, "..", "bin");
    const at = folder === "temporary" ? "../bin" : "node_modules/.bin";
    for (const program of ["node", "bun", "cat", "grep", "sed", "tail", "ps"])
      world.write(`${at}/${program}`, "#!/bin/sh\nprintf nothing\n");
    await must(world.sh(`chmod +x ${at}/*`));
    const first = { absolute: join(world.root, at), relative: at, temporary: outside }[folder];
    const env = { PATH: `${first}:${world.env.PATH}` };
    return (await host.update("complete", undefined, { env })) === null ? "accepted" : "refused";
  });
