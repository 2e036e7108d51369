/** How a plan writes a check on channel tmux: one look at the screen beside `start`, or a list of `steps`. */
import { z } from "zod";
import type { Form } from "../form.ts";
import { common, patterns, starting, text, time } from "../form-parts.ts";
import { isKey, meantKey } from "./keys.ts";
import type { Size, TmuxScenario, TmuxStep } from "./scenario.ts";

/** Fixed, so that a program draws the same everywhere. */
const SIZE: Size = { columns: 100, rows: 30 };
const LEAST: Size = { columns: 10, rows: 3 };
const MOST: Size = { columns: 500, rows: 200 };
/** In one message to tmux. */
const MOST_TYPED = 4000;

const size = text.transform((value, context): Size => {
  const [, columns, rows] = /^(\d+)x(\d+)$/.exec(value) ?? [];
  const given = { columns: Number(columns), rows: Number(rows) };
  const fits =
    given.columns >= LEAST.columns &&
    given.rows >= LEAST.rows &&
    given.columns <= MOST.columns &&
    given.rows <= MOST.rows;
  if (fits) return given;
  context.addIssue({
    code: "custom",
    message: `must be columns and rows like 100x30, from ${LEAST.columns}x${LEAST.rows} to ${MOST.columns}x${MOST.rows}`,
  });
  return z.NEVER;
});

const typed = z
  .union([z.string(), z.number().transform(String)], { error: "must be a text" })
  .refine((value) => value !== "", { error: "must not be empty" })
  .refine((value) => !/\p{Cc}/u.test(value), {
    error: "must have printable characters only: give others as keys, like keys: [Enter]",
  })
  .refine((value) => value.length <= MOST_TYPED, { error: `must have at most ${MOST_TYPED} characters` });

const key = z
  .union([z.string(), z.number().transform(String)], {
    error: "must be a key like Enter, Down, C-c, F1 or y",
  })
  .superRefine((value, context) => {
    if (isKey(value)) return;
    const meant = meantKey(value);
    const hint =
      meant === null
        ? "they are called like Enter, Down, C-c, F1 or y; text is typed with type:"
        : `did you mean ${meant}?`;
    context.addIssue({ code: "custom", message: `"${value}" is no key that tmux knows; ${hint}` });
  });

const look = { see: patterns.optional(), not: patterns.optional(), within: time.optional() };
const stepSchema = z.strictObject({
  resize: size.optional(),
  type: typed.optional(),
  keys: z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(key).min(1)).optional(),
  ...look,
});

const shape = {
  ...common,
  start: starting.start,
  size: size.optional(),
  ends: z.int().min(0).max(255).optional(),
  steps: z.array(stepSchema).min(1).optional(),
  ...look,
};

export const tmuxForm: Form = {
  keys: Object.keys(shape),
  inner: { steps: Object.keys(stepSchema.shape) },
  schema: z.strictObject(shape).transform((given, context) => {
    const { start, size: asked = SIZE, ends = null, steps, see, not, within } = given;
    const add = (at: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: "custom", path: [...at], message });
    const one = see !== undefined || not !== undefined || within !== undefined;
    if (steps !== undefined && one) add([], "looks at the screen beside steps: put it into the list");
    if (steps === undefined && !one) add([], "nothing is looked at: give see: a text, or steps");
    const read = (steps ?? [{ see, not, within }]).map((step, index) =>
      readStep(step, (message) => add(steps === undefined ? [] : ["steps", index], message)),
    );
    const scenario: TmuxScenario = { size: asked, ends, steps: read };
    return { run: start, scenario: { ...scenario } };
  }),
};

function readStep(step: z.infer<typeof stepSchema>, add: (message: string) => void): TmuxStep {
  const { resize = null, type = null, keys = [], see = [], not = [], within = null } = step;
  const looks = see.length + not.length > 0;
  if (within !== null && !looks) add("has within, and nothing to wait for: give see or not");
  else if (resize === null && type === null && keys.length === 0 && !looks)
    add("does nothing: give type, keys, resize, see or not");
  if (see.includes("")) add("see is met by every screen: give a text that the program shows");
  if (not.includes("")) add("not is met by no screen: give a text that must not be there");
  return { resize, type, keys, see, not, withinMs: within };
}
