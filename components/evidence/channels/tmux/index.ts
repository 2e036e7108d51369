/** The tmux channel: a program in a terminal, driven with keys; its screen is looked at, its pane kept whole. */
import { describeCommand, patternTest } from "../../check.ts";
import { simpleCommands } from "../../shell-words.ts";
import type { Check, TextPattern } from "../../types.ts";
import type { Runner } from "../index.ts";
import { typedLines } from "./echo.ts";
import { type TmuxStep, tmuxScenario } from "./scenario.ts";

/** Screens that have nothing in common: what is on each of them is on every one. */
const ANY = ["$ ", "1 item", "\u00e9~"];

export const tmux: Runner = {
  describes: "a program in a terminal: keys, and what its screen shows",
  fault(check) {
    const { steps } = tmuxScenario(check);
    const seen = steps.flatMap(({ see }) => see);
    if (seen.length === 0) return "nothing is expected on the screen: give see";
    const empty = seen.find(onAnyScreen);
    if (empty !== undefined) return `see ${empty} is met by every screen`;
    const first = steps.find((step) => step.see.length > 0 || types(step));
    if (first !== undefined && types(first))
      return "keys before the program is there are lost, or echoed by the terminal: let the first step see what shows that it is ready";
    return steps.some((step, index) =>
      step.see.some((pattern) => !given(check, steps.slice(0, index + 1), pattern)),
    )
      ? null
      : "all that is looked for stands in the start line or is typed: see something that only the program can add";
  },
  words(check) {
    const [first, ...more] = tmuxScenario(check).steps.flatMap(({ see }) => see);
    const rest = more.length === 0 ? "" : ` and ${more.length} more`;
    return `${first}${rest} on the screen of ${describeCommand(check)}`;
  },
};

const types = ({ type, keys }: TmuxStep): boolean => type !== null || keys.length > 0;

const onAnyScreen = (pattern: TextPattern): boolean => {
  const test = patternTest(pattern);
  return test("") || ANY.every(test);
};

/** Whether what the scenario itself gives has a pattern: its start line, and the lines that are typed up to a look. */
function given(check: Check, steps: readonly TmuxStep[], pattern: TextPattern): boolean {
  const test = patternTest(pattern);
  const line = typeof check.run === "string" ? check.run : check.run.join(" ");
  const words = simpleCommands(check.run).map((command) => command.words.join(" "));
  let open = "";
  const typed = steps.flatMap((step) => {
    const lines = typedLines(step, open);
    open = lines.at(-1)?.text ?? "";
    return lines.map(({ text }) => text);
  });
  return [line, ...words, ...typed, typed.join("\n")].some(test);
}
