/** How a plan writes a difference on channel data: the command, what is laid out for it, what is watched. */
import { posix } from "node:path";
import { z } from "zod";
import type { Form } from "../form.ts";
import { common, pattern, text } from "../form-parts.ts";
import {
  type DataScenario,
  type Expected,
  KINDS,
  type Source,
  type Wanted,
  type Watched,
} from "./scenario.ts";

const command = z.union([text, z.array(z.string()).min(1)], {
  error: "must be a shell line, or a list of words with the program first",
});

/** `$DATA/x` is the same as `x`. */
const inData = text
  .transform((value) => posix.normalize(value.replace(/^\$(?:DATA|\{DATA\})\//, "")))
  .refine((value) => !value.startsWith("/") && !value.startsWith("..") && !value.includes("$"), {
    error: "must be a path in the data folder of the run, like store.db",
  });
const inRepository = text.refine(
  (value) => !value.startsWith("/") && !posix.normalize(value).startsWith(".."),
  {
    error: "must be a path in the repository, from the folder of the run",
  },
);
const oneOrMore = <T extends z.ZodType>(one: T) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(one).min(1));

const NUMBER_OR = "must be a number of entries, a list of them, or a value for each name";
const wanted = z.union([z.int().min(0), z.array(z.unknown()), z.record(z.string(), z.unknown())], {
  error: NUMBER_OR,
});

const SOURCES = ["sqlite", "json", "yaml", "files", "dump"] as const;
const watchShape = {
  sqlite: inData.optional(),
  json: inData.optional(),
  yaml: inData.optional(),
  files: oneOrMore(inData).optional(),
  dump: command.optional(),
  query: text.refine((value) => !value.trimStart().startsWith("."), { error: "must be SQL" }).optional(),
  as: z.enum(["lines", "json", "yaml"]).optional(),
  at: text.optional(),
  by: text.optional(),
  added: wanted.optional(),
  removed: wanted.optional(),
  changed: wanted.optional(),
};
const watchSchema = z.strictObject(watchShape).transform((given, context): Watched => {
  const add = (message: string): void => context.addIssue({ code: "custom", message });
  const source = sourceOf(given, add);
  const { at = null, by = null } = given;
  const rows = source.kind === "sqlite" && source.query !== null;
  const lines = isLines(source);
  const valued = source.kind === "json" || source.kind === "yaml" || (source.kind === "dump" && !lines);
  if (given.query !== undefined && source.kind !== "sqlite") add("query belongs to sqlite");
  if (given.as !== undefined && source.kind !== "dump") add("as belongs to dump");
  if (at !== null && !valued) add("at belongs to json, yaml, or a dump that says as: json");
  if (by !== null && !valued && !rows) add("by belongs to lists: of json, yaml, or of an sqlite query");
  const changes = given.changed !== undefined && given.changed !== 0;
  if (lines || source.kind === "files")
    for (const kind of KINDS)
      for (const value of texts(given[kind]))
        if (!pattern.safeParse(value).success)
          add(`${kind}: ${value} is not a regular expression that can be read`);
  if (changes && lines) add("lines are added and removed, never changed");
  if (changes && rows && by === null) add("changed needs by: the column that names a row");
  const [added, removed, changed] = KINDS.map((kind) => wantedOf(given[kind])) as [Wanted, Wanted, Wanted];
  return { source, at, by, added, removed, changed };
});

type WatchFile = {
  readonly [Key in keyof typeof watchShape]?: z.infer<(typeof watchShape)[Key]>;
};

function sourceOf(given: WatchFile, add: (message: string) => void): Source {
  const named = SOURCES.filter((kind) => given[kind] !== undefined);
  if (named.length !== 1)
    add(`must watch one thing: ${SOURCES.join(", ")}${named.length > 1 ? `; has ${named.join(", ")}` : ""}`);
  const { sqlite, json, yaml, files, dump, query = null, as = "lines" } = given;
  if (sqlite !== undefined) return { kind: "sqlite", path: sqlite, query };
  if (json !== undefined) return { kind: "json", path: json };
  if (yaml !== undefined) return { kind: "yaml", path: yaml };
  if (files !== undefined) return { kind: "files", globs: files };
  return { kind: "dump", run: dump ?? "", as };
}

const texts = (given: unknown): readonly string[] =>
  (typeof given === "object" && given !== null ? Object.values(given) : []).filter(
    (one) => typeof one === "string",
  );

const isLines = (source: Source): boolean =>
  (source.kind === "dump" && source.as === "lines") || (source.kind === "sqlite" && source.query === null);

/** Left out it is nothing: what the plan does not name must not happen. */
function wantedOf(given: z.infer<typeof wanted> | undefined): Wanted {
  if (given === undefined || typeof given === "number") return given ?? 0;
  if (Array.isArray(given)) return given.map((value): Expected => ({ value }));
  return Object.entries(given).map(([key, value]): Expected => ({ key, value }));
}

const copies = z
  .union([z.record(inData, inRepository), oneOrMore(inRepository)], {
    error: "must be a path of the repository, a list, or such a path for each name in the data folder",
  })
  .transform((given) =>
    Array.isArray(given) ? Object.fromEntries(given.map((path) => [posix.basename(path), path])) : given,
  );

const shape = {
  ...common,
  run: command,
  copy: copies.optional(),
  watch: oneOrMore(watchSchema),
  exit: z.int().min(0).max(255).optional(),
  stdout: pattern.optional(),
  stderr: pattern.optional(),
  json: z.record(z.string(), z.unknown()).optional(),
  produces: z.unknown().optional(),
};

export const dataForm: Form = {
  keys: Object.keys(shape),
  inner: { watch: Object.keys(watchShape) },
  schema: z.strictObject(shape).transform(({ run, copy = {}, watch }) => {
    const scenario: DataScenario = { copy, watch };
    return { run, scenario: { ...scenario } };
  }),
};
