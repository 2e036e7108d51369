/** The roles for Codex: fields it knows, nothing that sets a model or a permission, and a verdict that a program can read. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, read } from "./kit.ts";

const FOLDER = join(ROOT, "plugin/codex/agents");
const ALLOWED = ["description", "developer_instructions", "name", "sandbox_mode"];
const READERS = ["codex-ultrawork-reviewer", "explorer", "librarian", "plan"];

const roles = readdirSync(FOLDER).map((file) => {
  const fields: Record<string, unknown> = { ...Bun.TOML.parse(readFileSync(join(FOLDER, file), "utf8")) };
  return { file, fields, text: String(fields.developer_instructions) };
});

test("there is a file of its own name for each role", () => {
  expect(roles.map(({ file }) => file).sort()).toEqual(
    [...READERS, "worker"].map((name) => `${name}.toml`).sort(),
  );
  for (const { file, fields } of roles) expect(`${fields.name}.toml`).toBe(file);
});

test("roles have only known fields: no model, no approval, no network", () => {
  for (const { fields } of roles) {
    expect(Object.keys(fields).filter((key) => !ALLOWED.includes(key))).toEqual([]);
    expect(String(fields.description).length).toBeLessThanOrEqual(120);
    expect(Object.keys(fields).join(" ")).not.toMatch(/model|approval|network/);
  }
});

test("whoever only reads is read-only, and a worker keeps the user's sandbox", () => {
  for (const { fields } of roles)
    expect(fields.sandbox_mode).toBe(READERS.includes(String(fields.name)) ? "read-only" : undefined);
});

test("roles are short", () => {
  for (const { text } of roles) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048);
});

test("reviewer and code-review name the same three verdict lines", () => {
  const verdicts = (text: string): readonly string[] =>
    [...text.matchAll(/^VERDICT: (\w+(?: CLEAR)?)/gm)].map((m) => m[1] ?? "");
  const wanted = ["APPROVE CLEAR", "REQUEST_CHANGES", "BLOCKED"];
  const reviewer = roles.find(({ fields }) => fields.name === "codex-ultrawork-reviewer")?.text ?? "";
  expect(verdicts(reviewer)).toEqual(wanted);
  expect(verdicts(read("code-review/SKILL.md"))).toEqual(wanted);
  expect(reviewer).toMatch(/file:line/);
  expect(reviewer).toMatch(/disprove/);
  expect(reviewer).toMatch(/diff since the base/);
  expect(reviewer).toMatch(/You change nothing/);
});
