/** `test/honest/channel-computer.test.ts`, in the real OpenCode. */

import { basename } from "node:path";
import { playCorpus } from "./play-corpus.ts";

await playCorpus(basename(import.meta.path));
