/** `test/honest/channel-browser.test.ts`, in the real OpenCode. */

import { basename } from "node:path";
import { playCorpus } from "./play-corpus.ts";

await playCorpus(basename(import.meta.path));
