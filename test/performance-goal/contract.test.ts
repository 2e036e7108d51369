/** Contracts with the built program: targets and units, metrics, guards, what is protected, and what is refused at once. */

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeWorld, type World } from "../helpers/world.ts";
import { costs, creation, FILES, goalWorld, good, metric, passed, pg, refused, text } from "./kit.ts";

/** A metric that is a time or a rate varies; by far less than what is asked for. */
const varying = (unit: string): string =>
  `console.log('METRIC m=' + (require('./cost.js') * (1 + Math.random() / 500)).toFixed(4) + '${unit}');\n`;
const measured = (...flags: string[]): string[] => creation("node bench.js", "--metric", "m", ...flags);

describe("targets", () => {
  for (const [target, unit, before, short, enough, better] of [
    ["-20%", "", 100, 90, 75, "lower"],
    ["+30%", "ops/s", 100, null, 140, "higher"],
    ["2x", "req/s", 1000, null, 2100, "higher"],
    ["<=0.15s", "ms", 400, null, 140, "lower"],
    [">=10k/s", "/s", 5000, 9000, 11000, "higher"],
  ] as const)
    test(`${target} of ${before}${unit}: ${short === null ? "" : `${short} is too little, `}${enough} is enough`, async () => {
      const world = await makeWorld({ ...FILES, "bench.js": varying(unit), "cost.js": costs(before) });
      const made = await good(world, ...measured("--target", target, "--warm-up", "0"));
      expect(made.contract.measure).toMatchObject({ unit, better, target: { text: target } });
      await good(world, "start");
      if (short !== null) {
        world.write("cost.js", costs(short));
        expect((await good(world, "evaluate")).evaluation).toMatchObject({
          word: "improved",
          met: false,
          first: { target: "missed", exact: false },
        });
      }
      world.write("cost.js", costs(enough));
      expect((await good(world, "evaluate")).evaluation).toMatchObject({ met: true });
    }, 60_000);

  test("a direction that contradicts, a unit that does not fit, a word that is none", async () => {
    const world = await makeWorld({ ...FILES, "bench.js": varying("ms") });
    for (const flags of [
      ["--target", "-20%", "--better", "higher"],
      ["--target", "<=20MB"],
      ["--target", "faster"],
      ["--target", "-120%"],
      ["--better", "less"],
      ["--confidence", "50%"],
      ["--min-effect", "x"],
      ["--warm-up", "-1"],
      ["--budget", "soon"],
      ["--protect", "nowhere/**"],
    ])
      refused(await pg(world, ...measured(...flags)), "usage_bad_value", 2);
    expect(existsSync(join(world.root, ".omx"))).toBe(false);
  }, 30_000);

  test("one that the base meets already shows nothing", async () => {
    const world = await makeWorld(FILES);
    const made = await good(world, ...metric("--target", "<=120"));
    expect(made.remarks).toContainEqual(
      expect.stringContaining("the base meets <=120 in its first run (100)"),
    );
    await good(world, "start");
    world.write("cost.js", costs(50));
    const { evaluation } = await good(world, "evaluate");
    expect(evaluation).toMatchObject({ met: false, reason: expect.stringContaining("already") });
  });
});

test("without a metric the exit status decides: it has to fail on the base and to pass twice", async () => {
  const world = await makeWorld({
    ...FILES,
    "check.sh": "node -e \"process.exit(require('./cost.js') < 50 ? 0 : 3)\"\n",
  });
  const made = await text(world, ...creation("sh check.sh"));
  expect(made.out).toContain("judged by: exit status of `sh check.sh`");
  expect(made.out).toContain("note: no metric is judged: the evaluator's exit status is the verdict");
  await good(world, "start");
  refused(await pg(world, "baseline"), "usage_bad_value", 2);
  const failing = await pg(world, "evaluate");
  expect(failing.json.evaluation).toMatchObject({ word: "fails", met: false });
  expect((await text(world, "status")).out).toContain("(no metric is judged)");
  world.write("cost.js", costs(10));
  expect((await good(world, "evaluate")).evaluation).toMatchObject({ word: "holds", met: true, kept: true });
  await good(world, "checkpoint", "--status", "pass", "--evidence", "below 50");
  expect((await good(world, "complete")).status).toBe("complete");
}, 30_000);

test("a number in printed JSON", async () => {
  const world = await goalWorld(creation("node bench.js", "--metric", "$.runs[1].bytes"), {
    "bench.js":
      "console.log('warm');\nconsole.log(JSON.stringify({ runs: [{ bytes: 1 }, { bytes: require('./cost.js') }] }));\n",
  });
  world.write("cost.js", costs(99));
  expect((await good(world, "evaluate")).evaluation.first).toMatchObject({ base: 100, now: 99, exact: true });
});

