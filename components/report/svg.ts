/** What an SVG document is written with: elements, numbers, and words that are safe in XML. */

export type Attributes = Readonly<Record<string, string | number>>;

/** A tenth of a pixel is enough. */
export const short = (value: number): string => String(Math.round(value * 10) / 10);

const attributes = (all: Attributes): string =>
  Object.entries(all)
    .map(([name, value]) => ` ${name}="${typeof value === "number" ? short(value) : escaped(value)}"`)
    .join("");

export const tag = (name: string, all: Attributes): string => `<${name}${attributes(all)}/>`;

export const text = (x: number, y: number, words: string, all: Attributes = {}): string =>
  `<text${attributes({ x, y, ...all })}>${escaped(words)}</text>`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What XML forbids even as a reference is shown by its number: control characters, halves of a pair, U+FFFE. */
export const escaped = (words: string): string =>
  words
    .replace(
      /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
    .replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
