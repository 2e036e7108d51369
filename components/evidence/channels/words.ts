/** A check in one line, for boards, reports and refusals. */
import { describeCommand } from "../check.ts";
import type { Check } from "../types.ts";
import { RUNNERS } from "./index.ts";

/** The command as a person would type it, or what the channel's scenario does. */
export function describeCheck(check: Check): string {
  const words = check.scenario === undefined ? undefined : RUNNERS[check.channel].words?.(check);
  return words ?? describeCommand(check);
}
