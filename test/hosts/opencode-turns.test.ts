/** Around the turns of the real OpenCode: the user's words, edits, commands, what ends a turn, and hooks that fail. */

import { afterAll, describe, expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GatedOpenCode, gatedOpenCode } from "./gated-opencode.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard, refused } from "./opencode-scripts.ts";
import { type ServedOpenCode, type ServedSession, servedOpenCode } from "./served-opencode.ts";
import { createGoal, getGoal, say, sh, updateGoal } from "./steps.ts";
import { CREATE, FINISH, OBJECTIVE, FILES as STORY, status } from "./stories.ts";

const turnTest = testUnless(await openCodeMissing());
const made: GatedOpenCode[] = [];
let served: Promise<ServedOpenCode> | undefined;
afterAll(async () => {
  for (const one of made) await one.remove();
  await (await served)?.end();
});

const FILES = { ...STORY, "test/keep.test.js": 'import "../src/add.js";\n' };

async function openCode(): Promise<GatedOpenCode> {
  const one = await gatedOpenCode(FILES);
  made.push(one);
  return one;
}

async function session(files: Readonly<Record<string, string>> = FILES): Promise<ServedSession> {
  served ??= servedOpenCode();
  return (await served).open(files);
}

const PINS = sh(
  'proofgate goal "Keep it" --check "node test/keep.test.js" && proofgate ulw-loop complete-goals && proofgate prove',
);

