/** The demo, played as a reader plays it: with a home and a temporary folder of this test's own, in which it keeps its own. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const LIMIT_MS = 60_000;
/** A measurement takes as long as the noise of the machine makes it take. */
const MEASURING_MS = 300_000;
const PREFIX = "proofgate-demo-test-";

interface Played {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

let folder = "";
let played: Played;

async function play(...args: readonly string[]): Promise<Played> {
  const started = performance.now();
  const child = Bun.spawn([process.execPath, join(ROOT, "scripts", "demo.ts"), ...args], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: join(folder, "home"),
      XDG_STATE_HOME: join(folder, "home", "state"),
      TMPDIR: folder,
      LANG: "C.UTF-8",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, out, err, ms: performance.now() - started };
}

beforeAll(async () => {
  folder = await mkdtemp(join(await realpath(tmpdir()), PREFIX));
  await mkdir(join(folder, "home"));
  played = await play("--fast");
}, 2 * LIMIT_MS);

afterAll(async () => {
  if (folder === "") return;
  // Only the folder made above may ever go: directly in the temporary folder, and by its own name.
  expect(dirname(folder)).toBe(await realpath(tmpdir()));
  expect(basename(folder)).toStartWith(PREFIX);
  await rm(folder, { recursive: true, force: true });
});

/** Those that the demo did not print. */
const unseen = (...lines: readonly string[]): readonly string[] =>
  lines.filter((line) => !played.out.includes(line));

test("the demo ends as told, in less than a minute", () => {
  expect(played.err).toBe("");
  expect(played.exit).toBe(0);
  expect(played.ms).toBeLessThan(LIMIT_MS);
});

test("the shortcuts are refused, and an echo in a script is hollow", () => {
  expect(
    unseen(
      "Not complete: 0 of 2 proven.  [not_proven]",
      "goals.json was changed.  [state_damaged]",
      "This check cannot fail, so it proves nothing.  [check_vacuous]",
      "G001-C001  HOLLOW        passes without the project as well",
      "passes without the project as well; put the check back",
      "not approved by the user",
    ),
  ).toEqual([]);
});

test("the honest work is proven, and the plan is completed", () => {
  expect(unseen("G001 complete", "The plan is complete", "ok: 4 criteria proven")).toEqual([]);
});

test("the day after, a change makes the proof stale", () => {
  expect(unseen("COMPLETE, BUT NO LONGER PROVEN", "G002-C001 stale: index.js changed")).toEqual([]);
});

test("what the demo leaves lies in the temporary folder that it was given", () => {
  const kept = /^kept for you: (.+) \(ledger\.jsonl, goals\.json, evidence\/\)$/m.exec(played.out)?.[1] ?? "";
  expect(kept).toStartWith(join(folder, "proofgate-demo-"));
  for (const name of ["ledger.jsonl", "goals.json", "evidence"])
    expect(existsSync(join(kept, name))).toBe(true);
});

test(
  "of a slow path only the true gain passes",
  async () => {
    const { out, err, exit } = await play("performance", "--json");
    expect(err).toBe("");
    expect(exit).toBe(0);
    const told: {
      readonly ok: boolean;
      readonly failure: string | null;
      readonly evidence: string;
      readonly honest: { readonly commands: number };
      readonly ran: readonly { readonly command: string; readonly exit: number }[];
    } = JSON.parse(out);
    expect(told.failure).toBe(null);
    expect(told.ok).toBe(true);
    const goal = told.ran.flatMap(({ command, exit: code }) => {
      const verb = /^proofgate performance-goal (\S+)/.exec(command)?.[1];
      return verb === undefined ? [] : [`${verb} ${code}`];
    });
    expect(goal).toEqual([
      "create 0",
      "start 0",
      "checkpoint 1",
      "checkpoint 1",
      "evaluate 1",
      "evaluate 1",
      "revert 0",
      "evaluate 0",
      "checkpoint 0",
      "complete 0",
      "plot 0",
    ]);
    expect(told.honest.commands).toBe(5);
    expect(told.evidence).toStartWith(join(folder, "proofgate-demo-"));
    for (const name of ["ledger.jsonl", "state.json", "evidence", "plot.svg"])
      expect(existsSync(join(told.evidence, name))).toBe(true);
  },
  MEASURING_MS,
);

test("a word that names no story is a wrong use", async () => {
  const { exit, err } = await play("perfomance");
  expect(exit).toBe(2);
  expect(err).toContain("next: npm run demo -- performance");
});
