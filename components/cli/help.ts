/** Help, from the table of commands. */

import { Refusal } from "../errors.ts";
import { pad } from "../report/text.ts";
import { closest } from "../ulw-loop/suggest.ts";
import type { Output } from "./context.ts";
import { COMMANDS, type CommandSpec, GLOBAL_FLAGS, SHORTCUTS, WORKFLOWS } from "./spec.ts";

/** @param topic a command's name, a workflow's, or nothing. @throws Refusal `usage_unknown_command` */
export function helpText(topic: string): Output {
  const command = COMMANDS.find((c) => c.name === topic || c.name === `ulw-loop ${topic}`);
  if (command !== undefined)
    return { text: commandHelp(command), json: { command: command.name, flags: Object.keys(command.flags) } };
  const workflow = WORKFLOWS.find((name) => name === topic);
  if (topic !== "" && workflow === undefined) {
    const near = closest(
      topic,
      COMMANDS.map((c) => c.name),
    );
    throw new Refusal("usage_unknown_command", `There is no command ${JSON.stringify(topic.slice(0, 60))}.`, {
      expected: near ?? "a command that proofgate help lists",
      found: JSON.stringify(topic.slice(0, 60)),
      next: [near === null ? "proofgate help" : `proofgate help ${near}`],
    });
  }
  const listed = COMMANDS.filter((c) => workflow === undefined || c.name.startsWith(`${workflow} `));
  const column = Math.max(...listed.map((c) => c.name.length)) + 2;
  const text = [
    "proofgate: a goal is done when its checks, which failed before the work, pass on the code as it is now.",
    "",
    ...listed.map((c) => `  ${pad(c.name, column)}${c.summary}`),
    "",
    `without "ulw-loop": ${SHORTCUTS.join(", ")}`,
    "flags of a command: proofgate help COMMAND · everywhere: --json, --session-id NAME",
    "exit: 0 done, 1 refused, 2 wrong usage, 3 state damaged (docs/errors.md)",
  ].join("\n");
  return { text, json: { commands: listed.map((c) => ({ name: c.name, summary: c.summary })) } };
}

function commandHelp(command: CommandSpec): string {
  const flags = Object.entries({ ...command.flags, ...GLOBAL_FLAGS }).map(
    ([name, flag]) => [`--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`, flag.help] as const,
  );
  const column = Math.max(...flags.map(([name]) => name.length)) + 2;
  return [
    `proofgate ${command.name}${command.takes === undefined ? "" : ` ${command.takes}`}: ${command.summary}`,
    ...flags.map(([name, help]) => `  ${pad(name, column)}${help}`),
  ].join("\n");
}
