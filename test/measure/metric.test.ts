/** A metric is read once, as a finite number above 0, or not at all; units are turned into each other where they go together. */

import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FinishedRun, runCommand } from "../../components/evidence/runner.ts";
import {
  convert,
  isTimeUnit,
  metricNames,
  needsUsage,
  readMetric,
  readReading,
} from "../../components/measure/metric.ts";
import { removeFoldersAfterwards, tempFolder } from "../evidence/repo.ts";

removeFoldersAfterwards();

const open: FinishedRun[] = [];
afterEach(async () => {
  for (const run of open.splice(0)) await run.dispose();
});

async function start(command: readonly string[], usage = false): Promise<FinishedRun> {
  const done = await runCommand(command, { cwd: tempFolder(), timeoutMs: 60_000, usage });
  open.push(done);
  return done;
}

const run = (script: string, usage = false): Promise<FinishedRun> => start(["node", "-e", script], usage);

/** A run that printed this. */
function printing(text: string): Promise<FinishedRun> {
  const file = join(tempFolder(), "text");
  writeFileSync(file, text);
  return start(["cat", file]);
}

const refused = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return error;
  }
};

test("a line of its own, with or without a unit", () => {
  expect(readMetric("warming up\nMETRIC p95=41.8ms\ndone\n", "p95")).toEqual({ value: 41.8, unit: "ms" });
  expect(readMetric("METRIC rate = 1.2e4 req/s", "rate")).toEqual({ value: 12_000, unit: "req/s" });
  expect(readMetric("METRIC a=1\nMETRIC b=2", "b")).toEqual({ value: 2, unit: "" });
  expect(metricNames("METRIC a=1\nMETRIC b=2\nMETRIC a=3\nno METRIC c=4")).toEqual(["a", "b"]);
});

test("numbers in the forms that programs print them, whatever ends or colours the line", () => {
  for (const [text, value, unit] of [
    ["METRIC p95=1e3", 1000, ""],
    ["METRIC p95=+5", 5, ""],
    ["METRIC p95=.5s", 0.5, "s"],
    ["METRIC p95=5.", 5, ""],
    ["METRIC p95=1.5E-3 µs", 0.0015, "µs"],
    ["METRIC p95=41.8 ms\r\nMETRIC p99=50 ms\r\n", 41.8, "ms"],
    ["12 %\rMETRIC p95=41.8ms", 41.8, "ms"],
    ["\u001b[1;32mMETRIC p95=\u001b[0m41.8\u001b[33mms\u001b[0m", 41.8, "ms"],
    ["METRIC\tp95\t=\t7\treq/s\t", 7, "req/s"],
    ["\u0000\u0000\nMETRIC p95=7", 7, ""],
  ] as const)
    expect(readMetric(text, "p95")).toEqual({ value, unit });
  expect(metricNames("METRIC a=1 b=2\r\n\u001b[31mMETRIC c=x\u001b[0m")).toEqual(["a", "c"]);
});

describe("no measurement", () => {
  for (const [why, text] of Object.entries({
    missing: "all good",
    "in the middle of a line": "the METRIC p95=3",
    "printed twice": "METRIC p95=3\nMETRIC p95=3",
    "no number": "METRIC p95=fast",
    "a number and more": "METRIC p95=3,5",
    infinite: "METRIC p95=Infinity",
    "not a number": "METRIC p95=NaN",
    "too large for a number": "METRIC p95=1e999",
    zero: "METRIC p95=0",
    negative: "METRIC p95=-5",
    hexadecimal: "METRIC p95=0x10",
    empty: "METRIC p95=",
    "another metric": "METRIC p99=3",
    "a digit separator": "METRIC p95=1_000",
    "minus zero": "METRIC p95=-0",
    "two on one line": "METRIC p95=1 p99=2",
    "two whole ones on one line": "METRIC p95=1 METRIC p99=2",
    "a value on the next line": "METRIC p95=\n41.8",
    "a NUL byte in it": "METRIC p95=4\u00001.8",
    "a NUL byte after it": "METRIC p95=41.8\u0000",
    "only an exponent": "METRIC p95=e3",
    "a unit with a digit": "METRIC p95=3x2",
    "no number in colour": "\u001b[31mMETRIC p95=fast\u001b[0m",
  }))
    test(why, () => {
      expect(() => readMetric(text, "p95")).toThrow("measured nothing");
    });
});

