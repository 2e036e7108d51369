/**
 * `npm run demo`: a small real package, two bugs, an agent that takes shortcuts and then does the work.
 * `--host codex` plays it inside the real Codex. `npm run demo -- performance` tells of a real slow path in its place.
 * `--fast` leaves the pauses out; `--json` prints one object with the numbers in place of the story.
 * Exit 1 when anything does not happen as told.
 */

import { join } from "node:path";
import { ensureBuilt } from "./built.ts";
import { findCodex } from "./demo/find-codex.ts";
import { tellInCodex } from "./demo/in-codex.ts";
import { GOAL, tellPerformance } from "./demo/performance-story.ts";
import { openStage } from "./demo/stage.ts";
import { tellStory } from "./demo/story.ts";
import { honestNumbers, seconds, tellOn } from "./demo/telling.ts";

const root = join(import.meta.dir, "..");
const json = process.argv.includes("--json");
const fast = json || process.argv.includes("--fast") || process.stdout.isTTY !== true;
const say = (line: string): void => {
  if (!json) console.log(line);
};

const STORIES = {
  bugs: {
    intro: "Proofgate: an agent in a hurry, two bugs, and what it takes to be believed.",
    repo: "ms",
    state: join(".omo", "ulw-loop"),
    files: "ledger.jsonl, goals.json, evidence/",
  },
  performance: {
    intro: "Proofgate: an agent in a hurry, a slow path, and what it takes for faster to be believed.",
    repo: "picomatch",
    state: join(".omx", "goals", "performance", GOAL),
    files: "ledger.jsonl, state.json, evidence/, plot.svg",
  },
} as const;

const hostAt = process.argv.indexOf("--host");
const host = hostAt < 0 ? null : (process.argv[hostAt + 1] ?? "");
if (host !== null && host !== "codex") {
  console.error(`--host takes codex, not ${JSON.stringify(host)}.\nnext: npm run demo -- --host codex`);
  process.exit(2);
}
const words = process.argv.slice(2).filter((word, at) => !word.startsWith("-") && at !== hostAt - 1);
const [name = "bugs", ...more] = words;
if ((name !== "bugs" && name !== "performance") || more.length > 0 || (host !== null && name !== "bugs")) {
  console.error(
    `the demo takes the one word performance, without --host; found ${JSON.stringify(words.join(" "))}.\nnext: npm run demo -- performance`,
  );
  process.exit(2);
}
const story = STORIES[name];
const program = await ensureBuilt(root);
const stage = openStage(program, story.repo);
const tell = tellOn(stage, say, fast);
const started = performance.now();
say(story.intro);
say(`All of it happens in ${stage.base}; nothing is fetched.`);
let failure: string | null = null;
try {
  const nodeModules = join(root, "node_modules");
  if (name === "performance") await tellPerformance(stage, tell, nodeModules);
  else if (host === null) await tellStory(stage, tell, nodeModules);
  else await tellInCodex(stage, tell, { codex: await findCodex(root), nodeModules });
} catch (error) {
  failure = error instanceof Error ? error.message : String(error);
}
const ms = performance.now() - started;
const honest = honestNumbers(tell.ran);
const evidence = join(stage.repo, story.state);
if (json)
  console.log(
    JSON.stringify({
      ok: failure === null,
      failure,
      ms: Math.round(ms),
      honest,
      folder: stage.base,
      evidence,
      ran: tell.ran,
    }),
  );
else if (failure === null) {
  say("");
  if (host === null)
    say(
      `${tell.ran.length} commands in ${seconds(ms)} · the honest way took ${honest.commands} of them and ${honest.bytes} bytes of our text, about ${Math.round(honest.bytes / 4)} tokens`,
    );
  say(`kept for you: ${evidence} (${story.files})`);
}
if (failure !== null) {
  console.error(`\nThe demo did not go as told: ${failure}\nEverything is kept in ${stage.base}`);
  process.exitCode = 1;
}
