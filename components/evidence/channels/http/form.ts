/** How a plan writes a check on channel http: one request beside `start`, or a list of `steps`. */
import { z } from "zod";
import type { Form } from "../form.ts";
import { common, pattern, patterns, starting, text, time } from "../form-parts.ts";
import type { HttpScenario, HttpStep } from "./scenario.ts";

const METHODS = ["get", "head", "post", "put", "patch", "delete"] as const;

const path = text.refine((value) => /^\/(?!\/)\S*$/.test(value), {
  error: "must be a path on the server that is started, like /import/9",
});
const STATUS = "must be a status like 404, a class like 2xx, or a list of them";
const status = z.union([z.int().min(100).max(599), z.string().regex(/^[1-5]xx$/)], { error: STATUS });

const request = {
  ...Object.fromEntries(METHODS.map((method) => [method, path.optional()])),
  method: z
    .string()
    .regex(/^[A-Z]+$/, { error: "must be a method in capitals, like OPTIONS" })
    .optional(),
  url: path.optional(),
  headers: z.record(z.string(), z.union([z.string(), z.number().transform(String)])).optional(),
  send: z
    .union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())], {
      error: "must be a text, @file, or what is sent as JSON",
    })
    .optional(),
  form: z.record(z.string(), z.union([z.string(), z.number().transform(String)])).optional(),
  follow: z.boolean().optional(),
  within: time.optional(),
  status: z.union([z.array(status).min(1), status.transform((one) => [one])], { error: STATUS }).optional(),
  header: z.record(z.string(), z.union([pattern, z.null().transform(() => "")])).optional(),
  body: patterns.optional(),
  json: z.record(z.string(), z.unknown()).optional(),
};
const stepSchema = z.strictObject(request);
type StepFile = z.infer<typeof stepSchema> & Partial<Record<(typeof METHODS)[number], string>>;

const shape = {
  ...common,
  ...starting,
  ends: z.int().min(0).max(255).optional(),
  steps: z.array(stepSchema).min(1).optional(),
  ...request,
};

export const httpForm: Form = {
  keys: Object.keys(shape),
  schema: z.strictObject(shape).transform((given, context) => {
    const { start, ready = null, port = null, ends = null, steps, ...one } = given;
    const asked = METHODS.some((method) => method in one) || one.url !== undefined;
    const add = (at: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: "custom", path: [...at], message });
    if (steps !== undefined && asked) add([], "gives a request beside steps: put it into the list");
    if (steps === undefined && !asked) add([], "no request: give one, like get: /health, or steps");
    const read = (steps ?? [one]).map((step, index) =>
      readStep(step as StepFile, (message) => add(steps === undefined ? [] : ["steps", index], message)),
    );
    const scenario: HttpScenario = { ready, port, ends, steps: read };
    return { run: start, scenario: { ...scenario } };
  }),
};

function readStep(step: StepFile, add: (message: string) => void): HttpStep {
  const named = METHODS.filter((method) => step[method] !== undefined);
  if (named.length + (step.url === undefined ? 0 : 1) !== 1)
    add(
      `must have one request, as get: /path, or url: /path with method: ${named.length > 1 ? `; has ${named.join(", ")}` : ""}`,
    );
  if (step.send !== undefined && step.form !== undefined) add("has both send and form: one body is enough");
  const [method] = named;
  const { status, header, body, json } = step;
  return {
    method: method?.toUpperCase() ?? step.method ?? "GET",
    path: (method === undefined ? step.url : step[method]) ?? "/",
    ...bodyOf(step),
    follow: step.follow ?? false,
    withinMs: step.within ?? null,
    expect: {
      ...(status === undefined ? {} : { status }),
      ...(header === undefined ? {} : { header }),
      ...(body === undefined ? {} : { body }),
      ...(json === undefined ? {} : { json }),
    },
  };
}

/** What is sent, with the content type that goes with the way it is written, unless the headers say another one. */
function bodyOf({ send, form, headers = {} }: StepFile): Pick<HttpStep, "send" | "headers"> {
  const typed = (type: string): Readonly<Record<string, string>> =>
    Object.keys(headers).some((name) => name.toLowerCase() === "content-type")
      ? headers
      : { "content-type": type, ...headers };
  if (form !== undefined)
    return {
      send: new URLSearchParams(form).toString(),
      headers: typed("application/x-www-form-urlencoded"),
    };
  if (send === undefined) return { send: null, headers };
  if (typeof send !== "string") return { send: JSON.stringify(send), headers: typed("application/json") };
  const json = /^\s*[[{]/.test(send) || /^@.*\.json$/.test(send);
  return { send, headers: json ? typed("application/json") : headers };
}
