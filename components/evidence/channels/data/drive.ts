/** Drives channel data where a difference is wanted: a dump, the command, a dump again. The log has both and how they differ. */
import { cpSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { createTwoFilesPatch } from "diff";
import { readText } from "../../capture.ts";
import { describeCommand } from "../../check.ts";
import { judgeCommand } from "../../judge.ts";
import { type Stage, Stop } from "../stage.ts";
import { type Ran, run } from "./command.ts";
import { changedWords, type Difference, type Dump, differenceOf, type Entry, entryWords } from "./entries.ts";
import { faultOf } from "./expect.ts";
import { type DataScenario, dataScenario, sourceWords, type Watched } from "./scenario.ts";
import { take } from "./sources.ts";

/** Of one dump, of one kind of change, of one value in the log. */
const LOGGED_ENTRIES = 200;
const LOGGED_VALUE = 2000;
const LOGGED_OUTPUT = 64 * 1024;
/** Of an entry in a message. */
const SHOWN = 120;

export async function driveData(stage: Stage): Promise<void> {
  const { check, cwd } = stage.job;
  const { copy, watch } = dataScenario(check);
  const data = join(process.env.TMPDIR ?? stage.job.out, "data");
  mkdirSync(data, { mode: 0o700 });
  layOut(stage, copy, data);
  const before: Dump[] = [];
  for (const watched of watch) before.push(await look(stage, watched, data, "before"));
  stage.step(`run ${describeCommand(check)}`);
  const ran = await run(stage, check.run, { DATA: data });
  tell(stage, ran);
  // What the command is to hold comes first: its failure explains everything else.
  const verdict = await judgeCommand(check, ran, {
    runDir: cwd,
    ...ran,
    sandboxed: stage.sandboxed,
    ownFiles: [],
  });
  if (ran.timedOut && verdict.kind !== "met") throw new Stop(verdict);
  const differences: Difference[] = [];
  for (const [index, watched] of watch.entries()) {
    const was = before[index] ?? { form: "bag", entries: [] };
    const now = await look(stage, watched, data, "after");
    const difference =
      differenceOf(was, now) ??
      stage.unmet(
        sourceWords(watched),
        "a difference that can be told",
        "more lines differ than can be compared",
      );
    differences.push(difference);
    tellDifference(stage, watched, difference);
  }
  if (verdict.kind !== "met") throw new Stop(verdict);
  for (const [index, watched] of watch.entries()) compare(stage, watched, differences[index]);
}

/** Puts copies of the plan's files into the data folder. A link is copied as what it leads to, inside of the repository. */
function layOut(stage: Stage, copy: DataScenario["copy"], data: string): void {
  const root = realpathSync(stage.job.cwd);
  for (const [name, from] of Object.entries(copy)) {
    const source = join(root, from);
    if (lstatSync(source, { throwIfNoEntry: false }) === undefined)
      throw new Stop({ kind: "not_run", reason: `${from}: no such file to copy into the data folder` });
    const up = relative(root, realpathSync(source));
    if (up.startsWith("..") || isAbsolute(up))
      stage.blocked(`${from} is a link that leaves the folder of the run`);
    mkdirSync(dirname(join(data, name)), { recursive: true });
    cpSync(realpathSync(source), join(data, name), { recursive: true, verbatimSymlinks: true });
    stage.step(`copy ${from} to $DATA/${name}`);
  }
}

async function look(stage: Stage, watched: Watched, data: string, when: "before" | "after"): Promise<Dump> {
  const dump = await take(stage, watched, data, when);
  const query = watched.source.kind === "sqlite" ? ` ${watched.source.query ?? ".dump"}` : "";
  const { length } = dump.entries;
  stage.step(`${when} ${sourceWords(watched)}${query}: ${length} ${length === 1 ? "entry" : "entries"}`);
  list(stage, "  ", dump.entries.map(entryWords));
  return dump;
}

function tell(stage: Stage, ran: Ran): void {
  for (const [name, path] of [
    ["stdout", ran.stdoutPath],
    ["stderr", ran.stderrPath],
  ] as const) {
    const text = readText(path, LOGGED_OUTPUT).trimEnd();
    if (text !== "") stage.log(`--- ${name}\n${text}\n---`);
  }
  stage.step(
    ran.timedOut
      ? `still running after ${ran.durationMs} ms`
      : `exit ${ran.exit ?? ran.signal ?? ran.spawnError}`,
  );
}

function tellDifference(stage: Stage, watched: Watched, { added, removed, changed }: Difference): void {
  stage.step(
    `difference of ${sourceWords(watched)}: ${added.length} added, ${removed.length} removed, ${changed.length} changed`,
  );
  list(stage, "+ ", added.map(entryWords));
  list(stage, "- ", removed.map(entryWords));
  for (const one of changed.slice(0, LOGGED_ENTRIES))
    if (isText(one.value) && isText(one.was))
      stage.log(
        createTwoFilesPatch(`${one.key} before`, `${one.key} after`, one.was, one.value, "", "", {
          timeout: 1000,
        }) ?? `~ ${one.key}`,
      );
    else list(stage, "~ ", [changedWords(one)]);
}

/** Worth a comparison line by line. */
const isText = (value: unknown): value is string =>
  typeof value === "string" && value.includes("\n") && value.length < LOGGED_OUTPUT;

function list(stage: Stage, sign: string, lines: readonly string[]): void {
  for (const line of lines.slice(0, LOGGED_ENTRIES))
    stage.log(sign + (line.length <= LOGGED_VALUE ? line : `${line.slice(0, LOGGED_VALUE)}…`));
  if (lines.length > LOGGED_ENTRIES) stage.log(`${sign}… ${lines.length - LOGGED_ENTRIES} more`);
}

function compare(stage: Stage, watched: Watched, difference: Difference | undefined): void {
  if (difference === undefined) return;
  const fault = faultOf(watched, difference);
  if (fault === null) return;
  const { kind, wanted } = fault;
  const words = kind === "changed" ? difference.changed.map(changedWords) : difference[kind].map(shortly);
  stage.unmet(
    `${sourceWords(watched)}: ${kind}`,
    wanted,
    words.length === 0 ? "none" : `${words.length}: ${words.map((one) => one.slice(0, SHOWN)).join("; ")}`,
  );
}

/** Of a file the name says enough. */
function shortly(entry: Entry): string {
  const { key, value } = entry;
  if (typeof value === "object" && value !== null && "linkTo" in value) return `${key} (a symbolic link)`;
  return key !== null && isText(value) ? key : entryWords(entry);
}
