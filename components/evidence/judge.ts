/** Judges one run: what it showed against what the check expects, and whether it says anything about the tree at all. */
import { lstatSync, realpathSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import { readText } from "./capture.ts";
import type { Report } from "./channels/job.ts";
import { describeCheck } from "./channels/words.ts";
import { patternTest } from "./check.ts";
import { pickPath, sameValue } from "./json-paths.ts";
import { notRunReason, sandboxReason } from "./not-run.ts";
import type { Check, Run, Verdict } from "./types.ts";

export interface JudgeContext {
  /** Folder that the run was in. */
  readonly runDir: string;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** The surroundings forbid sockets. */
  readonly sandboxed: boolean;
  /** The check's own files, relative to the root. */
  readonly ownFiles: readonly string[];
}

/** Patterns see at most this much of a stream. */
const MATCHED_BYTES = 10 * 1024 * 1024;
/** In a message a value is cut to this. */
const SHOWN = 160;

/** A run with what a channel's driver says of it. */
type JudgedRun = Run & { readonly startedAtMs?: number; readonly report?: Report | null };

/** Judges a run. Never throws for what the run did. */
export async function judge(check: Check, ran: JudgedRun, context: JudgeContext): Promise<Verdict> {
  if (ran.alive.length > 0) return { kind: "blocked", reason: `could not be ended: ${ran.alive.join(", ")}` };
  if (check.scenario === undefined) return judgeCommand(check, ran, context);
  const verdict = driven(check, ran, context);
  const exit = ran.report?.exit;
  // Where the scenario's command counts as well, it is judged as any other.
  return verdict.kind !== "met" || exit === undefined
    ? verdict
    : judgeCommand(check, { ...ran, exit }, context);
}

/** What a channel's driver says. Only its own exit status can say that everything was met (see channels/job.ts). */
function driven(check: Check, run: JudgedRun, context: JudgeContext): Verdict {
  if (run.timedOut && context.sandboxed)
    return { kind: "inconclusive", reason: `sandbox: still running after ${run.durationMs} ms` };
  const over = limits(check, run);
  if (over !== null) return over;
  if (run.report) return run.report.verdict;
  const last = readText(context.stderrPath, MATCHED_BYTES).trim().split("\n").at(-1) ?? "";
  const how = run.spawnError ?? (run.signal === null ? `exit ${run.exit}` : `signal ${run.signal}`);
  return {
    kind: "blocked",
    reason: `what drives channel ${check.channel} came to no end of its own (${how}): ${shown(last)}`,
  };
}

/** Judges a command by what the check expects of it. Never throws for what it did. */
export async function judgeCommand(check: Check, run: JudgedRun, context: JudgeContext): Promise<Verdict> {
  const stdout = readText(context.stdoutPath, MATCHED_BYTES);
  const stderr = readText(context.stderrPath, MATCHED_BYTES);
  const verdict = await compare(check, run, context, stdout, stderr);
  if (verdict.kind === "met") return verdict;
  const reason = notRunReason(check, run, { stdout, stderr, ownFiles: context.ownFiles });
  if (reason !== null) return { kind: "not_run", reason };
  const sandbox = context.sandboxed ? sandboxReason(run, `${stdout}\n${stderr}`) : null;
  return sandbox === null ? verdict : { kind: "inconclusive", reason: `sandbox: ${sandbox}` };
}

async function compare(
  check: Check,
  run: JudgedRun,
  context: JudgeContext,
  stdout: string,
  stderr: string,
): Promise<Verdict> {
  const { expect } = check;
  const over = limits(check, run);
  if (over !== null) return over;
  if (run.exit !== expect.exit)
    return unmet(
      "exit",
      String(expect.exit),
      run.signal !== null
        ? `signal ${run.signal}`
        : run.spawnError !== null
          ? run.spawnError
          : String(run.exit),
    );
  if (expect.stdout !== undefined && !patternTest(expect.stdout)(stdout))
    return unmet("stdout", expect.stdout, shown(stdout));
  if (expect.stderr !== undefined && !patternTest(expect.stderr)(stderr))
    return unmet("stderr", expect.stderr, shown(stderr));
  if (expect.json !== undefined) {
    const verdict = await compareJson(expect.json, stdout);
    if (verdict !== null) return verdict;
  }
  for (const [path, pattern] of Object.entries(expect.produces ?? {})) {
    const fault = fileFault(path, pattern, context.runDir, run.startedAtMs ?? null);
    if (fault !== null)
      return unmet(`produces ${path}`, pattern === "" ? "a new file with content" : pattern, fault);
  }
  return { kind: "met" };
}

/** A run that took too long or printed too much; null for any other. */
function limits(check: Check, run: Run): Verdict | null {
  if (run.timedOut)
    return unmet(
      "timeout",
      `an end within ${check.timeoutMs} ms`,
      `still running after ${run.durationMs} ms`,
    );
  if (run.flooded)
    return unmet("output", "a bounded output", `${run.stdout.size + run.stderr.size} bytes, ended`);
  return null;
}

function unmet(expectation: string, wanted: string, got: string): Verdict {
  return { kind: "unmet", expectation, wanted: shown(wanted), got };
}

/** The end of a text says more than its beginning when it is a log. */
function shown(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "nothing";
  return trimmed.length <= SHOWN ? trimmed : `…${trimmed.slice(-SHOWN)}`;
}

async function compareJson(
  wanted: Readonly<Record<string, unknown>>,
  stdout: string,
): Promise<Verdict | null> {
  const parsed = await parseData(stdout);
  if (parsed === undefined) return unmet("json", "standard output that parses", shown(stdout));
  for (const [path, value] of Object.entries(wanted)) {
    const got = pickPath(parsed.value, path);
    if (!sameValue(value, got))
      return unmet(
        `json ${path}`,
        JSON.stringify(value) ?? "undefined",
        shown(JSON.stringify(got) ?? "nothing there"),
      );
  }
  return null;
}

async function parseData(text: string): Promise<{ value: unknown } | undefined> {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // Not JSON; perhaps YAML, whose parser is loaded for this alone.
  }
  try {
    const { parse } = await import("yaml");
    const value: unknown = parse(text);
    return typeof value === "object" && value !== null ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with a file that the run should have left; null when nothing is. */
function fileFault(path: string, pattern: string, runDir: string, startedAtMs: number | null): string | null {
  const place = resolve(runDir, path);
  const up = relative(runDir, place);
  if (up.startsWith("..") || isAbsolute(up)) return "a path outside the folder";
  let stats: ReturnType<typeof lstatSync>;
  try {
    stats = lstatSync(place);
    const inside = relative(realpathSync(runDir), realpathSync(place));
    if (inside.startsWith("..") || isAbsolute(inside)) return "a link that leaves the folder";
  } catch {
    return "no such file";
  }
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (!stats.isFile()) return "not a file";
  if (stats.size === 0) return "an empty file";
  // A copy may keep an old time of change, but its inode is new.
  const fresh =
    startedAtMs === null ||
    stats.mtimeMs >= startedAtMs ||
    (stats.birthtimeMs >= startedAtMs && stats.ctimeMs >= startedAtMs);
  if (!fresh) return "an old file, not written by this run";
  if (pattern === "") return null;
  const text = readText(place, MATCHED_BYTES);
  return patternTest(pattern)(text) ? null : shown(text);
}

/** The verdict in a few words, for a base tree's answer or a list. */
export function verdictWords(check: Check, verdict: Verdict): string {
  switch (verdict.kind) {
    case "met":
      return "passes";
    case "unmet":
      return verdict.expectation === "exit"
        ? `exit ${verdict.got}`
        : `${verdict.expectation}: wanted ${verdict.wanted}, got ${verdict.got}`;
    default:
      return `${describeCheck(check)}: ${verdict.reason}`;
  }
}
