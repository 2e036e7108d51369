/** A metric is read once, as a finite number above 0, or not at all. */

import { describe, expect, test } from "bun:test";
import { metricNames, readMetric } from "../../components/measure/metric.ts";

test("a line of its own, with or without a unit", () => {
  expect(readMetric("warming up\nMETRIC p95=41.8ms\ndone\n", "p95")).toEqual({ value: 41.8, unit: "ms" });
  expect(readMetric("METRIC rate = 1.2e4 req/s", "rate")).toEqual({ value: 12_000, unit: "req/s" });
  expect(readMetric("METRIC a=1\nMETRIC b=2", "b")).toEqual({ value: 2, unit: "" });
  expect(metricNames("METRIC a=1\nMETRIC b=2\nMETRIC a=3\nno METRIC c=4")).toEqual(["a", "b"]);
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
  }))
    test(why, () => {
      expect(() => readMetric(text, "p95")).toThrow("measured nothing");
    });
});
