/**
 * The number that a run is judged by: the time it takes, its CPU time or memory, a line `METRIC name=value` that it prints,
 * or a number in the JSON that it prints.
 */

import { stripVTControlCharacters } from "node:util";
import { readText } from "../evidence/capture.ts";
import type { FinishedRun } from "../evidence/runner.ts";
import { readJson } from "./json-metric.ts";
import { invalid, type Reading } from "./reading.ts";

export { invalid, type Reading } from "./reading.ts";
export { convert, isTimeUnit } from "./units.ts";

/** Name of the time from start to end, which every run has. */
export const WALL = "wall";
/** Name of the CPU time of a run's processes. */
const CPU = "cpu";
/** Name of the most memory that a run's processes held together. */
const MEMORY = "memory";

/** What is read of a run: it must not have been disposed of. */
export type Measured = Pick<FinishedRun, "wallMs" | "usage" | "stdout" | "stdoutPath">;

/** Larger output is read at both ends only, in bytes. A report of a benchmark is far smaller, a flood of log lines may not be. */
const READ_BYTES = 8 * 1024 * 1024;

/** `METRIC p95=41.8ms`: a name and what it is. */
const LINE = /^METRIC[ \t]+([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(.*?)[ \t]*$/;
/** One number, perhaps a unit; nothing else. */
const VALUE = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[ \t]*([A-Za-z%/µμ]*)$/;

interface Printed {
  readonly line: string;
  readonly name: string;
  readonly value: string;
}

/** Colours are taken out of a line first, so that a name in red is a name. */
function metricLines(text: string): readonly Printed[] {
  // The word first: most lines of a long output have none of it, and need no more looking at.
  return text
    .split(/[\r\n]+/)
    .filter((line) => line.includes("METRIC"))
    .flatMap((coloured) => {
      const line = stripVTControlCharacters(coloured);
      const [, name, value] = LINE.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [{ line, name, value }];
    });
}

/** Names of the metrics that a run printed, each once. A line counts whose value is none: it says that one was meant. */
export function metricNames(text: string): readonly string[] {
  return [...new Set(metricLines(text).map(({ name }) => name))];
}

/**
 * Reads one metric. What is missing, printed twice, not a number, not finite, or not above 0 is no measurement: a ratio has
 * to be made of it.
 * @throws Refusal `measurement_invalid` with what was found
 */
export function readMetric(text: string, name: string): Reading {
  const [first, ...more] = metricLines(text).filter((one) => one.name === name);
  if (first === undefined) throw invalid(`one line METRIC ${name}=NUMBER`, "none");
  if (more.length > 0) throw invalid(`one line METRIC ${name}=NUMBER`, `${more.length + 1} of them`);
  const [, digits, unit = ""] = VALUE.exec(first.value) ?? [];
  const value = digits === undefined ? Number.NaN : Number(digits);
  if (!Number.isFinite(value) || value <= 0) throw invalid("a finite number above 0", first.line.trim());
  return { value, unit };
}

/** Whether a metric can be read only of a run that was started with `usage`. Null is a metric not chosen yet. */
export const needsUsage = (metric: string | null): boolean => metric === CPU || metric === MEMORY;

/**
 * What a run printed on standard output, where metrics are looked for: all of it, or of more than 8 MiB the whole lines at
 * its beginning and end.
 */
export function outputText(run: Measured): string {
  const { size, head, tail } = run.stdout;
  if (size <= READ_BYTES) return tail === "" ? head : readText(run.stdoutPath, READ_BYTES);
  // A number that is cut in two is another number.
  const cut = tail.indexOf("\n");
  return `${head.slice(0, head.lastIndexOf("\n") + 1)}\n${cut < 0 ? "" : tail.slice(cut + 1)}`;
}

/**
 * Reads a metric of a run that has ended and was not disposed of.
 * @param metric `wall` or `cpu` (in ms), `memory` (in bytes), a path that begins with `$` into the JSON that was printed, or
 * the name of a `METRIC` line. The first three names mean these, whatever is printed.
 * @throws Refusal `measurement_invalid` with what was expected and found; Error where `needsUsage` was not heeded
 */
export function readReading(run: Measured, metric: string): Reading {
  if (metric === WALL) return { value: run.wallMs, unit: "ms" };
  if (needsUsage(metric)) return readUsage(run, metric);
  const text = outputText(run);
  const lost = run.stdout.size > READ_BYTES;
  if (metric.startsWith("$")) return readJson(text, metric, !lost);
  if (lost && !metricNames(text).includes(metric))
    throw invalid(
      `one line METRIC ${metric}=NUMBER`,
      `none: the output is ${Math.ceil(run.stdout.size / 1024 ** 2)} MiB, so it has to be within the first or last 8 KiB`,
    );
  return readMetric(text, metric);
}

function readUsage({ usage }: Measured, metric: string): Reading {
  if (usage === null) throw new Error("a run whose usage was not asked for");
  const [value, unit] = metric === CPU ? [usage.cpuMs, "ms"] : [usage.peakBytes, "bytes"];
  if (value === null)
    throw invalid(
      metric === CPU ? "the CPU time of the run" : "the memory of the run",
      metric === CPU
        ? "this system does not tell it"
        : "this system does not tell it, or the run was too short",
    );
  if (value <= 0) throw invalid("a run long enough for its CPU time to be told", `${value} ${unit}`);
  return { value, unit };
}
