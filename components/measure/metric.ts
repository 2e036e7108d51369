/** The number that a run is judged by: a line `METRIC name=value` that it prints, or the time it takes. */

import { Refusal } from "../errors.ts";

/** Name of the time from start to end, which every run has. */
export const WALL = "wall";

export interface Reading {
  readonly value: number;
  /** As printed; `ms` for times. May be empty. */
  readonly unit: string;
}

/** `METRIC p95=41.8ms`: a name, one number, perhaps a unit; nothing else on the line. */
const LINE = /^METRIC\s+([A-Za-z_][\w.-]*)\s*=\s*(\S+?)\s*([A-Za-z%/µ]*)\s*$/gm;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Names of the metrics that a run printed, each once. */
export function metricNames(text: string): readonly string[] {
  return [...new Set([...text.matchAll(LINE)].map(([, name = ""]) => name))];
}

/**
 * Reads one metric. What is missing, printed twice, not a number, not finite, or not above 0 is no measurement: a ratio has
 * to be made of it.
 * @throws Refusal `measurement_invalid` with what was found
 */
export function readMetric(text: string, name: string): Reading {
  const found = [...text.matchAll(LINE)].filter((match) => match[1] === name);
  const [first, second] = found;
  if (first === undefined) throw invalid(`one line METRIC ${name}=NUMBER`, "none");
  if (second !== undefined) throw invalid(`one line METRIC ${name}=NUMBER`, `${found.length} of them`);
  const [line, , digits = "", unit = ""] = first;
  const value = NUMBER.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isFinite(value) || value <= 0) throw invalid("a finite number above 0", line.trim());
  return { value, unit };
}

/** A run that measures nothing. */
export const invalid = (expected: string, found: string): Refusal =>
  new Refusal("measurement_invalid", "A run measured nothing that could be compared.", {
    expected,
    found: found.slice(0, 300),
    next: ["mend the command, then run the same command again"],
  });
