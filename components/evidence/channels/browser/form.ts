/** How a plan writes a check on channel browser: one page beside `start` or `serve`, or a list of `steps`. */
import { z } from "zod";
import { patternTest } from "../../check.ts";
import type { Form } from "../form.ts";
import { common, pattern, starting, text, time } from "../form-parts.ts";
import type { Act, BrowserScenario, BrowserStep } from "./scenario.ts";

const ACTS = [
  "open",
  "click",
  "fill",
  "press",
  "select",
  "check",
  "uncheck",
  "hover",
  "upload",
  "script",
] as const;

const path = text.refine((value) => /^\/(?!\/)\S*$/.test(value), {
  error: "must be a path on the server of this check, like /admin: no page of another machine is opened",
});
const file = text.refine((value) => !/^(?:[/\\~]|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)|:\/\//.test(value), {
  error: "must be a path inside the repository",
});
/** What everything meets says nothing. */
const telling = pattern.refine((value) => value.trim() !== "" && !meetsEmpty(value), {
  error: "must not be a pattern that an empty page meets",
});
function meetsEmpty(value: string): boolean {
  try {
    return patternTest(value)("");
  } catch {
    // Said already.
    return false;
  }
}

const role = z.strictObject(
  {
    role: text,
    name: pattern.optional(),
    checked: z.boolean().optional(),
    disabled: z.boolean().optional(),
    expanded: z.boolean().optional(),
    pressed: z.boolean().optional(),
    selected: z.boolean().optional(),
    level: z.int().min(1).max(6).optional(),
    count: z.int().min(0).max(10_000).optional(),
  },
  { error: "must be a name as a person reads it, css=…, or { role: button, name: Save }" },
);
const target = z.union([text, role], {
  error: "must be a name as a person reads it, css=…, or { role: button, name: Save }",
});
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(item).min(1));
const STATUS = "must be a status like 404, a class like 2xx, or a list of them";
const status = z.union([z.int().min(100).max(599), z.string().regex(/^[1-5]xx$/)], { error: STATUS });

const SEE = "must be a text, /a regular expression/, or { role: button, name: Save }";
const A11Y = "must be clean, or { except: [rules] } with ids of axe rules";
const step = {
  open: path.optional(),
  click: target.optional(),
  fill: target.optional(),
  with: z.union([z.string(), z.number().transform(String)]).optional(),
  press: text.optional(),
  in: target.optional(),
  select: target.optional(),
  option: z.union([text, z.number().transform(String)]).optional(),
  check: target.optional(),
  uncheck: target.optional(),
  hover: target.optional(),
  upload: target.optional(),
  file: file.optional(),
  script: file.optional(),
  dialog: z.enum(["accept", "dismiss"]).optional(),
  within: time.optional(),
  see: listOf(z.union([telling, role], { error: SEE })).optional(),
  not: listOf(telling).optional(),
  url: text.optional(),
  title: telling.optional(),
  status: z.union([z.array(status).min(1), status.transform((one) => [one])], { error: STATUS }).optional(),
  value: z.record(z.string(), pattern).optional(),
  says: telling.optional(),
  a11y: z
    .union(
      [
        z.literal("clean").transform(() => ({ except: [] })),
        z.strictObject({ except: listOf(text).transform((rules) => rules as string[]) }),
      ],
      { error: A11Y },
    )
    .optional(),
};
const stepSchema = z.strictObject(step);
type StepFile = z.infer<typeof stepSchema>;

const SIZE = "must be a size like 1280x720";
const shape = {
  ...common,
  ...starting,
  start: starting.start.optional(),
  serve: text
    .refine((value) => file.safeParse(value).success, { error: "must be a folder inside the repository" })
    .optional(),
  steps: z.array(stepSchema).min(1).optional(),
  console: z
    .union([z.enum(["clean", "any"]), listOf(telling)], {
      error: "must be clean, any, or patterns of errors that may be there",
    })
    .optional(),
  size: z
    .string({ error: SIZE })
    .regex(/^[1-9]\d{1,3}x[1-9]\d{1,3}$/, { error: SIZE })
    .optional(),
  video: z.boolean().optional(),
  trace: z.boolean().optional(),
  ...step,
};

