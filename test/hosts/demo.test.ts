/** The demo inside the real Codex: installed with the installer, trusted, and played to its end. */

import { afterAll, expect } from "bun:test";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { ask } from "./ask.ts";
import { codexBinary } from "./codex-binary.ts";
import { testUnless } from "./host-test.ts";

const PREFIX = "proofgate-demo-codex-";
const ROOT = join(import.meta.dirname, "..", "..");
const binary = await codexBinary();
const demoTest = testUnless("missing" in binary ? binary.missing : null);
let folder = "";

afterAll(async () => {
  if (folder === "") return;
  // Only the folder made below may ever go: directly in the temporary folder, and by its own name.
  expect(dirname(folder)).toBe(await realpath(tmpdir()));
  expect(basename(folder)).toStartWith(PREFIX);
  await rm(folder, { recursive: true, force: true });
});

demoTest(
  "a completion without proof and a plan moved away are refused, the work is let through",
  async () => {
    if ("missing" in binary) return;
    folder = await mkdtemp(join(await realpath(tmpdir()), PREFIX));
    await mkdir(join(folder, "home"));
    const { exit, text } = await ask(
      process.execPath,
      [join(ROOT, "scripts", "demo.ts"), "--fast", "--host", "codex"],
      ROOT,
      120_000,
      {
        PATH: `${dirname(binary.path)}${delimiter}${process.env.PATH ?? ""}`,
        HOME: join(folder, "home"),
        TMPDIR: folder,
        LANG: "C.UTF-8",
      },
    );
    expect(text).toContain("Tool call blocked by PreToolUse hook: Not complete");
    expect(text).toContain("ledger.jsonl is gone");
    expect(text).toContain("put back from the copy");
    expect(text).toContain('"status":"complete"');
    expect(text).toContain("gate ARMED");
    expect(exit).toBe(0);
  },
  150_000,
);
