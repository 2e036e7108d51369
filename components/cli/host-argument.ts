/** The host's goal as `--codex-goal-json` tells it. */

import { parseHostGoal } from "../goal-mode/snapshot.ts";
import type { HostSnapshot } from "../ulw-loop/checkpoint.ts";
import type { Context } from "./context.ts";
import { readJsonArgument } from "./input.ts";

/** @returns undefined when the flag is not given. @throws Refusal `json_invalid`, `snapshot_invalid` */
export function hostSnapshot(context: Context): HostSnapshot | undefined {
  const given = context.value("codex-goal-json");
  return given === undefined
    ? undefined
    : { goal: parseHostGoal(readJsonArgument("codex-goal-json", given, context.cwd)) };
}
