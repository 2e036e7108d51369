/** The keys that tmux knows, since version 3.0. It types any other word as text, so that a mistake would go unnoticed. */

const NAMES =
  "Enter Escape Space Tab BTab BSpace Up Down Left Right Home End PageUp PgUp PPage PageDown PgDn NPage Insert IC Delete DC KP/ KP* KP- KP+ KP. KPEnter".split(
    " ",
  );
const NAME = new RegExp(
  `^(?:[CMS]-)*(?:F(?:1[0-2]|[1-9])|KP[0-9]|${NAMES.map((name) => name.replace(/[*+./]/g, "\\$&")).join("|")})$`,
  "i",
);
/** One character, alone or with modifiers. */
const CHARACTER = /^(?:(?:[CMS]-)*[^\p{Cc}\s]|\^[@-_a-z])$/u;

/** Other words for them, as people write them. */
const ALIASES: Readonly<Record<string, string>> = {
  return: "Enter",
  cr: "Enter",
  esc: "Escape",
  backspace: "BSpace",
  bs: "BSpace",
  del: "Delete",
  ins: "Insert",
  "page-up": "PageUp",
  pgdown: "PageDown",
  "page-down": "PageDown",
  arrowup: "Up",
  arrowdown: "Down",
  arrowleft: "Left",
  arrowright: "Right",
};

/** Whether tmux takes a word for a key. */
export const isKey = (word: string): boolean => NAME.test(word) || CHARACTER.test(word);

/** The key that a word was meant to be; null when nothing is near. */
export function meantKey(word: string): string | null {
  const [, before = "", last = ""] =
    /^((?:(?:ctrl|control|alt|meta|shift|[cms])[-+])*)(.+)$/i.exec(word) ?? [];
  const modifiers = before
    .replace(/ctrl|control/gi, "C")
    .replace(/alt|meta/gi, "M")
    .replace(/shift/gi, "S")
    .replaceAll("+", "-")
    .toUpperCase();
  const key = modifiers + (ALIASES[last.toLowerCase()] ?? last);
  const found = key === "S-Tab" ? "BTab" : key;
  return found !== word && isKey(found) ? found : null;
}
