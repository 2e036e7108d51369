/** A check given as flags, for `goal` and `steer`. The same words, defaults and refusals as in a plan file. */

import { Refusal } from "../errors.ts";
import { CHANNELS, type Channel } from "../evidence/channels/names.ts";
import { assertPattern, makeCheck, parseTimeout } from "../evidence/check.ts";
import type { Check } from "../evidence/types.ts";
import { vacuous } from "../evidence/vacuity.ts";
import type { Context } from "./context.ts";

/** @throws Refusal `usage_bad_value` */
export function channelFromFlags(context: Context): Channel | undefined {
  const given = context.value("channel");
  if (given === undefined) return undefined;
  const channel = CHANNELS.find((c) => c === given);
  if (channel !== undefined) return channel;
  throw new Refusal("usage_bad_value", "--channel names no channel.", {
    expected: CHANNELS.join(", "),
    found: JSON.stringify(given),
    next: ["leave it out for cli"],
  });
}

/** @returns undefined when no check is given. @throws Refusal `usage_bad_value`, `check_vacuous` */
export async function checkFromFlags(context: Context): Promise<Check | undefined> {
  const channel = channelFromFlags(context) ?? "cli";
  const run = context.value("check");
  const { scenarioFlags, scenarioFromFlags } = await import("./scenario-flags.ts");
  if (channel !== "cli" && (channel !== "data" || run?.trimStart().startsWith("{")))
    return scenarioFromFlags(context, channel);
  const [other] = scenarioFlags(context);
  if (other !== undefined)
    throw new Refusal("usage_conflict", `--${other} belongs to another channel.`, {
      expected: `--channel http beside it, or --check COMMAND for channel ${channel}`,
      found: `channel ${channel}`,
      next: ["proofgate ulw-loop help steer"],
    });
  const dependent = ["expect-exit", "expect-stdout", "expect-stderr", "timeout", "files", "covers"].find(
    (flag) => context.value(flag) !== undefined,
  );
  if (run === undefined) {
    if (dependent === undefined) return undefined;
    throw new Refusal("usage_missing_flag", `--${dependent} belongs to a check.`, {
      expected: "--check COMMAND beside it",
      found: "no --check",
      next: ["say the whole check again: command and expectations"],
    });
  }
  const stdout = pattern(context, "expect-stdout");
  const stderr = pattern(context, "expect-stderr");
  const timeout = context.value("timeout");
  const check = makeCheck({
    channel: channel === "data" ? "data" : "cli",
    run,
    expect: {
      exit: exitCode(context.value("expect-exit")),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
    },
    files: globs(context.value("files")),
    covers: globs(context.value("covers")),
    ...(timeout === undefined ? {} : { timeoutMs: parseTimeout(timeout) }),
  });
  const reason = vacuous(check);
  if (reason === null) return check;
  throw new Refusal("check_vacuous", "This check cannot fail, so it proves nothing.", {
    expected: "a command that fails while the work is not done",
    found: `${JSON.stringify(run.slice(0, 120))}: ${reason}`,
    next: ["name a test, or a command whose exit status or output tells the difference"],
  });
}

function pattern(context: Context, flag: string): string | undefined {
  const value = context.value(flag);
  if (value !== undefined) assertPattern(value, `--${flag}`);
  return value;
}

function exitCode(value: string | undefined): number {
  if (value === undefined) return 0;
  if (/^\d{1,3}$/.test(value) && Number(value) <= 255) return Number(value);
  throw new Refusal("usage_bad_value", "--expect-exit takes an exit code.", {
    expected: "0 to 255",
    found: JSON.stringify(value),
    next: ["leave it out for 0"],
  });
}

/** Comma-separated; null when nothing is given. */
export const globs = (value: string | undefined): readonly string[] | null =>
  value === undefined
    ? null
    : value
        .split(",")
        .map((glob) => glob.trim())
        .filter((glob) => glob !== "");
