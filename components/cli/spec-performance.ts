/** The commands of performance-goal. */

import type { CommandSpec, Flag } from "./spec.ts";

const slug: Flag = { value: "NAME", help: "which goal; not needed where there is one" };
const budget: Flag = { value: "TIME", help: "for the pairs of one measurement, 60s by default" };

const performance = (name: string, summary: string, flags: CommandSpec["flags"] = {}): CommandSpec => ({
  name: `performance-goal ${name}`,
  summary,
  flags,
});

export const PERFORMANCE: readonly CommandSpec[] = [
  performance("create", "an optimisation that counts only when it is measured: the goal and its contract", {
    objective: { value: "TEXT", help: "what has to become faster, and for whom" },
    "objective-file": { value: "PATH", help: "the same from a file" },
    "evaluator-command": { value: "COMMAND", help: "the shell line that measures" },
    "evaluator-contract": { value: "TEXT", help: "what passes and what fails, in words" },
    "evaluator-contract-file": { value: "PATH", help: "the same from a file" },
    slug: { value: "NAME", help: "its name; made of the objective by default" },
    metric: {
      value: "NAME",
      help: "a line METRIC NAME=NUMBER of its output, a JSON path ($.p95), wall, cpu or memory",
    },
    target: { value: "TARGET", help: "-20%, +30%, 2x, <=150ms, >=10k/s; any improvement by default" },
    better: { value: "WORD", help: "lower or higher, where target and unit do not tell" },
    guard: { value: "COMMAND", help: "has to pass before anything is measured; may be repeated", many: true },
    protect: {
      value: "GLOBS",
      help: "the evaluator's own files, comma-separated; those its command names by default",
    },
    covers: {
      value: "GLOBS",
      help: "files whose change makes a verdict stale, comma-separated; all by default",
    },
    "warm-up": { value: "N", help: "pairs that are run first and not counted; 2 by default" },
    budget,
    "min-effect": { value: "PERCENT", help: "less than this is no change; 1% by default" },
    confidence: { value: "PERCENT", help: "99% by default" },
    base: { value: "REF", help: "commit that the gain is measured against; HEAD by default" },
    setup: { value: "COMMAND", help: "run once in every copy, for instance a build" },
    share: { value: "NAMES", help: "ignored files and folders that the copies need, comma-separated" },
    force: { help: "replace an open goal of that name; the user has to approve" },
  }),
  performance("start", "take the goal up and print the hand-off", { slug }),
  performance("baseline", "the base against itself: its value, and how much this machine's noise hides", {
    slug,
    budget,
  }),
  performance("evaluate", "measure the working tree against the base, and keep what is better", {
    slug,
    budget,
    "self-test": { help: "slow the code down on purpose: does the evaluator see it?" },
  }),
  performance("checkpoint", "record a validation; a pass rests on a fresh evaluation", {
    slug,
    status: { value: "STATUS", help: "pass, fail or blocked" },
    evidence: { value: "TEXT", help: "a note: what was done" },
  }),
  performance("complete", "the end: refused without a passing, fresh checkpoint", {
    slug,
    evidence: { value: "TEXT", help: "a note" },
    "codex-goal-json": { value: "JSON", help: "the host's get_goal answer: inline, a path, or -" },
  }),
  performance("status", "where it stands, and whether the host's goal agrees", {
    slug,
    "codex-goal-json": { value: "JSON", help: "the host's get_goal answer: inline, a path, or -" },
  }),
  performance("list", "the performance goals of this repository, a line each"),
  performance("revert", "put back what changed since the last keep; a patch is saved first", {
    slug,
    undo: { help: "take the last revert back" },
  }),
  performance("plot", "the course of it, in the terminal and as a picture", {
    slug,
    svg: { value: "PATH", help: "write the picture there; plot.svg in the state folder by default" },
  }),
  performance("abandon", "give it up; the user decides whether that counts", {
    slug,
    evidence: { value: "TEXT", help: "why" },
  }),
  performance("verify", "check the ledger and the snapshot", { slug }),
  performance("repair", "mend ledger and snapshot; copies are kept, losses are said", { slug }),
];
