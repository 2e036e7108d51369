/** From argument list to command and flags. Anything unknown is an error that says what was meant. */

import { Refusal } from "../errors.ts";
import { closest } from "../ulw-loop/suggest.ts";
import { COMMANDS, type CommandSpec, GLOBAL_FLAGS, SHORTCUTS, WORKFLOWS } from "./spec.ts";

export interface Invocation {
  readonly command: CommandSpec | null;
  /** Words that were typed in place of a command, for `help`. */
  readonly topic: string;
  readonly values: Readonly<Record<string, string>>;
  /** Values of flags that may be given several times. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly switches: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/** @throws Refusal `usage_unknown_command`, `usage_unknown_flag`, `usage_missing_value`, `usage_conflict` */
export function parseInvocation(argv: readonly string[]): Invocation {
  const { command, rest, topic } = findCommand(argv);
  if (command === null)
    return {
      command,
      topic,
      values: {},
      lists: {},
      switches: new Set(rest.includes("--json") ? ["json"] : []),
      positionals: [],
    };
  const flags = { ...GLOBAL_FLAGS, ...command.flags };
  const values: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  const switches = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokensOf(bound(command, rest, flags))) {
    if (token.kind === "positional") {
      positionals.push(token.value);
      continue;
    }
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    if (flag === undefined) throw unknownFlag(command, token.rawName, Object.keys(flags));
    if (flag.value === undefined) {
      if (token.value !== undefined)
        throw new Refusal("usage_bad_value", `--${token.name} takes no value.`, {
          expected: `--${token.name}`,
          found: `--${token.name}=${token.value}`,
          next: [helpFor(command)],
        });
      switches.add(token.name);
      continue;
    }
    if (token.value === undefined) throw missingValue(command, token.name, flag.value, undefined);
    if (flag.many === true) {
      lists[token.name] = [...(lists[token.name] ?? []), token.value];
      continue;
    }
    if (Object.hasOwn(values, token.name))
      throw new Refusal("usage_conflict", `--${token.name} is given twice.`, {
        expected: "once",
        found: `${JSON.stringify(values[token.name])} and ${JSON.stringify(token.value)}`,
        next: ["give it once"],
      });
    values[token.name] = token.value;
  }
  if (positionals.length > 0 && command.takes === undefined)
    throw new Refusal("usage_bad_value", `${command.name} takes no words besides its flags.`, {
      expected: "flags only",
      found: JSON.stringify(positionals.join(" ").slice(0, 80)),
      next: [helpFor(command)],
    });
  return { command, topic, values, lists, switches, positionals };
}

/**
 * Ties a flag to the word behind it, so that a text may begin with a dash (`--evidence "- did x"`). A word that is itself
 * one of the command's flags is never taken for a value; the parser would take it.
 */
function bound(
  command: CommandSpec,
  args: readonly string[],
  flags: Readonly<Record<string, { value?: string }>>,
): string[] {
  const out: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") return [...out, ...args.slice(i)];
    const name = word.startsWith("--") ? word.slice(2) : "";
    const wanted = Object.hasOwn(flags, name) ? flags[name]?.value : undefined;
    if (wanted === undefined) {
      out.push(word);
      continue;
    }
    const following = args[i + 1];
    const isFlag =
      following?.startsWith("--") === true && Object.hasOwn(flags, following.slice(2).split("=", 1)[0] ?? "");
    if (following === undefined || isFlag) throw missingValue(command, name, wanted, following);
    out.push(`${word}=${following}`);
    i++;
  }
  return out;
}

type Token =
  | { readonly kind: "positional"; readonly value: string }
  /** `rawName` as typed, without the value. */
  | { readonly kind: "option"; readonly name: string; readonly rawName: string; readonly value?: string };

/** `--name`, `--name=value`, words, and words only behind `--`. (`node:util` would do it, and costs a cold start.) */
function* tokensOf(words: readonly string[]): Generator<Token> {
  for (const [index, word] of words.entries()) {
    if (word === "--") {
      for (const value of words.slice(index + 1)) yield { kind: "positional", value };
      return;
    }
    // One dash alone is a word: it means standard input.
    if (!word.startsWith("-") || word === "-") yield { kind: "positional", value: word };
    else if (!word.startsWith("--")) yield { kind: "option", name: word.slice(1), rawName: word };
    else {
      const cut = word.indexOf("=");
      const rawName = cut < 0 ? word : word.slice(0, cut);
      yield {
        kind: "option",
        name: rawName.slice(2),
        rawName,
        ...(cut < 0 ? {} : { value: word.slice(cut + 1) }),
      };
    }
  }
}

function missingValue(
  command: CommandSpec,
  name: string,
  wanted: string,
  following: string | undefined,
): Refusal {
  return new Refusal("usage_missing_value", `--${name} needs a value.`, {
    expected: `--${name} ${wanted}`,
    found: following === undefined ? "nothing behind it" : `the flag ${following} behind it`,
    next: [helpFor(command)],
  });
}

function findCommand(argv: readonly string[]): {
  command: CommandSpec | null;
  rest: readonly string[];
  topic: string;
} {
  const [first = "", second = ""] = argv;
  if (first === "" || first === "help" || first === "--help" || first === "-h")
    return {
      command: null,
      rest: argv.slice(1),
      topic: argv
        .slice(1)
        .filter((w) => !w.startsWith("-"))
        .join(" "),
    };
  if (WORKFLOWS.includes(first)) {
    if (second === "" || second === "help" || second.startsWith("-"))
      return {
        command: null,
        rest: argv.slice(1),
        topic: `${first} ${argv
          .slice(2)
          .filter((w) => !w.startsWith("-"))
          .join(" ")}`.trim(),
      };
    const command = COMMANDS.find((c) => c.name === `${first} ${second}`);
    if (command !== undefined) return { command, rest: argv.slice(2), topic: command.name };
    throw unknownCommand(`${first} ${second}`);
  }
  const name = SHORTCUTS.includes(first) ? `ulw-loop ${first}` : first;
  const command = COMMANDS.find((c) => c.name === name);
  if (command !== undefined) return { command, rest: argv.slice(1), topic: command.name };
  throw unknownCommand(first);
}

function unknownCommand(found: string): Refusal {
  const names = [...COMMANDS.map((c) => c.name), ...SHORTCUTS];
  const near = closest(found, names);
  return new Refusal("usage_unknown_command", `There is no command ${JSON.stringify(found.slice(0, 60))}.`, {
    expected: near === null ? "a command that proofgate help lists" : near,
    found: JSON.stringify(found.slice(0, 60)),
    next: [near === null ? "proofgate help" : `proofgate ${near}`, "proofgate help"],
  });
}

function unknownFlag(command: CommandSpec, raw: string, known: readonly string[]): Refusal {
  const near = closest(raw.replace(/^-+/, ""), known);
  return new Refusal("usage_unknown_flag", `${command.name} has no flag ${raw}.`, {
    expected: near === null ? `one of ${known.map((k) => `--${k}`).join(" ")}` : `--${near}`,
    found: raw,
    next: [helpFor(command)],
  });
}

const helpFor = (command: CommandSpec): string => `proofgate help ${command.name}`;
