/** Asks the base tree about a check: did it fail before the work, for the work's sake and nothing else's? */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import type { Export, ExportOptions } from "./base-tree.ts";
import { checkFiles, namedFiles } from "./check-files.ts";
import { commitFiles } from "./commit-files.ts";
import { isTestFile, looksLikeCheck } from "./conventions.ts";
import { digestOf, globs, type LiveTree, withTreeObjects } from "./fingerprint.ts";
import { verdictWords } from "./judge.ts";
import { type BaseChecks, baseChecks, withoutProduct } from "./pin.ts";
import { onExport, runIn, type Seen } from "./run-in-export.ts";
import { changedConfig, isRunnerConfig } from "./runner-config.ts";
import type { Before, Check, Command, Confine, Tree } from "./types.ts";

export interface BeforeOptions {
  readonly root: string;
  /** Commit to compare with; null when there is none. */
  readonly base: string | null;
  /** Names shared with the export beside the usual dependency folders. */
  readonly share: readonly string[] | null;
  readonly setup: readonly Command[];
  /** The work is not done yet: a failure on the base counts without asking a clean copy of today's tree. */
  readonly preview: boolean;
  /** Whether a tree is the one that the check passed on, as far as it counts: the answer is of that one or of none. */
  readonly isStill?: (tree: Tree) => boolean;
  /** Environment of the runs; by default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly confine?: Confine | undefined;
  /** The criterion that it is asked for. */
  readonly name?: string | undefined;
}

/** A base run that was quicker than this is repeated before its failure is believed: a coin must not fall red by luck,
 * nor a test that counts the folders it runs in. */
const REPEATED_BELOW_MS = 3000;
/**
 * Runs a check that passed on the working tree on the base tree, with its own files of today laid over it.
 * Never throws for what the base is like: a base that cannot be exported is `unclear`.
 */
export async function takeBefore(check: Check, options: BeforeOptions): Promise<Before> {
  const began = performance.now();
  return withTreeObjects(options.root, async (tree) => {
    const { ofToday, ...answer } = await compare(check, options, tree);
    const digest = checkFilesDigest(check, tree);
    return {
      ...answer,
      base: answer.outcome === "no_base" ? null : options.base,
      // An answer that another product would change is no answer for the next tree.
      checkFiles: ofToday ? `${digest}@${tree.id}` : digest,
      durationMs: Math.round(performance.now() - began),
    };
  });
}

/** Digest of the check's own files as they are in a tree, scripts and runner configuration included: what a cached answer depends on. */
export function checkFilesDigest(check: Check, tree: Tree): string {
  const { own, scripts } = checkFiles(check, tree, null);
  const paths = new Set([...own, ...scripts]);
  return digestOf(tree, (path) => paths.has(path) || isRunnerConfig(path));
}

type Answer = Pick<Before, "outcome" | "saw" | "covers" | "lost"> & {
  /** Today's product had a say in it, not only the check's own files. */
  readonly ofToday?: boolean;
};

async function compare(check: Check, options: BeforeOptions, tree: LiveTree): Promise<Answer> {
  const { base, root } = options;
  if (options.isStill?.(tree) === false)
    return { outcome: "unclear", saw: "the tree changed while it was asked" };
  if (base === null || tree.treeHash === null)
    return { outcome: "no_base", saw: "no commit to compare with" };
  try {
    return await askBase(check, { ...options, base }, tree);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return {
      outcome: "unclear",
      saw: `${base.slice(0, 12)} cannot be put in place in ${root}: ${error.found ?? error.message}`.slice(
        0,
        300,
      ),
    };
  }
}

