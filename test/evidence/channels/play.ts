/** Plays a check as a plan file writes it, on a folder, with the channel's real driver. */
import { afterEach } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { checkFiles } from "../../../components/evidence/check-files.ts";
import { sandboxed } from "../../../components/evidence/environment.ts";
import { judge } from "../../../components/evidence/judge.ts";
import { type CheckRun, driversAreBeside, runCheck } from "../../../components/evidence/run-check.ts";
import type { Check, Verdict } from "../../../components/evidence/types.ts";
import { parsePlanFile } from "../../../components/ulw-loop/plan-file.ts";
import { tempFolder } from "../repo.ts";

// The driver of the sources, as the sources run it.
driversAreBeside(join(import.meta.dir, "../../../components/cli"));

const open: CheckRun[] = [];
afterEach(async () => {
  for (const run of open.splice(0)) await run.dispose();
});

/** @param check the value of `check:`, in YAML's short form */
export function checkOf(channel: string, check: string): Check {
  const plan = parsePlanFile(
    `goals: [{ title: T, without: { edge: "has none of it", regression: "is all new", adversarial: "takes no input" }, criteria: [{ class: happy, scenario: "The program shows what the check names, and nothing else.", channel: ${channel}, check: ${check} }] }]\n`,
    { dir: "/", readFile: () => "" },
  );
  const made = plan.goals[0]?.criteria[0]?.check;
  if (!made) throw new Error("the plan has no check");
  return made;
}

/** The example that docs/channels.md shows for a channel. */
export function exampleOf(channel: string): Check {
  const docs = readFileSync(join(import.meta.dir, "../../../docs/channels.md"), "utf8");
  const section = docs.split(/^## /m).find((one) => one.startsWith(`${channel}\n`)) ?? "";
  const yaml = /```yaml\nchannel: \w+\ncheck:\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
  return checkOf(channel, JSON.stringify(parse(yaml)));
}

export interface Played {
  readonly verdict: Verdict;
  readonly run: CheckRun;
  /** What the driver wrote: the evidence that people read. */
  readonly log: string;
  readonly folder: string;
}

/** @param files written into a new folder, in which the check runs */
export async function play(
  channel: string,
  check: string,
  files: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Played> {
  const folder = tempFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return playIn(folder, checkOf(channel, check), env);
}

export async function playIn(
  folder: string,
  check: Check,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Played> {
  const run = await runCheck(check, { cwd: join(folder, check.cwd), root: folder, env });
  open.push(run);
  const { own } = checkFiles(check, { id: "", files: new Map() }, null);
  const { stdoutPath, stderrPath } = run;
  const verdict = await judge(check, run, {
    runDir: join(folder, check.cwd),
    stdoutPath,
    stderrPath,
    sandboxed: sandboxed(env),
    ownFiles: own,
  });
  return { verdict, run, log: readFileSync(stdoutPath, "utf8"), folder };
}
