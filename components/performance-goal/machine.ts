/** Which machine a figure is of: what a program's speed depends on, and what a new start of a container leaves as it is. */

import { createHash } from "node:crypto";
import { arch, cpus, platform, totalmem } from "node:os";

export interface Machine {
  readonly id: string;
  /** For people. */
  readonly words: string;
}

export function thisMachine(): Machine {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const words = `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${gigabytes} GiB, ${platform()} ${arch()}`;
  return { id: createHash("sha256").update(words).digest("hex").slice(0, 16), words };
}
