/** The honest corpus once more, played by an agent in the real Codex: its sandbox, its hooks, its own goal at the end. */

import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sandboxMissing } from "./codex.ts";
import { testUnless } from "./host-test.ts";

const HONEST = join(import.meta.dirname, "..", "honest");
const FILE_MS = 600_000;
const RUN_MS = 170_000;
const playedTest = testUnless(await sandboxMissing());

for (const file of readdirSync(HONEST).filter((name) => name.endsWith(".test.ts")))
  playedTest(
    `nobody in test/honest/${file} is stranded in Codex`,
    async () => {
      const child = Bun.spawn([process.execPath, "test", `--timeout=${RUN_MS}`, join(HONEST, file)], {
        env: { ...process.env, PROOFGATE_INSIDE: "codex" },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
      const wrong = said.split("\n").filter((line) => !/^\((pass|skip)\)|^\s*$/.test(line));
      expect(exit === 0 ? "all went well" : wrong.join("\n")).toBe("all went well");
    },
    FILE_MS,
  );