describe("JSON on standard output", () => {
  const report = { latency: { p95: 41.8 }, runs: [{ ms: 7 }], "a.b": 3, text: "41.8", list: [1, 2] };
  for (const [path, value] of [
    ["$.latency.p95", 41.8],
    ["$.runs[0].ms", 7],
    ["$.a.b", 3],
    ["$.list.length", 2],
  ] as const)
    test(`a number at ${path}`, async () => {
      for (const text of [
        JSON.stringify(report, null, 2),
        `starting\n{"x":1}\n${JSON.stringify(report)}\r\n\n`,
      ])
        expect(readReading(await printing(text), path)).toEqual({ value, unit: "" });
    });

  test("all of it, or its last line, may be a number or begin with an array", async () => {
    expect(readReading(await printing("42\n"), "$").value).toBe(42);
    expect(readReading(await printing('[{"ms":[4,5]}]'), "$[0].ms[1]").value).toBe(5);
  });

  test("a long report is read as a whole", async () => {
    const long = JSON.stringify({ pad: "x".repeat(100_000), ms: 12, more: "y".repeat(100_000) }, null, 2);
    expect(readReading(await printing(long), "$.ms").value).toBe(12);
  });

  for (const [why, text, found] of [
    ["nothing there", '{"a":1}', "nothing"],
    ["a number in quotes", '{"ms":"41.8"}', '"41.8"'],
    ["null", '{"ms":null}', "null"],
    ["zero", '{"ms":0}', "0"],
    ["negative", '{"ms":-1}', "-1"],
    ["too large for a number", '{"ms":1e999}', "Infinity"],
    ["an object", '{"ms":{}}', "{}"],
    ["no JSON: NaN", '{"ms":NaN}', "NaN"],
    ["no JSON: Infinity", '{"ms":Infinity}', "Infinity"],
    ["no JSON at all", "done in 3 s", "done in 3 s"],
    ["no output", "", "no output"],
    ["a key twice", '{"ms":1,"ms":2}', "twice"],
    ["a key twice, spelled in another way", '{"ms":1,"\\u006ds":2}', "twice"],
  ] as const)
    test(`no measurement: ${why}`, async () => {
      const done = await printing(text);
      expect(refused(() => readReading(done, "$.ms"))).toMatchObject({
        code: "measurement_invalid",
        found: expect.stringContaining(found),
      });
    });

  test("only a key on the way there may not be there twice", async () => {
    const twice = '{"a":{"x":1,"x":2},"b":[{"x":"\\"x\\":3"},{"x":4,"y":{"x":5}}],"a.c":1}';
    const done = await printing(twice);
    expect(readReading(done, "$.b[1].x").value).toBe(4);
    expect(readReading(done, "$.b[1].y.x").value).toBe(5);
    expect(refused(() => readReading(done, "$.a.x"))).toMatchObject({ code: "measurement_invalid" });
    const above = await printing('{"a":{"x":1},"a":{"x":2}}');
    expect(refused(() => readReading(above, "$.a.x"))).toMatchObject({ code: "measurement_invalid" });
  });
});

