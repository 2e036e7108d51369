/** `test/honest/repositories.test.ts`, in the real Codex. */

import { basename } from "node:path";
import { playCorpus } from "./play-corpus.ts";

await playCorpus(basename(import.meta.path));
