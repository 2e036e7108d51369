/** Reads what the system tells of processes. These files have no size, and a look at all of them is taken after each run. */
import { closeSync, openSync, readSync } from "node:fs";

/** Kept: `readFileSync` takes 64 KB anew for each file without a size, which costs more than the file. */
let buffer = Buffer.alloc(16 * 1024);

/** @returns what is there, bytes as they are (latin1); empty where it is gone, or not ours to read */
export function systemFile(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      for (let length = 0; ; ) {
        const more = readSync(file, buffer, length, buffer.length - length, null);
        length += more;
        if (more === 0) return buffer.toString("latin1", 0, length);
        if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length);
      }
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
