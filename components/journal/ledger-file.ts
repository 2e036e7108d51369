/** The ledger's bytes: whole lines from either end, in chunks, so that the size of the file does not matter. */

import * as fs from "node:fs";
import { fromSystem } from "../errors.ts";
import { damaged } from "./damage.ts";
import { checkFile } from "./safe-fs.ts";

export const LEDGER_NAME = "ledger.jsonl";

const CHUNK = 64 * 1024;
const NEWLINE = 10;

/** A line without its newline, and where in the file it begins and ends (`end` is after the newline). */
export interface RawLine {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** The ledger as it was when it was opened: lines appended later are not seen. Close it. */
export class LedgerFile {
  /** Bytes in whole lines; what follows is a torn line. */
  readonly end: number;

  private constructor(
    private readonly fd: number,
    /** Bytes in the file. */
    readonly size: number,
  ) {
    this.end = this.lastNewlineBefore(size) + 1;
  }

  /**
   * Opens for reading.
   * @returns null when there is no file
   * @throws Refusal `unsafe_path` for a symbolic link
   */
  static open(path: string): LedgerFile | null {
    if (checkFile(path) === null) return null;
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0));
      return new LedgerFile(fd, fs.fstatSync(fd).size);
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      throw fromSystem(error, "read the ledger");
    }
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  /** The bytes after the last newline: nothing, or a line that was cut short. */
  torn(): Buffer {
    return this.slice(this.end, this.size);
  }

  /** The first line, or null when there is no whole one. */
  first(): RawLine | null {
    for (const line of this.forwards()) return line;
    return null;
  }

  /** The first bytes of the file, at most one chunk. */
  beginning(): Buffer {
    return this.slice(0, Math.min(CHUNK, this.size));
  }

  /** Whole lines, the first one first, beginning at byte `from`, where a line must begin. */
  *forwards(from = 0): Generator<RawLine> {
    let start = from;
    let parts: Buffer[] = [];
    // The first chunk is small: most callers want one line.
    for (let at = from, size = CHUNK / 8; at < this.end; at += size, size = CHUNK * 4) {
      const chunk = this.slice(at, Math.min(at + size, this.end));
      let done = 0;
      for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, done)) {
        const piece = chunk.subarray(done, newline);
        done = newline + 1;
        const end = at + done;
        yield { bytes: parts.length === 0 ? piece : Buffer.concat([...parts, piece]), start, end };
        parts = [];
        start = end;
      }
      if (done < chunk.length) parts.push(chunk.subarray(done));
    }
  }

  /** Whole lines, the last one first. */
  *backwards(): Generator<RawLine> {
    if (this.end === 0) return;
    let end = this.end;
    let parts: Buffer[] = [];
    for (let to = this.end - 1; to > 0; to = Math.max(0, to - CHUNK)) {
      const at = Math.max(0, to - CHUNK);
      let chunk = this.slice(at, to);
      for (let newline = chunk.lastIndexOf(NEWLINE); newline >= 0; newline = chunk.lastIndexOf(NEWLINE)) {
        const start = at + newline + 1;
        yield { bytes: Buffer.concat([chunk.subarray(newline + 1), ...parts]), start, end };
        parts = [];
        end = start;
        chunk = chunk.subarray(0, newline);
      }
      parts.unshift(chunk);
    }
    yield { bytes: Buffer.concat(parts), start: 0, end };
  }

  /** The whole line that contains byte `at`, or null past the last one. */
  around(at: number): RawLine | null {
    if (at >= this.end) return null;
    for (const line of this.forwards(this.lastNewlineBefore(at) + 1)) return line;
    return null;
  }

  /** Where the last newline before byte `limit` is; -1 when there is none. */
  private lastNewlineBefore(limit: number): number {
    for (let to = limit; to > 0; to = Math.max(0, to - CHUNK)) {
      const at = Math.max(0, to - CHUNK);
      const newline = this.slice(at, to).lastIndexOf(NEWLINE);
      if (newline >= 0) return at + newline;
    }
    return -1;
  }

  private slice(from: number, to: number): Buffer {
    const bytes = Buffer.allocUnsafe(to - from);
    for (let done = 0; done < bytes.length; ) {
      const got = fs.readSync(this.fd, bytes, done, bytes.length - done, from + done);
      if (got === 0) throw damaged("The ledger became shorter while it was read.", { found: LEDGER_NAME });
      done += got;
    }
    return bytes;
  }
}
