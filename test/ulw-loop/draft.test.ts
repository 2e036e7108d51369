/** Drafts of criteria, which scenarios are too vague, and suggestions for misspelt words. */

import { describe, expect, test } from "bun:test";
import { CRITERION_CLASSES, draftCriteria } from "../../components/ulw-loop/draft.ts";
import { closest } from "../../components/ulw-loop/suggest.ts";
import { vagueReason } from "../../components/ulw-loop/vague.ts";

describe("drafts of criteria", () => {
  test("are four, one for each class, without a check", () => {
    const drafts = draftCriteria("Import CSV", "Import a CSV file.");
    expect(drafts.map((draft) => draft.classes)).toEqual(CRITERION_CLASSES.map((one) => [one]));
    expect(drafts.every((draft) => draft.check === null && draft.channel === "cli")).toBe(true);
    expect(drafts.every((draft) => draft.scenario.endsWith(": Import CSV"))).toBe(true);
  });

  test("fall back to the objective where there is no title", () => {
    expect(draftCriteria(" ", "Import a file.\nMore.")[0]?.scenario).toEndWith(": Import a file.");
  });
});

describe("a scenario that names nothing observable is vague", () => {
  test.each([
    "",
    "lol",
    "works",
    "it works",
    "exit 0",
    "tests pass",
    "Verify it works",
    "verify that it works as expected",
    "The endpoint should respond",
    "It should work fine",
    "The output looks correct",
    "Everything looks good to me",
    "Check everything",
    "Check that everything is fine",
    "Test it thoroughly please",
    "The importer works as expected",
    "Verify that the login works correctly",
    "The feature behaves as intended",
    "Make sure it works properly",
    "Handles errors gracefully",
    "Handles all edge cases correctly",
    "The code is robust and clean",
    "Returns the correct results",
    "The function returns the expected value",
    "There are no issues with it",
    "Nothing breaks when running this",
    "The page loads correctly for users",
    "Works in Node.js as expected",
    "Make sure everything is ok",
    "Review the implementation and confirm the changes",
    "Login should be able to work",
    "Users experience good performance overall",
    "The module is done and ready",
    "Der Import funktioniert wie erwartet",
    "L'import fonctionne correctement partout",
    "El importador funciona bien siempre",
    "Draft (edge): name the boundary input for: `npm test` exits 0",
  ])("%j", (scenario) => expect(vagueReason(scenario)).toBeString());
});

describe("a scenario that names something observable is not vague", () => {
  test.each([
    'Import fixtures/a.csv; the command prints "3 rows" and exits 0.',
    "GET /import/9 answers 404 with a JSON error.",
    "Run npm test; it works when the exit code is 0",
    "`node import.js a.csv` works",
    'The importer works: it prints "3 rows"',
    "curl the health endpoint; it should respond with 200",
    "The page looks correct: the heading says 'Orders'",
    "An empty file leaves the store unchanged",
    "The importer works as expected and leaves the store unchanged",
    "Importing twice stores each row once",
    "Ctrl-C during the import leaves no temporary file",
    "A header without rows is rejected with a message",
    "The old API keeps its response shape",
    "docs/usage.md is complete and names --check",
    "All rows appear in the table sorted by date",
    "The README shows how to install",
    "Uploading 10 MB is handled correctly",
    "git status stays clean after the run",
    "A killed import resumes where it stopped",
    "pytest passes and everything works",
    "The build runs correctly under make check",
    "Nothing breaks: `git diff --exit-code` is empty",
    "\xAB3 Zeilen\xBB erscheint, der Import funktioniert",
    "空文件导入后存储保持不变",
    "استيراد ملف فارغ لا يغير المخزن",
    "The queue drains after the worker is restarted twice",
  ])("%j", (scenario) => expect(vagueReason(scenario)).toBeNull());
});

test("the reason quotes the words that are vague and says what to add", () => {
  expect(vagueReason("The importer works as expected")).toContain('"works as expected"');
  expect(vagueReason("The importer works as expected")).toContain("command");
});

test("a long hostile scenario is judged in bounded time", () => {
  const began = performance.now();
  for (const text of [
    "a ".repeat(30000),
    "handles ".repeat(8000),
    "-".repeat(60000),
    "a/".repeat(30000),
    "„".repeat(60000),
    "verify ".repeat(8000),
    "a.".repeat(30000),
  ])
    vagueReason(text);
  expect(performance.now() - began).toBeLessThan(3000);
});

describe("a suggestion", () => {
  test.each([
    ["scenarios", "scenario"],
    ["chanel", "channel"],
    ["Title", "title"],
    ["malformed-input", "malformed_input"],
    ["exist", "exit"],
  ])("%s was meant to be %s", (word, meant) =>
    expect(closest(word, ["scenario", "channel", "title", "malformed_input", "exit", "check"])).toBe(meant),
  );

  test("is not made where nothing is near", () => {
    expect(closest("colour", ["scenario", "channel", "title"])).toBeNull();
    expect(closest("id", ["cwd", "run"])).toBeNull();
  });
});
