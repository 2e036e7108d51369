/** Codex's own record of a session, which a sandboxed command cannot write to. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 1024 * 1024;

/**
 * The newest line of a type (and, where events share one, of that kind), looked for from the end: a record may be long, and its newest lines are what counts.
 * @returns the line's payload; null when there is none, or the record cannot be read
 */
export function newest(
  path: string | null,
  type: string,
  kind: string | null = null,
): Readonly<Record<string, unknown>> | null {
  if (path === null) return null;
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    let rest = Buffer.alloc(0);
    for (let end = fstatSync(file).size; end > 0; ) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const chunk = Buffer.alloc(end - start);
      readSync(file, chunk, 0, chunk.length, start);
      const bytes = Buffer.concat([chunk, rest]);
      // What stands before the first line break may begin in the chunk before this one.
      const first = start === 0 ? 0 : bytes.indexOf(10) + 1;
      const found = lastOf(bytes.subarray(first).toString("utf8"), type, kind);
      if (found !== null) return found;
      rest = Buffer.from(first === 0 && start > 0 ? bytes : bytes.subarray(0, first));
      end = start;
    }
    return null;
  } finally {
    closeSync(file);
  }
}

function lastOf(text: string, type: string, kind: string | null): Readonly<Record<string, unknown>> | null {
  const lines = text.split("\n");
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] ?? "";
    // Inside a string its quotes would be escaped.
    if (!line.includes(`"type":"${kind ?? type}"`)) continue;
    try {
      const { type: own, payload } = JSON.parse(line);
      if (own !== type || typeof payload !== "object" || payload === null) continue;
      if (kind === null || payload.type === kind) return payload;
    } catch {
      // Cut short by a crash.
    }
  }
  return null;
}
