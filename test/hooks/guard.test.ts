/** State files are not edited: not by patch, not by another spelling of their path, and nothing else is refused. */

import { describe, expect, test } from "bun:test";
import { type GuardFacts, guard, patchTargets } from "../../hooks/guard.ts";
import { wild } from "./facts.ts";

const facts: GuardFacts = {
  roots: ["/repo"],
  cwd: "/repo",
  caseInsensitive: false,
  store: "/home/u/.local/state/proofgate",
};
const refusal = (target: string, changes: Partial<GuardFacts> = {}): string | null => {
  const decision = guard([target], { ...facts, ...changes });
  return decision.kind === "deny" ? decision.message : null;
};

describe("patchTargets", () => {
  test("names every file that a patch adds, updates, deletes or moves to, once", () => {
    const patch = [
      "*** Begin Patch",
      "*** Add File: src/new.ts",
      "+export {};",
      "*** Update File: src/old.ts",
      "*** Move to: src/moved.ts",
      "@@ function a",
      "-a",
      "+b",
      "*** Delete File: src/gone.ts",
      "*** Update File: src/new.ts",
      "@@",
      "+c",
      "*** End of File",
      "*** End Patch",
    ].join("\n");
    expect(patchTargets(patch)).toEqual(["src/new.ts", "src/old.ts", "src/moved.ts", "src/gone.ts"]);
  });

  test("takes headers as a lax parser would: padded, in another case, with CRLF", () => {
    expect(
      patchTargets("*** Begin Patch\r\n  *** add file:   a b.md  \r\n+x\r\n *** DELETE FILE:c\r\n"),
    ).toEqual(["a b.md", "c"]);
  });

  test("leaves a file's own text alone, also where it looks like a header", () => {
    const patch = [
      "*** Begin Patch",
      "*** Update File: docs/patches.md",
      "@@",
      " *** Update File: .omo/ulw-loop/goals.json",
      "-*** Delete File: .omo/ulw-loop/ledger.jsonl",
      "+*** Move to: .omo/ulw-loop/ledger.jsonl",
      "*** End Patch",
    ].join("\n");
    expect(patchTargets(patch)).toEqual(["docs/patches.md"]);
  });

  test("reads a shell line that hands the patch over, and where it went before", () => {
    const shell = (before: string) =>
      `${before}apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: ledger.jsonl\n@@\n+x\n*** End Patch\nEOF`;
    expect(patchTargets(shell(""))).toEqual(["ledger.jsonl"]);
    expect(patchTargets(shell("cd .omo/ulw-loop && "))).toEqual([".omo/ulw-loop/ledger.jsonl"]);
    expect(patchTargets(shell("cd '/repo/.omo'; cd ulw-loop\n"))).toEqual([
      "/repo/.omo/ulw-loop/ledger.jsonl",
    ]);
  });

  test("answers any string", () => {
    for (const text of wild(300)) guard(patchTargets(text), facts);
  });
});

