/** The continuation where people sit: OpenCode's own terminal program, by itself and attached to a server. */

import { afterAll, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sessionOf } from "../../scripts/host/scripted-chat.ts";
import { type GatedOpenCode, gatedOpenCode } from "./gated-opencode.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing, startOpenCode } from "./opencode.ts";
import { heard, PROMPT_MS, quiet, until } from "./opencode-scripts.ts";
import { type OpenCodeTerminal, openCodeOnTerminal } from "./opencode-terminal.ts";
import { type ServedOpenCode, servedOpenCode } from "./served-opencode.ts";
import { createGoal, getGoal, say, sh, updateGoal } from "./steps.ts";
import { CHECKPOINT, CREATE, FILES, FINISH, OBJECTIVE, status, WORK } from "./stories.ts";
import { tmuxMissing } from "./tmux.ts";

const terminalTest = testUnless((await tmuxMissing()) ?? (await openCodeMissing()));
/** The line that tells the user of an agent that was let go. */
const LET_GO = /NOT complete: 0 of 1 proven/;
const HELD = "Not complete: 0 of 1 proven.";
/** Below the field that the user types into. */
const READY = /Build · Scripted/;
/** From the plan that is there to its end. */
const TO_THE_END = [sh(WORK), ...FINISH, createGoal(OBJECTIVE), updateGoal("complete"), getGoal, CHECKPOINT];

const open: OpenCodeTerminal[] = [];
let gated: GatedOpenCode | undefined;
let served: ServedOpenCode | undefined;
afterAll(async () => {
  for (const one of open) await one.end();
  await gated?.remove();
  await served?.end();
});

terminalTest(
  "typed into the program: held back, told once of being let go, aborted for good, and done",
  async () => {
    gated = await gatedOpenCode(FILES);
    const { repo, home, requests, lead } = gated;
    const asked = (): number => requests().length;
    const user = await openCodeOnTerminal(home, [], repo, LET_GO);
    open.push(user);
    await user.shows(READY);

    lead([sh(CREATE)]);
    await user.say("fix the adder");
    await until(() => asked() === 5, "the agent was not held back twice and let go");
    await user.shows(LET_GO);
    expect(await quiet(asked)).toBe(5);

    // This change makes the agent due again; its second answer is the one that is held back, and the user ends it.
    writeFileSync(join(repo, "src/add.js"), "export const add = 1;\n");
    lead([say("Enough for now."), { turn: () => ({ hang: "I think about it" }) }]);
    await user.say("go on");
    await until(() => asked() === 7, "the agent was not held back");
    expect(heard(requests().slice(-1)).split(HELD).length - 1).toBe(4);
    await user.interrupt();
    expect(await quiet(asked)).toBe(7);

    const outputs = lead(TO_THE_END);
    await user.say("finish it");
    await until(() => outputs.length === TO_THE_END.length, "the agent did not come to the end");
    expect(await quiet(asked)).toBe(7 + TO_THE_END.length + 1);
    expect(status(outputs.at(-2))).toBe("complete");
    expect(outputs.at(-1)).toContain("ok: 1 criterion proven");
    expect(user.appeared()).toBe(1);
  },
  240_000,
);

terminalTest(
  "attached to a server by two: held back once each time, and both are told",
  async () => {
    served = await servedOpenCode();
    const one = await served.open(FILES);
    const args = ["attach", served.url(), "--dir", one.repo, "--session", one.id];
    const [left, right] = [
      await openCodeOnTerminal(served.home, args, one.repo, LET_GO),
      await openCodeOnTerminal(served.home, args, one.repo, LET_GO),
    ];
    open.push(left, right);
    for (const user of [left, right]) await user.shows(READY);
    one.lead([sh(CREATE)]);
    await left.say("fix the adder");
    await one.asked(5);
    for (const user of [left, right]) await user.shows(LET_GO);
    expect(await one.quiet()).toBe(5);
    // Two stops were held back, and the third was let go.
    expect(heard(one.requests().slice(-1)).split(HELD).length - 1).toBe(3);
    expect(one.events().filter(({ type }) => type === "tui.toast.show").length).toBe(1);
    expect([left.appeared(), right.appeared()]).toEqual([1, 1]);
  },
  240_000,
);

terminalTest(
  "one prompt to a server: `opencode run --attach` waits until the plan is done",
  async () => {
    served ??= await servedOpenCode();
    const { repo } = await served.open(FILES);
    const steps = [sh(CREATE), say("All done!"), ...TO_THE_END, say("It adds now.")];
    const outputs = served.lead(steps);
    const before = served.requests().length;
    const args = ["run", "--attach", served.url(), "--dir", repo, "fix the adder"];
    const ran = await startOpenCode(served.home, args, repo).ended(PROMPT_MS);
    expect(ran.exit).toBe(0);
    expect(ran.transcript).toContain("It adds now.");
    expect(outputs[TO_THE_END.length + 1]).toContain("ok: 1 criterion proven");
    const requests = served.requests().slice(before);
    expect(new Set(requests.map(sessionOf)).size).toBe(1);
    expect(heard(requests.slice(2, 3))).toContain(HELD);
    expect(requests.length).toBe(steps.length);
  },
  240_000,
);
