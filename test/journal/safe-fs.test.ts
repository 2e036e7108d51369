/** What may become a path, and how folders are made and files replaced. */

import { afterAll, expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { assertId, ensureStateDir, slugify, writeFileAtomic } from "../../components/journal/safe-fs.ts";
import { digest, removeSandboxes, sandbox } from "./toy.ts";

afterAll(removeSandboxes);

function refusedCode(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "not refused";
}

test("an id that could leave its folder is refused", () => {
  for (const id of ["G001", "a.b", "s-1_2", "0"]) expect(assertId(id, "id")).toBe(id);
  const bad = [
    "",
    ".",
    "..",
    "a..b",
    "../x",
    "a/b",
    "a\\b",
    ".hidden",
    "-x",
    "a b",
    "\xE4",
    "a\n",
    "a\x00",
    "x".repeat(81),
  ];
  for (const id of bad) expect(refusedCode(() => assertId(id, "id"))).toBe("invalid_id");
});

test("plain text becomes a plain slug", () => {
  expect(slugify("Fix the importer.")).toBe("fix-the-importer");
  expect(slugify("  CSV / JSON:\n import  ")).toBe("csv-json-import");
});

test("text that loses letters, signs or length gets a hash, so that two texts have two slugs", () => {
  expect(slugify("\u4FEE\u590D\u5BFC\u5165")).toBe(`goal-${digest("\u4FEE\u590D\u5BFC\u5165").slice(0, 8)}`);
  expect(slugify("Caf\xE9")).toBe(`cafe-${digest("Caf\xE9").slice(0, 8)}`);
  const pairs = [
    ["\u4FEE\u590D\u5BFC\u5165", "\u4FEE\u590D\u5BFC\u51FA"],
    ["C++", "C#"],
    ["Cafe", "Caf\xE9"],
    [`${"long words ".repeat(9)}one`, `${"long words ".repeat(9)}two`],
    ["\uD83D\uDE80", "\uD83D\uDD25"],
  ];
  for (const [one = "", two = ""] of pairs) expect(slugify(one)).not.toBe(slugify(two));
});

test("Unicode form and line breaks do not change a slug", () => {
  expect(slugify("Cafe\u0301 neu")).toBe(slugify("Caf\xE9\r\nneu"));
});

test("every slug is a valid id of at most 40 characters", () => {
  const texts = [
    "",
    "...",
    "\u4FEE".repeat(500),
    "a".repeat(500),
    "../../etc/passwd",
    "\x00",
    "\xDF--\xDF",
    "-x-",
    "\u03A9 mega ".repeat(20),
  ];
  for (const text of texts) {
    const slug = slugify(text);
    expect(assertId(slug, "slug")).toBe(slug);
    expect(slug.length).toBeLessThanOrEqual(40);
  }
});

test("a state folder is made with its .gitignore, and the user's own .gitignore stays", () => {
  const { root } = sandbox();
  const dir = join(root, "a", "b");
  const ignored = () => fs.readFileSync(join(dir, ".gitignore"), "utf8");
  ensureStateDir(root, dir, { track: false });
  expect(ignored()).toBe("*\n");
  ensureStateDir(root, dir, { track: true });
  expect(ignored()).not.toContain("*\n/");
  expect(ignored()).toContain("lock/");
  fs.writeFileSync(join(dir, ".gitignore"), "mine\n");
  ensureStateDir(root, dir, { track: false });
  expect(ignored()).toBe("mine\n");
});

test("a folder outside the root, behind a link, or named like a file is refused", () => {
  const { root } = sandbox();
  const other = sandbox().root;
  fs.symlinkSync(other, join(root, "link"));
  fs.writeFileSync(join(root, "file"), "");
  for (const dir of [
    other,
    join(root, ".."),
    join(root, "link", "s"),
    join(root, "file"),
    join(root, "file", "s"),
  ])
    expect(refusedCode(() => ensureStateDir(root, dir, { track: false }))).toBe("unsafe_path");
  expect(fs.readdirSync(other)).toEqual([]);
});

test("a root that is itself reached through a link is fine", () => {
  const { root } = sandbox();
  const link = join(sandbox().root, "root");
  fs.symlinkSync(root, link);
  ensureStateDir(link, join(link, "state"), { track: false });
  expect(fs.existsSync(join(root, "state", ".gitignore"))).toBe(true);
});

test("an atomic write replaces the content, does not write through a link, and leaves no temporary file on failure", () => {
  const { root } = sandbox();
  const path = join(root, "f");
  writeFileAtomic(path, "one");
  writeFileAtomic(path, new Uint8Array([116, 119, 111]));
  expect(fs.readFileSync(path, "utf8")).toBe("two");
  fs.mkdirSync(join(root, "folder"));
  expect(refusedCode(() => writeFileAtomic(join(root, "folder"), "x"))).toBe("io_error");
  const target = join(root, "target");
  fs.writeFileSync(target, "kept");
  fs.symlinkSync(target, join(root, "link"));
  writeFileAtomic(join(root, "link"), "new");
  expect(fs.readFileSync(target, "utf8")).toBe("kept");
  expect(fs.readdirSync(root).sort()).toEqual(["f", "folder", "link", "target"]);
});
