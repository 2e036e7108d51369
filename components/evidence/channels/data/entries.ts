/** What a dump consists of, and how two of them differ. */
import { diffArrays } from "diff";
import { canonicalJson } from "../../check.ts";
import { sameValue } from "../../json-paths.ts";

/** One thing in a dump. */
export interface Entry {
  /** Null where nothing names it. */
  readonly key: string | null;
  readonly value: unknown;
}

/** `named`: each has a name of its own. `bag`: the order does not count. `lines`: it does. */
export interface Dump {
  readonly form: "named" | "bag" | "lines";
  readonly entries: readonly Entry[];
}

/** With the value that it had before. */
export interface Changed extends Entry {
  readonly was: unknown;
}

export interface Difference {
  readonly added: readonly Entry[];
  readonly removed: readonly Entry[];
  readonly changed: readonly Changed[];
}

/** Texts that have more to tell than this long are not compared to the end. */
const LINES_MS = 20_000;

/** @returns null when the two differ in too many lines to tell which */
export function differenceOf(before: Dump, after: Dump): Difference | null {
  const form = before.entries.length === 0 ? after.form : before.form;
  if (form === "lines") return ofLines(before.entries, after.entries);
  // A list that became a map has nothing in common with it.
  return form === "named" && (after.form === "named" || after.entries.length === 0)
    ? ofNamed(before.entries, after.entries)
    : ofBags(before.entries, after.entries);
}

function ofNamed(before: readonly Entry[], after: readonly Entry[]): Difference {
  const old = new Map(before.map((entry) => [entry.key, entry]));
  const now = new Map(after.map((entry) => [entry.key, entry]));
  return {
    added: after.filter(({ key }) => !old.has(key)),
    removed: before.filter(({ key }) => !now.has(key)),
    changed: after.flatMap((entry) => {
      const was = old.get(entry.key);
      return was === undefined || sameValue(was.value, entry.value) ? [] : [{ ...entry, was: was.value }];
    }),
  };
}

function ofBags(before: readonly Entry[], after: readonly Entry[]): Difference {
  const added: Entry[] = [];
  const old = new Map<string, Entry[]>();
  for (const entry of before) {
    const word = canonicalJson(entry);
    old.set(word, [...(old.get(word) ?? []), entry]);
  }
  for (const entry of after) if (old.get(canonicalJson(entry))?.pop() === undefined) added.push(entry);
  return { added, removed: [...old.values()].flat(), changed: [] };
}

function ofLines(before: readonly Entry[], after: readonly Entry[]): Difference | null {
  const texts = (entries: readonly Entry[]): string[] => entries.map(({ value }) => String(value));
  const parts = diffArrays(texts(before), texts(after), { timeout: LINES_MS });
  if (parts === undefined) return null;
  const of = (wanted: (part: { readonly added: boolean; readonly removed: boolean }) => boolean): Entry[] =>
    parts.filter(wanted).flatMap(({ value }) => value.map((line) => ({ key: null, value: line })));
  return { added: of((part) => part.added), removed: of((part) => part.removed), changed: [] };
}

/** An entry in a line. */
export function entryWords({ key, value }: Entry): string {
  const said = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return key === null ? said : `${key}: ${said}`;
}

export const changedWords = ({ key, value, was }: Changed): string =>
  `${key}: ${entryWords({ key: null, value: was })} → ${entryWords({ key: null, value })}`;
