/** What the forms of several channels have in common. */
import { z } from "zod";
import { Refusal } from "../../errors.ts";
import { assertPattern, parseTimeout } from "../check.ts";

export const text = z.string().refine((value) => value.trim() !== "", { error: "must not be empty" });

const command = z.union(
  [
    text,
    z
      .array(z.string())
      .min(1)
      .refine(([program]) => program !== "", { error: "has an empty program name" }),
  ],
  {
    error: ({ input }) =>
      input === undefined
        ? "is missing: the tool starts the program itself, from this very tree"
        : "must be a shell line, or a list of words with the program first",
  },
);

/** A substring, or `/regex/flags` that can be read. Numbers are taken as they are written. */
export const pattern = z
  .union([z.string(), z.number().transform(String)], { error: "must be a text, or /a regular expression/" })
  .superRefine((value, context) => {
    try {
      assertPattern(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      context.addIssue({
        code: "custom",
        message: `is not a regular expression that can be read: ${error.found}`,
      });
    }
  });

/** One pattern, or a list: all of them have to hold. */
export const patterns = z.preprocess(
  (value) => (Array.isArray(value) ? value : [value]),
  z.array(pattern).min(1),
);

/** `5s`, `500ms`, or seconds, in milliseconds. */
export const time = z
  .union([text, z.number()], { error: "must be a time like 5s or 500ms; a number is seconds" })
  .transform((value, context) => {
    try {
      return parseTimeout(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      context.addIssue({ code: "custom", message: `${error.message} Found ${error.found}.` });
      return z.NEVER;
    }
  });

/** Keys that a check has on every channel; read elsewhere. */
export const common = {
  cwd: z.unknown().optional(),
  timeout: z.unknown().optional(),
  files: z.unknown().optional(),
  covers: z.unknown().optional(),
};

/** How the program under test is started. */
export const starting = {
  start: command,
  ready: text.optional(),
  port: z.int().min(1).max(65_535).optional(),
};