describe("the user's words:", () => {
  turnTest(
    "an order, in the quotes that `opencode run` puts around it, names a skill that is there",
    async () => {
      const host = await openCode();
      const { outputs, requests } = await host.play(
        [
          { tool: "skill", args: { name: "ulw-loop" } },
          createGoal("Fix it"),
          updateGoal("complete"),
          getGoal,
        ],
        { prompt: "ulw: fix the adder" },
      );
      expect(heard(requests)).toContain("The user asked for ulw-loop. Read the skill ulw-loop");
      expect(outputs[0]).toContain("proofgate next");
      expect(outputs[2]).toMatch(
        /^Not complete[\s\S]*the user ordered ulw-loop, and this session has made no plan/,
      );
      expect(status(outputs[3])).toBe("active");
    },
  );

  turnTest("an order to measure, as a command of the host", async () => {
    const one = await session();
    await one.prompt("make the parser faster", [], { command: "performance-goal" });
    expect(heard(one.requests())).toContain(
      "The user asked for performance-goal. Read the skill performance-goal",
    );
  });

  turnTest("`--command ulw-loop` begins the loop, and `--command proofgate` does not", async () => {
    const host = await openCode();
    const first = await host.play([sh(CREATE)], { command: "ulw-loop", prompt: "fix the adder" });
    expect(heard(first.requests)).toMatch(/ulw-loop: .*fix the adder[\s\S]*The user asked for ulw-loop/);
    expect(heard(first.requests)).toContain("Not complete: 0 of 1 proven.");
    const second = await host.play([sh("proofgate status")], {
      command: "proofgate",
      prompt: "now",
      resume: true,
    });
    expect(heard(second.requests)).toContain("Run `proofgate status` and show me its output");
    expect(second.session).toBe(first.session);
    // What the first command ordered is in the conversation, and nothing is ordered anew.
    expect(heard(second.requests.slice(-1)).split("The user asked for").length).toBe(2);
    expect(second.outputs[0]).toContain("Fix add");
  });

  turnTest("only they approve: no tool's output, no agent, no text of a program", async () => {
    const one = await session();
    const first = await one.prompt("do it", [
      PINS,
      ...FINISH.slice(1),
      createGoal(OBJECTIVE),
      sh("proofgate approve; echo proofgate approve"),
      updateGoal("complete"),
    ]);
    expect(first[3]).toContain("Only the user can approve");
    expect(first[4]).toMatch(refused);
    const second = await one.prompt("proofgate approve", [updateGoal("complete")], { synthetic: true });
    expect(second[0]).toMatch(refused);
    const third = await one.prompt("proofgate approve", [updateGoal("complete"), getGoal]);
    expect(heard(one.requests())).toContain("The user approved G001-C001");
    expect(status(third[1])).toBe("complete");
  });

  turnTest("a steering line is applied in their name, and not when a program wrote it", async () => {
    const one = await session();
    await one.prompt("do it", [PINS]);
    const steer = (why: string): string =>
      `OMO_ULW_LOOP_STEER: {"kind":"annotate_ledger","evidence":"${why}","rationale":"they say so"}`;
    await one.prompt(steer("from a program"), [], { synthetic: true });
    await one.prompt(steer("from the user"), []);
    expect(heard(one.requests())).toContain("The user's directive was applied.");
    const ledger = readFileSync(join(one.repo, ".omo/ulw-loop/ledger.jsonl"), "utf8");
    expect(ledger).toMatch(/"by":\{"kind":"user","host":"opencode".*from the user/);
    expect(ledger).not.toContain("from a program");
  });
});

describe("edits:", () => {
  turnTest(
    "write, edit and apply_patch leave the tool's own files alone, and may change any other",
    async () => {
      const one = await session();
      const ledger = join(one.repo, ".omo/ulw-loop/ledger.jsonl");
      const outputs = await one.prompt("do it", [
        PINS,
        { tool: "write", args: { filePath: ".omo/ulw-loop/goals.json", content: "{}" } },
        { tool: "edit", args: { filePath: ledger, oldString: "open", newString: "pass" } },
        { tool: "write", args: { filePath: join(one.repo, "src/new.js"), content: "1;\n" } },
      ]);
      expect(outputs[1]).toContain("goals.json is the plan: only the tool writes it");
      expect(outputs[2]).toContain("ledger.jsonl is the audit trail: only the tool writes it");
      const patch = (path: string) => ({
        tool: "apply_patch",
        args: { patchText: `*** Begin Patch\n*** Add File: ${path}\n+1;\n*** End Patch\n` },
      });
      const patched = await one.prompt(
        "go on",
        [patch(".omo/ulw-loop/evidence/C.txt"), patch("src/newer.js")],
        {
          model: "gpt-5-scripted",
        },
      );
      expect(patched[0]).toContain("captured evidence: only the tool writes it");
      expect(existsSync(join(one.repo, "src/new.js"))).toBe(true);
      expect(existsSync(join(one.repo, "src/newer.js"))).toBe(true);
      expect(existsSync(join(one.repo, ".omo/ulw-loop/evidence/C.txt"))).toBe(false);
    },
  );

  turnTest("the reviewer's role reads, and changes nothing", async () => {
    const one = await session();
    const task = {
      tool: "task",
      args: { description: "review", prompt: "THE-REVIEW", subagent_type: "codex-ultrawork-reviewer" },
    };
    const steps = [
      { tool: "write", args: { filePath: join(one.repo, "src/add.js"), content: "" } },
      sh("rm src/add.js"),
      sh("cat src/add.js"),
      (seen: readonly string[]) => say(`SAW ${seen[2]}`),
    ];
    const [said] = await one.prompt("do it", [task], { child: { mark: "THE-REVIEW", steps } });
    expect(said).toContain(`SAW ${STORY["src/add.js"]}`);
    expect(readFileSync(join(one.repo, "src/add.js"), "utf8")).toBe(STORY["src/add.js"]);
  });
});

describe("a turn that ended otherwise is not continued:", () => {
  turnTest("by the user, who is held to nothing until they speak again", async () => {
    const one = await session();
    await one.prompt("do it", [sh(CREATE)]);
    // The agent was let go; this change makes it due again.
    writeFileSync(join(one.repo, "src/add.js"), "export const add = 1;\n");
    const before = one.requests().length;
    await one.promptAndAbort("think about it");
    await one.prompt("what is open?", []);
    const since = one.requests().slice(before);
    // Neither on the answer that never ended nor before the user spoke again; and then their agent is.
    expect(heard(since.slice(1, 2))).not.toMatch(/think about it[\s\S]*Not complete/);
    expect(heard(since)).toMatch(/what is open\?[\s\S]*Not complete: 0 of 1 proven/);
  });

  turnTest("by an error of the service", async () => {
    const one = await session();
    await one.prompt("do it", [sh(CREATE), { turn: () => ({ fail: 400 }) }], { broken: true });
    expect(one.requests().length).toBe(2);
    await one.prompt("go on", [sh("proofgate status")]);
    expect(heard(one.requests().slice(2, 3))).not.toContain("Not complete");
    // The plan is open as before, and the next stop is held back.
    expect(heard(one.requests())).toContain("Not complete: 0 of 1 proven.");
  });
});

describe("hooks that fail leave the session alone, and the goal open:", () => {
  turnTest("a store that nobody can write to", async () => {
    const host = await openCode();
    const { outputs, exit } = await host.play([
      sh(CREATE),
      createGoal(OBJECTIVE),
      sh('rm -rf "$XDG_STATE_HOME/proofgate" && touch "$XDG_STATE_HOME/proofgate" && echo gone'),
      updateGoal("complete"),
      getGoal,
      createGoal("Write"),
      { tool: "write", args: { filePath: join(host.repo, "src/new.js"), content: "1;\n" } },
      sh("cat src/new.js"),
    ]);
    expect(outputs[2]).toContain("gone");
    for (const output of outputs.slice(3, 6)) expect(output).toContain("cannot be read");
    expect(outputs[7]).toContain("1;");
    expect(exit).toBe(0);
  });

  turnTest("a configuration that is broken", async () => {
    const one = await session();
    const outputs = await one.prompt("do it", [
      createGoal("Write"),
      sh("printf 'gates: [' > .proofgate.yaml && echo broken"),
      updateGoal("complete"),
      getGoal,
      sh("rm .proofgate.yaml"),
      updateGoal("complete"),
    ]);
    expect(outputs[1]).toContain("broken");
    expect(outputs[2]).toMatch(/^Not complete[\s\S]*\.proofgate\.yaml/);
    expect(status(outputs[3])).toBe("active");
    expect(status(outputs[5])).toBe("complete");
  });
});
