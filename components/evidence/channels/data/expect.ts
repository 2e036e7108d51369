/** Whether a difference is the one that was wanted. */
import { patternTest } from "../../check.ts";
import { sameValue } from "../../json-paths.ts";
import type { Difference, Entry } from "./entries.ts";
import { type Expected, KINDS, type Source, type Wanted, type Watched } from "./scenario.ts";

/** Something about the difference that was not wanted. */
export interface Fault {
  readonly kind: (typeof KINDS)[number];
  readonly wanted: string;
}

/** @returns the first kind of change in which the two do not agree; null when they do in all */
export function faultOf(watched: Watched, difference: Difference): Fault | null {
  const holds = holding(watched.source);
  for (const kind of KINDS) {
    const wanted = watched[kind];
    const found = difference[kind];
    const fits =
      typeof wanted === "number"
        ? found.length === wanted && found.every(isReal)
        : pairs(wanted, found, holds);
    if (!fits) return { kind, wanted: wantedWords(wanted) };
  }
  return null;
}

/** A link is no file, whatever it leads to. */
const isReal = ({ value }: Entry): boolean => !(isRecord(value) && typeof value.linkTo === "string");

type Holds = (expected: Expected, entry: Entry) => boolean;

/** Texts are looked at by patterns, values by what they are. */
function holding(source: Source): Holds {
  const text = source.kind === "files" || (source.kind === "dump" ? source.as === "lines" : isDump(source));
  return ({ key, value }, entry) => {
    if (source.kind === "files" && !isReal(entry)) return false;
    if (key !== undefined && key !== entry.key) return false;
    if (value === undefined) return true;
    // The plain name of something that has one.
    if (key === undefined && entry.key !== null && !isRecord(value)) return entry.key === String(value);
    if (text) return patternTest(value === null ? "" : String(value))(String(entry.value));
    return holdsIn(value, entry.value);
  };
}

const isDump = (source: Source): boolean => source.kind === "sqlite" && source.query === null;

/** An object names what counts; everything else is to be as it is. */
function holdsIn(wanted: unknown, got: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(got) && got.length === wanted.length && wanted.every((one, at) => holdsIn(one, got[at]))
    );
  if (!isRecord(wanted)) return sameValue(wanted, got);
  return (
    isRecord(got) &&
    Object.entries(wanted).every(([key, one]) => Object.hasOwn(got, key) && holdsIn(one, got[key]))
  );
}

/** Each wanted one has a found one of its own, and none is left over. */
function pairs(wanted: readonly Expected[], found: readonly Entry[], holds: Holds): boolean {
  if (wanted.length !== found.length) return false;
  const takenBy = new Map<Entry, Expected>();
  const place = (one: Expected, tried: Set<Entry>): boolean =>
    found.some((entry) => {
      if (tried.has(entry) || !holds(one, entry)) return false;
      tried.add(entry);
      const other = takenBy.get(entry);
      if (other !== undefined && !place(other, tried)) return false;
      takenBy.set(entry, one);
      return true;
    });
  return wanted.every((one) => place(one, new Set()));
}

function wantedWords(wanted: Wanted): string {
  if (wanted === 0 || (typeof wanted !== "number" && wanted.length === 0))
    return "none, since the plan names none";
  if (typeof wanted === "number") return String(wanted);
  const each = wanted.map(({ key, value }) =>
    [key, typeof value === "string" ? value : JSON.stringify(value)]
      .filter((one) => one !== undefined)
      .join(": "),
  );
  return `${wanted.length}: ${each.join("; ")}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
