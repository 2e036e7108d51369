/** Performance goals at the gate, with payloads as Codex sends them: what it measures itself, and what it never believes. */

import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { GoalEvent } from "../../components/performance-goal/events.ts";
import { must } from "../adversarial/play.ts";
import { honest, lie } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import { Host } from "./host.ts";
import {
  append,
  asked,
  begun,
  costs,
  create,
  DIR,
  forgeGoal,
  goal,
  pass,
  readGoalLedger,
} from "./performance-stage.ts";

/** The last evaluation, said to have met the contract on the tree as it is. */
async function forgedPass(host: Host): Promise<void> {
  host.world.write("cost.js", costs(100.5));
  await goal(host, "evaluate");
  const events = readGoalLedger(host).flatMap((line) => line.events);
  const evaluated = events.findLast((event) => event.type === "evaluated");
  if (evaluated?.type !== "evaluated") throw new Error("nothing was evaluated");
  const { evaluation } = evaluated;
  const { first } = evaluation;
  if (first === null) throw new Error("nothing was measured");
  const good = { ...first, word: "improved" as const, target: "met" as const, now: 50 };
  append(
    host,
    { ...evaluated, evaluation: { ...evaluation, word: "improved", first: good, again: good, met: true } },
    {
      type: "validated",
      validation: { status: "pass", evidence: "forged", level: "captured", evaluation: evaluation.id },
    },
  );
}

describe("the gate", () => {
  test("refuses until it is measured, and then measures what only a sandboxed agent saw", async () => {
    const host = await begun();
    expect(await host.update("complete")).toMatch(
      /^Not complete: 0 of 1 proven\.\n- cost no passing checkpoint: nothing was evaluated yet\nRun: proofgate performance-goal evaluate --slug cost/,
    );
    expect(await host.update("blocked")).toBeNull();
    host.world.write("cost.js", costs(70));
    await must(pass(host));
    expect(await host.update("complete")).toBeNull();
    await must(
      goal(
        host,
        "complete",
        "--codex-goal-json",
        JSON.stringify({ goal: { objective: host.goals.get(host.session)?.objective, status: "complete" } }),
      ),
    );
    expect((await host.world.run(["check"])).exit).toBe(0);
  });

  test("a session's stop is held while it is open, and what is open is said at the start", async () => {
    const host = await begun();
    expect((await host.stop())?.reason).toMatch(
      /^Not complete: 0 of 1 proven[\s\S]*proofgate performance-goal evaluate --slug cost/,
    );
    const words = await host.says("start", { source: "resume" });
    expect(words).toMatch(/"Make it cheaper" is open[\s\S]*next: proofgate performance-goal evaluate/);
    expect(Buffer.byteLength(words)).toBeLessThanOrEqual(600);
  });

  test("an order names the open goal; without any, completion is refused until there is one", async () => {
    const host = new Host(await makeWorld({ "a.txt": "1" }));
    expect(await host.says("prompt", { prompt: "performance-goal: make the importer 20 % faster" })).toMatch(
      /performance-goal create/,
    );
    await host.create("Make the importer 20 % faster");
    expect(await host.update("complete")).toMatch(
      /ordered performance-goal, and this session has made or started none/,
    );
    await host.says("prompt", { prompt: "never mind" });
    expect(await host.update("complete")).toBeNull();
    const working = await begun();
    expect(await working.says("prompt", { prompt: "$proofgate:performance-goal go on" })).toMatch(
      /"cost" is open: go on with it[\s\S]*performance-goal evaluate --slug cost/,
    );
  });

  test("patches to the state are refused with the command to use", async () => {
    const host = await begun();
    const { denied } = await host.hook("pre-patch", {
      tool: "apply_patch",
      input: { command: `*** Begin Patch\n*** Update File: ${DIR}/state.json\n@@\n-a\n+b\n*** End Patch\n` },
    });
    expect(denied).toMatch(/proofgate performance-goal checkpoint/);
  });

  test("another session's goal holds nobody up", async () => {
    const host = await begun();
    const other = new Host(host.world, "02a1f865-0000-7830-a3e6-9db0b3831fe6");
    await other.create("Write a poem");
    expect(await other.update("complete")).toBeNull();
  });
});

lie("performance gate: update_goal without any evaluation", async () =>
  asked(await begun(), /nothing was evaluated yet/),
);

lie("performance gate: an evaluation and a pass, written by hand with every hash right", async () => {
  const host = await begun();
  await forgedPass(host);
  return asked(host, /measured by the gate: regressed/);
});

lie("performance gate: state.json and the ledger moved away", async () => {
  const host = await begun();
  rmSync(join(host.world.root, ".omx"), { recursive: true });
  return asked(host, /is gone: it was moved, removed/);
});

lie("performance gate: an open goal replaced by an easier contract", async () => {
  const host = await begun();
  await must(create(host, "--target=-1%", "--force"));
  await must(goal(host, "start"));
  host.world.write("cost.js", costs(98));
  await must(pass(host));
  return asked(host, /was replaced by another contract; not approved by the user/);
});

