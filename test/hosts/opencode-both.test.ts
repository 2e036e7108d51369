/** One plan, two hosts: begun in the real Codex and ended in the real OpenCode, and the other way round. */

import { afterAll, expect } from "bun:test";
import { join } from "node:path";
import { sandboxMissing } from "./codex.ts";
import { gatedCodex } from "./gated.ts";
import { type GatedOpenCode, gatedOpenCode } from "./gated-opencode.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard, refused } from "./opencode-scripts.ts";
import { createGoal, sh, updateGoal } from "./steps.ts";
import { denied, OBJECTIVE, staircase, status } from "./stories.ts";

const bothTest = testUnless((await openCodeMissing()) ?? (await sandboxMissing()));
const removals: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const remove of removals) await remove();
});

const stairs = staircase(2);
/** The user said so: the other host's session is alive. */
const ATTACH = sh("proofgate ulw-loop attach");
const LAST = [...stairs.climb(2, 2), ...stairs.finish, updateGoal("complete"), stairs.checkpoint];

/** Both hosts on one machine: a repository, and the state of programs. */
async function bothHosts() {
  const codex = await gatedCodex(stairs.files);
  removals.push(codex.remove);
  const beside = { repo: codex.repo, state: join(codex.home, "state") };
  const openCode: GatedOpenCode = await gatedOpenCode({}, { beside });
  removals.push(openCode.remove);
  return { codex, openCode };
}

bothTest(
  "begun in Codex, and ended in OpenCode",
  async () => {
    const { codex, openCode } = await bothHosts();
    const first = await codex.play([stairs.create, createGoal(OBJECTIVE), ...stairs.climb(1, 1)]);
    expect(first.outputs[2]).toContain("G001 complete");
    const { outputs, requests } = await openCode.play(
      [ATTACH, createGoal(OBJECTIVE), updateGoal("complete"), ...LAST],
      { prompt: "ulw: go on with the plan" },
    );
    expect(outputs[2]).toMatch(refused);
    expect(outputs[2]).toContain("1 of 2 proven");
    expect(status(outputs[6])).toBe("complete");
    expect(outputs[7]).toContain("ok: 2 criteria proven");
    expect(heard(requests.slice(-1))).not.toContain("Go on. Next:");
  },
  240_000,
);

bothTest(
  "begun in OpenCode, and ended in Codex",
  async () => {
    const { codex, openCode } = await bothHosts();
    const first = await openCode.play([stairs.create, createGoal(OBJECTIVE), ...stairs.climb(1, 1)]);
    expect(first.outputs[2]).toContain("G001 complete");
    const { outputs } = await codex.play([ATTACH, createGoal(OBJECTIVE), updateGoal("complete"), ...LAST]);
    expect(outputs[2]).toMatch(denied);
    expect(outputs[2]).toContain("1 of 2 proven");
    expect(status(outputs[6])).toBe("complete");
    expect(outputs[7]).toContain("ok: 2 criteria proven");
  },
  240_000,
);
