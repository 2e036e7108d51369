/** The shell check printed in docs/ledger.md is what it says: right on a good ledger, and naming the bad line of others. */

import { afterAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { type Box, removeSandboxes, sandbox } from "./toy.ts";

afterAll(removeSandboxes);

const doc = fs.readFileSync(join(import.meta.dir, "../../docs/ledger.md"), "utf8");
const blocks = [...doc.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
const [script = ""] = blocks;

/** Runs the document's block as the document says: `sh check.sh ledger.jsonl`. */
function check(box: Box): Promise<{ code: number | null; out: string }> {
  fs.writeFileSync(join(box.root, "check.sh"), script);
  const child = spawn("sh", [join(box.root, "check.sh"), box.ledger], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out }));
  });
}

/** Notes with what a shell could stumble over: backslashes, quotes, percent signs, blanks, and a hash's own key. */
function filled(): Box {
  const box = sandbox();
  const notes = [
    "a\\nb \\",
    "50 %s \"quoted\" 'too'",
    "  blanks\n",
    'x","hash":"y',
    "ünï 🚀 $(exit 1) `exit 1` *",
  ];
  for (const note of notes) box.add(note);
  return box;
}

test("the document has exactly one shell block", () => {
  expect(script).toContain('done <"$1"');
  expect(blocks.length).toBe(1);
});

test("a good ledger passes, with its number of lines and the head that verify names", async () => {
  const box = filled();
  const { valid, lines, head } = box.open().verify();
  expect(valid).toBe(true);
  expect(await check(box)).toEqual({ code: 0, out: `${lines} lines, head ${head.hash}\n` });
});

test("a changed byte is told, with the number of its line", async () => {
  const box = filled();
  const text = fs.readFileSync(box.ledger, "utf8");
  fs.writeFileSync(box.ledger, text.replace("blanks", "blankz"));
  expect(await check(box)).toEqual({ code: 1, out: "line 3: its hash does not match its bytes\n" });
  expect(box.open().verify().problems[0]?.where).toBe("ledger.jsonl:3");
});

test("a removed line is told at the place where the chain breaks", async () => {
  const box = filled();
  const kept = box.lines().filter((_, index) => index !== 1);
  fs.writeFileSync(box.ledger, `${kept.join("\n")}\n`);
  expect(await check(box)).toEqual({ code: 1, out: "line 2: it does not follow the line before\n" });
  expect(box.open().verify().problems[0]?.where).toBe("ledger.jsonl:2");
});

test("an emptied ledger does not pass for a good one", async () => {
  const box = filled();
  fs.writeFileSync(box.ledger, "");
  expect(await check(box)).toEqual({ code: 1, out: "line 0: there is none\n" });
  expect(box.open().verify().valid).toBe(false);
});
