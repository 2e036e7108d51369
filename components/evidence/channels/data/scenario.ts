/** Channel data with differences: what is watched while a command runs, and how it has to differ afterwards. */
import type { Check, Command } from "../../types.ts";

/** Where a dump comes from. Paths lie in the data folder of the run, `$DATA`. */
export type Source =
  /** The rows of a query; without one, the whole database as lines of SQL. */
  | { readonly kind: "sqlite"; readonly path: string; readonly query: string | null }
  | { readonly kind: "json" | "yaml"; readonly path: string }
  /** Files by globs, with their content. */
  | { readonly kind: "files"; readonly globs: readonly string[] }
  /** What a command prints: its lines, or a value. */
  | { readonly kind: "dump"; readonly run: Command; readonly as: "lines" | "json" | "yaml" };

/** One entry that has to be among the differences. Members that are not given do not count. */
export interface Expected {
  /** The entry's name: a dotted path, a file, the value of the column `by`. */
  readonly key?: string;
  /** The new value (of what was removed: the old one), of which an object names only what counts. */
  readonly value?: unknown;
}

/** How many entries, or which: these and no others. */
export type Wanted = number | readonly Expected[];

export interface Watched {
  readonly source: Source;
  /** Dotted path to what is watched inside of a value; null: all of it. */
  readonly at: string | null;
  /** What names an entry of a list, so that it can be told as changed; null: an entry is added or removed. */
  readonly by: string | null;
  readonly added: Wanted;
  readonly removed: Wanted;
  readonly changed: Wanted;
}

export interface DataScenario {
  /** Laid into the data folder before everything else: its name there, and the file or folder of the repository. */
  readonly copy: Readonly<Record<string, string>>;
  readonly watch: readonly Watched[];
}

export const KINDS = ["added", "removed", "changed"] as const;

/** The form is the one that `form.ts` made. */
export const dataScenario = (check: Check): DataScenario => check.scenario as unknown as DataScenario;

/** A watched thing in a few words. */
export function sourceWords({ source, at }: Pick<Watched, "source" | "at">): string {
  const inside = at === null ? "" : ` ${at}`;
  switch (source.kind) {
    case "files":
      return source.globs.join(", ");
    case "dump":
      return `${typeof source.run === "string" ? source.run : source.run.join(" ")}${inside}`;
    default:
      return `${source.path}${inside}`;
  }
}

export const countOf = (wanted: Wanted): number => (typeof wanted === "number" ? wanted : wanted.length);
