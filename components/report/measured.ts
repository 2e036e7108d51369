/** A measurement, the way people and models read it. */

import { FEWEST_PAIRS, type Rule } from "../measure/decide.ts";
import { WALL } from "../measure/metric.ts";
import { neededMs, type Verdict } from "../measure/pairs.ts";
import { duration, plural, shown } from "./text.ts";

const WORDS: Readonly<Record<Verdict["word"], string>> = {
  improved: "IMPROVED",
  regressed: "REGRESSED",
  same: "NO CHANGE",
  inconclusive: "INCONCLUSIVE",
};

/** What a measurement says of which metric: the two values, the change with its interval, and how it was measured. */
export function changeText(measured: Omit<Verdict, "values" | "slept" | "target">): string {
  const { base, now, unit, pairs, interval } = measured;
  const name = NAMES[measured.metric] ?? measured.metric;
  // Values far apart have digits of their own; close ones have to show what differs.
  const apart = Math.max(base, now) >= 10 * Math.min(base, now);
  const [from, to] = [base, now].map((value) => figure(value, apart ? value : Math.min(base, now)));
  const span =
    interval === null || measured.exact
      ? ""
      : `   [${percent(interval.low, "")}, ${percent(interval.high, "")}]`;
  const change = percent(
    measured.exact ? Math.log(now / base) : (interval?.estimate ?? Math.log(now / base)),
  );
  const how = measured.exact
    ? `exact, ${plural(pairs, "pair")}`
    : `${plural(pairs, "pair")}${pairs < 2 ? "" : `, noise ${(100 * measured.noise).toFixed(1)} %`}`;
  return `${shown(name)}   ${from} → ${to}${unit === "" ? "" : ` ${shown(unit)}`}   ${change}${span}   ${how}, ${duration(measured.tookMs)}`;
}

const NAMES: Readonly<Record<string, string>> = {
  [WALL]: "wall time",
  cpu: "CPU time",
  memory: "peak memory",
};

/** @param again the command that was run, without the program's name and its budget */
export const measuredText = (verdict: Verdict, rule: Rule, again: string): string =>
  [changeText(verdict), `${WORDS[verdict.word]}${why(verdict, rule)}`, ...next(verdict, again)].join("\n");

function why({ word, interval, pairs, exact }: Verdict, rule: Rule): string {
  const least = `${(100 * rule.minEffect).toFixed(rule.minEffect < 0.01 ? 1 : 0)} %`;
  switch (word) {
    case "improved":
    case "regressed":
      return "";
    case "same":
      return exact ? "" : `: whatever differs is less than ${least}`;
    case "inconclusive":
      return interval === null
        ? `: ${plural(pairs, "pair")}, and at least ${FEWEST_PAIRS} are needed`
        : interval.low < 0 && interval.high > 0
          ? ": 0 lies inside the interval"
          : `: it may be less than ${least}`;
  }
}

function next({ word, pairMs, interval, tookMs }: Verdict, again: string): readonly string[] {
  if (word !== "inconclusive") return [];
  const ms = Math.max(neededMs(pairMs), interval === null ? 0 : tookMs * 3);
  const budget = ms < 90_000 ? `${Math.ceil(ms / 10_000) * 10}s` : `${Math.ceil(ms / 60_000)}m`;
  return [
    `next: proofgate ${again.replace("compare ", `compare --budget ${budget} `)}      (or a quieter machine)`,
  ];
}

/** A signed change in percent, from a log ratio, with a true minus. */
function percent(log: number, sign = " %"): string {
  const value = 100 * Math.expm1(log);
  // Close to nothing left, what is left is what counts.
  const digits = value < -99 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(text) !== 0 ? "−" : "+"}${text}${sign}`;
}

/** Three significant digits, or whole numbers where they have more. */
function figure(value: number, least: number): string {
  if (Number.isInteger(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(least, 1e-9))));
  return value.toFixed(Math.min(digits, 6));
}