async function askBase(
  check: Check,
  options: BeforeOptions & { readonly base: string },
  tree: LiveTree,
): Promise<Answer> {
  const before = await commitFiles(options.root, options.base);
  const files = checkFiles(check, tree, new Set(before.keys()));
  const common = { share: options.share, setup: options.setup, today: tree, head: options.base };
  const config = await changedConfig(options.root, options.base, before, tree.files);
  const configured = [...config.paths, ...config.patches.keys(), ...config.removed];
  const bare = [...new Set([...files.own, ...files.scripts])];
  const overlay = [...new Set([...bare, ...config.paths])];
  // Today's tests and no others: a failing test that was deleted is not what turned red into green.
  const remove = checkFiles(check, { id: "", files: before }, null).own.filter(
    (path) => isTestFile(path) && !tree.files.has(path),
  );
  const prepared = { overlay, remove: [...remove, ...config.removed], patches: config.patches };
  const run = (place: Export): Promise<Seen> => runIn(place, check, options, files);
  const onBase = (use = run): Promise<Seen | string> =>
    onExport(options, { commit: options.base }, { ...common, ...prepared }, use);
  const onToday = (how: Partial<ExportOptions>): Promise<Seen | string> =>
    onExport(options, { tree }, { ...common, overlay: [], ...how }, run);

  const began = performance.now();
  const first = await onBase(async (place) => {
    // Where making a second folder would take long, the same one has to do.
    const slow = performance.now() - began >= REPEATED_BELOW_MS;
    const seen = await run(place);
    if (!slow || seen.verdict.kind !== "unmet" || seen.durationMs >= REPEATED_BELOW_MS) return seen;
    const again = await run(place);
    return again.verdict.kind === "met" ? { ...again, flaky: true } : seen;
  });
  const repeated = performance.now() - began < REPEATED_BELOW_MS;
  const answer = await judgeFirst();
  return options.preview ? answer : question(answer);

  async function judgeFirst(): Promise<Answer> {
    if (typeof first === "string") return { outcome: "unclear", saw: first };
    const words = verdictWords(check, first.verdict);
    if (first.flaky) return FLAKY;
    switch (first.verdict.kind) {
      case "not_run":
        return { outcome: "not_run", saw: first.verdict.reason + ignoredHint(check, options.root, tree) };
      case "inconclusive":
      case "blocked":
        return { outcome: "unclear", saw: words };
      case "met":
        return withOwnScripts();
      case "unmet":
        if (!options.preview) return control(words);
        return (await passesAgain()) ? FLAKY : { outcome: "red", saw: words };
    }
  }

  /** In a folder of its own, so that a test which knows the first one by sight is found out. */
  async function passesAgain(): Promise<boolean> {
    if (!repeated) return false;
    const again = await onBase();
    return typeof again !== "string" && again.verdict.kind === "met";
  }

  /** It passed with today's scripts. Does it with the scripts that the base has? */
  async function withOwnScripts(): Promise<Answer> {
    const scripts = files.scripts.filter(
      (path) => before.get(path) !== tree.files.get(path) && !looksLikeCheck(path),
    );
    const changed = [...new Set([...scripts, ...configured])];
    if (changed.length === 0) return { outcome: "pinned", saw: "passes already" };
    const seen = await onExport(
      options,
      { commit: options.base },
      { ...common, overlay: bare.filter((path) => !scripts.includes(path)), remove },
      (place) => runIn(place, check, options, files),
    );
    if (typeof seen === "string") return { outcome: "unclear", saw: seen };
    const names = changed.join(", ");
    switch (seen.verdict.kind) {
      case "met":
        return { outcome: "pinned", saw: "passes already" };
      case "unmet":
        return {
          outcome: "own_script",
          saw: `${verdictWords(check, seen.verdict)}, with the base's own ${names}`,
        };
      case "not_run":
        return {
          outcome: "not_run",
          saw: `${names}: the check runs it directly and the base has none to run`,
        };
      default:
        return { outcome: "unclear", saw: verdictWords(check, seen.verdict) };
    }
  }

  /** `covers:` names enough when the base passes with today's covered files and nothing else of the work. */
  async function coversHold(): Promise<boolean> {
    if (check.covers === null) return false;
    const inside = globs(check.covers);
    const covered = [...tree.files.keys()].filter(inside);
    const gone = [...before.keys()].filter((path) => inside(path) && !tree.files.has(path));
    const patches = new Map([...config.patches].filter(([path]) => !inside(path)));
    const how = {
      ...common,
      overlay: [...overlay, ...covered],
      remove: [...prepared.remove, ...gone],
      patches,
    };
    const seen = await onExport(options, { commit: options.base }, how, (place) =>
      runIn(place, check, options, files),
    );
    return typeof seen !== "string" && seen.verdict.kind === "met";
  }

  /** It failed on the base. Were that the export's fault, a clean copy of today's tree would fail as well. */
  async function control(words: string): Promise<Answer> {
    // In a changing order: a test must not know by the number of runs which of them is the base.
    const baseFirst = Math.random() < 0.5;
    if (baseFirst && (await passesAgain())) return FLAKY;
    const answer = await cleanCopy(words);
    return !baseFirst && (await passesAgain()) ? FLAKY : answer;
  }

  async function cleanCopy(words: string): Promise<Answer> {
    if (await coversHold()) return { outcome: "red", saw: words, covers: "hold" };
    const seen = await onToday({ overlay });
    if (typeof seen === "string") return { outcome: "unclear", saw: seen };
    if (seen.verdict.kind === "met")
      return { outcome: "red", saw: words, ...(check.covers === null ? {} : { covers: "narrow" as const }) };
    const hint = ignoredHint(check, options.root, tree) || "; does it need `share:` or `setup:`?";
    return {
      outcome: "unclear",
      saw: `a clean copy of today's tree fails as well (${verdictWords(check, seen.verdict)})${hint}`,
    };
  }

  /** An answer is worth as much as the check is. Is it the one that the base has, and does it look at the project at all? */
  async function question(answer: Answer): Promise<Answer> {
    const then = checkFiles(check, { id: "", files: before }, null);
    const changed = await baseChecks(
      options.root,
      options.base,
      { then, now: files, config },
      { before, today: tree },
    );
    // A program that is run directly and was mended: that the base's own fails is what `own_script` says already.
    const mended = files.scripts.some(
      (path) => !looksLikeCheck(path) && before.get(path) !== tree.files.get(path),
    );
    if (answer.outcome === "own_script" && mended) return answer;
    const red = answer.outcome === "red";
    // Tests that are only added are what makes a check red; nothing of the base's is lost by them.
    if (red && (changed === null || changed.restore.length + changed.patches.size === 0)) return answer;
    if (changed !== null) {
      const failed = await failsWithBaseChecks(changed, answer.outcome);
      if (red) return { ...answer, ofToday: true, ...(failed === null ? {} : { lost: failed }) };
      if (failed !== null)
        return {
          outcome: "hollowed",
          saw: `its own test was changed: the base's version fails here (${failed})`,
          ofToday: true,
        };
    }
    const ofToday = changed !== null;
    if (answer.outcome !== "pinned") return { ...answer, ofToday };
    for (const product of withoutProduct(files, tree)) {
      const seen = await onToday({ ...product, setup: [] });
      if (typeof seen === "string" || seen.verdict.kind !== "met") return { ...answer, ofToday };
    }
    return { outcome: "hollowed", saw: "passes without the project as well", ofToday };
  }

  /** What failed when today's product met the base's check files; null when nothing did, or it says nothing. */
  async function failsWithBaseChecks(
    { restore, added, patches }: BaseChecks,
    outcome: Before["outcome"],
  ): Promise<string | null> {
    const how = { restore: { commit: options.base, paths: restore }, patches };
    const unmet = async (remove: readonly string[]): Promise<string | null> => {
      const seen = await onToday({ ...how, remove });
      if (typeof seen === "string" || seen.verdict.kind !== "unmet") return null;
      return verdictWords(check, seen.verdict);
    };
    const failed = await unmet(added);
    if (failed === null) return null;
    const certain = outcome === "pinned" || outcome === "own_script";
    if (certain && added.length === 0) return failed;
    // The check may want what only today's tree has; then it fails on the base as it is there, too.
    const there = await onExport(options, { commit: options.base }, { ...common, overlay: [] }, run);
    if (typeof there !== "string" && there.verdict.kind === "met") return failed;
    return certain ? unmet([]) : null;
  }
}

const FLAKY: Answer = {
  outcome: "unclear",
  saw: "flaky: it failed on the base once and passed there once",
};

/** An ignored file is in no export; naming it saves the search. */
function ignoredHint(check: Check, root: string, tree: Tree): string {
  const folders = [...tree.files.keys()];
  const ignored = namedFiles(check).filter(
    (path) =>
      path !== "" &&
      /[./]/.test(path) &&
      !tree.files.has(path) &&
      existsSync(join(root, path)) &&
      !folders.some((one) => one.startsWith(`${path}/`)),
  );
  return ignored.length === 0
    ? ""
    : `; ${ignored.join(", ")} is ignored by Git: name it in \`share:\`, or build it in \`setup:\``;
}
