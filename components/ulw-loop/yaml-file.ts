/** Reads YAML that people write: strict, bounded, with the line of everything that is wrong. */

import { isNode, LineCounter, parseDocument } from "yaml";
import type { Problem } from "../errors.ts";
import { MAX_TEXT_BYTES } from "../words/plain-text.ts";

export interface YamlFile {
  /** Plain values; null when the text has no value or has problems. */
  readonly value: unknown;
  /** ` (line 12)` for a place like `goals[0].criteria[1].check`, or the nearest place around it that exists. */
  lineOf(where: string): string;
}

/** Parses one YAML document and appends what is wrong with it to `problems`. Never throws. */
export function readYaml(text: string, problems: Problem[]): YamlFile {
  const problem = (message: string, where = ""): void => {
    problems.push({ where, code: "plan_invalid", message });
  };
  const nothing: YamlFile = { value: null, lineOf: () => "" };
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    problem("the file is over 1 MiB");
    return nothing;
  }
  if (text.includes("\0")) {
    problem("the file has NUL characters");
    return nothing;
  }
  try {
    const lines = new LineCounter();
    // Not `silent`: that would also silence the error about a second document.
    const document = parseDocument(text, {
      lineCounter: lines,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: "error",
    });
    // Warnings are unknown tags and the like: not what this file is for, so they count.
    for (const error of [...document.errors, ...document.warnings])
      problem(`${error.message.split("\n", 1)[0] ?? "not YAML"} (line ${lines.linePos(error.pos[0]).line})`);
    if (document.errors.length + document.warnings.length > 0) return nothing;
    // An alias may stand for a few lines that repeat; more than this is an attack on memory.
    const value: unknown = document.toJS({ maxAliasCount: 50 });
    const lineOf = (where: string): string => {
      const path = pathOf(where);
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return ` (line ${lines.linePos(node.range[0]).line})`;
      }
      return "";
    };
    return { value, lineOf };
  } catch (error) {
    problem(error instanceof Error ? error.message : "not YAML");
    return nothing;
  }
}

const pathOf = (where: string): (string | number)[] =>
  [...where.matchAll(/\[(\d+)\]|([^.[\]]+)/gu)].map((part) =>
    part[1] === undefined ? (part[2] ?? "") : Number(part[1]),
  );
