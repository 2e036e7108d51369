/** `compare`: is the working tree faster than a commit? No plan, no goal, no agent. */

import { relative } from "node:path";
import { Refusal } from "../../errors.ts";
import { resolveCommit } from "../../evidence/git.ts";
import { compare } from "../../measure/compare.ts";
import { DEFAULT_RULE, type Rule } from "../../measure/decide.ts";
import type { Verdict } from "../../measure/pairs.ts";
import { measuredText } from "../../report/measured.ts";
import { shown } from "../../report/text.ts";
import type { Context, Output } from "../context.ts";
import { badValue, budgetFrom, effectFrom } from "../measure-flags.ts";
import { progressLine } from "./performance-progress.ts";

/** A minute convinces where a run takes up to two seconds. */
const BUDGET_MS = 60_000;

export async function compareCommand(context: Context): Promise<Output> {
  const [ref, ...words] = context.invocation.positionals;
  if (ref === undefined || words.length === 0)
    throw new Refusal("usage_bad_value", "compare needs a commit and a command.", {
      expected: "proofgate compare main -- node bench.js",
      found: ref === undefined ? "neither" : `${JSON.stringify(ref)} and no command`,
      next: ["proofgate help compare"],
    });
  const root = context.root();
  const rule = ruleFrom(context);
  const base = await resolveCommit(root, ref);
  const setup = context.value("setup");
  const verdict = await compare(
    {
      root,
      base,
      // One word is a shell line, as `sh -c` takes it.
      command: words.length === 1 ? (words[0] ?? "") : words,
      cwd: relative(root, context.cwd),
      metric: context.value("metric") ?? null,
      rule,
      budgetMs: budgetFrom(context) ?? BUDGET_MS,
      setup: setup === undefined ? [] : [setup],
      share: (context.value("share") ?? "").split(",").filter((name) => name !== ""),
      env: context.env,
    },
    (progress) => context.progress(progressLine(progress)),
  );
  const { word, interval } = verdict;
  const flags = Object.entries(context.invocation.values).filter(([name]) => name !== "budget");
  const again = [
    "compare",
    ...flags.map(([name, value]) => `--${name} ${quoted(value)}`),
    ref,
    "--",
    ...words.map(quoted),
  ];
  const change = (log: number): number => Number((100 * Math.expm1(log)).toFixed(2));
  return {
    text: measuredText(verdict, rule, shown(again.join(" "))),
    json: {
      verdict: word,
      metric: verdict.metric,
      unit: verdict.unit,
      base: { ref, commit: base, median: verdict.base },
      now: { median: verdict.now },
      change:
        interval === null
          ? null
          : { percent: change(interval.estimate), low: change(interval.low), high: change(interval.high) },
      exact: verdict.exact,
      pairs: verdict.pairs,
      noise: verdict.noise,
      tookMs: Math.round(verdict.tookMs),
      rule,
      values: verdict.values,
      ...failure(word),
    },
    exit: word === "improved" || word === "same" ? 0 : 1,
  };
}

function failure(word: Verdict["word"]): object {
  switch (word) {
    case "improved":
    case "same":
      return {};
    case "regressed":
      return {
        error: {
          code: "check_failed",
          message: "The working tree is slower.",
          nextActions: ["mend it, then run the same command again"],
        },
      };
    case "inconclusive":
      return {
        error: {
          code: "check_inconclusive",
          message: "The pairs do not decide it.",
          nextActions: ["the same command with a larger --budget, or on a quieter machine"],
        },
      };
  }
}

function ruleFrom(context: Context): Rule {
  const better = context.value("better") ?? DEFAULT_RULE.better;
  if (better !== "lower" && better !== "higher")
    throw badValue("better", "lower or higher", better, "compare");
  return { ...DEFAULT_RULE, better, minEffect: effectFrom(context) };
}

/** As a shell would take it back. */
const quoted = (word: string): string =>
  /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
