/** `prove` with many runs: side by side where they allow it, broken off in the middle, and what a terminal shows of it. */

import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeWorld, type World } from "../helpers/world.ts";

const PROGRAM = process.env.PROOFGATE_PROGRAM ?? join(import.meta.dir, "../../dist/proofgate.js");

interface Wanted {
  readonly run: string;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly parallel?: boolean;
}

async function planned(world: World, criteria: readonly Wanted[], rest: object = {}): Promise<void> {
  const goal = {
    title: "Done",
    without: { edge: "has none of it", regression: "it is all new", adversarial: "takes no input" },
    criteria: criteria.map(({ run, more = {}, ...flags }, index) => ({
      class: "happy",
      scenario: `The command number ${index + 1} exits 0 and done.txt is there.`,
      check: { run, ...more },
      ...flags,
    })),
  };
  world.write(".proofgate/plan.yaml", JSON.stringify({ ...rest, goals: [goal] }));
  for (const words of [
    ["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"],
    ["ulw-loop", "complete-goals"],
  ]) {
    const said = await world.run(words, { json: true });
    if (said.exit !== 0) throw new Error(said.out);
  }
}

/** Removed when the test is over. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pg-prove-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until as many as are wanted have come to the same place: where runs are one after the other, nobody ever comes. */
const meets = (folder: string, name: string, wanted: number): string =>
  `touch ${folder}/${name}; for n in $(seq 300); do set -- ${folder}/*; [ $# -lt ${wanted} ] || break; sleep 0.1; done; [ $# -ge ${wanted} ] && test -f done.txt`;

test(
  "checks that allow it run side by side, each with its own line, and the plan may allow it for all",
  async () =>
    withFolder(async (folder) => {
      const world = await makeWorld({ "a.txt": "a\n" });
      const names = ["one", "two"];
      await planned(
        world,
        names.map((name) => ({ run: meets(folder, name, names.length) })),
        { parallel: true },
      );
      world.write("done.txt", "yes\n");
      const { json } = await world.ask("prove");
      expect(json.results.map((r: { outcome: string; before: string }) => [r.outcome, r.before])).toEqual([
        ["pass", "red"],
        ["pass", "red"],
      ]);
      expect((await world.ask("verify")).json.valid).toBe(true);
    }),
  120_000,
);

test(
  "a check that says nothing of it runs alone",
  async () =>
    withFolder(async (folder) => {
      const world = await makeWorld({ "a.txt": "a\n" });
      const busy = (name: string): string =>
        `touch ${folder}/${name}; sleep 0.5; rm ${folder}/${name}; test -f done.txt`;
      await planned(world, [
        { run: busy("one"), parallel: true },
        { run: `test -f done.txt && test -z "$(ls ${folder})"` },
        { run: busy("two"), parallel: true },
      ]);
      world.write("done.txt", "yes\n");
      const { json } = await world.ask("prove");
      expect(
        json.results.map((r: { criterion: string; outcome: string }) => [r.criterion, r.outcome]),
      ).toEqual([
        ["C001", "pass"],
        ["C002", "pass"],
        ["C003", "pass"],
      ]);
    }),
  120_000,
);

test("a check under which the tree moved, because of the one beside it, is run again alone", async () => {
  const world = await makeWorld({ "a.txt": "a\n", "log.txt": "0\n" });
  await planned(
    world,
    [
      {
        run: "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i-$$ > log.txt; sleep 0.2; done; test -f done.txt",
        more: { produces: "log.txt" },
      },
      { run: "sleep 0.6; test -f done.txt" },
    ],
    { parallel: true },
  );
  world.write("done.txt", "yes\n");
  const { json } = await world.ask("prove");
  expect(json.results.map((r: { outcome: string }) => r.outcome)).toEqual(["pass", "pass"]);
}, 120_000);

const alive = (word: string): boolean =>
  readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(word);
    } catch {
      return false;
    }
  });

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (what()) return;
    await sleep(50);
  }
  throw new Error("it never came");
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`${signal} in the middle: what ran is ended, and the state says that it was broken off`, async () => {
    const world = await makeWorld({ "a.txt": "a\n" });
    // A number of seconds that nothing else sleeps.
    const nap = String(1000 + Math.floor(Math.random() * 1_000_000));
    await planned(world, [{ run: "true; test -f done.txt" }, { run: `sleep ${nap}; test -f done.txt` }]);
    world.write("done.txt", "yes\n");
    const child = Bun.spawn(["node", PROGRAM, "prove"], {
      cwd: world.root,
      env: world.env,
      stdout: "ignore",
      stderr: "ignore",
    });
    await until(() => alive(nap));
    child.kill(signal);
    await child.exited;
    expect(child.signalCode).toBe(signal);
    await until(() => !alive(nap));
    const { json } = await world.ask("status");
    expect(json.goals[0].criteria.map((c: { status: string }) => c.status)).toEqual(["pass", "open"]);
    expect((await world.run(["status"])).out).toMatch(
      new RegExp(`C002 .*interrupted by ${signal} after [\\d.]+ m?s`),
    );
    expect((await world.ask("verify")).json.valid).toBe(true);
  }, 60_000);

test("a terminal sees what runs and how much of it is over; a pipe sees nothing of that", async () => {
  const world = await makeWorld({ "a.txt": "a\n" });
  await planned(world, [{ run: "sleep 1.2; test -f done.txt" }, { run: "sleep 0.1; test -f done.txt" }]);
  writeFileSync(join(world.root, "done.txt"), "yes\n");
  const piped = await world.run(["prove", "--try"]);
  expect(piped.err).toBe("");
  if (!existsSync("/usr/bin/script")) throw new Error("`script` (bsdutils) gives the program a terminal");
  const shown = await world.sh(`script -qec "node '${PROGRAM}' prove" /dev/null`);
  expect(shown.out).toMatch(/\[0\/2\] G001-C001 \d/);
  expect(shown.out).toMatch(/\[1\/2\]/);
  expect(shown.out).toMatch(/G001-C002 {2}proven/);
}, 60_000);
