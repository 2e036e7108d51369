/** The computer channel: a desktop program on a screen of its own, its windows, and a picture of the screen. */
import { describeCommand } from "../../check.ts";
import type { Runner } from "../index.ts";
import { type ComputerStep, computerScenario } from "./scenario.ts";

export const computer: Runner = {
  describes: "a desktop program used with keys and clicks: window titles, text, a picture",
  fault: (check) =>
    computerScenario(check).steps.some(expects)
      ? null
      : "nothing is expected to be seen: give window, text, prints or gone",
  words(check) {
    const { steps } = computerScenario(check);
    const shown = steps.flatMap(({ window, text, prints, gone }) =>
      [window, text, prints, gone === null ? null : `no ${gone}`].filter((one) => one !== null),
    );
    return `${shown.at(-1) ?? ""} of ${describeCommand(check)} after ${steps.length} step${steps.length === 1 ? "" : "s"}`;
  },
};

const expects = ({ window, text, prints, gone }: ComputerStep): boolean =>
  [window, text, prints, gone].some((one) => one !== null);
