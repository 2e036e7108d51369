/** The hooks of the built plugin, with payloads as Codex sends them: when they speak, when they stay out, and when they close. */

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, GATE, hire, must, planText, TWO, work } from "../adversarial/play.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import { Host } from "./host.ts";
import { objectiveOf, proven, started } from "./stage.ts";

describe("where nothing concerns us", () => {
  test("every hook ends without a word and without a file but the mark of the session", async () => {
    const world = await makeWorld({ "a.txt": "1" });
    const host = new Host(world);
    for (const event of ["start", "post-shell", "pre-goal", "post-goal"] as const) {
      const said = await host.hook(event, {
        tool: event === "post-shell" ? "Bash" : "update_goal",
        input: { status: "complete" },
        response: { goal: { objective: "Write a poem", status: "active" } },
      });
      expect({ event, ...said }).toEqual({ event, exit: 0, out: "", denied: null });
    }
    const store = join(world.home, "state", "proofgate");
    expect(readdirSync(store)).toEqual(["seen"]);
  });

  test("a foreign goal of another session passes while a plan is open", async () => {
    const host = await started();
    const other = new Host(host.world, "02a1f865-0000-7830-a3e6-9db0b3831fe6");
    await other.create("Write a poem");
    expect(await other.update("complete")).toBeNull();
    expect(await host.update("complete")).toStartWith("Not complete");
  });

  test("a goal that the user sets after the plan's own is complete is not judged by that plan", async () => {
    const host = await started();
    await proven(host);
    expect(await host.update("complete")).toBeNull();
    await must(
      host.agent(
        "ulw-loop",
        "checkpoint",
        "--goal-id",
        "G001",
        "--status",
        "complete",
        "--evidence",
        "proven",
      ),
    );
    host.world.write("src/other.js", "export const other = 1;\n");
    // By /goal, of which no hook is told.
    host.goals.set(host.session, { objective: "Write a poem", status: "active" });
    expect(await host.update("complete")).toBeNull();
  });

  test("another tool's state in the same folder holds nothing up, and is left alone", async () => {
    const foreign = '{"goals":[{"id":"G1","status":"in_progress"}]}\n';
    const world = await makeWorld({ ".omo/ulw-loop/goals.json": foreign, "a.txt": "1" });
    const host = new Host(world);
    for (const event of ["start", "post-shell", "prompt", "stop"] as const)
      expect(await host.hook(event, { prompt: "go on" })).toEqual({ exit: 0, out: "", denied: null });
    // The user's own goal, of which no hook was told.
    expect(await host.update("complete")).toBeNull();
    await host.create("Write a poem");
    expect(await host.update("complete")).toBeNull();
    expect(world.read(".omo/ulw-loop/goals.json")).toBe(foreign);
  });

  test("a subagent's own goal passes; one with the plan's objective does not", async () => {
    const host = await started();
    await host.create("Look into the parser", "03a1f865-0000-7830-a3e6-9db0b3831fe6");
    expect(await host.update("complete", "03a1f865-0000-7830-a3e6-9db0b3831fe6")).toBeNull();
    await host.create(await objectiveOf(host.world), "04a1f865-0000-7830-a3e6-9db0b3831fe6");
    expect(await host.update("complete", "04a1f865-0000-7830-a3e6-9db0b3831fe6")).toStartWith("Not complete");
  });
});

