/** `proofgate compare` as a performance engineer meets it, with the built program. */

import { describe, expect, test } from "bun:test";
import { makeWorld, type Said, type World } from "../helpers/world.ts";

/** A program that says what it costs, so that the tests do not depend on this machine. */
const COST = "console.log('METRIC cost=' + require('./cost.js'));\n";
const costs = (value: number): string => `module.exports = ${value};\n`;

async function world(cost: number, now: number, more: Record<string, string> = {}): Promise<World> {
  const made = await makeWorld({ "bench.js": COST, "cost.js": costs(cost), ...more });
  made.write("cost.js", costs(now));
  return made;
}
/** What stands behind `--` is the command's, `--json` too. */
const compare = (of: World, ...args: string[]) => asked(of, ["compare", "HEAD", ...args]);
async function asked(of: World, args: readonly string[], cwd = of.root): Promise<Said> {
  const [command = "", ...rest] = args;
  const said = await of.run([command, "--json", ...rest], { cwd });
  return { ...said, json: JSON.parse(said.out) };
}

describe("a metric without noise is compared as it is", () => {
  for (const [now, verdict, exit] of [
    [99.9, "improved", 0],
    [100, "same", 0],
    [100.1, "regressed", 1],
  ] as const)
    test(`100 and ${now}: ${verdict}`, async () => {
      const said = await compare(await world(100, now), "--", "node", "bench.js");
      expect(said).toMatchObject({ exit, json: { ok: exit === 0, verdict, exact: true, metric: "cost" } });
    });

  test("more is better where that is said", async () => {
    const said = await compare(await world(100, 120), "--better", "higher", "--", "node bench.js");
    expect(said.json).toMatchObject({ verdict: "improved", now: { median: 120 }, base: { median: 100 } });
  });
});

test("a true difference in time is found, and shown with its interval", async () => {
  const of = await makeWorld({ "sleep.sh": "sleep 0.05\n" });
  of.write("sleep.sh", "sleep 0.02\n");
  const said = await of.run(["compare", "HEAD", "--budget", "30s", "--", "sh", "sleep.sh"]);
  expect(said.exit).toBe(0);
  expect(said.out).toMatch(
    /^wall time {3}\d+(\.\d+)? → \d+(\.\d+)? ms {3}−\d\d\.\d % {3}\[−\d+\.\d, −\d+\.\d\] {3}\d+ pairs, noise /,
  );
  expect(said.out).toContain("\nIMPROVED");
}, 60_000);

test("both versions are copies: the working tree is not touched, and each sees its own code", async () => {
  const of = await world(100, 50, { "bench.js": `${COST}require('fs').appendFileSync('left.txt', 'x');\n` });
  const said = await compare(of, "--", "node bench.js");
  expect(said.json).toMatchObject({ verdict: "improved", base: { median: 100 }, now: { median: 50 } });
  expect((await of.git("status", "--porcelain")).trim()).toBe("M cost.js");
});

test("set-up runs in both copies, in the folder where the command was typed", async () => {
  const of = await makeWorld({
    "app/build.sh": "cp cost.txt built.txt\n",
    "app/cost.txt": "30\n",
    ".gitignore": "built.txt\n",
  });
  of.write("app/cost.txt", "20\n");
  const args = ["--setup", "cd app && sh build.sh", "--", 'echo "METRIC size=$(cat built.txt)"'];
  const said = await asked(of, ["compare", "HEAD", ...args], `${of.root}/app`);
  expect(said.json).toMatchObject({ verdict: "improved", base: { median: 30 }, now: { median: 20 } });
});

test("too little time is said, with the budget that would do", async () => {
  const of = await makeWorld({ a: "" });
  const said = await of.run(["compare", "HEAD", "--budget", "1s", "--", "sleep", "0.2"]);
  expect(said.exit).toBe(1);
  expect(said.out).toMatch(
    /INCONCLUSIVE: \d+ pairs?, and at least 12 are needed\nnext: proofgate compare --budget \d+s HEAD -- sleep 0\.2/,
  );
});

describe("nothing is measured where", () => {
  for (const [why, command, found] of [
    ["the command fails", "exit 3", "exit 3"],
    ["it is missing", "no-such-program-here", "exit 127"],
    ["a metric is printed twice", "echo METRIC a=1; echo METRIC a=1", "2 of them"],
    ["two metrics are printed and none was named", "echo METRIC a=1; echo METRIC b=1", "a, b"],
    ["the metric is zero", "echo METRIC a=0", "METRIC a=0"],
  ] as const)
    test(why, async () => {
      const said = await compare(await makeWorld({ a: "" }), "--", command);
      expect(said).toMatchObject({ exit: 1, json: { ok: false, error: { code: "measurement_invalid" } } });
      expect(said.json.error.found).toContain(found);
    });

  test("the set-up fails on the base", async () => {
    const of = await makeWorld({ a: "" });
    of.write("new.sh", "true\n");
    const said = await compare(of, "--setup", "sh new.sh", "--", "true");
    expect(said.json.error).toMatchObject({ code: "measurement_invalid" });
    expect(said.json.error.found).toContain("setup failed");
  });
});

describe("wrong usage", () => {
  for (const [args, code] of [
    [["compare"], "usage_bad_value"],
    [["compare", "HEAD"], "usage_bad_value"],
    [["compare", "nowhere", "--", "true"], "base_unknown"],
    [["compare", "HEAD", "--better", "faster", "--", "true"], "usage_bad_value"],
    [["compare", "HEAD", "--budget", "soon", "--", "true"], "usage_bad_value"],
    [["compare", "HEAD", "--min-effect", "x", "--", "true"], "usage_bad_value"],
    [["compare", "HEAD", "--min-efect", "1%", "--", "true"], "usage_unknown_flag"],
  ] as const)
    test(args.join(" "), async () => {
      const said = await asked(await makeWorld({ a: "" }), args);
      expect(said).toMatchObject({ json: { ok: false, error: { code } } });
      expect(said.json.error.nextActions.length).toBeGreaterThan(0);
    });
});

test("the simulation prints its figures, and they hold", async () => {
  const child = Bun.spawn([process.execPath, "scripts/simulate.ts"], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe",
  });
  const [out, exit] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  expect(out).not.toContain("MISS");
  expect(out).toContain("loops of 20 tries of identical code that keep a false gain");
  expect(exit).toBe(0);
});
