/** How a plan writes a check on channel computer: the program, and a list of steps. */
import { z } from "zod";
import type { Form } from "../form.ts";
import { common, pattern, starting, text, time } from "../form-parts.ts";
import type { ComputerScenario, ComputerStep } from "./scenario.ts";

/** `""` would be every title, and every text. */
const seen = pattern.refine((value) => value.trim() !== "", { error: "must not be empty" });
const KEY = "must be a key by its X name, like Return, or a combination like ctrl+s";
const key = z
  .union([z.string(), z.number().transform(String)])
  .refine((value) => /^\w+(?:\+\w+)*$/.test(value), {
    error: KEY,
  });
const place = z.int().min(0).max(10_000);

const stepShape = {
  window: seen.optional(),
  click: z
    .custom<readonly [number, number]>(
      (value) => z.tuple([place, place]).safeParse(value).success,
      "must be a place in the window, like [120, 40]",
    )
    .optional(),
  button: z.int().min(1).max(3).optional(),
  type: z.union([z.string().min(1), z.number().transform(String)]).optional(),
  keys: z.union([z.array(key).min(1), key.transform((one) => [one])], { error: KEY }).optional(),
  text: seen.optional(),
  prints: seen.optional(),
  gone: seen.optional(),
  within: time.optional(),
};
const stepSchema = z.strictObject(stepShape).transform((given, context): ComputerStep => {
  const add = (message: string): void => context.addIssue({ code: "custom", message });
  const { within = null, button, ...rest } = given;
  if (Object.keys(rest).length === 0)
    add("does and expects nothing: give window, click, type, keys, text, prints or gone");
  if (button !== undefined && given.click === undefined) add("has a button without a click");
  return {
    window: given.window ?? null,
    click: given.click ?? null,
    button: button ?? 1,
    type: given.type ?? null,
    keys: given.keys ?? [],
    text: given.text ?? null,
    prints: given.prints ?? null,
    gone: given.gone ?? null,
    withinMs: within,
  };
});

const shape = {
  ...common,
  start: starting.start,
  size: text
    .regex(/^[1-9]\d{2,3}x[1-9]\d{2,3}$/, { error: "must be a width and a height, like 1024x768" })
    .optional(),
  steps: z.array(stepSchema).min(1, { error: "must have at least one step" }),
  ends: z.int().min(0).max(255).optional(),
};

export const computerForm: Form = {
  keys: Object.keys(shape),
  inner: { steps: Object.keys(stepShape) },
  schema: z.strictObject(shape).transform(({ start, size = "1024x768", steps, ends = null }) => {
    const [width = 0, height = 0] = size.split("x").map(Number);
    const scenario: ComputerScenario = { width, height, ends, steps };
    return { run: start, scenario: { ...scenario } };
  }),
};
