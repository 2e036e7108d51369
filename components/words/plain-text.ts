/** Text from outside made safe to keep and to show: decoding, control characters, titles that fit one line. */

import { stripVTControlCharacters } from "node:util";
import { Refusal } from "../errors.ts";

/** Bytes; the bound for briefs and plan files (design: bounds). */
export const MAX_TEXT_BYTES = 1024 * 1024;
/** Code points. A title is one line on every board. */
export const MAX_TITLE = 80;
/** UTF-16 units; the host takes no longer objective. */
export const MAX_OBJECTIVE = 4000;

/**
 * The text of a brief, without byte order mark and with `\n` line ends.
 * @param source bytes as read, or text that somebody has decoded already
 * @throws Refusal `brief_too_large`, `brief_not_text`, `brief_empty`
 */
export function decodeBrief(source: Uint8Array | string): string {
  const size = typeof source === "string" ? Buffer.byteLength(source) : source.byteLength;
  if (size > MAX_TEXT_BYTES)
    throw new Refusal("brief_too_large", "The brief is too large.", {
      expected: "at most 1 MiB",
      found: `${size} bytes`,
      next: ["shorten it to what has to be done, and name the long material by its path"],
    });
  const text = typeof source === "string" ? source : decoded(source);
  // A decoder that met bytes it could not read leaves U+FFFD behind: what it lost cannot be a plan.
  if (
    text === null ||
    text.includes("\0") ||
    (typeof source === "string" && (text.includes("\ufffd") || /\p{Cs}/u.test(text)))
  )
    throw new Refusal("brief_not_text", "The brief is not UTF-8 text.", {
      expected: "UTF-8 text without NUL characters",
      found: text?.includes("\0") ? "a NUL character" : "bytes that are not UTF-8",
      next: ["save the file as UTF-8, then run the same command again"],
    });
  const clean = text.replace(/^\ufeff/u, "").replace(/\r\n?/gu, "\n");
  if (!/[\p{L}\p{N}\p{S}]/u.test(clean))
    throw new Refusal("brief_empty", "The brief says nothing.", {
      expected: "what has to be done, in words",
      found: clean.trim() === "" ? "an empty text" : "no letter or number",
      next: [
        'proofgate ulw-loop create-goals --brief "Ship the importer: …"',
        "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml",
      ],
    });
  return clean;
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Removes terminal sequences, control characters (not newline and tab) and marks that turn the direction of what follows. */
export const withoutControls = (text: string): string =>
  stripVTControlCharacters(text).replace(
    /(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (sign) => (sign === "\u2028" || sign === "\u2029" ? "\n" : ""),
  );

/** One line, control characters gone, white space collapsed. */
export const oneLine = (text: string): string => withoutControls(text).replace(/\s+/gu, " ").trim();

/** At most `max` code points, ended at a word where there is one in the last half, with an ellipsis when something is missing. */
export function shorten(text: string, max = MAX_TITLE): string {
  const signs = Array.from(text);
  if (signs.length <= max) return text;
  const cut = signs.slice(0, max - 1).join("");
  const space = signs[max - 1] === " " ? cut.length : cut.lastIndexOf(" ");
  // A joiner or a variation sign at the end would swallow the ellipsis.
  return `${(space > cut.length / 2 ? cut.slice(0, space) : cut).replace(/(?:[\s,;:.–—-]|\u200d|\ufe0f)+$/u, "")}…`;
}

/** The objective, or as much of it as a host takes, with a word on where the rest is. */
export function boundedObjective(text: string): string {
  const clean = withoutControls(text).trim();
  if (clean.length <= MAX_OBJECTIVE) return clean;
  const rest = " … (see brief.md)";
  return (
    clean
      .slice(0, MAX_OBJECTIVE - rest.length)
      .replace(/\p{Cs}/gu, "")
      .trimEnd() + rest
  );
}