describe("the refusal", () => {
  test("lists every defect and one command in 600 characters, and blocked and paused always pass", async () => {
    const host = await started();
    const refused = await host.update("complete");
    expect(refused).toBe(
      [
        "Not complete: 0 of 2 proven.",
        "- G001-C001 open: not run yet",
        "- G001-C002 open: not run yet",
        "- quality gate not recorded: proofgate ulw-loop record-quality-gate",
        "Run: proofgate prove --all, then update_goal again.",
        "Cannot be done? update_goal blocked, and say why.",
      ].join("\n"),
    );
    expect(await host.update("paused")).toBeNull();
    expect(await host.update("blocked")).toBeNull();
  });

  test("a plan of many defects still fits, and says how many are left out", async () => {
    const goals = Array.from({ length: 30 }, (_, n) => ({
      title: `Goal ${n} ${"with a long title ".repeat(4)}`,
      criteria: [{ classes: "happy", check: `{ run: "node test/case-${n}.test.js" }` }],
    }));
    const host = await started(planText(goals));
    const refused = (await host.update("complete")) ?? "";
    expect(refused.length).toBeLessThanOrEqual(600);
    expect(refused).toMatch(/^- and \d+ more: proofgate check$/m);
    expect(refused).toEndWith("Cannot be done? update_goal blocked, and say why.");
  });

  test("work that is proven passes, and the last checkpoint follows", async () => {
    const host = await started();
    await proven(host);
    expect(await host.update("complete")).toBeNull();
    const goal = host.goals.get(host.session);
    const last = await host.agent(
      "checkpoint",
      "--goal-id",
      "G001",
      "--status",
      "complete",
      "--evidence",
      "proven",
      "--codex-goal-json",
      JSON.stringify({ goal }),
    );
    expect(last.json.complete).toBe(true);
    expect((await host.world.ask("check")).exit).toBe(0);
  });

  test("status says armed once a hook was seen in the plan's session", async () => {
    const host = new Host(await hire());
    expect((await host.world.ask("status")).json.armed).toBe(false);
    await host.hook("start");
    await must(host.agent("ulw-loop", "complete-goals"));
    expect((await host.world.ask("status")).json.armed).toBe(true);
    expect((await host.world.run(["status"])).out).toMatch(/gate ARMED \(hook seen .* ago\)/);
  });

  test("in per-story mode only the goal that the host's objective names is judged", async () => {
    const world = await hire(
      planText([
        { title: "Adds", criteria: [{ classes: "happy", check: '{ run: "node test/add.test.js" }' }] },
        { title: "Later", criteria: [{ classes: "happy", check: '{ run: "node test/later.test.js" }' }] },
      ]),
    );
    await must(
      world.ask(
        "ulw-loop",
        "create-goals",
        "--plan",
        ".proofgate/plan.yaml",
        "--codex-goal-mode",
        "per-story",
        "--force",
      ),
    );
    await world.approve();
    const host = new Host(world);
    await host.hook("start");
    const taken = await must(host.agent("ulw-loop", "complete-goals"));
    await host.create(taken.json.handoff.create_goal.objective);
    expect(await host.update("complete")).toMatch(/G001-C001 open/);
    work(world);
    await must(host.agent("prove"));
    expect(await host.update("complete")).toBeNull();
  });
});

describe("gates of the repository", () => {
  const gated = (): Promise<World> =>
    makeWorld({ ".proofgate.yaml": "gates: [node gate.js]\n", "gate.js": "process.exit(1);\n" });

  test("hold a plain goal until they pass", async () => {
    const host = new Host(await gated());
    await host.hook("start");
    await host.create("Make it better");
    expect(await host.update("complete")).toMatch(
      /1 of 1 repository gates failed[\s\S]*gate `node gate.js`: exit 1/,
    );
    host.world.write("gate.js", "process.exit(0);\n");
    expect(await host.update("complete")).toBeNull();
  });

  test("stay in force when the file loses them in the session", async () => {
    const host = new Host(await gated());
    await host.hook("start");
    host.world.write(".proofgate.yaml", "track: false\n");
    await host.create("Make it better");
    expect(await host.update("complete")).toMatch(/repository gates failed/);
    await host.world.sh("rm .proofgate.yaml");
    expect(await host.update("complete")).toMatch(/repository gates failed/);
  });

  test("a configuration that cannot be read closes the gate, with what is wrong", async () => {
    const host = new Host(await gated());
    host.world.write(".proofgate.yaml", "gates: {\n");
    await host.create("Make it better");
    expect(await host.update("complete")).toMatch(/could not judge it[\s\S]*\.proofgate\.yaml/);
  });
});

