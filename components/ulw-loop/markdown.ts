/** Markdown as the brief needs it: blocks, plain one-line text, titles. */

import { Lexer, type Token, type Tokens } from "marked";
import { MAX_TITLE, oneLine, shorten } from "../words/plain-text.ts";

/** Block tokens only: inline text is read for titles alone, so that a hostile brief costs no more than its length. */
export function blocksOf(body: string): Token[] {
  try {
    return new Lexer().blockTokens(body, []);
  } catch {
    // Thousands of nested quotes exhaust the lexer's stack. The text is still a brief.
    return body.split(/\n\s*\n/u).map((raw) => ({ type: "paragraph", raw, text: raw.trim(), tokens: [] }));
  }
}

/** The whole text when it fits, or its first sentence, or as many words as fit. */
export function titleOf(markdown: string): string {
  const lead = /^\s*(?:\*\*|__)([^*_\n]{3,80}?)(?:\*\*|__)\s*(?:[:–—-]|\.\s)/u.exec(markdown)?.[1];
  const text = plain(markdown);
  if (Array.from(text).length <= MAX_TITLE) return text || "Goal";
  if (lead !== undefined) return plain(lead).replace(/[:.]$/u, "");
  const sentence = /^.{8,}?(?:[.!?](?=\s+[\p{Lu}\p{Lo}\p{N}"`(]|$)|[。！？])/u.exec(text)?.[0] ?? text;
  return shorten(Array.from(sentence).length <= MAX_TITLE ? sentence.replace(/[.。]$/u, "") : text);
}

/** Longest text that is read for a title or for its first words, in UTF-16 units. */
const INLINE_LIMIT = 2000;

/** Inline Markdown as one line of plain text. */
export function plain(markdown: string): string {
  const flatten = (tokens: readonly Token[]): string =>
    tokens
      .map((token): string => {
        if (token.type === "html") return "";
        if (token.type === "br") return " ";
        if ("tokens" in token && token.tokens !== undefined && token.tokens.length > 0)
          return flatten(token.tokens);
        return "text" in token && typeof token.text === "string" ? token.text : "";
      })
      .join("");
  const text = markdown.slice(0, INLINE_LIMIT).replace(/\p{Cs}/gu, "");
  return oneLine(
    decodeEntities(flatten(Lexer.lexInline(text.replace(/^[ \t]*(?:[-*+>]|#+|\d+[.)])[ \t]+/gmu, "")))),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  apos: "'",
  nbsp: " ",
};
const decodeEntities = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39|apos|nbsp);/gu, (whole, name: string) => ENTITIES[name] ?? whole);

/** An item without its bullet and its box, with everything that is nested in it. */
export const itemText = (item: Tokens.ListItem): string => item.text.replace(/^\[[ xX]\][ \t]+/u, "").trim();

/** An item's own words, without what is nested in it. */
export function headOf(item: Tokens.ListItem): string {
  const first = item.tokens.find(
    (token) => token.type === "text" || token.type === "paragraph" || token.type === "heading",
  );
  return first === undefined ? "" : rawOf(first).replace(/^\[[ xX]\][ \t]+/u, "");
}

export const rawOf = (token: Token): string => token.raw.replace(/^\n+/u, "").trimEnd();
export const isHeading = (token: Token): token is Tokens.Heading => token.type === "heading";
export const isList = (token: Token): token is Tokens.List => token.type === "list";

/** Each title once; one that comes again gets a number. */
export function distinctTitles(titles: readonly string[]): string[] {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return titles.map((title) => {
    let shown = title;
    let count = counts.get(title) ?? 1;
    while (taken.has(shown)) {
      const ending = ` (${++count})`;
      shown = shorten(title, MAX_TITLE - ending.length) + ending;
    }
    counts.set(title, count);
    taken.add(shown);
    return shown;
  });
}
