/** The rule that turns pairs into a word: exact at small numbers, quiet where nothing differs, blind to outliers. */

import { describe, expect, test } from "bun:test";
import {
  DEFAULT_RULE,
  decide,
  FEWEST_PAIRS,
  isLook,
  MOST_PAIRS,
  noise,
} from "../../components/measure/decide.ts";
import { medianInterval } from "../../components/measure/interval.ts";

const alike = (value: number, count: number): number[] => Array.from({ length: count }, () => value);
/** Values around a middle, without chance: every second one above. */
const around = (middle: number, spread: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => middle + (at % 2 === 0 ? 1 : -1) * spread * (1 + (at % 5)) * 0.2);

describe("the interval", () => {
  test("is that of the sign test: of 10 values at 5 %, the second from either end", () => {
    const values = [9, 3, 1, 7, 5, 2, 10, 4, 8, 6];
    expect(medianInterval(values, 0.05)).toEqual({ estimate: 5.5, low: 2, high: 9 });
    // P(at most 1 head of 10) = 11/1024 on either side.
    expect(medianInterval(values, 2 * (11 / 1024))).toMatchObject({ low: 2, high: 9 });
    expect(medianInterval(values, 2 * (11 / 1024) - 1e-9)).toMatchObject({ low: 1, high: 10 });
  });

  test("does not exist for too few values", () => {
    expect(medianInterval([], 0.01)).toBeNull();
    expect(medianInterval(alike(1, 7), 0.01)).toBeNull(); // 2 · (1/2)^7 is more than 1 %.
    expect(medianInterval(alike(1, 8), 0.01)).toEqual({ estimate: 1, low: 1, high: 1 });
  });

  test("is not moved by a gross outlier, however gross", () => {
    const values = around(-0.05, 0.02, 30);
    const spoilt = [...values.slice(0, 28), 50, -50];
    expect(medianInterval(spoilt, 0.001)?.high).toBeLessThan(0);
  });
});

describe("the rule", () => {
  test("says nothing before its first look, and between looks", () => {
    expect(decide(alike(-0.1, FEWEST_PAIRS - 1), DEFAULT_RULE).word).toBeNull();
    expect(decide(alike(-0.1, FEWEST_PAIRS), DEFAULT_RULE).word).toBe("improved");
    expect(isLook(FEWEST_PAIRS + 1)).toBe(false);
    expect(decide(alike(-0.1, FEWEST_PAIRS + 1), DEFAULT_RULE).word).toBeNull();
  });

  test("knows which direction is better", () => {
    const down = alike(Math.log(0.9), FEWEST_PAIRS);
    expect(decide(down, { ...DEFAULT_RULE, better: "higher" }).word).toBe("regressed");
    expect(decide(alike(Math.log(1.1), FEWEST_PAIRS), { ...DEFAULT_RULE, better: "higher" }).word).toBe(
      "improved",
    );
  });

  test("calls less than the least effect no change, however certain", () => {
    expect(decide(alike(-0.005, FEWEST_PAIRS), DEFAULT_RULE).word).toBe("same");
    expect(decide(alike(-0.005, FEWEST_PAIRS), { ...DEFAULT_RULE, minEffect: 0.001 }).word).toBe("improved");
  });

  test("does not decide where the interval still holds both", () => {
    expect(decide(around(-0.03, 0.2, 24), DEFAULT_RULE).word).toBeNull();
    expect(decide(around(0, 0.2, MOST_PAIRS), DEFAULT_RULE).word).toBeNull();
  });

  test("twice the noise in the mean of three runs is no change", () => {
    expect(decide([-0.06, -0.05, -0.07], DEFAULT_RULE)).toEqual({ word: null, interval: null });
  });
});

test("noise is that of one run, by the spread of pairs", () => {
  expect(noise([0.1])).toBe(0);
  expect(noise(around(0.5, 0.1, 40))).toBeCloseTo((1.4826 * 0.06) / Math.SQRT2, 2);
});
