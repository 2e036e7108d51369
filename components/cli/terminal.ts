/** Whether a descriptor is a terminal, without the streams and sockets that asking `process.stdout` loads. */

import { fstatSync, statSync } from "node:fs";
import { isatty } from "node:tty";

/** @param fd 0, 1 or 2 */
export function isTerminal(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    if (process.platform !== "win32") {
      if (!stats.isCharacterDevice()) return false;
      // What is thrown away is the one other character device that is often met.
      const nothing = statSync("/dev/null", { throwIfNoEntry: false });
      if (nothing !== undefined && nothing.rdev === stats.rdev) return false;
    }
  } catch {
    return false; // A closed descriptor.
  }
  return isatty(fd);
}
