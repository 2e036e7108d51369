/** What is kept of a run: the receipt in the ledger, and the whole output as an artifact beside it. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { describeCheck } from "../evidence/channels/words.ts";
import type { CheckRun } from "../evidence/run-check.ts";
import type { Check } from "../evidence/types.ts";
import type { Receipt } from "./events.ts";
import type { Artifact } from "./model.ts";

/** A finished run with the trees it ran on. */
export interface CapturedRun extends CheckRun {
  readonly treeBefore: string;
  readonly treeAfter: string;
}

/** Of each stream at most this many bytes go into the artifact, half from the head and half from the tail (design: bounds). */
const KEPT_BYTES = 10 * 1024 * 1024;

export function receiptOf(
  run: CapturedRun,
  check: Pick<Check, "run" | "cwd">,
  artifact: Artifact,
  captured: readonly Artifact[] = [],
): Receipt {
  return {
    command: check.run,
    cwd: check.cwd,
    exit: run.exit,
    signal: run.signal,
    timedOut: run.timedOut,
    flooded: run.flooded,
    spawnError: run.spawnError,
    durationMs: run.durationMs,
    stdout: { sha256: run.stdout.sha256, size: run.stdout.size },
    stderr: { sha256: run.stderr.sha256, size: run.stderr.size },
    programs: run.programs,
    dropped: run.dropped,
    ended: run.ended,
    alive: run.alive,
    treeBefore: run.treeBefore,
    treeAfter: run.treeAfter,
    artifact,
    ...(captured.length === 0 ? {} : { captured }),
  };
}

/** The artifact: command, output, how it ended, and what was torn down. */
export function capturedText(run: CapturedRun, check: Check): Buffer {
  const end = run.timedOut
    ? "timed out"
    : run.signal !== null
      ? `signal ${run.signal}`
      : `exit ${run.exit ?? run.spawnError ?? "unknown"}`;
  const cleanup =
    run.ended.length === 0 && run.alive.length === 0
      ? "nothing left"
      : [...run.ended.map((p) => `ended ${p}`), ...run.alive.map((p) => `STILL ALIVE ${p}`)].join("; ");
  return Buffer.concat([
    Buffer.from(`$ ${describeCheck(check)}\n`),
    bounded(run.stdoutPath),
    ...(run.stderr.size > 0 ? [Buffer.from("\n--- stderr ---\n"), bounded(run.stderrPath)] : []),
    Buffer.from(`\n--- ${end}, ${run.durationMs} ms | cleanup: ${cleanup}\n`),
  ]);
}

function bounded(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size <= KEPT_BYTES) return part(file, 0, size);
    const half = KEPT_BYTES / 2;
    return Buffer.concat([
      part(file, 0, half),
      Buffer.from(`\n… ${size - KEPT_BYTES} bytes left out …\n`),
      part(file, size - half, half),
    ]);
  } finally {
    closeSync(file);
  }
}

function part(file: number, from: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, from));
}