test("the program's time, where nothing else is printed", async () => {
  const world = await makeWorld({ "work.js": "setTimeout(() => {}, 250);\n" });
  await good(world, ...creation("node work.js", "--target", "-30%", "--warm-up", "0"));
  await good(world, "start");
  world.write("work.js", "setTimeout(() => {}, 1);\n");
  expect((await good(world, "evaluate")).evaluation).toMatchObject({
    met: true,
    first: { metric: "wall", unit: "ms" },
  });
}, 60_000);

describe("a package script behind the command", () => {
  const SCRIPTS = { scripts: { bench: "node bench.js", prebench: "node --version", other: "true" } };

  test("is protected with the scripts around it; other parts of package.json are the product's", async () => {
    const world = await makeWorld({ ...FILES, "package.json": JSON.stringify(SCRIPTS) });
    const made = await good(world, ...creation("npm run --silent bench", "--metric", "cost"));
    expect(made.protected).toEqual(["bench.js"]);
    await good(world, "start");
    world.write(
      "package.json",
      JSON.stringify({ ...SCRIPTS, name: "x", scripts: { ...SCRIPTS.scripts, other: "false" } }),
    );
    world.write("cost.js", costs(90));
    expect((await good(world, "evaluate")).evaluation.word).toBe("improved");
    const scripts = { ...SCRIPTS.scripts, prebench: "echo hi" };
    world.write("package.json", JSON.stringify({ scripts }));
    const said = await pg(world, "evaluate");
    expect(said.json.evaluation.reason).toContain("package script prebench changed");
  }, 30_000);

  test("also where the base has no such script yet", async () => {
    const world = await makeWorld({ "cost.js": costs(100), "package.json": JSON.stringify({ name: "x" }) });
    world.write("bench.js", FILES["bench.js"] ?? "");
    world.write("package.json", JSON.stringify({ name: "x", ...SCRIPTS }));
    await good(world, ...creation("npm run --silent bench", "--metric", "cost"));
    await good(world, "start");
    expect((await passed(world)) && (await good(world, "complete")).status).toBe("complete");
  }, 30_000);
});

test("set-up runs in both copies, and shared folders are there", async () => {
  const world = await makeWorld({
    ...FILES,
    "build.js":
      "require('fs').writeFileSync('built.txt', String(require('./cost.js') + require('./cache/plus.js')));\n",
    "bench.js": "console.log('METRIC cost=' + require('fs').readFileSync('built.txt', 'utf8'));\n",
    ".gitignore": "built.txt\ncache/\n",
  });
  const args = creation("node bench.js", "--metric", "cost", "--setup", "node build.js", "--share", "cache");
  // What is shared has to be there before the first run.
  expect(refused(await pg(world, ...args), "measurement_invalid").found).toContain("setup failed");
  world.write("cache/plus.js", "module.exports = 7;\n");
  await good(world, ...args);
  await good(world, "start");
  world.write("cost.js", costs(60));
  expect((await good(world, "evaluate")).evaluation.first).toMatchObject({ base: 107, now: 67 });
  expect(existsSync(join(world.root, "built.txt"))).toBe(false);
}, 30_000);

test("a guard that fails stops the evaluation before anything is measured", async () => {
  const world = await goalWorld(metric("--target", "-20%", "--guard", "node right.js"), {
    "right.js": "process.exit(require('./cost.js') > 10 ? 0 : 4);\n",
  });
  world.write("cost.js", costs(5));
  const said = await pg(world, "evaluate");
  expect(said.json).toMatchObject({
    ok: false,
    error: { code: "measurement_invalid" },
    evaluation: { word: "invalid", first: null, guards: [{ command: "node right.js", failed: "exit 4" }] },
  });
  expect((await text(world, "evaluate")).out).toContain("node right.js FAILED");
  refused(await pg(world, "checkpoint", "--status", "pass", "--evidence", "fast"), "not_proven");
  world.write("cost.js", costs(50));
  expect((await good(world, "evaluate")).evaluation.met).toBe(true);
}, 30_000);

test("what is protected: the file of the command, its folder of measurements, what a link leads to, and what is named", async () => {
  const world = await makeWorld({
    "bench/run.js": "console.log('METRIC cost=' + require('../cost.js'));\n",
    "bench/data.json": "{}\n",
    "cost.js": costs(100),
    "other.js": "",
  });
  await world.sh("ln -s bench/run.js measure.js");
  const protectedBy = async (slug: string, command: string, ...flags: string[]) =>
    (
      await good(
        world,
        ...creation(command, "--metric", "cost", ...flags).map((word) => (word === "cheap" ? slug : word)),
      )
    ).protected;
  const all = ["bench/data.json", "bench/run.js"];
  expect(await protectedBy("a", "node bench/run.js")).toEqual(all);
  expect(await protectedBy("b", "node measure.js")).toEqual([...all, "measure.js"]);
  expect(await protectedBy("c", "node bench/run.js", "--protect", "other.js,bench")).toEqual([
    ...all,
    "other.js",
  ]);
  // A link is measured as it is: the copies hold it as a link.
  await good(world, "start", "--slug", "b");
  world.write("cost.js", costs(90));
  expect((await good(world, "evaluate", "--slug", "b")).evaluation.word).toBe("improved");
}, 30_000);