describe("more output than is kept", () => {
  const flood = (before: string, middle: string, after: string): string =>
    `const w = (t) => require("fs").writeSync(1, t); const mib = "x".repeat(1023).concat("\\n").repeat(1024);
     w(${JSON.stringify(before)}); for (let n = 0; n < 5; n++) w(mib); w(${JSON.stringify(middle)});
     for (let n = 0; n < 5; n++) w(mib); w(${JSON.stringify(after)});`;

  test("a metric at either end is found", async () => {
    const done = await run(flood("METRIC a=1\n", "", "METRIC b=2\n"));
    expect([readReading(done, "a").value, readReading(done, "b").value]).toEqual([1, 2]);
    expect(readReading(await run(flood("", "", '{"ms":3}\n')), "$.ms").value).toBe(3);
  });

  test("one in the middle is said to be out of reach", async () => {
    const done = await run(flood("", "METRIC a=1\n", ""));
    expect(refused(() => readReading(done, "a"))).toMatchObject({
      found: expect.stringMatching(/^none: the output is 11 MiB, .* first or last 8 KiB$/),
    });
    expect(refused(() => readReading(done, "$.ms"))).toMatchObject({
      expected: expect.stringContaining("only the ends are read"),
    });
  });

  test("up to 8 MiB all of it is read, and a line is never read in parts", async () => {
    const done = await printing(`${"x\n".repeat(30_000)}METRIC a=12345\n${"x\n".repeat(30_000)}`);
    expect(readReading(done, "a").value).toBe(12345);
    // The cut after 8 KiB falls into the number.
    const cut = await run(flood(`${"x".repeat(8192 - 13)}\nMETRIC a=12345678\n`, "", ""));
    expect(cut.stdout.head.endsWith("METRIC a=123")).toBe(true);
    expect(refused(() => readReading(cut, "a"))).toMatchObject({ code: "measurement_invalid" });
  });
});

test("time, CPU time and memory are a run's own, whatever it prints", async () => {
  const done = await run('console.log("METRIC wall=1\\nMETRIC cpu=1")', true);
  expect(readReading(done, "wall")).toEqual({ value: done.wallMs, unit: "ms" });
  expect(readReading(done, "cpu")).toEqual({ value: done.usage?.cpuMs ?? -1, unit: "ms" });
  if (process.platform === "linux")
    expect(readReading(done, "memory")).toEqual({ value: done.usage?.peakBytes ?? -1, unit: "bytes" });
  const none = { ...done, usage: { cpuMs: 0, peakBytes: null } };
  for (const metric of ["cpu", "memory"])
    expect(refused(() => readReading(none, metric))).toMatchObject({ code: "measurement_invalid" });
  expect(["wall", "cpu", "memory", "p95", "$.cpu", null].map(needsUsage)).toEqual([
    false,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("units of time, and rates, are told from those of size and number", () => {
  for (const unit of [
    "ms",
    "s",
    "us",
    "µs",
    "ns",
    "min",
    "/s",
    "ops/s",
    "req/s",
    "rps",
    "qps",
    "fps",
    "MB/s",
    "ns/op",
  ])
    expect([unit, isTimeUnit(unit)]).toEqual([unit, true]);
  for (const unit of ["", "bytes", "B", "MiB", "%", "B/op", "allocs", "constructor"])
    expect([unit, isTimeUnit(unit)]).toEqual([unit, false]);
});

test("a value in another unit, where the two go together", () => {
  for (const [value, from, to, result] of [
    [41.8, "ms", "s", 0.0418],
    [1.5, "min", "ms", 90_000],
    [3, "us", "µs", 3],
    [7, "s", "ns", 7e9],
    [2, "MiB", "bytes", 2_097_152],
    [2, "MB", "kB", 2000],
    [1, "GB", "B", 1e9],
    [5, "kreq/s", "req/s", 5000],
    [5_000_000, "ops/s", "Mops/s", 5],
    [4, "MB/s", "KB/s", 4000],
    [6, "us/op", "ns/op", 6000],
    [9, "widgets", "widgets", 9],
    [1, "", "k", 0.001],
    [1, "ms", "MB", null],
    [1, "req/s", "ops/s", null],
    [1, "ms", "", null],
    [1, "B", "B/s", null],
  ] as const) {
    const got = convert(value, from, to);
    if (result === null) expect([from, to, got]).toEqual([from, to, null]);
    else expect(got).toBeCloseTo(result, 9);
  }
});
