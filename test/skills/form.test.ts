/** The form of the skills: front matter, budgets, links, and what each host reads beside them. */

import { expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { DOCUMENTS, frontMatter, inlineCode, NAMES, read, SKILLS } from "./kit.ts";

/** Bytes (design: budgets). */
const SKILL = 3.5 * 1024;
const REFERENCE = 8 * 1024;
const DESCRIPTIONS = 900;
/** Offered to the model by themselves; the others only when they are asked for. */
const OFFERED = ["ulw-loop", "performance-goal"];

test("every skill is a folder with its name and a description", () => {
  for (const name of NAMES) {
    const { description, ...front } = frontMatter(`${name}/SKILL.md`);
    expect(front).toEqual(OFFERED.includes(name) ? { name } : { name, "disable-model-invocation": true });
    expect(description).toBeString();
    expect(String(description).length).toBeGreaterThan(40);
  }
  for (const name of OFFERED) expect(NAMES).toContain(name);
});

test("all descriptions together are within 900 bytes, skills within 3.5 KB, references within 8 KB", () => {
  const descriptions = NAMES.map((name) => String(frontMatter(`${name}/SKILL.md`).description));
  expect(Buffer.byteLength(descriptions.join(""))).toBeLessThanOrEqual(DESCRIPTIONS);
  const over = DOCUMENTS.filter(
    (path) => statSync(join(SKILLS, path)).size > (path.endsWith("/SKILL.md") ? SKILL : REFERENCE),
  );
  expect(over).toEqual([]);
});

test("Codex offers only the skills that are for every turn", () => {
  for (const name of NAMES) {
    const path = `${name}/agents/openai.yaml`;
    expect(existsSync(join(SKILLS, path))).toBe(!OFFERED.includes(name));
    if (existsSync(join(SKILLS, path)))
      expect(parse(read(path))).toEqual({ policy: { allow_implicit_invocation: false } });
  }
});

test("every link and script that is named exists, and every reference is linked", () => {
  const links = DOCUMENTS.flatMap((path) =>
    [...read(path).matchAll(/\]\(([^)#]+)\)/g)].map((m) => join(dirname(path), m[1] ?? "")),
  );
  expect(links.filter((path) => !existsSync(join(SKILLS, path)))).toEqual([]);
  expect(DOCUMENTS.filter((path) => path.includes("/references/") && !links.includes(path))).toEqual([]);
  const scripts = DOCUMENTS.flatMap((path) =>
    inlineCode(read(path)).flatMap((code) =>
      [...code.matchAll(/(?:\.\.\/[a-z-]+\/|\b)scripts\/\S+\.sh\b/g)].map((m) => join(dirname(path), m[0])),
    ),
  );
  expect(scripts.length).toBeGreaterThan(0);
  expect(scripts.filter((path) => !existsSync(join(SKILLS, path)))).toEqual([]);
});

test("a skill that Codex does not list is named by its path", () => {
  const linked = DOCUMENTS.flatMap((path) => [
    ...read(path).matchAll(/\]\((?:\.\.\/)+([a-z-]+)\/SKILL\.md\)/g),
  ]);
  expect(new Set(linked.map((m) => m[1] ?? ""))).toEqual(
    new Set(["ulw-loop", "code-review", "ai-slop-cleaner"]),
  );
});

test("references are read by section: headings, and no section over 2.5 KB", () => {
  for (const path of DOCUMENTS.filter((name) => name.includes("/references/"))) {
    const sections = read(path).split("\n## ").slice(1);
    expect(sections.length).toBeGreaterThan(2);
    expect(
      sections.filter((body) => Buffer.byteLength(body) > 2560).map((body) => body.split("\n")[0]),
    ).toEqual([]);
  }
});

test("no skill names a machine's path", () => {
  const machine = /(?:^|[\s`"'(])\/(?:home|root|Users|work|tmp|mnt)\/|\blocalhost:\d|https?:\/\//m;
  expect(DOCUMENTS.filter((path) => machine.test(read(path)))).toEqual([]);
});
