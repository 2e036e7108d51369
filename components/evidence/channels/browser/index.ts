/** The browser channel: a real page in the installed Chrome or Chromium, driven as a person would. */
import { describeCommand } from "../../check.ts";
import type { Runner } from "../index.ts";
import { actWords, browserScenario } from "./scenario.ts";

export const browser: Runner = {
  describes: "a page in the installed Chrome or Chromium: what a person sees, URL, console, accessibility",
  fault(check) {
    const { steps, wantsClean } = browserScenario(check);
    return wantsClean ||
      steps.some(({ act, expect }) => act.kind === "script" || Object.keys(expect).length > 0)
      ? null
      : "nothing is expected of the page: give see, not, url, title, status, value, says, a11y or console: clean";
  },
  words(check) {
    const { steps, serve } = browserScenario(check);
    const [first, ...more] = steps;
    const rest = more.length === 0 ? "" : ` and ${more.length} more`;
    return `${first === undefined ? "" : actWords(first.act)}${rest} in a browser, ${serve === null ? describeCommand(check) : `files of ${serve}`}`;
  },
  files: (check) =>
    browserScenario(check).steps.flatMap(({ act }) =>
      act.kind === "script" || act.kind === "upload" ? [act.file] : [],
    ),
};
