/**
 * The program that drives a channel: `driver JOB.json`. It runs as a check's command does, with the run's mark, in its
 * temporary folder, inside the host's sandbox where there is one; the tool ends whatever it leaves behind. What it prints is
 * the log of what it did and saw.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../types.ts";
import type { Drive } from "./drive.ts";
import { EXIT, type Job, REPORT, type Report } from "./job.ts";
import { Stage, Stop } from "./stage.ts";

/** Each is loaded when it is needed: one of them is a browser's remote control. */
const DRIVES: Readonly<Record<string, () => Promise<Drive>>> = {
  computer: async () => (await import("./computer/drive.ts")).driveComputer,
  data: async () => (await import("./data/drive.ts")).driveData,
  http: async () => (await import("./http/drive.ts")).driveHttp,
  tmux: async () => (await import("./tmux/drive.ts")).driveTmux,
  browser: async () => (await import("./browser/drive.ts")).driveBrowser,
};

async function run(job: Job): Promise<Report> {
  const drive = await DRIVES[job.check.channel]?.();
  if (drive === undefined) throw new Error(`no driver for channel ${job.check.channel}`);
  const stage = new Stage(job);
  try {
    await drive(stage);
    return { verdict: { kind: "met" }, files: stage.files, ...stage.exit };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    stage.log(`\n${told(error.verdict)}`);
    return { verdict: error.verdict, files: stage.files, ...stage.exit };
  } finally {
    await stage.end();
  }
}

function told(verdict: Verdict): string {
  if (verdict.kind === "met") return "met";
  return verdict.kind === "unmet"
    ? `NOT MET  ${verdict.expectation}: wanted ${verdict.wanted}, got ${verdict.got}`
    : `${verdict.kind.toUpperCase().replace("_", " ")}  ${verdict.reason}`;
}

const job: Job = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const report = await run(job);
writeFileSync(join(job.out, REPORT), JSON.stringify(report));
// Programs of the scenario may still run: whoever started this run ends and names them.
process.exit(EXIT[report.verdict.kind]);