describe("there is nothing to begin with:", () => {
  test("no Git, no commit, a base that is none", async () => {
    const plain = await makeWorld(FILES, { git: false });
    const error = refused(await pg(plain, ...metric()), "base_unknown", 2);
    expect(error.nextActions[0]).toContain("git init && git add -A && git commit");
    expect(existsSync(join(plain.root, ".omx"))).toBe(false);
    const empty = await makeWorld(FILES, { git: "empty" });
    expect(refused(await pg(empty, ...metric()), "base_unknown", 2).found).toBe("no commit yet");
    refused(await pg(await makeWorld(FILES), ...metric("--base", "nowhere")), "base_unknown", 2);
  });

  test("flags that are missing, doubled or unknown", async () => {
    const world = await makeWorld(FILES);
    for (const [args, code] of [
      [["create", "--objective", "x"], "usage_missing_flag"],
      [metric("--objective-file", "README.md"), "usage_conflict"],
      [metric("--evaluator-contract-file", "README.md"), "usage_conflict"],
      [metric("--traget", "-20%"), "usage_unknown_flag"],
      [creation("  ", "--metric", "cost"), "usage_bad_value"],
    ] as const)
      refused(await pg(world, ...args), code, 2);
    refused(await pg(world, ...creation("true")), "check_vacuous", 2);
    refused(await pg(world, ...metric("--guard", "true")), "check_vacuous", 2);
    refused(await pg(world, ...metric("--protect", "**")), "usage_bad_value", 2);
  });
});

describe("an evaluator that measures nothing is refused at once, with what was found", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["it is missing", "node nothing.js", "exit 1"],
    ["there is no such program", "no-such-program-here", "exit 127"],
    ["it prints no metric", "node -p 1", "none"],
    ["twice the same", "echo METRIC cost=1 && echo METRIC cost=$(ls | wc -l)", "2 of them"],
    ["no number", "ls > /dev/null && echo METRIC cost=NaN", "METRIC cost=NaN"],
    ["without end", "ls > /dev/null && echo METRIC cost=Infinity", "Infinity"],
    ["too large a number", "ls > /dev/null && echo METRIC cost=1e999", "1e999"],
    ["zero", "ls > /dev/null && echo METRIC cost=0", "METRIC cost=0"],
    ["below zero", "ls > /dev/null && echo METRIC cost=-5", "METRIC cost=-5"],
    ["in words", "ls > /dev/null && echo METRIC cost=fast", "METRIC cost=fast"],
    ["killed", "kill -9 $$", "SIGKILL"],
    ["waiting for input", "read answer && echo METRIC cost=$answer", "exit 1"],
    ["set-up that fails on the base", "node bench.js", "setup failed"],
  ];
  test(cases.map(([name]) => name).join("; "), async () => {
    const world = await makeWorld(FILES);
    world.write("new.sh", "true\n");
    for (const [name, command, found] of cases) {
      const setup = name.startsWith("set-up") ? ["--setup", "sh new.sh"] : [];
      const said = await pg(world, ...creation(command, "--metric", "cost", ...setup));
      expect({ name, error: said.json.error }).toMatchObject({
        name,
        error: {
          code: "measurement_invalid",
          expected: expect.any(String),
          found: expect.stringContaining(found),
          nextActions: expect.any(Array),
        },
      });
    }
    expect(existsSync(join(world.root, ".omx"))).toBe(false);
  }, 60_000);

  test("a unit that changes between the versions", async () => {
    const world = await makeWorld({ ...FILES, "cost.js": "module.exports = '100ms';\n" });
    world.write("cost.js", "module.exports = '90us';\n");
    const error = refused(await pg(world, ...metric()), "measurement_invalid");
    expect(error).toMatchObject({ expected: "one unit in all runs", found: "ms and us" });
  });
});

test("a base chosen by hand is named, and that HEAD is another one", async () => {
  const world: World = await makeWorld({ ...FILES, "cost.js": costs(500) });
  world.write("cost.js", costs(100));
  await world.commit("the gain, long ago");
  const [head, base] = [await world.git("rev-parse", "HEAD"), await world.git("rev-parse", "HEAD~1")];
  const made = await text(world, ...metric("--base", "HEAD~1"));
  expect(made.out).toContain(`against ${base.slice(0, 12)}`);
  expect(made.out).toContain(`note: the base is ${base.slice(0, 12)} and HEAD is ${head.slice(0, 12)}`);
  expect((await text(world, "start")).out).toContain(base.slice(0, 12));
  expect((await text(world, "status")).out).toContain(`against ${base.slice(0, 12)}`);
  expect((await good(world, "status")).base).toBe(base);
});

test("covers that leave the gain out make no verdict", async () => {
  const world = await goalWorld(metric("--covers", "docs/**"));
  world.write("cost.js", costs(50));
  expect((await pg(world, "evaluate")).json.evaluation).toMatchObject({
    word: "invalid",
    reason: expect.stringContaining("--covers"),
  });
});
