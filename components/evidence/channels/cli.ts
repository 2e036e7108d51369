/** The cli channel: a command, its exit status and what it prints or leaves. */
import type { Runner } from "./index.ts";

export const cli: Runner = {
  describes: "a command: exit status, output, files",
  fault: () => null,
};
