/** The known word that a mistyped one was probably meant to be. */

import { distance } from "fastest-levenshtein";

/** @returns the nearest of `known`, or null when none is near enough to be what was meant */
export function closest(word: string, known: readonly string[]): string | null {
  const flat = (text: string): string => text.toLowerCase().replace(/[\s_-]/gu, "");
  let best: string | null = null;
  // A third of the word may be wrong, two letters at least for words that can spare them.
  let bound = Math.max(word.length > 3 ? 2 : 1, Math.floor(word.length / 3));
  for (const candidate of known) {
    const away = distance(flat(word), flat(candidate));
    if (away > bound || (away === bound && best !== null)) continue;
    best = candidate;
    bound = away;
  }
  return best;
}