lie("performance gate: an easier contract written into the ledger without a word", async () => {
  const host = await begun();
  forgeGoal(host, (lines) =>
    lines.map((line) => ({
      ...line,
      events: line.events.map((event): GoalEvent => {
        if (event.type !== "goal_created" || event.goal.contract.measure === null) return event;
        const target = { kind: "relative", text: "-1%", ratio: 0.99 } as const;
        return {
          ...event,
          goal: {
            ...event.goal,
            contract: { ...event.goal.contract, measure: { ...event.goal.contract.measure, target } },
          },
        };
      }),
    })),
  );
  host.world.write("cost.js", costs(98));
  const said = await host.update("complete");
  return said === null ? "accepted" : "refused";
});

lie("performance gate: given up, and an easier goal made beside it", async () => {
  const host = await begun();
  await must(goal(host, "abandon", "--slug=cost", "--evidence=too hard"));
  const easier = await must(create(host, "--target=-1%", "--slug=easy"));
  await must(goal(host, "start", "--slug=easy"));
  await host.create(easier.json.hostObjective);
  host.world.write("cost.js", costs(98));
  await must(goal(host, "checkpoint", "--slug=easy", "--status=pass", "--evidence=cheaper"));
  return asked(host, /cost abandoned: too hard/);
});

lie("performance gate: the user's voice in the ledger gives it up", async () => {
  const host = await begun();
  forgeGoal(host, (lines) => [
    ...lines,
    {
      at: new Date().toISOString(),
      by: { kind: "user", host: "terminal", session: null },
      cmd: "performance-goal abandon",
      events: [{ type: "goal_abandoned", why: "the user said so" }],
    },
  ]);
  const said = await host.update("complete");
  return said === null ? "accepted" : "refused";
});

lie("performance gate: a slow commit as the base, made for the purpose", async () => {
  const host = new Host(
    await makeWorld({
      "bench.js": "console.log('METRIC cost=' + require('./cost.js'));\n",
      "cost.js": costs(100),
    }),
  );
  await host.hook("start");
  host.world.write("cost.js", costs(200));
  await host.world.commit("slower");
  const slow = (await host.world.git("rev-parse", "HEAD")).trim();
  host.world.write("cost.js", costs(100));
  await host.world.commit("as it was");
  const made = await must(create(host, `--base=${slow}`));
  await host.hook("post-shell");
  await must(goal(host, "start"));
  await host.create(made.json.hostObjective);
  await must(pass(host));
  return asked(host, /its base is [0-9a-f]{12}, and the repository stood at/);
});

lie("performance gate: the evaluator exchanged after the pass", async () => {
  const host = await begun();
  host.world.write("cost.js", costs(70));
  await must(pass(host));
  host.world.write("bench.js", "console.log('METRIC cost=1');\n");
  return asked(host, /stale: the evaluator changed: bench\.js changed/);
});

lie("performance gate: the code made slow again after the pass", async () => {
  const host = await begun();
  host.world.write("cost.js", costs(70));
  await must(pass(host));
  host.world.write("cost.js", costs(95));
  return asked(host, /stale: the code changed after it was measured/);
});

lie("performance gate: a goal that was completed by hand", async () => {
  const host = await begun();
  append(host, {
    type: "goal_completed",
    evidence: "done",
    host: { seen: "none", note: "" },
    tree: "0".repeat(40),
  });
  const said = await host.update("complete");
  return said === null ? "accepted" : "refused";
});

honest(
  "performance gate: the user agrees to another contract",
  async () => {
    const host = await begun();
    const made = await must(create(host, "--target=-1%", "--force"));
    await must(goal(host, "start"));
    expect(await host.says("prompt", { prompt: "proofgate approve" })).toMatch(/The user approved cost W001/);
    await host.create(made.json.hostObjective);
    host.world.write("cost.js", costs(98));
    await must(pass(host));
    return { complete: (await host.update("complete")) === null, refusals: 0 };
  },
  { not: "it plays the host itself" },
);

honest(
  "performance gate: given up with the user's approval, and another goal completed",
  async () => {
    const host = await begun();
    await must(goal(host, "abandon", "--evidence=the library forbids it"));
    await host.says("prompt", { prompt: "proofgate approve" });
    await host.create("Write a poem");
    return { complete: (await host.update("complete")) === null, refusals: 0 };
  },
  { not: "it plays the host itself" },
);

honest(
  "performance gate: what comes after a completed goal is not judged by it",
  async () => {
    const host = await begun();
    host.world.write("cost.js", costs(70));
    await must(pass(host));
    await must(goal(host, "complete"));
    // Closed by the command alone; the user goes on with something else.
    await host.hook("post-shell");
    await host.says("prompt", { prompt: "now write a poem" });
    host.world.write("poem.txt", "roses\n");
    await host.create("Write a poem");
    return { complete: (await host.update("complete")) === null, refusals: 0 };
  },
  { not: "it plays the host itself" },
);
