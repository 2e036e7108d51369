/** Ends what a command left that was killed, and says so: it had no moment for that itself. */

import { endLeftovers } from "../evidence/leftovers.ts";
import { shown } from "../report/text.ts";
import { writeOut } from "./output.ts";

/** @returns what the answer in JSON gets on top; empty where nothing was left */
export async function tidy(): Promise<Readonly<Record<string, unknown>>> {
  const { ended, alive } = await endLeftovers();
  const lines = [
    ...(ended.length > 0 ? [`ended, left by a command that was killed: ${ended.join(", ")}`] : []),
    ...(alive.length > 0
      ? [`left by a command that was killed, and cannot be ended: ${alive.join(", ")}`]
      : []),
  ];
  if (lines.length === 0) return {};
  writeOut(2, `${lines.map(shown).join("\n")}\n`);
  return { leftovers: { ended, alive } };
}
