/** Honest runs that are killed, run in parallel, or have to do with little: the budget of commands and of text. */

import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { honest } from "../helpers/count.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  Agent,
  adversarial,
  doSlug,
  edge,
  happy,
  implement,
  LIBRARY,
  npmTest,
  PLAN,
  planOf,
  regression,
  SLUG,
  TITLE,
  test,
} from "./agent.ts";

const PROGRAM = process.env.PROOFGATE_PROGRAM ?? join(import.meta.dir, "../../dist/proofgate.js");

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (holds()) return;
    await Bun.sleep(25);
  }
  throw new Error(`waited 10 s for ${what}`);
}

const startsProving = (world: World) =>
  Bun.spawn(["node", PROGRAM, "prove"], {
    cwd: world.root,
    env: world.env,
    stdio: ["ignore", "ignore", "ignore"],
  });

honest("SIGKILL in the middle of prove; a new process goes on", async () => {
  const world = await makeWorld(LIBRARY);
  const started = join(world.home, "started");
  const slow = happy(
    'slug("Big Cat") returns "big-cat", after a slow start.',
    `test -e '${started}' || { touch '${started}'; sleep 5; }; node --test test/slug.test.js`,
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [slow, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  const killed = startsProving(world);
  await until(() => existsSync(started), "the check to start");
  killed.kill("SIGKILL");
  await killed.exited;
  await agent.does("next");
  await agent.proves("red");
  return await agent.finishes();
});

honest("SIGTERM in the middle of prove ends the check with it", async () => {
  const world = await makeWorld(LIBRARY);
  const [started, late] = [join(world.home, "started"), join(world.home, "late")];
  const slow = happy(
    'slug("Big Cat") returns "big-cat", after a slow start.',
    `test -e '${started}' || { touch '${started}'; sleep 2; touch '${late}'; }; node --test test/slug.test.js`,
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [slow] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  const ended = startsProving(world);
  await until(() => existsSync(started), "the check to start");
  const at = performance.now();
  ended.kill("SIGTERM");
  await ended.exited;
  await agent.proves("red");
  await Bun.sleep(Math.max(0, 2500 - (performance.now() - at)));
  expect(existsSync(late)).toBe(false);
  return await agent.finishes();
});

honest("ten workers prove and record ten criteria at once", async () => {
  const world = await makeWorld(LIBRARY);
  const names = Array.from({ length: 10 }, (_, index) => `f${index}`);
  const criteria = names.map((name) =>
    happy(`${name}(1) returns 2: test/${name}.test.js exits 0.`, `node test/${name}.test.js`),
  );
  world.write(PLAN, planOf([{ title: "ten functions", criteria }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  for (const name of names) {
    implement(world, name, "(n) => n + 1");
    world.write(`test/${name}.test.js`, test(name, "1", "2"));
  }
  await Promise.all(
    names.map((_, index) => {
      const id = `C${String(index + 1).padStart(3, "0")}`;
      return index % 2 === 0
        ? agent.proves("red", id)
        : agent.does(
            ...["ulw-loop", "record-evidence", "--criterion-id", id],
            ...["--status", "pass", "--evidence", `worker ${index} is done`],
          );
    }),
  );
  const now: { word: string }[] = (await agent.does("status")).json.goals[0].criteria;
  expect(now.map((c) => c.word)).toEqual(names.map(() => "proven"));
  return await agent.finishes();
});

honest("a parallel worker edits another file while a check runs: not a failure", async () => {
  const world = await makeWorld(LIBRARY);
  const started = join(world.home, "started");
  const slow = happy('slug("Big Cat") returns "big-cat", after a slow start.', {
    run: `touch '${started}'; sleep 0.4; node --test test/slug.test.js`,
    covers: ["src/texts.js", "test/slug.test.js"],
  });
  world.write(PLAN, planOf([{ title: "slug", criteria: [slow] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  const proving = agent.proves("red");
  await until(() => existsSync(started), "the check to start");
  world.write("docs/other.md", "a parallel worker's file\n");
  await proving;
  return await agent.finishes();
});

honest(
  "a parallel worker edits covered files while a check runs: moved, and proven the next time",
  async () => {
    const world = await makeWorld(LIBRARY);
    const slow = happy(
      'slug("Big Cat") returns "big-cat", after a slow start.',
      "sleep 0.4; node --test test/slug.test.js",
    );
    world.write(PLAN, planOf([{ title: "slug", criteria: [slow] }]));
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    doSlug(world);
    let writing = true;
    const worker = (async () => {
      for (let n = 0; writing; n++) {
        world.write("src/other.js", `export const n = ${n};\n`);
        await Bun.sleep(50);
      }
    })();
    await agent.sees("moved");
    writing = false;
    await worker;
    await agent.proves("red");
    return await agent.finishes();
  },
);

const WORK = {
  slug: { body: SLUG, input: '"Big Cat"', output: '"big-cat"' },
  title: { body: TITLE, input: '"big cat"', output: '"Big Cat"' },
  lower: { body: "(text) => text.toLowerCase()", input: '"Big Cat"', output: '"big cat"' },
};

honest("a plan of 3 goals and 12 criteria costs 12 commands and 24 KB of text", async () => {
  const world = await makeWorld(LIBRARY);
  const work = Object.entries(WORK);
  const goals = work.map(([name, { input, output }]) => ({
    title: `${name}: a function of the library`,
    criteria: [
      happy(`${name}(${input}) returns ${output}.`, `node test/${name}.test.js`),
      edge(`${name}("") returns "".`, `node test/${name}-empty.test.js`),
      regression('upper("a") still returns "A".', "node test/upper.test.js"),
      adversarial(`${name}("\\u0000") returns "\\u0000".`, `node test/${name}-odd.test.js`),
    ],
  }));
  world.write(PLAN, planOf(goals, { brief: "Three functions for texts.", verify: ["npm test"] }));
  const agent = new Agent(world, { text: true });
  await agent.creates();
  for (const [index, [name, { body, input, output }]] of work.entries()) {
    await agent.takes();
    // Nothing is known here that the tool did not say: what the answer names is what is run.
    const [, command, ...flags] = agent.next.split(" ");
    expect(command).toBe("prove");
    implement(world, name, body);
    world.write(`test/${name}.test.js`, test(name, input, output));
    world.write(`test/${name}-empty.test.js`, test(name, '""', '""'));
    world.write(`test/${name}-odd.test.js`, test(name, '"\\u0000"', '"\\u0000"'));
    await agent.proves(null, ...flags);
    if (index < work.length - 1) await agent.closes();
  }
  const run = await agent.finishes();
  console.log(`budget: ${agent.commands} commands, ${agent.bytes} bytes of text`);
  expect(agent.bytes).toBeLessThanOrEqual(24 * 1024);
  expect(agent.commands).toBeLessThanOrEqual(12);
  return run;
});
