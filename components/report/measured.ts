/** A measurement, the way people and models read it. */

import { FEWEST_PAIRS, type Rule } from "../measure/decide.ts";
import { WALL } from "../measure/metric.ts";
import { neededMs, type Verdict } from "../measure/pairs.ts";
import { duration, plural } from "./text.ts";

const WORDS: Readonly<Record<Verdict["word"], string>> = {
  improved: "IMPROVED",
  regressed: "REGRESSED",
  same: "NO CHANGE",
  inconclusive: "INCONCLUSIVE",
};

/** @param again the command that was run, without the program's name and its budget */
export function measuredText(verdict: Verdict, rule: Rule, again: string): string {
  const { base, now, unit, pairs } = verdict;
  const name = verdict.metric === WALL ? "wall time" : verdict.metric;
  const [from, to] = [base, now].map((value) => figure(value, Math.min(base, now)));
  const span =
    verdict.interval === null || verdict.exact
      ? ""
      : `   [${percent(verdict.interval.low, "")}, ${percent(verdict.interval.high, "")}]`;
  const change = percent(
    verdict.exact ? Math.log(now / base) : (verdict.interval?.estimate ?? Math.log(now / base)),
  );
  const how = verdict.exact
    ? `exact, ${plural(pairs, "pair")}`
    : `${plural(pairs, "pair")}${pairs < 2 ? "" : `, noise ${(100 * verdict.noise).toFixed(1)} %`}`;
  return [
    `${name}   ${from} → ${to}${unit === "" ? "" : ` ${unit}`}   ${change}${span}   ${how}, ${duration(verdict.tookMs)}`,
    `${WORDS[verdict.word]}${why(verdict, rule)}`,
    ...next(verdict, again),
  ].join("\n");
}

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
  const digits = Math.abs(value) < 10 ? 1 : Math.abs(value) < 100 ? 1 : 0;
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(text) !== 0 ? "−" : "+"}${text}${sign}`;
}

/** Three significant digits, or whole numbers where they have more. */
function figure(value: number, least: number): string {
  if (Number.isInteger(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(least, 1e-9))));
  return value.toFixed(Math.min(digits, 6));
}
