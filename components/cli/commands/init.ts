/** `init`: what this repository asks of every goal of an agent, also of one without a plan. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../journal/safe-fs.ts";
import { shown } from "../../report/text.ts";
import { proposeGates } from "../../ulw-loop/propose-gates.ts";
import { readConfig } from "../../ulw-loop/workspace.ts";
import type { Context, Output } from "../context.ts";

const NAME = ".proofgate.yaml";

/** Writes the file where there is none; one that is there is the user's, and only read. */
export async function initCommand(context: Context): Promise<Output> {
  const root = context.root();
  const path = join(root, NAME);
  const proposed = proposeGates(root);
  const next = { why: "gates hold in a host with the plugin", command: "proofgate install codex" };
  if (existsSync(path)) {
    const gates = ((await readConfig(root))?.gates ?? []).map((gate) =>
      typeof gate === "string" ? gate : gate.join(" "),
    );
    const missing = proposed.filter((gate) => !gates.includes(gate));
    return {
      text: [
        `${NAME} is there already, with ${gates.length === 0 ? "no gates" : `gates: ${gates.map(shown).join(", ")}`}. Nothing was written.`,
        ...(missing.length === 0 ? [] : [`could be added to gates: ${missing.map(shown).join(", ")}`]),
      ].join("\n"),
      json: { written: false, path: NAME, gates, proposed, next },
    };
  }
  const text = fileText(proposed);
  const dry = context.has("dry-run");
  if (!dry) writeFileAtomic(path, text);
  return {
    text: [
      dry ? `${NAME} would be:` : `${NAME} written:`,
      ...text
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
      ...(proposed.length === 0
        ? ["no test command was found here; name one in gates:"]
        : ["From the next session on, a goal in this repository is complete only when these pass."]),
      `next: ${next.command}`,
    ].join("\n"),
    json: { written: !dry, path: NAME, gates: proposed, proposed, next },
  };
}

function fileText(gates: readonly string[]): string {
  const lines = gates.map((gate) => `  - ${gate}\n`).join("");
  return `# What has to pass before an agent's goal in this repository is complete. A session keeps what it began with.\n${lines === "" ? "gates: []\n" : `gates:\n${lines}`}`;
}
