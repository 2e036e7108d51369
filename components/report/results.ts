/** Results of runs, the way people and models read them. */

import { beforeWords, passWord } from "../ulw-loop/assess.ts";
import type { CiReport } from "../ulw-loop/ci.ts";
import { failureWords, type RunOutcome } from "../ulw-loop/events.ts";
import type { Proved } from "../ulw-loop/prove.ts";
import { cut, duration, pad, shown, tellingLines } from "./text.ts";

/**
 * One criterion's run: a line, and for a failure what it printed.
 * @param tried the base was not asked, so a pass says nothing of what was before
 */
export function provedLines(result: Proved, statePath: string, tried = false): readonly string[] {
  const ref = `${result.goal}-${result.criterion}`;
  const { outcome, receipt } = result;
  const time = receipt === null ? "" : duration(receipt.durationMs);
  const lines = [
    tried && outcome.kind === "pass"
      ? `${ref}  passes here    not proven yet: the base was not asked`
      : `${ref}  ${pad(outcomeWord(outcome), 12)}  ${cut(shown(outcomeWhy(outcome)), 100)}    ${time}`.trimEnd(),
  ];
  const ended = receipt?.ended ?? [];
  if (outcome.kind !== "pass") {
    lines.push(...tellingLines(result.output, 6).map((line) => `  ${line}`));
    if (receipt !== null) lines.push(`  full: ${statePath}/${receipt.artifact.path}`);
  }
  if (ended.length > 0)
    lines.push(
      `  ended: ${ended
        .slice(0, 3)
        .map((e) => cut(shown(e), 60))
        .join("; ")}${ended.length > 3 ? ` and ${ended.length - 3} more` : ""}`,
    );
  return lines;
}

function outcomeWord(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case "pass":
      return passWord(outcome.before) === "hollow" ? "HOLLOW" : passWord(outcome.before);
    case "fail":
      return "FAILING";
    case "flaky":
      return "FLAKY";
    case "moved":
      return "TREE MOVED";
    case "not_run":
      return "NOT RUN";
    case "inconclusive":
      return "INCONCLUSIVE";
    case "blocked":
      return "BLOCKED";
  }
}

function outcomeWhy(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case "pass":
      return outcome.before.outcome === "red" ? `before: ${outcome.before.saw}` : beforeWords(outcome.before);
    case "fail":
      return failureWords(outcome.expectation, outcome.wanted, outcome.got);
    case "moved":
      return `${outcome.paths.slice(0, 3).join(", ") || "files"} changed while it ran; if the check writes them, ignore them in Git or name them in produces:`;
    default:
      return outcome.what;
  }
}

export function ciText(report: CiReport): string {
  const lines = report.results.map(
    (r) =>
      `${r.ref}  ${pad(r.status !== "proven" && r.status !== "pinned" && r.status !== "skipped" ? r.status.toUpperCase().replace("_", " ") : r.status, 8)}  ${cut(shown(r.scenario), 50)}    ${cut(shown(r.why), 90)}`,
  );
  const wrong = report.problems.filter((p) => !report.results.some((r) => r.ref === p.where));
  lines.push(...wrong.map((p) => `${p.where}  ${shown(p.message)}`));
  const proven = report.results.filter((r) => r.status === "proven").length;
  const pinned = report.results.filter((r) => r.status === "pinned").length;
  const hollow = report.results.filter((r) => r.status === "hollow").length;
  lines.push(
    `${report.valid ? "ok" : "NOT PROVEN"}: ${proven} failed on base and pass here · ${pinned} pinned${hollow > 0 ? ` · ${hollow} hollow` : ""} · ${report.results.length - proven - pinned - hollow} not proven`,
  );
  return lines.join("\n");
}
