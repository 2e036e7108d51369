/** What somebody says of what they saw: bounded, and plain text. */

import { Refusal } from "../errors.ts";

/** Evidence texts are kept whole up to this many bytes (design: bounds). */
const EVIDENCE_BYTES = 64 * 1024;

/** @throws Refusal `evidence_too_large`, `evidence_not_text`, `brief_empty` */
export function requireEvidence(text: string, flag = "--evidence"): string {
  const size = Buffer.byteLength(text);
  if (size > EVIDENCE_BYTES)
    throw new Refusal("evidence_too_large", `${flag} is too long.`, {
      expected: "64 KiB at most",
      found: `${size} bytes`,
      next: ["name a file under the evidence folder and say in a sentence what it shows"],
    });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/.test(text))
    throw new Refusal("evidence_not_text", `${flag} is not plain text.`, {
      expected: "UTF-8 text",
      found: "binary data or control characters",
      next: ["save the data as a file and name its path"],
    });
  if (text.trim() === "")
    throw new Refusal("brief_empty", `${flag} is empty.`, {
      expected: "a sentence about what was seen",
      found: "nothing",
      next: [`give ${flag} a text`],
    });
  return text;
}
