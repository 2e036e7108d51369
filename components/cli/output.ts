/**
 * Writes to a standard stream until every byte is with its reader. `process.stdout` would do it too, and loads streams and
 * sockets for it, which costs a command more than its work.
 */

import { writeSync } from "node:fs";
import { errno } from "../errors.ts";
import { pauseSync } from "../journal/clock.ts";

/** How long to wait before a full pipe is tried again, in milliseconds. */
const FULL_MS = 2;

/**
 * @param fd 1 or 2
 * @returns false when the system refused the bytes; a reader that has gone (`| head`) is no failure
 */
export function writeOut(fd: 1 | 2, text: string): boolean {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      const code = errno(error);
      // Whoever started us made the pipe non-blocking, and it is full.
      if (code === "EAGAIN") pauseSync(FULL_MS);
      // Windows calls a pipe without a reader EOF.
      else return code === "EPIPE" || code === "EOF";
    }
  }
  return true;
}
