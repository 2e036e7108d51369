/** Which calls a hook is for, by the host's rules for matchers. */

import type { ListedHook } from "./trust.ts";

const GOAL_TOOLS = ["create_goal", "update_goal", "get_goal"];

/** Whether a hook has a say about goals or about stopping. */
export function concernsGoals({ event, matcher }: Pick<ListedHook, "event" | "matcher">): boolean {
  if (event === "stop") return true;
  if (event !== "preToolUse" && event !== "postToolUse") return false;
  if (matcher === null || matcher === "" || matcher === "*") return true;
  // The host's rule: plain words are whole names, everything else is a regular expression.
  if (/^[A-Za-z0-9_|]+$/.test(matcher)) return matcher.split("|").some((name) => GOAL_TOOLS.includes(name));
  try {
    const pattern = new RegExp(matcher);
    return GOAL_TOOLS.some((name) => pattern.test(name));
  } catch {
    return false; // The host drops such a hook, and warns itself.
  }
}
