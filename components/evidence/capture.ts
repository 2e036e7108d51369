/** What a receipt keeps of an output file: digest and size of the whole, head and tail of the text. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Captured } from "./types.ts";

/** Of the head and of the tail each, in bytes. */
const KEPT_BYTES = 8 * 1024;

/**
 * Captures one output file.
 * @param limit bytes after which the digest ends: a sparse file can claim any size
 */
export function captureFile(path: string, limit: number): Captured {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    const hash = createHash("sha256");
    const buffer = Buffer.alloc(Math.max(1, Math.min(size, 256 * 1024)));
    let at = 0;
    while (at < Math.min(size, limit)) {
      const read = readSync(fd, buffer, 0, buffer.length, at);
      if (read === 0) break;
      hash.update(buffer.subarray(0, read));
      at += read;
    }
    const whole = size <= 2 * KEPT_BYTES;
    return {
      sha256: hash.digest("hex"),
      size,
      head: textAt(fd, 0, whole ? size : KEPT_BYTES),
      tail: whole ? "" : textAt(fd, size - KEPT_BYTES, KEPT_BYTES),
    };
  } finally {
    closeSync(fd);
  }
}

/** Up to `limit` bytes of a file as text, from its beginning. */
export function readText(path: string, limit: number): string {
  const fd = openSync(path, "r");
  try {
    return textAt(fd, 0, Math.min(fstatSync(fd).size, limit));
  } finally {
    closeSync(fd);
  }
}

function textAt(fd: number, from: number, length: number): string {
  const buffer = Buffer.alloc(length);
  const text = buffer.subarray(0, readSync(fd, buffer, 0, length, from)).toString("utf8");
  // A cut in the middle of a character leaves replacement marks at the edges, which nobody printed.
  return text
    .replace(from > 0 ? /^\uFFFD{1,3}/ : /$^/, "")
    .replace(length < KEPT_BYTES ? /$^/ : /\uFFFD{1,3}$/, "");
}
