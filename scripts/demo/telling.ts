/** How the demo tells its story: numbered steps, commands as typed, the tool's own words behind a margin, and the numbers. */

import { setTimeout as sleep } from "node:timers/promises";
import picocolors from "picocolors";
import type { Ran, Stage } from "./stage.ts";

/** Between steps on a terminal, so that a reader can keep up. */
const PAUSE_MS = 500;
const MARGIN = "  │ ";
const WIDTH = 96;

/** What a step must come to. */
interface Expected {
  readonly exit: number;
  /** Texts that the output has to hold. */
  readonly sees: readonly string[];
  /** Part of an honest agent's way, and so of the numbers. */
  readonly honest?: boolean;
  /** Where to run it; the repository by default. */
  readonly folder?: string;
}

export interface Telling {
  readonly ran: readonly Ran[];
  /** A heading. */
  part(title: string): void;
  /** One sentence about what happens now. */
  step(text: string): Promise<void>;
  /** Lines of a file or a diff. */
  quote(text: string): void;
  /** Runs a command and shows all of it. @throws Error when it does not end as expected */
  run(command: string, expected: Expected): Promise<void>;
}

/**
 * @param say takes each line
 * @param fast no pauses
 */
export function tellOn(stage: Stage, say: (line: string) => void, fast: boolean): Telling {
  const ran: Ran[] = [];
  let number = 0;
  const paint = picocolors.createColors(!fast && process.stdout.isTTY === true && !process.env.NO_COLOR);
  const quote = (text: string): void => {
    for (const line of text.replace(/\n+$/, "").split("\n")) say(`${paint.dim(MARGIN)}${line}`.trimEnd());
  };
  return {
    ran,
    part(title) {
      say("");
      say(paint.bold(title.toUpperCase()));
    },
    async step(text) {
      if (!fast) await sleep(PAUSE_MS);
      number++;
      const [first = "", ...rest] = wrap(text, WIDTH - 4);
      say("");
      say(`${paint.bold(String(number).padStart(2))}  ${first}`);
      for (const line of rest) say(`    ${line}`);
    },
    quote,
    async run(command, { exit, sees, honest = false, folder }) {
      say(`  ${paint.cyan(`$ ${command}`)}`);
      const result = await stage.run(command, folder);
      quote(result.said === "" ? "(no output)" : result.said);
      say(paint.dim(`  └ exit ${result.exit}, ${seconds(result.ms)}`));
      ran.push({
        command,
        exit: result.exit,
        ms: Math.round(result.ms),
        bytes: Buffer.byteLength(result.said),
        honest,
      });
      if (result.exit !== exit)
        throw new Error(`this was to end with exit ${exit}, and did with ${result.exit}: ${command}`);
      const unseen = sees.find((text) => !result.said.includes(text));
      if (unseen !== undefined)
        throw new Error(`this was to say ${JSON.stringify(unseen)}, and did not: ${command}`);
    },
  };
}

/** The honest agent's share of what was run. */
export function honestNumbers(ran: readonly Ran[]): { commands: number; bytes: number } {
  const honest = ran.filter((one) => one.honest);
  return { commands: honest.length, bytes: honest.reduce((sum, one) => sum + one.bytes, 0) };
}

/** A long command as one types it, over several lines. */
export const typed = (...lines: readonly string[]): string => lines.join(" \\\n      ");

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
