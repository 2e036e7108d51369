/**
 * `npm run demo -- --host codex`: the story's short form inside the real Codex. The plugin is installed as a user installs it,
 * into a home of the demo's own; a scripted model on loopback plays the agent, so that no account and no network is needed.
 */

import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { startScriptedModel, type Turn } from "../host/scripted-model.ts";
import {
  DEFECTS,
  MS,
  NEGATIVE_TEST,
  NO_SIGN_MEND,
  PARSE_TEST,
  PLAN,
  POSITIVE_TEST,
  REJECT_MEND,
  REJECT_TEST,
} from "./package.ts";
import { copyPackage } from "./published.ts";
import type { Stage } from "./stage.ts";
import type { Telling } from "./telling.ts";

/** One move of the scripted agent, and what has to come of it. */
interface Move {
  readonly says: string;
  /** A shell line, or one of the host's goal tools. Made from what came back so far. */
  readonly does: (
    heard: readonly string[],
  ) => { readonly sh: string } | { readonly tool: string; readonly args: object };
  /** Done to the files before the move. */
  readonly first?: (stage: Stage) => void;
  readonly sees: string;
  readonly not?: string;
}

const REFUSED = "Tool call blocked by PreToolUse hook";
const sh = (line: string) => (): { readonly sh: string } => ({ sh: line });
const complete = (): { readonly tool: string; readonly args: object } => ({
  tool: "update_goal",
  args: { status: "complete" },
});

const MOVES: readonly Move[] = [
  {
    says: "It makes the plan, and takes the first goal up.",
    does: sh(
      "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml && proofgate ulw-loop complete-goals",
    ),
    sees: "gate armed",
  },
  {
    says: "It tells Codex what it is after, with the words that the plan gave it.",
    does: (heard) => ({
      tool: "create_goal",
      args: { objective: /^objective: (.*)$/m.exec(heard[0] ?? "")?.[1] ?? "" },
    }),
    sees: '"status":"active"',
  },
  {
    says: "It has done nothing, and says that it is done. Codex asks the gate.",
    does: complete,
    sees: REFUSED,
  },
  {
    says: "It moves the plan out of sight, and says so again.",
    does: sh("mv .omo ../out-of-sight && ls -a"),
    sees: ".proofgate",
  },
  { says: "The gate remembers the plan, outside the repository.", does: complete, sees: "is gone" },
  {
    says: "So it puts the plan back: the ledger comes from the copy that the gate keeps.",
    does: sh("proofgate ulw-loop repair"),
    sees: "put back from the copy",
  },
  {
    says: "It writes the tests and mends the code. Each check is run here, on the commit before, and in a clean copy.",
    first(stage) {
      stage.write("test/negative.test.js", NEGATIVE_TEST);
      stage.write("test/positive.test.js", POSITIVE_TEST);
      stage.edit("index.js", NO_SIGN_MEND);
    },
    does: sh(
      'proofgate prove && proofgate ulw-loop checkpoint --status complete --evidence "Negative durations keep their unit."',
    ),
    sees: "G001 complete",
  },
  {
    says: "The second goal, in the same way, and the quality gate.",
    first(stage) {
      stage.write("test/reject.test.js", REJECT_TEST);
      stage.write("test/parse.test.js", PARSE_TEST);
      stage.edit("index.js", REJECT_MEND);
    },
    does: sh(
      'proofgate ulw-loop complete-goals && proofgate prove --all && proofgate ulw-loop record-quality-gate --recommendation APPROVE --architect-status CLEAR --review "Read the diff: three lines, as in the published package." --cleaner "Read the new tests: nothing to take out."',
    ),
    sees: "Quality gate recorded",
  },
  {
    says: "Now it is done, and Codex may say so.",
    does: complete,
    sees: '"status":"complete"',
    not: REFUSED,
  },
  {
    says: "The last checkpoint, and the board.",
    does: sh(
      'proofgate ulw-loop checkpoint --status complete --evidence "NaN and Infinity throw again." && proofgate check && proofgate status',
    ),
    sees: "gate ARMED",
  },
];

