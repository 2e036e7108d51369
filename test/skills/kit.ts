/** What the tests of the skills share: their files, front matter, sections, and the command lines in them. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const ROOT = join(import.meta.dir, "../..");
export const SKILLS = join(ROOT, "skills");
export const NAMES = readdirSync(SKILLS).sort();

export const read = (path: string): string => readFileSync(join(SKILLS, path), "utf8");

/** Markdown files of all skills, relative to the folder `skills`. */
export const DOCUMENTS = readdirSync(SKILLS, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".md"))
  .sort();

/** @throws Error when there is no front matter */
export function frontMatter(path: string): Record<string, unknown> {
  const block = /^---\n([\s\S]*?)\n---\n/.exec(read(path))?.[1];
  if (block === undefined) throw new Error(`${path} has no front matter`);
  return parse(block);
}

/** The text under a heading of the second level, without the heading. Empty where there is none. */
export function section(path: string, heading: string): string {
  const body = read(path).split(`\n## ${heading}\n`)[1] ?? "";
  return body.split("\n## ")[0] ?? "";
}

/** Blocks between fences of this language. */
export const fenced = (markdown: string, language: string): readonly string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((m) => m[1] ?? "");

const withoutFences = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, "");

/** Code between single backticks, fences left out. */
export const inlineCode = (markdown: string): readonly string[] =>
  [...withoutFences(markdown).matchAll(/`([^`\n]+)`/g)].map((m) => m[1] ?? "");

const OURS = /^(?:npx )?(?:proofgate|omo|omx)\s/;

/** Lines of shell blocks that call our program, without their comments. */
export const commandsInBlocks = (markdown: string): readonly string[] =>
  fenced(markdown, "sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/\s+# .*$/, "").trim())
    .filter((line) => OURS.test(line));

/** Every call of our program that a text names, in blocks and within sentences. */
export const commands = (markdown: string): readonly string[] => [
  ...commandsInBlocks(markdown),
  ...inlineCode(markdown).filter((code) => OURS.test(code)),
];
