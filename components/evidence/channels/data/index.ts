/** The data channel: a command that is judged by the data it gives or changes, never by its exit status alone. */
import { describeCommand } from "../../check.ts";
import { simpleCommands } from "../../shell-words.ts";
import type { Check } from "../../types.ts";
import { programName, unwrap } from "../../wrappers.ts";
import type { Runner } from "../index.ts";
import { countOf, dataScenario, KINDS, sourceWords, type Watched } from "./scenario.ts";

export const data: Runner = {
  describes: "a command judged by the data it prints or leaves, or by the difference that it makes",
  fault: (check) => (check.scenario === undefined ? faultOfCommand(check) : faultOfDifference(check)),
  words(check) {
    const [first, ...more] = dataScenario(check).watch;
    const rest = more.length === 0 ? "" : ` and ${more.length} more`;
    return `${first === undefined ? "" : differenceWords(first)}${rest} by ${describeCommand(check)}`;
  },
  files: (check) => Object.values(dataScenario(check).copy),
  instruments: (check) =>
    dataScenario(check).watch.flatMap(({ source }) => (source.kind === "dump" ? [source.run] : [])),
};

const faultOfCommand = ({ expect }: Check): string | null =>
  expect.json === undefined && expect.stdout === undefined && Object.keys(expect.produces ?? {}).length === 0
    ? "channel data needs an expectation on json, produces or stdout"
    : null;

/** Programs that bring data from one place to another and make none. */
const MOVERS = new Set(["cp", "mv", "ln", "install", "rsync", "true", ":", "cd", "mkdir"]);

function faultOfDifference(check: Check): string | null {
  const { watch } = dataScenario(check);
  const { exit, ...more } = check.expect;
  const still = watch.every((one) => KINDS.every((kind) => countOf(one[kind]) === 0));
  if (still && exit === 0 && Object.keys(more).length === 0)
    return "no difference is wanted and nothing is expected of the command, so that a command which does nothing passes: give added, removed or changed, or exit, stdout, stderr";
  const programs = simpleCommands(check.run).map(({ words }) => programName(unwrap(words)));
  return programs.every((name) => MOVERS.has(name))
    ? `\`${describeCommand(check).slice(0, 60)}\` only copies what is there already: run the program whose work it is`
    : null;
}

/** `store.db +3 −1`, or that it stays as it is. */
function differenceWords(watched: Watched): string {
  const signs = { added: "+", removed: "−", changed: "~" };
  const counts = KINDS.flatMap((kind) => {
    const count = countOf(watched[kind]);
    return count === 0 ? [] : [`${signs[kind]}${count}`];
  });
  return `${sourceWords(watched)} ${counts.length === 0 ? "unchanged" : counts.join(" ")}`;
}
