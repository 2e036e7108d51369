/** The honest corpus once more, played by an agent in the real Codex: its sandbox, its hooks, its own goal at the end. */

import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sandboxMissing } from "./codex.ts";
import { testUnless } from "./host-test.ts";

const HONEST = join(import.meta.dirname, "..", "honest");
const FILES = readdirSync(HONEST).filter((name) => name.endsWith(".test.ts"));
/** All of them, two at a time. */
const ALL_MS = 20 * 60_000;
const RUN_MS = 170_000;
const AT_ONCE = 2;
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

let playing: ReadonlyMap<string, Promise<Played>> | null = null;

/** Codex mostly waits: two sessions side by side take hardly longer than one. */
function playAll(): ReadonlyMap<string, Promise<Played>> {
  const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  return new Map(
    FILES.map((file, at) => {
      const played = (lanes[at % AT_ONCE] ?? Promise.resolve()).then(() => play(file));
      lanes[at % AT_ONCE] = played.catch(() => undefined);
      return [file, played];
    }),
  );
}

for (const file of FILES)
  playedTest(
    `nobody in test/honest/${file} is stranded in Codex`,
    async () => {
      playing ??= playAll();
      const played = await playing.get(file);
      expect(played?.exit === 0 ? "all went well" : played?.wrong).toBe("all went well");
    },
    ALL_MS,
  );