/** @param codex path of the binary. @throws Error when something does not happen as told */
export async function tellInCodex(
  stage: Stage,
  tell: Telling,
  { codex, nodeModules }: { readonly codex: string; readonly nodeModules: string },
): Promise<void> {
  tell.part("Into Codex");
  copyPackage(MS, nodeModules, stage.repo);
  for (const defect of DEFECTS) stage.edit("index.js", defect);
  stage.write(".proofgate/plan.yaml", PLAN);
  const started = await stage.run(
    "git init -q -b main && git add -A && git commit -q -m 'ms, with two bugs'",
  );
  if (started.exit !== 0) throw new Error(started.said);
  const bin = join(stage.base, "bin");
  if (!existsSync(join(bin, "codex"))) symlinkSync(codex, join(bin, "codex"));
  const home = join(stage.base, "home", ".codex");
  mkdirSync(home, { recursive: true });
  await tell.step(
    "The plugin, installed as you would install it. Without the second flag Codex would skip its hooks in silence.",
  );
  await tell.run("proofgate install codex --yes --trust-hooks", { exit: 0, sees: ["trust"], honest: true });

  tell.part("A session");
  const { heard, exit } = await session(stage, home);
  await tell.step("One `codex exec`, as it went. The agent's model is a script; everything else is real.");
  for (const [index, move] of MOVES.entries()) {
    const said = heard[index];
    if (said === undefined) throw new Error(`Codex ended with ${exit} before: ${move.says}`);
    await tell.step(move.says);
    const done = move.does(heard);
    tell.quote(
      `${"sh" in done ? `$ ${done.sh}` : `${done.tool} ${JSON.stringify(done.args)}`}\n${plain(said)}`,
    );
    if (!said.includes(move.sees) || (move.not !== undefined && said.includes(move.not)))
      throw new Error(`this was to say ${JSON.stringify(move.sees)}, and said: ${said}`);
  }
}

/** What Codex puts around a command's output says nothing here. */
const plain = (said: string): string => said.replace(/^Chunk ID:[\s\S]*?\nOutput:\n/, "").trimEnd();

async function session(stage: Stage, home: string): Promise<{ heard: readonly string[]; exit: number }> {
  const heard: string[] = [];
  let asked = 0;
  const model = await startScriptedModel((seen): Turn => {
    if (heard.length < asked) heard.push(seen.outputs.get(`move_${asked - 1}`) ?? "");
    const move = MOVES[asked];
    if (move === undefined) return { say: "done" };
    move.first?.(stage);
    const id = `move_${asked++}`;
    const done = move.does(heard);
    return "sh" in done
      ? { id, call: "exec_command", args: { cmd: done.sh, login: false, yield_time_ms: 25_000 } }
      : { id, call: done.tool, args: { ...done.args } };
  });
  try {
    // Written behind what the installer put there; the demo's folder is thrown away.
    const settings = join(stage.base, "home", "model.sh");
    writeFileSync(
      settings,
      modelFlags(model.url)
        .map((flag) => `-c '${flag}'`)
        .join(" "),
    );
    const path = `${join(stage.base, "bin")}${delimiter}$PATH`;
    const { exit, said } = await stage.run(
      `PATH="${path}" CODEX_HOME='${home}' eval codex exec --skip-git-repo-check $(cat '${settings}') "'ulw: mend the two bugs of ms'"`,
    );
    const trouble = model.failure();
    if (trouble !== null || heard.length === 0)
      throw new Error(`Codex did not play: ${trouble?.message ?? ""} ${said.slice(-800)}`);
    return { heard, exit };
  } finally {
    await model.end();
  }
}

const modelFlags = (url: string): readonly string[] => [
  'model="scripted"',
  'model_provider="scripted"',
  'approval_policy="never"',
  'sandbox_mode="danger-full-access"',
  'model_providers.scripted.name="scripted"',
  `model_providers.scripted.base_url="${url}"`,
  'model_providers.scripted.wire_api="responses"',
  "model_providers.scripted.requires_openai_auth=false",
  "model_providers.scripted.supports_websockets=false",
];
