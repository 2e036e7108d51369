/** Pairs of runs, with clocks and limits of the test's own: a machine that sleeps, and programs that do not end. */

import { expect, test } from "bun:test";
import { withTreeObjects } from "../../components/evidence/fingerprint.ts";
import { DEFAULT_RULE } from "../../components/measure/decide.ts";
import { type Clocks, measurePairs, type Question, type Verdict } from "../../components/measure/pairs.ts";
import { type Bench, type Place, withSides } from "../../components/measure/sides.ts";
import { makeWorld } from "../helpers/world.ts";

const QUESTION: Question = { metric: "cost", rule: DEFAULT_RULE, target: null, budgetMs: 60_000, warmUp: 0 };

/** The base says 100 and the working tree 90, unless a command of its own is given. */
async function onBoth<Result>(
  command: string,
  use: (bench: Bench, pair: readonly [Place, Place]) => Promise<Result>,
  runMs = 20_000,
): Promise<Result> {
  const world = await makeWorld({ cost: "100" });
  world.write("cost", "90");
  const head = await world.git("rev-parse", "HEAD");
  return withTreeObjects(world.root, (today) => {
    const bench: Bench = {
      ...{ root: world.root, today, head, command, cwd: "", overlay: [], setup: [], share: [] },
      ...{ env: world.env, runMs },
    };
    const sides = [
      { name: "the base", source: { commit: head } },
      { name: "the working tree", source: { tree: today } },
    ];
    return withSides(bench, sides, async ([from, to]) => {
      if (from === undefined || to === undefined) throw new Error("two sides were made");
      return use(bench, [from, to]);
    });
  });
}

const PRINT = 'echo "METRIC cost=$(cat cost)"';

/** A running clock that goes on by a second at each look, and a wall clock that jumps ahead by `sleeps` at the looks it names. */
function clocksThatSleep(sleeps: ReadonlyMap<number, number>): Clocks {
  let running = 0;
  let asleep = 0;
  let looks = 0;
  return {
    running: () => (running += 1),
    wall: () => {
      asleep += sleeps.get(looks++) ?? 0;
      return running + asleep;
    },
  };
}

test("a pair in which the machine slept is thrown away, and the others count", () =>
  onBoth(PRINT, async (bench, pair) => {
    // Each pair looks at the wall twice, before and after: the second pair sleeps an hour, the fourth wakes a day earlier.
    const clocks = clocksThatSleep(
      new Map([
        [3, 3_600_000],
        [7, -86_400_000],
      ]),
    );
    const verdict: Verdict = await measurePairs(bench, pair, QUESTION, () => {}, clocks);
    expect(verdict).toMatchObject({ slept: 2, pairs: 8, word: "improved", exact: true, base: 100, now: 90 });
    expect(verdict.values.base).toHaveLength(8);
  }));

test("time between the pairs may pass as it likes", () =>
  onBoth(PRINT, async (bench, pair) => {
    const clocks = clocksThatSleep(new Map([[2, 3_600_000]]));
    expect(await measurePairs(bench, pair, QUESTION, () => {}, clocks)).toMatchObject({ slept: 0, pairs: 8 });
  }));

test("a machine that sleeps in every pair measures nothing", () =>
  onBoth(PRINT, async (bench, pair) => {
    const always = new Map(Array.from({ length: 100 }, (_, at) => [2 * at + 1, 60_000]));
    const measured = measurePairs(bench, pair, QUESTION, () => {}, clocksThatSleep(always));
    await expect(measured).rejects.toMatchObject({
      code: "measurement_invalid",
      expected: "a machine that stays awake",
    });
  }));

test("a run that does not end is ended, with what it started, and named", async () => {
  const forever = "4242.4242";
  await onBoth(
    `if [ "$(cat cost)" = 90 ]; then sleep ${forever} & sleep ${forever}; fi; ${PRINT}`,
    async (bench, pair) => {
      await expect(measurePairs(bench, pair, QUESTION, () => {})).rejects.toMatchObject({
        code: "measurement_invalid",
        expected: "exit 0 of the command on the working tree",
        found: expect.stringMatching(/^no end within \d+ s/),
      });
    },
    700,
  );
  const left = Bun.spawnSync(["ps", "-eo", "args"]).stdout.toString();
  expect(left).not.toContain(`sleep ${forever}`);
}, 20_000);
