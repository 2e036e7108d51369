/**
 * OpenCode's configuration as text: JSON with comments. What is ours goes in and out as text at one place, so that comments,
 * order, indentation and line endings stay; what comes of it is parsed and compared with what should. (The parser is named by
 * its modules: its default form asks for its parts at run time, which a bundle cannot answer.)
 */

import { isDeepStrictEqual } from "node:util";
import {
  createScanner,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser/lib/esm/main.js";
import { Refusal } from "../../../components/errors.ts";
import { table } from "../config-text.ts";

/** The host's own, put into every file that it makes; it adds the line to files that lack it. */
const SCHEMA = "https://opencode.ai/config.json";

/** As the host reads it. */
const LENIENT = { allowTrailingComma: true, allowEmptyContent: true };

/** jsonc-parser's numbers of tokens: its enumeration is a constant one, which a bundler cannot see. */
const COMMA = 5;
const LINE_BREAK = 14;
const END = 17;
const CLOSING = new Set([2, 4]);
/** Comments and white space. */
const BETWEEN = new Set([12, 13, 15]);

/** Same length, so that places stay: the parser takes no byte order mark. */
const plain = (text: string): string => text.replace(/^\uFEFF/, " ");

/** @throws Refusal `host_config` with line and column */
export function readJsonc(text: string, path: string): Readonly<Record<string, unknown>> {
  const errors: ParseError[] = [];
  const value: unknown = parse(plain(text), errors, LENIENT) ?? {};
  const [first] = errors;
  if (first !== undefined)
    throw unreadable(`${path}:${place(text, first.offset)}: ${printParseErrorCode(first.error)}`, path);
  if (typeof value !== "object" || Array.isArray(value)) throw unreadable(`${path}: no object`, path);
  return table(value);
}

/** Line and column, both from 1. */
function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

const unreadable = (found: string, path: string): Refusal =>
  new Refusal("host_config", "OpenCode's configuration is no valid JSON; nothing was changed.", {
    expected: "a JSON object, comments allowed",
    found,
    next: [`mend ${path}, then run the same command again`],
  });

/** The plugins that a file names, as they stand there; options of an entry are left out. */
export function pluginsIn(text: string | null, path: string): readonly string[] {
  const { plugin } = text === null ? {} : readJsonc(text, path);
  const entries = Array.isArray(plugin) ? plugin : [];
  return entries.map(specOf).filter((spec) => spec !== "");
}

function specOf(entry: unknown): string {
  const spec: unknown = Array.isArray(entry) ? entry[0] : entry;
  return typeof spec === "string" ? spec : "";
}

/**
 * The text with one more plugin, the last one of the list.
 * @param text null when there is no such file
 * @throws Refusal `host_config`
 */
export function withPlugin(text: string | null, path: string, spec: string): string {
  if (text === null || plain(text).trim() === "")
    return `${JSON.stringify({ $schema: SCHEMA, plugin: [spec] }, null, 2)}\n`;
  const config = readJsonc(text, path);
  const { plugin = [] } = config;
  if (!Array.isArray(plugin))
    throw new Refusal("host_config", '"plugin" in OpenCode\'s configuration is no list.', {
      expected: '"plugin": [ … ]',
      found: `${path}: ${JSON.stringify(plugin)?.slice(0, 80)}`,
      next: [`mend ${path}, then run the same command again`],
    });
  const root = treeOf(text, path);
  const list = property(root, "plugin")?.children?.[1];
  const changed =
    list === undefined
      ? append(
          text,
          root,
          (eol, indent) => `"plugin": [${eol}${indent}${stepOf(text)}${JSON.stringify(spec)}${eol}${indent}]`,
        )
      : append(text, list, () => JSON.stringify(spec));
  return checked(changed, path, { ...config, plugin: [...plugin, spec] });
}

/**
 * The text without this plugin; everything else stays.
 * @param dropList also a list that is then empty, and was made for us
 */
export function withoutPlugin(text: string, path: string, spec: string, dropList: boolean): string {
  const config = readJsonc(text, path);
  const { plugin } = config;
  if (!Array.isArray(plugin)) return text;
  const index = plugin.findIndex((entry) => specOf(entry) === spec);
  if (index < 0) return text;
  const rest = plugin.filter((_, at) => at !== index);
  const root = treeOf(text, path);
  if (dropList && rest.length === 0) {
    const { plugin: _, ...others } = config;
    const at = root.children?.findIndex((child) => child.children?.[0]?.value === "plugin") ?? -1;
    return checked(cut(text, root, at), path, others);
  }
  const list = property(root, "plugin")?.children?.[1];
  if (list === undefined) return text;
  return withoutPlugin(
    checked(cut(text, list, index), path, { ...config, plugin: rest }),
    path,
    spec,
    dropList,
  );
}

/** Whether a file that we made holds nothing but what was in it for us. */
export function isHollow(text: string, path: string): boolean {
  const { $schema: _, ...rest } = readJsonc(text, path);
  return Object.keys(rest).length === 0 && !/\/[/*]/.test(text.replaceAll(SCHEMA, ""));
}

function treeOf(text: string, path: string): Node {
  const root = parseTree(plain(text), [], LENIENT);
  if (root === undefined) throw unreadable(`${path}: no object`, path);
  return root;
}

const property = (root: Node, name: string): Node | undefined =>
  root.children?.find((child) => child.children?.[0]?.value === name);

function checked(text: string, path: string, wanted: Readonly<Record<string, unknown>>): string {
  if (isDeepStrictEqual(readJsonc(text, path), wanted)) return text;
  throw new Refusal(
    "host_config",
    "OpenCode's configuration cannot be changed safely; nothing was changed.",
    {
      expected: 'one list "plugin"',
      found: path,
      next: [`write the list "plugin" of ${path} once only, then run the same command again`],
    },
  );
}

/** One step of indentation: as the first indented line has it. */
const stepOf = (text: string): string => /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";

const eolOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");

/** The white space that the line of this place begins with. */
const indentAt = (text: string, offset: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1))?.[0] ?? "";

/** Puts something behind the last child of a list or an object, in the way that its neighbours stand. */
function append(text: string, container: Node, write: (eol: string, indent: string) => string): string {
  const last = container.children?.at(-1);
  const eol = eolOf(text);
  const close = container.offset + container.length - 1;
  if (last === undefined) {
    const inner = text.slice(container.offset + 1, close);
    const outer = indentAt(text, container.offset);
    const indent = outer + stepOf(text);
    const kept = inner.trimEnd();
    // A comment of the line may end the inside: what is ours goes onto a line of its own.
    return `${text.slice(0, container.offset + 1)}${kept}${eol}${indent}${write(eol, indent)}${eol}${outer}${text.slice(close)}`;
  }
  const { comma, lineEnd } = behind(text, last.offset + last.length);
  const end = last.offset + last.length;
  if (lineEnd === null) {
    const at = comma === null ? end : comma + 1;
    const indent = indentAt(text, container.offset);
    return `${text.slice(0, at)}${comma === null ? "," : ""} ${write(eol, indent)}${comma === null ? "" : ","}${text.slice(at)}`;
  }
  const indent = indentAt(text, last.offset);
  if (comma === null)
    return `${text.slice(0, end)},${text.slice(end, lineEnd)}${eol}${indent}${write(eol, indent)}${text.slice(lineEnd)}`;
  const at = Math.max(lineEnd, comma + 1);
  return `${text.slice(0, at)}${eol}${indent}${write(eol, indent)},${text.slice(at)}`;
}

/** Takes a child out, with its line where it has one, and with the comma that stood there for it. */
function cut(text: string, container: Node, index: number): string {
  const children = container.children ?? [];
  const node = children[index];
  if (node === undefined) return text;
  const end = node.offset + node.length;
  const own = behind(text, end).comma;
  const rest = text.slice(own === null ? end : own + 1);
  const before = text.slice(0, node.offset);
  const lead = /[ \t]*(?:\r?\n[ \t]*)?$/.exec(before)?.[0] ?? "";
  // A line break may end a comment: it goes only where another one follows.
  const followed = /^[ \t]*(?:\r?\n|\/\/|\/\*)/.test(rest);
  const kept = lead.includes("\n") && !followed ? before : before.slice(0, before.length - lead.length);
  const previous = children[index - 1];
  if (own !== null) return kept + spaced(kept, rest);
  if (previous === undefined) {
    const hollow = kept.length === container.offset + 1 && /^\s*[\]}]/.test(rest);
    return kept + (hollow ? rest.trimStart() : rest);
  }
  const comma = behind(text, previous.offset + previous.length).comma;
  return comma === null ? text : kept.slice(0, comma) + kept.slice(comma + 1) + rest;
}

/** No space of the cut behind an opening bracket or at the beginning of a line. */
const spaced = (kept: string, rest: string): string =>
  /[[{\s]$/.test(kept) ? rest.replace(/^[ \t]+/, "") : rest;

/** What follows an element: its comma, and where its line ends if the container goes on behind it. */
function behind(text: string, from: number): { comma: number | null; lineEnd: number | null } {
  const scanner = createScanner(plain(text), false);
  scanner.setPosition(from);
  let comma: number | null = null;
  let lineEnd: number | null = null;
  for (;;) {
    const token: number = scanner.scan();
    if (token === COMMA && comma === null) comma = scanner.getTokenOffset();
    else if (token === LINE_BREAK) lineEnd ??= scanner.getTokenOffset();
    else if (token === END || CLOSING.has(token)) return { comma, lineEnd };
    else if (token !== COMMA && !BETWEEN.has(token)) return { comma, lineEnd };
  }
}
