/** The final quality gate: verification run by the tool, counts recomputed, reviews taken from the agent as what they are. */

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Refusal } from "../errors.ts";
import { describeCommand, makeCheck } from "../evidence/check.ts";
import { sandboxed } from "../evidence/environment.ts";
import { fingerprint } from "../evidence/fingerprint.ts";
import { judge } from "../evidence/judge.ts";
import { runCheck } from "../evidence/run-check.ts";
import type { Command } from "../evidence/types.ts";
import type { Loaded } from "../journal/types.ts";
import { saveArtifact } from "./artifacts.ts";
import type { PlanEvent, Receipt } from "./events.ts";
import { coverage } from "./judge.ts";
import type { Plan, Review } from "./model.ts";
import { presentOf } from "./present.ts";
import { capturedText, receiptOf } from "./receipt.ts";
import { changePlan, requirePlan, type Workspace } from "./workspace.ts";

/** The shape that the contract fixes. `verification` and `criteriaCoverage` are always the tool's own. */
interface QualityGateForm {
  readonly aiSlopCleaner: { readonly status: "passed"; readonly evidence: string };
  readonly verification: {
    readonly status: "passed";
    readonly commands: readonly string[];
    readonly evidence: string;
  };
  readonly codeReview: Review;
  readonly criteriaCoverage: ReturnType<typeof coverage>;
}

export interface Reviews {
  readonly review: Review;
  readonly cleaner: string;
}

/**
 * Reads what the agent supplies out of the contract's JSON. Counts and verification in it are not looked at.
 * @throws Refusal `json_invalid`, `quality_gate_open`
 */
export function reviewsFrom(json: unknown): Reviews {
  const review = member(json, "codeReview");
  const cleaner = member(json, "aiSlopCleaner");
  const status = text(cleaner, "status");
  if (status !== "" && status !== "passed") throw notClean("aiSlopCleaner.status passed", status);
  return {
    review: {
      recommendation: text(review, "recommendation"),
      architectStatus: text(review, "architectStatus"),
      evidence: text(review, "evidence"),
    },
    cleaner: text(cleaner, "evidence"),
  };
}

const member = (json: unknown, key: string): unknown =>
  typeof json === "object" && json !== null ? Reflect.get(json, key) : undefined;

function text(json: unknown, key: string): string {
  const value = member(json, key);
  return typeof value === "string" ? value : "";
}

/** Words of a reviewer that contradict APPROVE, wherever they stand in the report. */
const REJECTING =
  /\b(REJECT(ED)?|REQUEST[_ ]CHANGES|CHANGES[_ ]REQUESTED|NOT[_ ]APPROVED|BLOCKED|DISAPPROVED?)\b/;

/** A line that gives a verdict, in whatever case: `Verdict: reject`, `## Request changes`. */
const VERDICT =
  /^\W*(?:verdict|recommendation|decision|result|review|status|conclusion)\b\W*(?:is\W+)?(?:reject\w*|request(?:s|ed|ing)? changes|changes requested|not approved|blocked|disapprov\w*|needs? work|fail\w*)|^\W*(?:reject(?:ed)?|request(?:s|ed|ing)? changes|changes requested|not approved)\W*$/im;

/**
 * Clean means APPROVE and CLEAR, and a report that does not say otherwise.
 * @param readReport reads a file that the evidence names, so that a report which says REJECT is seen
 * @throws Refusal `quality_gate_open`
 */
function requireClean(reviews: Reviews, readReport: (path: string) => string | null): void {
  const { review, cleaner } = reviews;
  if (review.recommendation !== "APPROVE")
    throw notClean("recommendation APPROVE", review.recommendation || "none");
  if (review.architectStatus !== "CLEAR")
    throw notClean("architectStatus CLEAR", review.architectStatus || "none");
  for (const [what, evidence] of [
    ["review", review.evidence],
    ["cleaner", cleaner],
  ] as const) {
    if (evidence.trim().split(/\s+/).length < 3)
      throw new Refusal("quality_gate_open", `The ${what} evidence says nothing that could be checked.`, {
        expected: "what was looked at and what was found, or the path of a report",
        found: JSON.stringify(evidence.slice(0, 80)),
        next: [`say what the ${what} looked at, with --${what}`],
      });
    const named = evidence.match(/[\w./-]+\.(?:md|txt|json|log)\b/g) ?? [];
    for (const body of [evidence, ...named.map(readReport)]) {
      const against = body === null ? null : (REJECTING.exec(body) ?? VERDICT.exec(body));
      if (against !== null) throw notClean("a report that approves", against[0]);
    }
  }
}