describe("guard refuses", () => {
  test.each([
    [".omo/ulw-loop/goals.json", "proofgate ulw-loop steer --kind …"],
    [".omo/ulw-loop/ledger.jsonl", "annotate_ledger"],
    [".omo/ulw-loop/brief.md", "revise_pending_wording"],
    [".omo/ulw-loop/evidence/G001-C001.txt", "proofgate prove"],
    [".omo/ulw-loop/trees/abc.json", "proofgate ulw-loop repair"],
    [".omo/ulw-loop/lock/12", "proofgate ulw-loop repair"],
    [".omo/ulw-loop", "proofgate ulw-loop repair"],
    [".omo/ulw-loop/night/ledger.jsonl", "annotate_ledger"],
    [".omo/ulw-loop/night/evidence/G001-C001.png", "proofgate prove"],
    [".omx/goals/performance/parser/state.json", "performance-goal checkpoint"],
    [".omx/goals/performance/parser/ledger.jsonl", "performance-goal checkpoint"],
    [".omx/goals/performance/parser/evaluator.md", "performance-goal status"],
    ["/home/u/.local/state/proofgate/approvals.jsonl", "proofgate ulw-loop verify"],
  ])("%s, and names %s", (target, command) => {
    const message = refusal(target) ?? "";
    expect(message).toContain(command);
    for (const part of ["Expected: ", "Found: ", "Next: "]) expect(message).toContain(part);
    expect(message.length).toBeLessThanOrEqual(600);
  });

  test.each([
    "./.omo/ulw-loop/goals.json",
    ".omo//ulw-loop///goals.json",
    ".omo/./ulw-loop/goals.json",
    ".omo/ulw-loop/evidence/../goals.json",
    "src/../.omo/ulw-loop/goals.json",
    "../repo/.omo/ulw-loop/goals.json",
    "/repo/.omo/ulw-loop/goals.json",
    "//repo/src/../.omo/ulw-loop/goals.json",
    "../../../../repo/.omo/ulw-loop/goals.json",
    ".omo\\ulw-loop\\goals.json",
    ".omo/ulw-loop/bootstrap-notepad.md/../goals.json",
    ".omo/ulw-loop/evidence/x/bootstrap-notepad.md",
    ".omo/ulw-loop/evidence/bootstrap-notepad.md",
  ])("another spelling: %s", (target) => {
    expect(refusal(target)).toContain("Next: ");
  });

  test("from a folder below the root, and in another worktree", () => {
    expect(refusal("../.omo/ulw-loop/goals.json", { cwd: "/repo/src" })).not.toBeNull();
    expect(refusal("ledger.jsonl", { cwd: "/repo/.omo/ulw-loop" })).not.toBeNull();
    expect(refusal("/other/.omo/ulw-loop/goals.json", { roots: ["/repo", "/other/"] })).not.toBeNull();
  });

  test.each([
    ".OMO/ULW-Loop/Goals.JSON",
    ".omo/ulw-loop./ledger.jsonl",
    ".omo/ulw-loop /ledger.jsonl",
    ".om\u200co/ulw-loop/ledger.jsonl",
    ".omo/ulw-loop/ledger.jsonl::$DATA",
    ".omx/goalſ/performance/p/state.json",
    "/REPO/.omo/ulw-loop/goals.json",
  ])("where case does not count: %j", (target) => {
    expect(refusal(target, { caseInsensitive: true })).not.toBeNull();
  });

  test("on Windows, with either slash", () => {
    const windows = { roots: ["C:\\repo"], cwd: "C:\\repo\\src", caseInsensitive: true };
    expect(refusal("c:/Repo/.omo/ulw-loop/goals.json", windows)).not.toBeNull();
    expect(refusal("..\\.omo\\ulw-loop\\goals.json", windows)).not.toBeNull();
    expect(refusal("src\\a.ts", windows)).toBeNull();
  });

  test("a patch that moves a harmless file into the ledger", () => {
    const patch =
      "*** Begin Patch\n*** Update File: notes.txt\n*** Move to: .omo/ulw-loop/ledger.jsonl\n@@\n-a\n+b\n*** End Patch";
    const decision = guard(patchTargets(patch), facts);
    expect(decision.kind).toBe("deny");
  });

  test("a bundle of edits with one message that counts them", () => {
    const decision = guard(["src/a.ts", ".omo/ulw-loop/goals.json", ".omo/ulw-loop/ledger.jsonl"], facts);
    if (decision.kind !== "deny") throw new Error("allowed");
    expect(decision.message).toContain(".omo/ulw-loop/goals.json and 1 more");
  });

  test("within 600 characters, whatever the path", () => {
    for (const text of wild(300)) {
      const message = refusal(`.omo/ulw-loop/evidence/${text.replaceAll("..", "")}`);
      if (message !== null) expect(message.length).toBeLessThanOrEqual(600);
    }
  });
});

describe("guard allows", () => {
  test.each([
    "src/a.ts",
    ".omo/ulw-loop/bootstrap-notepad.md",
    ".omo/ulw-loop/night/bootstrap-notepad.md",
    ".proofgate.yaml",
    ".proofgate/plan.yaml",
    ".omo/other-tool/goals.json",
    ".omo/ulw-loop-notes.md",
    ".omx/goals/other/state.json",
    "goals.json",
    "ledger.jsonl",
    "test/fixtures/.omo/ulw-loop/goals.json",
    "/elsewhere/.omo/ulw-loop/goals.json",
    ".omo/ulw-loop/../../src/a.ts",
    ".OMO/ULW-LOOP/goals.json",
    "",
  ])("%j", (target) => {
    expect(refusal(target)).toBeNull();
  });

  test("no target at all", () => {
    expect(guard([], facts)).toEqual({ kind: "allow" });
  });
});
