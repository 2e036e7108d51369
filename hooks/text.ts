/** Injected text, held to its budget: plan text is somebody's input, of any length and with any character in it. */

import { shown } from "../components/report/text.ts";

const encoder = new TextEncoder();

/** Length in bytes of UTF-8. */
export const bytes = (text: string): number => encoder.encode(text).length;

/** One line without control characters, of at most `most` bytes; an ellipsis stands for what is cut off. */
export function line(text: string, most: number): string {
  // No character takes less than a byte; what lies behind is not looked at.
  const whole = shown(text.slice(0, most + 1).replace(/\p{Cs}/gu, "\ufffd")).trim();
  if (bytes(whole) <= most && text.length <= most + 1) return whole;
  const kept: string[] = [];
  let used = bytes("…");
  for (const sign of whole) {
    used += bytes(sign);
    if (used > most) break;
    kept.push(sign);
  }
  // A joiner at the end would swallow the ellipsis.
  return `${kept.join("").replace(/(?:\s|\u200d|\ufe0f)+$/u, "")}…`;
}

/** Head and end always, and as many of the lines between them as fit; what is left out is counted. */
export function assembled(
  head: readonly string[],
  between: readonly string[],
  end: readonly string[],
  most: number,
): string {
  const room = most - bytes([...head, ...end].join("\n"));
  for (let count = between.length; count > 0; count--) {
    const left = between.length - count;
    const lines = [...between.slice(0, count), ...(left > 0 ? [`- and ${left} more`] : [])];
    if (bytes(lines.join("\n")) + 1 <= room) return [...head, ...lines, ...end].join("\n");
  }
  return [...head, ...end].join("\n");
}

/** `3 of 8 proven`, the same words in every output. */
export const provenWords = (plan: { readonly proven: number; readonly total: number }): string =>
  `${plan.proven} of ${plan.total} proven`;