const notClean = (expected: string, found: string): Refusal =>
  new Refusal("quality_gate_open", "The review is not clean.", {
    expected,
    found,
    next: [
      'proofgate ulw-loop record-review-blockers --goal-id … --title "…" --objective "…" --evidence "…"',
    ],
  });

/**
 * Runs the plan's `verify:` commands, or every check of the plan where there are none, and records the gate.
 * @throws Refusal `check_failed`, `check_inconclusive`, `quality_gate_open`
 */
export async function recordQualityGate(
  ws: Workspace,
  reviews: Reviews,
  onStart?: (what: string) => void,
): Promise<{ loaded: Loaded<Plan>; form: QualityGateForm }> {
  const plan = requirePlan(ws).state;
  requireClean(reviews, (path) => readIn([ws.place.root, ws.place.dir], path));
  const commands = verifyCommands(plan);
  const receipts: Receipt[] = [];
  const treeBefore = await fingerprint(ws.place.root);
  for (const [index, command] of commands.entries()) {
    const check = makeCheck({ run: command, timeoutMs: VERIFY_TIMEOUT_MS });
    onStart?.(describeCommand(check));
    const run = await runCheck(check, {
      cwd: ws.place.root,
      env: ws.env,
      root: ws.place.root,
    });
    const captured = { ...run, treeBefore: treeBefore.id, treeAfter: treeBefore.id };
    receipts.push(
      receiptOf(
        captured,
        check,
        saveArtifact(ws.place, `evidence/verify-${index + 1}.txt`, capturedText(captured, check)),
      ),
    );
    const verdict = await judge(check, run, {
      runDir: ws.place.root,
      stdoutPath: run.stdoutPath,
      stderrPath: run.stderrPath,
      sandboxed: sandboxed(ws.env),
      ownFiles: [],
    });
    const tail = (run.stderr.tail || run.stderr.head || run.stdout.tail || run.stdout.head)
      .trimEnd()
      .split("\n")
      .slice(-5)
      .join("\n");
    await run.dispose();
    if (verdict.kind === "met") continue;
    const found =
      verdict.kind === "unmet"
        ? `${verdict.expectation}: wanted ${verdict.wanted}, got ${verdict.got}`
        : verdict.reason;
    throw new Refusal(
      verdict.kind === "unmet" ? "check_failed" : "check_inconclusive",
      `Verification failed: ${describeCommand(check)}`,
      {
        expected: "exit 0",
        found: tail === "" ? found : `${found}\n${tail}`,
        next: ["mend it, then run the same command again"],
      },
    );
  }
  const tree = await fingerprint(ws.place.root);
  const present = presentOf(ws.place, tree, { thorough: true });
  const names = commands.map((command) => (typeof command === "string" ? command : command.join(" ")));
  const form: QualityGateForm = {
    aiSlopCleaner: { status: "passed", evidence: reviews.cleaner },
    verification: {
      status: "passed",
      commands: names,
      evidence:
        names.length > 0
          ? `run by proofgate on tree ${tree.id.slice(0, 12)}: all exited 0`
          : "the plan names no verify commands; every criterion's own check counts",
    },
    codeReview: reviews.review,
    criteriaCoverage: coverage(plan, present),
  };
  const artifact = saveArtifact(ws.place, "evidence/quality-gate.json", `${JSON.stringify(form, null, 2)}\n`);
  const event: PlanEvent = {
    type: "gate_recorded",
    tree: tree.id,
    commands: names,
    receipts,
    review: reviews.review,
    cleaner: reviews.cleaner,
    artifact,
  };
  const { loaded } = changePlan(ws, "record-quality-gate", () => ({ events: [event], result: null }));
  return { loaded, form };
}

/**
 * The plan's `verify:` and the repository's gates. Without any the criteria's own proofs are the verification, and they have
 * to be fresh at the checkpoint anyway.
 */
export const verifyCommands = (plan: Plan): readonly Command[] => [
  ...plan.verify,
  ...plan.policy.gates.filter((gate) => !plan.verify.some((own) => isDeepStrictEqual(own, gate))),
];

/** Verification may be a whole suite; it gets half an hour. In milliseconds. */
export const VERIFY_TIMEOUT_MS = 30 * 60_000;

function readIn(folders: readonly string[], path: string): string | null {
  if (path.includes("..") || path.startsWith("/")) return null;
  for (const base of folders)
    try {
      return readFileSync(`${base}/${path}`, "utf8").slice(0, 1024 * 1024);
    } catch {
      // Not there: the sentence stands for itself.
    }
  return null;
}
