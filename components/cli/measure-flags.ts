/** The flags that every measuring command takes, read once. */

import { Refusal } from "../errors.ts";
import { parseTimeout } from "../evidence/check.ts";
import { DEFAULT_RULE } from "../measure/decide.ts";
import type { Context } from "./context.ts";

/** @returns milliseconds; null where nothing was given. @throws Refusal `usage_bad_value` */
export function budgetFrom(context: Context): number | null {
  const given = context.value("budget");
  if (given === undefined) return null;
  try {
    return parseTimeout(given);
  } catch {
    throw badValue("budget", "a time such as 90s or 5m", given, context.invocation.command?.name ?? "");
  }
}

/** @returns the share of change below which nothing is one. @throws Refusal `usage_bad_value` */
export function effectFrom(context: Context): number {
  const given = context.value("min-effect");
  if (given === undefined) return DEFAULT_RULE.minEffect;
  const share = percentFrom(given);
  if (share !== null && share >= 0 && share < 1) return share;
  throw badValue("min-effect", "a percentage such as 1%", given, context.invocation.command?.name ?? "");
}

/** `5%` and `5` as 0.05; null for anything else. */
export function percentFrom(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim());
  return match === null ? null : Number(match[1]) / 100;
}

export const badValue = (flag: string, expected: string, found: string, command: string): Refusal =>
  new Refusal("usage_bad_value", `--${flag} does not take that value.`, {
    expected,
    found: JSON.stringify(found),
    next: [`proofgate help ${command}`],
  });