describe("a hook that goes wrong", () => {
  test("closes when the payload is cut short, and lets go of anything but a completion", async () => {
    const host = await started();
    const node = (await host.world.sh("command -v node")).out.trim();
    // In the place of the plugin's own program: one in a temporary folder of PATH would not even be looked at.
    const PLUGIN_ROOT = join(host.world.home, "plugin");
    mkdirSync(join(PLUGIN_ROOT, "hook"), { recursive: true });
    for (const [what = "", body = ""] of [
      ["ends early", "process.exit(1)"],
      ["is killed", "process.kill(process.pid, 'SIGKILL')"],
      ["says half of it", `process.stdout.write('{"hookSpecificOutput":{"hook')`],
      ["is not itself", "console.log('not JSON')"],
    ]) {
      writeFileSync(join(PLUGIN_ROOT, "hook", "hook.js"), `${body}\n`);
      const env = { PLUGIN_ROOT };
      expect(await host.update("complete", undefined, { env }), what).toMatch(/the gate could not be run/);
      expect(
        (await host.hook("pre-goal", { tool: "update_goal", input: { status: "blocked" }, env })).denied,
      ).toBeNull();
    }
    expect(node).not.toBe("");
  });

  test("closes where there is no Node at all", async () => {
    const host = await started();
    const bin = join(host.world.home, "tools");
    await must(
      host.world.sh(
        `mkdir ${bin} && for t in sh cat grep sed mkdir; do ln -s "$(command -v $t)" ${bin}/$t; done`,
      ),
    );
    expect(await host.update("complete", undefined, { env: { PATH: bin } })).toMatch(/no node on PATH/);
  });

  test("an allowance covers the very call that was judged, and no later one", async () => {
    const host = await started();
    await proven(host);
    const goal = { tool: "update_goal", input: { status: "complete" } };
    // Allowed, but the host did not carry it out.
    expect((await host.hook("pre-goal", { ...goal, call: "call_a" })).denied).toBeNull();
    host.world.write("src/add.js", "export const add = () => 0;\n");
    // The hook before the next one was killed.
    const after = await host.told("update_goal", { status: "complete" }, undefined, { call: "call_b" });
    expect(JSON.parse(after.out).reason).toMatch(/Not complete/);
  });

  test("tells an agent whose completion no gate saw", async () => {
    const host = await started();
    const goal = host.goals.get(host.session);
    if (goal !== undefined) goal.status = "complete";
    const after = await host.told("update_goal", { status: "complete" });
    expect(JSON.parse(after.out)).toMatchObject({
      decision: "block",
      reason: expect.stringMatching(/Not complete: 0 of 2/),
    });
  });
});

describe("state outside the repository", () => {
  test("a ledger that is gone is put back by repair, with nothing lost", async () => {
    const host = await started();
    await proven(host);
    await host.hook("post-shell");
    await must(host.world.sh("mv .omo ../elsewhere"));
    expect(await host.update("complete")).toMatch(
      /ledger\.jsonl is gone[\s\S]*Run: proofgate ulw-loop repair/,
    );
    const repaired = await must(host.agent("ulw-loop", "repair"));
    expect(repaired.json.lost).toEqual([]);
    expect(existsSync(join(host.world.root, ".omo/ulw-loop/goals.json"))).toBe(true);
    await must(host.agent("prove", "--all"));
    await must(host.agent("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
    expect(await host.update("complete")).toBeNull();
  });

  test("two sessions with a plan each do not hold up each other", async () => {
    const host = await started();
    const session = "05a1f865-0000-7830-a3e6-9db0b3831fe6";
    const other = new Host(host.world, session);
    await create(host.world, TWO, session);
    await must(other.agent("ulw-loop", "complete-goals", "--session-id", session));
    await other.create((await must(other.agent("status", "--session-id", session))).json.objective);
    work(host.world);
    await must(host.agent("prove", "--all"));
    await must(host.agent("ulw-loop", "record-quality-gate", "--quality-gate-json", GATE));
    expect(await host.update("complete")).toBeNull();
    expect(await other.update("complete")).toStartWith("Not complete");
  });
});
