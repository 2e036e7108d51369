/** Says an answer or a refusal, once and whole: every byte is handed to the pipe before the process ends. */

import { fromSystem, Refusal } from "../errors.ts";
import { cut, shown } from "../report/text.ts";
import type { Output } from "./context.ts";
import { writeOut } from "./output.ts";

/** A refusal's text stays within this many characters, because models read it at every turn (voice). */
const REFUSAL_CHARS = 600;

export function say(output: Output, json: boolean): void {
  const whole = writeOut(
    1,
    json
      ? `${JSON.stringify({ ok: (output.exit ?? 0) === 0, ...output.json })}\n`
      : output.text === ""
        ? ""
        : `${output.text}\n`,
  );
  process.exitCode = whole ? (output.exit ?? 0) : 1;
}

/** Text goes to standard error, JSON to standard output where scripts read it. */
export function sayRefusal(error: unknown, json: boolean): void {
  const refusal = asRefusal(error);
  if (json) {
    const { code, message, expected, found, nextActions, problems } = refusal;
    writeOut(
      1,
      `${JSON.stringify({ ok: false, error: { code, message, expected, found, nextActions, ...(problems.length > 0 ? { problems } : {}) } })}\n`,
    );
  } else writeOut(2, `${refusalText(refusal)}\n`);
  process.exitCode = refusal.exit;
}

/** Every defect, what was expected and found, one command first. */
function refusalText(refusal: Refusal): string {
  const head = shown(refusal.message);
  const next = refusal.nextActions.map(
    (action, index) => `${index === 0 ? "next: " : "      "}${shown(action)}`,
  );
  if (refusal.problems.length === 0) {
    const detail = [
      ...(refusal.expected === undefined ? [] : [`  expected: ${cut(shown(refusal.expected), 300)}`]),
      ...(refusal.found === undefined
        ? []
        : refusal.found
            .split("\n")
            .map((line, i) => `${i === 0 ? "  found:    " : "            "}${cut(shown(line), 300)}`)),
    ];
    return [`${head}  [${refusal.code}]`, ...detail, ...next].join("\n");
  }
  const room = REFUSAL_CHARS - head.length - next.join("\n").length - refusal.code.length - 30;
  return [`${head}  [${refusal.code}]`, ...problemLines(refusal, room), ...next].join("\n");
}

/** As many defects in full as fit; the others by name, so that none is silent. */
function problemLines(refusal: Refusal, room: number): readonly string[] {
  const all = refusal.problems.map((p) => `- ${p.where} ${shown(p.message)}`);
  if (all.join("\n").length <= room) return all;
  const share = Math.max(40, Math.floor(room / all.length) - 1);
  const short = all.map((line) => cut(line, share));
  if (short.join("\n").length <= room) return short;
  const full: string[] = [];
  let used = 0;
  for (const line of short) {
    if (used + line.length > room * 0.6) break;
    full.push(line);
    used += line.length + 1;
  }
  const rest = refusal.problems.slice(full.length);
  return [
    ...full,
    cut(`- and ${rest.length} more: ${rest.map((p) => p.where).join(" ")}`, Math.max(60, room - used)),
    "  all of them: --json",
  ];
}

function asRefusal(error: unknown): Refusal {
  const known = fromSystem(error, "this command");
  if (known instanceof Refusal) return known;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Refusal("internal", "Proofgate failed here; this is a defect of Proofgate, not of your work.", {
    found: detail.split("\n").slice(0, 4).join("\n"),
    next: ["run the same command again", "report it with the lines above"],
  });
}
