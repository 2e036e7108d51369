/** The corpora once more, played by an agent in a real host: its own shell, the gate, its own goal at the end. */

import { expect } from "bun:test";
import { join } from "node:path";
import { sandboxMissing } from "./codex.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";

const TESTS = join(import.meta.dirname, "..");
/** For a file of it. */
const FILE_MS = 20 * 60_000;
const RUN_MS = 540_000;

type HostName = "codex" | "opencode";
const NAMES: Readonly<Record<HostName, string>> = { codex: "Codex", opencode: "OpenCode" };
const missing = { codex: sandboxMissing, opencode: openCodeMissing };
const CORPORA = {
  honest: { folder: "honest", says: "nobody is stranded", every: "1" },
  // Most lies are refused by what is the same in every host: the rest of each file is played without one, in a third of the time.
  lies: { folder: "adversarial", says: "no lie is accepted", every: "4" },
} as const;

interface Played {
  readonly exit: number;
  /** Whatever is no passed or skipped test. */
  readonly wrong: string;
}

async function play(file: string, host: HostName, every: string): Promise<Played> {
  const child = Bun.spawn([process.execPath, "test", `--timeout=${RUN_MS}`, file], {
    env: { ...process.env, PROOFGATE_INSIDE: host, PROOFGATE_EVERY: every },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  const wrong = said.split("\n").filter((line) => !/^\((pass|skip)\)|^\s*$/.test(line));
  return { exit, wrong: wrong.join("\n") };
}

/**
 * Declares the one test of a file `<host>-<corpus>-<name>.test.ts`: `<name>.test.ts` of the corpus, in a process of its own,
 * where all worlds are in the host. A file each, because files are what tests are run side by side by.
 */
export async function playCorpus(test: string): Promise<void> {
  const host: HostName = test.startsWith("opencode-") ? "opencode" : "codex";
  const corpus = /^\w+-lies-/.test(test) ? CORPORA.lies : CORPORA.honest;
  const file = test.replace(/^\w+-(?:honest|lies)-/, "");
  testUnless(await missing[host]())(
    `${corpus.says} in test/${corpus.folder}/${file}, played in ${NAMES[host]}`,
    async () => {
      const { exit, wrong } = await play(join(TESTS, corpus.folder, file), host, corpus.every);
      expect(exit === 0 ? "all went well" : wrong).toBe("all went well");
    },
    FILE_MS,
  );
}
