/** `test/honest/channel-computer.test.ts`, in the real Codex. */

import { basename } from "node:path";
import { playHonest } from "./play-honest.ts";

await playHonest(basename(import.meta.path));