export const browserForm: Form = {
  keys: Object.keys(shape),
  schema: z.strictObject(shape).transform((given, context) => {
    const {
      start,
      serve,
      ready = null,
      port = null,
      steps,
      console = [],
      size = "1280x720",
      video = false,
      trace = false,
      cwd: _cwd,
      timeout: _timeout,
      files: _files,
      covers: _covers,
      ...one
    } = given;
    const add = (at: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: "custom", path: [...at], message });
    if ((start === undefined) === (serve === undefined))
      add(
        [],
        start === undefined
          ? "needs the server: start, which takes its port from $PORT, or serve with a folder of static files"
          : "has both start and serve: one server is enough",
      );
    if (serve !== undefined && (given.ready !== undefined || port !== null))
      add([], "ready and port belong to start");
    const acting = Object.keys(one);
    if (steps !== undefined && acting.length > 0)
      add([], `gives ${acting.join(", ")} beside steps: put it into the list`);
    const read = (steps ?? [one]).map((each, index) =>
      readStep(each, (message) => add(steps === undefined ? [] : ["steps", index], message)),
    );
    const first = read[0]?.act.kind;
    if (first !== "open" && first !== "script")
      add(steps === undefined ? [] : ["steps", 0], "no page is open yet: begin with open: /");
    const [width = 0, height = 0] = size.split("x").map(Number);
    const scenario: BrowserScenario = {
      ready,
      port,
      serve: serve ?? null,
      steps: read,
      console: console === "any" ? "any" : console === "clean" ? [] : (console as string[]),
      wantsClean: console === "clean",
      size: { width, height },
      video,
      trace,
    };
    return { run: start ?? [], scenario: { ...scenario } };
  }),
};

function readStep(given: StepFile, add: (message: string) => void): BrowserStep {
  const named = ACTS.filter((act) => given[act] !== undefined);
  if (named.length > 1) add(`has ${named.join(" and ")}: one act a step`);
  const pairs = [
    ["fill", "with"],
    ["select", "option"],
    ["upload", "file"],
  ] as const;
  for (const [act, beside] of pairs) {
    if (given[act] !== undefined && given[beside] === undefined) add(`${act} needs ${beside} beside it`);
    if (given[act] === undefined && given[beside] !== undefined) add(`${beside} belongs to ${act}`);
  }
  if (given.in !== undefined && given.press === undefined) add("in belongs to press");
  const { see, not, url, title, status, value, says, a11y } = given;
  const expect = { see, not, url, title, status, value, says, a11y };
  const wanted = Object.fromEntries(Object.entries(expect).filter(([, one]) => one !== undefined));
  if (named.length === 0 && Object.keys(wanted).length === 0)
    add(`neither an act (${ACTS.join(", ")}) nor anything to see`);
  return {
    act: actOf(given),
    dialog: given.dialog ?? "dismiss",
    withinMs: given.within ?? null,
    expect: wanted,
  };
}

function actOf(given: StepFile): Act {
  const { open, fill, select, press, upload, script } = given;
  if (open !== undefined) return { kind: "open", path: open };
  if (fill !== undefined) return { kind: "fill", target: fill, text: given.with ?? "" };
  if (select !== undefined) return { kind: "select", target: select, option: given.option ?? "" };
  if (press !== undefined) return { kind: "press", key: press, target: given.in ?? null };
  if (upload !== undefined) return { kind: "upload", target: upload, file: given.file ?? "" };
  if (script !== undefined) return { kind: "script", file: script };
  for (const kind of ["click", "check", "uncheck", "hover"] as const) {
    const target = given[kind];
    if (target !== undefined) return { kind, target };
  }
  return { kind: "look" };
}
