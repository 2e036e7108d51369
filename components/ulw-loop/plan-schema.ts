/** The form of a plan file: its keys, their types, and words for what does not fit. */

import { z } from "zod";
import { FORMS } from "../evidence/channels/form.ts";
import { CHANNELS } from "../evidence/channels/names.ts";
import { ADVERSARIAL_CLASSES, CRITERION_CLASSES } from "./draft.ts";
import { closest } from "./suggest.ts";

const text = z.string().refine((value) => value.trim() !== "", { error: "must not be empty" });
const path = text.refine((value) => !/\p{Cc}/u.test(value), { error: "must not have control characters" });
const commandSchema = z.union(
  [
    text,
    z
      .array(z.string())
      .min(1)
      .refine(([program]) => program !== "", { error: "has an empty program name" }),
  ],
  {
    error: "must be a shell line, or a list of words with the program first",
  },
);
const commands = z.union([z.array(commandSchema), commandSchema.transform((one) => [one])], {
  error: "must be a list of commands",
});
const globs = z.union([z.array(path), path.transform((one) => [one])], {
  error: "must be a list of paths or globs",
});
const pattern = z.union([z.string(), z.number().transform(String)], {
  error: "must be a text, or /a regular expression/",
});

/** Keys of a check that this version can run. */
export const checkShape = {
  run: commandSchema.optional(),
  cwd: z.string().optional(),
  exit: z.int().min(0).max(255).optional(),
  stdout: pattern.optional(),
  stderr: pattern.optional(),
  json: z.record(z.string(), z.unknown()).optional(),
  produces: z
    .union(
      [
        z.record(z.string(), z.union([z.string(), z.null().transform(() => "")])),
        z.array(path).transform((paths) => Object.fromEntries(paths.map((one) => [one, ""]))),
        path.transform((one) => ({ [one]: "" })),
      ],
      { error: "must be a path, a list of paths, or a pattern for each path" },
    )
    .optional(),
  timeout: z
    .union([text, z.number()], { error: "must be a time like 60s, 2m or 500ms; a number is seconds" })
    .optional(),
  files: globs.optional(),
  covers: globs.optional(),
};

const anything = z.unknown().optional();

/** Keys that only checks of other channels have. Each channel reads its own: see the forms. */
export const otherChannelShape = Object.fromEntries(
  Object.values(FORMS)
    .flatMap(({ keys }) => keys)
    .filter((key) => !Object.hasOwn(checkShape, key))
    .map((key) => [key, anything]),
);

/** What a key is on the channels with a form of their own is not known here: `json` of an answer, or of an output. */
export const checkSchema = z.strictObject({ ...checkShape, ...otherChannelShape });

const oneOrMore = <const Values extends readonly [string, ...string[]]>(values: Values) => {
  const one = z.enum(values);
  return z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(one).min(1));
};

export const criterionSchema = z.strictObject({
  class: oneOrMore(CRITERION_CLASSES),
  scenario: text,
  channel: z.enum(CHANNELS).optional(),
  adversarial: oneOrMore(ADVERSARIAL_CLASSES).optional(),
  stop: text.optional(),
  evidence: path.optional(),
  covers: globs.optional(),
  parallel: z.boolean().optional(),
  check: checkSchema.optional(),
});

export const goalSchema = z.strictObject({
  title: text,
  objective: text.optional(),
  criteria: z.array(criterionSchema).min(1).optional(),
  without: z.partialRecord(z.enum(CRITERION_CLASSES), text).optional(),
});

export const planSchema = z.strictObject({
  title: text.optional(),
  brief: text.optional(),
  constraints: z
    .union([z.array(text), text.transform((one) => [one])], { error: "must be a list of sentences" })
    .optional(),
  verify: commands.optional(),
  share: globs.optional(),
  setup: commands.optional(),
  parallel: z.boolean().optional(),
  goals: z.array(goalSchema).min(1).max(1000),
});

export type GoalFile = z.infer<typeof goalSchema>;
export type CriterionFile = z.infer<typeof criterionSchema>;
export type CheckFile = z.infer<typeof checkSchema>;

/** `goals[0].criteria[1].check` */
export const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");

/** Known keys at a place of the file. */
function keysAt(path: readonly PropertyKey[]): readonly string[] {
  const last = path.findLast((part) => typeof part === "string");
  if (last === undefined) return Object.keys(planSchema.shape);
  if (last === "goals") return Object.keys(goalSchema.shape);
  if (last === "criteria") return Object.keys(criterionSchema.shape);
  if (last === "check") return Object.keys(checkSchema.shape);
  if (last === "without") return CRITERION_CLASSES;
  return [];
}

/**
 * One thing that does not fit, in our words. An issue may name several keys: one line for each.
 * @param known keys at its place; by default those of the plan file's form
 */
export function explain(
  issue: z.core.$ZodIssue,
  known = keysAt,
): { where: string; message: string; path: readonly PropertyKey[] }[] {
  const { path } = issue;
  const where = placeOf(path);
  if (
    issue.code === "unrecognized_keys" ||
    (issue.code === "invalid_key" && issue.path.includes("without"))
  ) {
    const inWithout = issue.code === "invalid_key";
    const parent = inWithout ? issue.path.slice(0, -1) : issue.path;
    const unknown = inWithout ? [String(issue.path.at(-1))] : issue.keys;
    const keys = known(parent);
    return unknown.map((key) => {
      const near = closest(key, keys);
      const at = [...parent, key];
      return {
        path: at,
        where: placeOf(at),
        message: `unknown key "${key}"${near === null ? `; known are ${keys.join(", ")}` : `; did you mean "${near}"?`}`,
      };
    });
  }
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    const given = typeof issue.input === "string" ? issue.input : null;
    const near = given === null ? null : closest(given, values);
    const shown = given === null ? "" : `"${given}" is not known; `;
    return [
      {
        path,
        where,
        message:
          near === null ? `${shown}must be one of ${values.join(", ")}` : `${shown}did you mean ${near}?`,
      },
    ];
  }
  if (issue.code === "invalid_type") {
    const missing = issue.input === undefined || issue.input === null;
    return [
      { path, where, message: missing ? "is missing" : `must be ${WORDS[issue.expected] ?? issue.expected}` },
    ];
  }
  if (issue.code === "too_small")
    return [
      {
        path,
        where,
        message:
          issue.origin === "array" ? "must have at least one entry" : `must be at least ${issue.minimum}`,
      },
    ];
  if (issue.code === "too_big")
    return [
      {
        path,
        where,
        message:
          issue.origin === "array"
            ? `has more than ${issue.maximum} entries`
            : `must be at most ${issue.maximum}`,
      },
    ];
  return [{ path, where, message: issue.message }];
}

const WORDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  object: "keys with values",
  record: "keys with values",
  array: "a list",
};
