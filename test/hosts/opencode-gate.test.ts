/** The gate in the real OpenCode: no goal is complete before its proof, and the agent is kept at it until then. */

import { afterAll, describe, expect } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GatedOpenCode, gatedOpenCode } from "./gated-opencode.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard, refused } from "./opencode-scripts.ts";
import { type ServedOpenCode, servedOpenCode } from "./served-opencode.ts";
import { createGoal, getGoal, say, sh, updateGoal } from "./steps.ts";
import { CHECKPOINT, CREATE, FILES, FINISH, OBJECTIVE, status, WORK } from "./stories.ts";

const gateTest = testUnless(await openCodeMissing());
const made: GatedOpenCode[] = [];
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  for (const one of made) await one.remove();
  await (await served)?.end();
});

async function openCode(config: Readonly<Record<string, unknown>> = {}): Promise<GatedOpenCode> {
  const one = await gatedOpenCode(FILES, { config });
  made.push(one);
  return one;
}

const server = (): Promise<ServedOpenCode> => {
  served ??= servedOpenCode();
  return served;
};

describe("in opencode run, an agent", () => {
  gateTest("is refused an early completion, continued until the plan is done, and let go then", async () => {
    const host = await openCode();
    const steps = [
      sh(CREATE),
      createGoal(OBJECTIVE),
      updateGoal("complete"),
      getGoal,
      say("All done!"),
      sh(WORK),
      ...FINISH,
      updateGoal("complete"),
      getGoal,
      CHECKPOINT,
      sh("proofgate status"),
    ];
    const { outputs, requests, exit } = await host.play(steps);
    expect(outputs[0]).toContain("gate armed");
    expect(outputs[2]).toMatch(refused);
    expect(status(outputs[3])).toBe("active");
    // What follows the early "All done!" is the continuation; nothing follows the last word.
    expect(heard(requests)).toContain("Go on. Next: proofgate ulw-loop complete-goals");
    expect(status(outputs[9])).toBe("complete");
    expect(outputs[10]).toContain("ok: 1 criterion proven");
    expect(outputs[11]).toMatch(/^Fix add .* · \d+ tokens$/m);
    expect(requests.length).toBe(steps.length + 1);
    expect(exit).toBe(0);
  });

  gateTest(
    "that stops with proof open is held back as the agent it is, and let go when nothing moves",
    async () => {
      const host = await openCode({
        agent: { slow: { mode: "primary", prompt: "YOU ARE THE SLOW ONE" } },
      });
      const { requests } = await host.play([sh(CREATE)], { agent: "slow" });
      const text = heard(requests);
      expect(text).toContain("Not complete: 0 of 1 proven.");
      expect(text).toContain("This loop lets go");
      expect(text).toContain('Call update_goal {\\"status\\":\\"paused\\"} now');
      // Two stops are held, the third one's answer says how to end; then it ends.
      expect(requests.length).toBe(5);
      for (const one of requests) expect(heard([one])).toContain("YOU ARE THE SLOW ONE");
    },
  );

  gateTest(
    "keeps its goal in a new process, whatever the user says there, and is judged as well",
    async () => {
      const host = await openCode();
      const first = await host.play([sh(CREATE), createGoal(OBJECTIVE), sh(WORK), updateGoal("paused")]);
      expect(status(first.outputs[3])).toBe("paused");
      const second = await host.play(
        [getGoal, updateGoal("complete"), ...FINISH, updateGoal("complete"), CHECKPOINT],
        { resume: first.session, prompt: "Your goal is to write a poem" },
      );
      expect(second.session).toBe(first.session);
      expect(heard(second.requests)).toMatch(/Proofgate: .*is open, 0 of 1 proven/);
      expect(JSON.parse(second.outputs[0] ?? "").goal.objective).toBe(OBJECTIVE);
      expect(JSON.parse(second.outputs[0] ?? "").goal.tokensUsed).toBeGreaterThan(0);
      expect(second.outputs[1]).toMatch(refused);
      expect(status(second.outputs[4])).toBe("complete");
      expect(second.outputs[5]).toContain("ok: 1 criterion proven");
    },
  );

  gateTest(
    "cannot have a subagent's old session set goals from a new process, where nobody saw it begin",
    async () => {
      const host = await openCode();
      const mark = "THE-CHILD";
      const task = { description: "help", prompt: mark, subagent_type: "general" };
      const first = await host.play([{ tool: "task", args: task }], { child: { mark, steps: [] } });
      const id = /<task id="(ses_\w+)"/.exec(first.outputs[0] ?? "")?.[1];
      const steps = [
        createGoal("Mine"),
        sh("echo shell of $OPENCODE_SESSION_ID"),
        (seen: readonly string[]) => say(`IT SAW ${seen.join(" | ")}`),
      ];
      const second = await host.play([{ tool: "task", args: { ...task, task_id: id } }], {
        resume: first.session,
        child: { mark, steps },
      });
      expect(second.outputs[0]).toContain(`task id="${id}"`);
      expect(second.outputs[0]).toContain("IT SAW Goals belong to the root session");
      expect(second.outputs[0]).toContain(`| shell of ${first.session}`);
    },
  );
});

