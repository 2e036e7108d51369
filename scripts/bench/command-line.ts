/** What a command costs beside an empty Node start, on a small and on a huge plan, and many writers at once. */

import { join } from "node:path";
import { type Candidate, measure, median, over, type Rounds, start } from "./measure.ts";
import { type BenchWorld, makeRepo, writeState } from "./state.ts";
import type { Row } from "./table.ts";

const ROUNDS = 15;
const WRITERS = 20;
const WRITER_ROUNDS = 5;

const EMPTY = "node -e 0";
const GIT = "git alone";

/** @param program the built program */
export async function commandLine(world: BenchWorld, program: string): Promise<readonly Row[]> {
  const small = await makeRepo(world, "small", 50, 2);
  await writeState(small, 10, 40);
  const huge = await makeRepo(world, "huge", 50, 2);
  await writeState(huge, 1000, 100_000);
  return [
    ...(await starts(world, program, small, "Start of a command, 10 goals", 1.3)),
    ...(await starts(
      world,
      program,
      huge,
      "Start of a command, 1,000 goals, 3,000 criteria, 100,000 ledger lines",
      1.5,
    )),
    await writers(world, program, small),
  ];
}

async function starts(
  world: BenchWorld,
  program: string,
  cwd: string,
  section: string,
  budget: number,
): Promise<readonly Row[]> {
  const candidate = (name: string, command: Candidate["command"]): Candidate => ({
    name,
    command,
    cwd,
    env: world.env,
  });
  const cli = (...args: string[]): Candidate => candidate(args[0] ?? "", () => ["node", program, ...args]);
  const withoutGit = [cli("help"), cli("list"), cli("complete-goals")].map((one, index) =>
    index === 2 ? candidate("complete-goals", () => ["node", program, "ulw-loop", "complete-goals"]) : one,
  );
  // A told failure looks at no tree, so nothing of Git's is taken off it.
  withoutGit.push(
    candidate("record-evidence --status fail", (round) => [
      "node",
      program,
      "ulw-loop",
      "record-evidence",
      "--criterion-id",
      "C001",
      "--status",
      "fail",
      "--evidence",
      `it fails in another way: ${"abcdefghijklmnopqrstuvwxyz"[round % 26] ?? ""}`,
    ]),
  );
  const withGit = [cli("status"), cli("next")];
  const rounds = await measure(
    [
      candidate(EMPTY, () => ["node", "-e", "0"]),
      candidate(GIT, () => ["node", join(import.meta.dir, "git-alone.mjs")]),
      ...withoutGit,
      ...withGit,
    ],
    ROUNDS,
  );
  const most = { at: "most", value: budget } as const;
  return [
    { section, what: EMPTY, value: over(rounds, (t) => t(EMPTY)), unit: "ms" },
    {
      section,
      what: "Git's own time for one fingerprint",
      value: over(rounds, (t) => t(GIT) - t(EMPTY)),
      unit: "ms",
    },
    ...withoutGit.map(
      ({ name }): Row => ({
        section,
        what: name,
        value: over(rounds, (t) => t(name) / t(EMPTY)),
        unit: "x",
        budget: most,
        detail: pair(rounds, name),
      }),
    ),
    ...withGit.map(
      ({ name }): Row => ({
        section,
        what: `${name}, less Git's own time`,
        value: over(rounds, (t) => (t(name) - t(GIT) + t(EMPTY)) / t(EMPTY)),
        unit: "x",
        budget: most,
        detail: `${pair(rounds, name)}, ${over(rounds, (t) => t(name) / t(EMPTY)).toFixed(2)} × with Git`,
      }),
    ),
  ];
}

const pair = (rounds: Rounds, name: string): string => `${over(rounds, (t) => t(name)).toFixed(0)} ms`;

/** Twenty processes that append one line each, against twenty that do nothing. */
async function writers(world: BenchWorld, program: string, cwd: string): Promise<Row> {
  const candidate = (name: string, command: Candidate["command"]): Candidate => ({
    name,
    command,
    cwd,
    env: world.env,
  });
  const nothing = candidate(EMPTY, () => ["node", "-e", "0"]);
  const writer = candidate("writer", () => [
    "node",
    program,
    "steer",
    "--kind",
    "annotate_ledger",
    "--evidence",
    "one of twenty",
    "--rationale",
    "to measure",
  ]);
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round <= WRITER_ROUNDS; round++) {
    const empty = await together(nothing);
    const written = await together(writer);
    // The first round warms up.
    if (round === 0) continue;
    ratios.push(empty / written);
    rates.push(WRITERS / (written / 1000));
  }
  return {
    section: "Many at once",
    what: `${WRITERS} parallel writers, rate against ${WRITERS} empty Node starts`,
    value: median(ratios),
    unit: "x",
    budget: { at: "least", value: 0.75 },
    detail: `${median(rates).toFixed(0)} writers a second`,
  };
}

/** Milliseconds until all of them have ended. */
async function together(candidate: Candidate): Promise<number> {
  const started = performance.now();
  const exits = await Promise.all(Array.from({ length: WRITERS }, () => start(candidate, 0).exited));
  if (exits.some((exit) => exit !== 0)) throw new Error(`a parallel ${candidate.name} failed`);
  return performance.now() - started;
}
