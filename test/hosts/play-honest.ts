/** The honest corpus once more, played by an agent in the real Codex: its sandbox, its hooks, its own goal at the end. */

import { expect } from "bun:test";
import { join } from "node:path";
import { sandboxMissing } from "./codex.ts";
import { testUnless } from "./host-test.ts";

const HONEST = join(import.meta.dirname, "..", "honest");
/** For a file of it. */
const FILE_MS = 20 * 60_000;
const RUN_MS = 170_000;
const playedTest = testUnless(await sandboxMissing());

interface Played {
  readonly exit: number;
  /** Whatever is no passed or skipped test. */
  readonly wrong: string;
}

async function play(file: string): Promise<Played> {
  const child = Bun.spawn([process.execPath, "test", `--timeout=${RUN_MS}`, join(HONEST, file)], {
    env: { ...process.env, PROOFGATE_INSIDE: "codex" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  const wrong = said.split("\n").filter((line) => !/^\((pass|skip)\)|^\s*$/.test(line));
  return { exit, wrong: wrong.join("\n") };
}

/**
 * Declares the one test of a file `codex-honest-<name>.test.ts`: `<name>.test.ts` of the corpus, in a process of its own, where
 * all worlds are in the host. A file each, because files are what tests are run side by side by.
 */
export function playHonest(test: string): void {
  const file = test.replace(/^codex-honest-/, "");
  playedTest(
    `nobody in test/honest/${file} is stranded in Codex`,
    async () => {
      const { exit, wrong } = await play(file);
      expect(exit === 0 ? "all went well" : wrong).toBe("all went well");
    },
    FILE_MS,
  );
}