describe("in opencode serve", () => {
  gateTest("a goal without a plan waits for the repository's gates, also for those taken away", async () => {
    const session = await (await server()).open({
      ...FILES,
      ".proofgate.yaml": "gates: [node gate.js]\n",
      "gate.js": "process.exit(1);\n",
    });
    const outputs = await session.prompt("do it", [
      createGoal("Make it better"),
      updateGoal("complete"),
      sh("rm .proofgate.yaml"),
      updateGoal("complete"),
      say("All done!"),
      sh("echo 'process.exit(0)' > gate.js"),
      updateGoal("complete"),
    ]);
    expect(outputs[1]).toMatch(/^Not complete[\s\S]*node gate\.js/);
    expect(outputs[3]).toMatch(/^Not complete[\s\S]*node gate\.js/);
    expect(heard(session.requests())).toContain("work on the goal; update_goal complete when it is reached");
    expect(status(outputs[6])).toBe("complete");
  });

  gateTest("the goal tools say what is wrong with their arguments, and change nothing then", async () => {
    const session = await (await server()).open(FILES);
    const create = (args: Readonly<Record<string, unknown>>) => ({ tool: "create_goal", args });
    const outputs = await session.prompt("do it", [
      getGoal,
      updateGoal("complete"),
      create({}),
      create({ objective: "  " }),
      create({ objective: "x".repeat(4001) }),
      create({ objective: "Write", token_budget: 0 }),
      create({ objective: "Write", token_budget: "12" }),
      create({ objective: "Write", token_budget: 500_000 }),
      updateGoal("done"),
      createGoal("Write another"),
      getGoal,
      updateGoal("blocked"),
      getGoal,
    ]);
    expect(JSON.parse(outputs[0] ?? "").goal).toBeNull();
    expect(outputs[1]).toContain("this session has no goal");
    for (const output of outputs.slice(2, 4)) expect(output).toContain("objective must be a text");
    expect(outputs[4]).toContain("4001 characters; at most 4000");
    for (const output of outputs.slice(5, 7)) expect(output).toContain("token_budget must be a whole number");
    expect(JSON.parse(outputs[7] ?? "").remainingTokens).toBe(500_000);
    expect(outputs[8]).toContain('status must be complete, blocked or paused, not "done"');
    expect(outputs[9]).toContain("unfinished goal (active): Write");
    expect(JSON.parse(outputs[10] ?? "").goal.objective).toBe("Write");
    expect(status(outputs[12])).toBe("blocked");
  });

  gateTest(
    "a damaged goal is said by its tools, and disturbs neither the plan, the chat nor another session",
    async () => {
      const { home, open } = await server();
      const session = await open(FILES);
      await session.prompt("do it", [sh(CREATE), createGoal(OBJECTIVE)]);
      const goals = join(home.store, "goals");
      const file = readdirSync(goals).find((name) =>
        readFileSync(join(goals, name), "utf8").includes(session.id),
      );
      writeFileSync(join(goals, file ?? "none"), '{"goal":{"objective":7,"status":"complete"}}\n');
      const before = session.requests().length;
      const steps = [getGoal, updateGoal("complete"), createGoal("Write"), sh(WORK), say("All done!")];
      const outputs = await session.prompt("go on", steps);
      for (const output of outputs.slice(0, 3))
        expect(output).toContain("The goal of this session is damaged");
      // Held back by the plan, whose files are sound.
      expect(session.requests().length - before).toBeGreaterThan(steps.length);
      const other = await session.another();
      expect(status((await other.prompt("hello", [createGoal("Write a poem")]))[0])).toBe("active");
    },
  );

  gateTest("a budget ends the goal and the continuation", async () => {
    const session = await (await server()).open(FILES);
    // The scripted model says that each of its turns takes 11 tokens.
    const goal = { tool: "create_goal", args: { objective: "Write", token_budget: 30 } };
    await session.prompt("do it", [goal]);
    const [seen] = await session.prompt("and?", [getGoal]);
    expect(status(seen)).toBe("budgetLimited");
    expect(JSON.parse(seen ?? "").remainingTokens).toBe(0);
    expect(session.requests().length).toBeLessThan(7);
  });

  gateTest("a subagent has no goals, is not held back, and its task is no word of the user's", async () => {
    const { open } = await server();
    const session = await open({ ...FILES, "test/keep.test.js": 'import "../src/add.js";\n' });
    const task = {
      tool: "task",
      args: { description: "help", prompt: "proofgate approve\nTHE-CHILD", subagent_type: "general" },
    };
    const child = {
      mark: "THE-CHILD",
      steps: [
        createGoal("Mine"),
        updateGoal("complete"),
        { tool: "write", args: { filePath: join(session.repo, ".omo/ulw-loop/goals.json"), content: "{}" } },
        sh("echo shell of $OPENCODE_SESSION_ID"),
        (seen: readonly string[]) => say(`THE CHILD SAW ${seen.join(" | ")}`),
        say("THE CHILD WAS HELD BACK"),
      ],
    };
    const outputs = await session.prompt(
      "do it",
      [
        sh(
          'proofgate goal "Keep it" --check "node test/keep.test.js" && proofgate ulw-loop complete-goals && proofgate prove',
        ),
        ...FINISH.slice(1),
        createGoal(OBJECTIVE),
        task,
        updateGoal("complete"),
        getGoal,
      ],
      { child },
    );
    expect(outputs[3]).toMatch(
      /THE CHILD SAW Goals belong to the root.*\| Goals belong to the root.*\| .*goals\.json is the plan: only the tool/,
    );
    // Its shell works for the root session's plan.
    expect(outputs[3]).toContain(`| shell of ${session.id}`);
    expect(outputs[3]).not.toContain("HELD BACK");
    expect(outputs[4]).toMatch(/^Not complete[\s\S]*no happy criterion failed before the work/);
    expect(status(outputs[5])).toBe("active");
  });

  gateTest(
    "a performance goal is refused until it is measured, by the gate as well, and not by an exchanged evaluator",
    async () => {
      const session = await (await server()).open({
        // What it costs is printed, so that the test does not depend on this machine.
        "bench.js": "console.log('METRIC cost=' + require('./cost.js'));\n",
        "cost.js": "module.exports = 100;\n",
        "test.js": "require('assert').ok(require('./cost.js') > 0);\n",
      });
      const create =
        'proofgate performance-goal create --slug cheaper --objective "Make it cheaper" --evaluator-command "node bench.js" --evaluator-contract "a fifth less" --target -20% --guard "node test.js" && proofgate performance-goal start';
      const outputs = await session.prompt("performance-goal: make it cheaper", [
        sh(create),
        createGoal(
          'Reach the performance goal in .omx/goals/performance/cheaper/state.json ("Make it cheaper"); it counts when the tool has measured it. The tool says what comes next: proofgate performance-goal status.',
        ),
        updateGoal("complete"),
        say("All done!"),
        sh("printf 'module.exports = 70;\\n' > cost.js"),
        sh('proofgate performance-goal checkpoint --status pass --evidence "cheaper"'),
        sh("printf 'console.log(\"METRIC cost=1\");\\n' > bench.js"),
        updateGoal("complete"),
        sh("git show HEAD:bench.js > bench.js"),
        updateGoal("complete"),
        getGoal,
        sh("proofgate performance-goal complete && proofgate performance-goal status"),
      ]);
      expect(outputs[2]).toMatch(/^Not complete[\s\S]*nothing was evaluated yet/);
      expect(heard(session.requests())).toMatch(/All done![\s\S]*Go on\. Next: proofgate performance-goal/);
      expect(outputs[7]).toMatch(/^Not complete[\s\S]*stale: the evaluator changed: bench\.js changed/);
      expect(status(outputs[10])).toBe("complete");
      expect(outputs[11]).toMatch(/Complete: cheaper[\s\S]*gate ARMED/);
    },
  );
});
