/** The corpora once more, played by an agent in a real host: its own shell, the gate, its own goal at the end. */

import { expect } from "bun:test";
import { existsSync } from "node:fs";
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
  honest: { folder: "honest", says: "nobody is stranded" },
  lies: { folder: "adversarial", says: "no lie is accepted" },
} as const;

/** Which runs of a file are played: each `every`th one from `turn` on. */
interface Share {
  readonly every: number;
  readonly turn: number;
}

const ALL: Share = { every: 1, turn: 0 };

/**
 * Hosts share what is honest, turn by turn, since what is played in both takes twice the time and the engine below them is
 * one. Most lies are refused by it: each sixth one is told in the host, and the others without one, in a third of the time.
 * With `PROOFGATE_WHOLE=1` each host plays everything.
 */
async function shareOf(host: HostName, corpus: keyof typeof CORPORA, name: string): Promise<Share> {
  if (process.env.PROOFGATE_WHOLE === "1") return ALL;
  if (corpus === "lies") return { every: 6, turn: 0 };
  const players: HostName[] = [];
  for (const one of ["codex", "opencode"] as const)
    if (existsSync(join(import.meta.dirname, `${one}-honest-${name}`)) && (await missing[one]()) === null)
      players.push(one);
  return { every: players.length, turn: players.indexOf(host) };
}

interface Played {
  readonly exit: number;
  /** Whatever is no passed or skipped test. */
  readonly wrong: string;
}

async function play(file: string, host: HostName, { every, turn }: Share): Promise<Played> {
  const child = Bun.spawn([process.execPath, "test", `--timeout=${RUN_MS}`, file], {
    env: {
      ...process.env,
      PROOFGATE_INSIDE: host,
      PROOFGATE_EVERY: `${every}`,
      PROOFGATE_TURN: `${turn}`,
    },
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
  const kind = /^\w+-lies-/.test(test) ? "lies" : "honest";
  const corpus = CORPORA[kind];
  const file = test.replace(/^\w+-(?:honest|lies)-/, "");
  testUnless(await missing[host]())(
    `${corpus.says} in test/${corpus.folder}/${file}, played in ${NAMES[host]}`,
    async () => {
      const share = await shareOf(host, kind, file);
      const { exit, wrong } = await play(join(TESTS, corpus.folder, file), host, share);
      expect(exit === 0 ? "all went well" : wrong).toBe("all went well");
    },
    FILE_MS,
  );
}
