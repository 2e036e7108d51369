/** `proofgate ci`: no ledger, no agent. Every check fails on the base and passes on the head, or the build is red. */

import { join } from "node:path";
import type { Problem } from "../errors.ts";
import { takeBefore } from "../evidence/before.ts";
import { describeCheck } from "../evidence/channels/words.ts";
import { describeCommand, makeCheck } from "../evidence/check.ts";
import { checkFiles } from "../evidence/check-files.ts";
import { sandboxed } from "../evidence/environment.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import { judge } from "../evidence/judge.ts";
import { runCheck } from "../evidence/run-check.ts";
import type { Before, Check } from "../evidence/types.ts";
import { beforeWords, passWord } from "./assess.ts";
import type { PlanDraft } from "./draft.ts";
import { failureWords } from "./events.ts";
import { criterionId } from "./ids.ts";
import { hollowed } from "./judge.ts";
import { isClaimable } from "./model.ts";

export interface CiResult {
  readonly ref: string;
  readonly scenario: string;
  readonly status: "proven" | "pinned" | "hollow" | "failing" | "not_run" | "skipped";
  readonly why: string;
}

export interface CiReport {
  readonly valid: boolean;
  readonly results: readonly CiResult[];
  readonly problems: readonly Problem[];
}

/**
 * @param options.base commit that the checks have to fail on
 * @param options.env environment of the checks
 */
export async function runCi(
  draft: PlanDraft,
  options: { root: string; base: string; env: NodeJS.ProcessEnv; onStart?: (what: string) => void },
): Promise<CiReport> {
  const results: CiResult[] = [];
  const problems: Problem[] = [];
  const seen = new Map<string, Promise<Judged>>();
  for (const [goalIndex, goal] of draft.goals.entries()) {
    const goalId = `G${String(goalIndex + 1).padStart(3, "0")}`;
    let happyRed = false;
    let pinned = 0;
    for (const [index, criterion] of goal.criteria.entries()) {
      const ref = `${goalId}-${criterionId(index)}`;
      const { check, scenario } = criterion;
      if (check === null) {
        const why = isClaimable(criterion) ? "claimed criteria cannot be re-run" : "no check";
        results.push({ ref, scenario, status: "skipped", why });
        problems.push({ where: ref, code: "criterion_draft", message: `${why}: nothing to run` });
        continue;
      }
      options.onStart?.(`${ref}  ${describeCheck(check)}`);
      const key = JSON.stringify(check);
      const running = seen.get(key) ?? judgeCheck(check, draft, { ...options, name: ref });
      seen.set(key, running);
      const { before, ...judged } = await running;
      const result = { ref, scenario, ...judged };
      results.push(result);
      if (result.status === "failing" || result.status === "not_run")
        problems.push({
          where: ref,
          code: result.status === "failing" ? "check_failed" : "check_inconclusive",
          message: result.why,
        });
      const hollow = hollowed(before ?? null, criterion);
      if (hollow !== null) problems.push({ where: ref, code: "hollowed", message: hollow });
      if (result.status === "pinned" || result.status === "hollow") pinned++;
      if (result.status === "proven" && criterion.classes.includes("happy")) happyRed = true;
    }
    if (!happyRed && pinned > 0)
      problems.push({
        where: goalId,
        code: "not_red",
        message: "no happy criterion failed on the base: the change is not shown to do anything",
      });
  }
  for (const command of draft.verify) {
    options.onStart?.(`verify  ${describeCommand({ run: command })}`);
    const verdict = await runHere(makeCheck({ run: command, timeoutMs: 30 * 60_000 }), options);
    if (verdict !== null)
      problems.push({
        where: "verify",
        code: "check_failed",
        message: `${describeCommand({ run: command })}: ${verdict.why}`,
      });
  }
  return { valid: problems.length === 0, results, problems };
}

type Judged = Pick<CiResult, "status" | "why"> & { readonly before?: Before };

async function judgeCheck(
  check: Check,
  draft: PlanDraft,
  options: { root: string; base: string; env: NodeJS.ProcessEnv; name: string },
): Promise<Judged> {
  const here = await runHere(check, options);
  if (here !== null) return here;
  const before = await takeBefore(check, {
    root: options.root,
    base: options.base,
    share: draft.share,
    setup: draft.setup,
    preview: false,
    name: options.name,
  });
  return {
    status: passWord(before),
    why: words(before),
    before,
  };
}

const words = (before: Before): string => beforeWords(before).replace("before", "on base");

/** Null when the check is met on the working tree. */
async function runHere(
  check: Check,
  options: { root: string; env: NodeJS.ProcessEnv; name?: string },
): Promise<{ status: "failing" | "not_run"; why: string } | null> {
  const cwd = join(options.root, check.cwd);
  const run = await runCheck(check, { cwd, env: options.env, root: options.root, name: options.name });
  const { own } = checkFiles(check, await fingerprint(options.root), null);
  const verdict = await judge(check, run, {
    runDir: cwd,
    stdoutPath: run.stdoutPath,
    stderrPath: run.stderrPath,
    sandboxed: sandboxed(options.env),
    ownFiles: own,
  });
  await run.dispose();
  if (verdict.kind === "met") return null;
  if (verdict.kind === "unmet")
    return { status: "failing", why: failureWords(verdict.expectation, verdict.wanted, verdict.got) };
  return { status: "not_run", why: verdict.reason };
}
