/** Reads the check of one criterion of a plan file. */

import { normalize } from "node:path";
import { type Code, Refusal } from "../errors.ts";
import { FORMS, type Form } from "../evidence/channels/form.ts";
import type { Channel } from "../evidence/channels/names.ts";
import { assertPattern, makeCheck, parseTimeout } from "../evidence/check.ts";
import type { Check, Command, Expectations, Scenario } from "../evidence/types.ts";
import { vacuous } from "../evidence/vacuity.ts";
import { leaves } from "./place.ts";
import { type CheckFile, type CriterionFile, checkShape, explain, otherChannelShape } from "./plan-schema.ts";

/** Adds a problem at a place of the file; its line is appended. */
export type Add = (path: readonly PropertyKey[], message: string, code?: Code) => void;

/**
 * The check of one criterion; null where it has none, or one that is wrong.
 * @param path place of the criterion in the file
 */
export function readCheck(
  criterion: Pick<CriterionFile, "check" | "covers">,
  channel: Channel,
  path: readonly PropertyKey[],
  add: Add,
): Check | null {
  const at = [...path, "check"];
  const given = criterion.check;
  const has = (shape: object): string[] =>
    Object.keys(shape).filter((key) => given !== undefined && key in given);
  if (channel !== "cli" && channel !== "data") {
    // Without a check it is claimed, or a draft until it has one (design: levels).
    if (given === undefined) return null;
    if (given.run !== undefined) {
      add(at, `a check with run belongs to channel cli or data, not ${channel}`);
      return null;
    }
    return formed(FORMS[channel], criterion, channel, path, add);
  }
  if (given === undefined) {
    add(path, "check is missing: give one, like check: { run: npm test }");
    return null;
  }
  if (channel === "data" && FORMS.data.keys.some((key) => key in given && !(key in checkShape)))
    return formed(FORMS.data, criterion, channel, path, add);
  const foreign = has(otherChannelShape);
  if (foreign.length > 0) {
    const channels = Object.entries(FORMS)
      .filter(([, one]) => foreign.every((key) => one.keys.includes(key)))
      .map(([name]) => name);
    add(
      at,
      `${foreign.join(", ")} belong${foreign.length === 1 ? "s" : ""} to another channel: say channel: ${channels.join(" or ") || "http"}, or give run`,
    );
    return null;
  }
  const { run } = given;
  if (run === undefined) {
    add(at, `run is missing; keys are ${Object.keys(checkShape).join(", ")}`);
    return null;
  }
  if (criterion.covers !== undefined && given.covers !== undefined)
    add([...path, "covers"], "is given twice, here and in check");
  return makeOne(given, run, channel, criterion.covers, at, add);
}

/** A check whose keys the channel reads itself. */
function formed(
  form: Form,
  criterion: Pick<CriterionFile, "check" | "covers">,
  channel: Channel,
  path: readonly PropertyKey[],
  add: Add,
): Check | null {
  const at = [...path, "check"];
  const given = criterion.check ?? {};
  if (criterion.covers !== undefined && given.covers !== undefined)
    add([...path, "covers"], "is given twice, here and in check");
  const read = form.schema.safeParse(given, { reportInput: true });
  if (!read.success) {
    for (const issue of read.error.issues)
      for (const one of explain(issue, ([outer]) => form.inner?.[String(outer)] ?? form.keys))
        add([...at, ...one.path], one.message);
    return null;
  }
  const { run, scenario } = read.data;
  return makeOne(given, run, channel, criterion.covers, at, add, scenario);
}

function makeOne(
  given: CheckFile,
  run: Command,
  channel: Channel,
  outerCovers: readonly string[] | undefined,
  at: readonly PropertyKey[],
  add: Add,
  scenario?: Scenario,
): Check | null {
  const { timeout } = given;
  let timeoutMs: number | undefined;
  if (timeout !== undefined)
    guarded(
      () => {
        timeoutMs = parseTimeout(timeout);
      },
      [...at, "timeout"],
      add,
    );
  if (given.cwd !== undefined && leaves(given.cwd)) add([...at, "cwd"], "must stay inside the repository");
  for (const name of Object.keys(given.produces ?? {}))
    if (leaves(name)) add([...at, "produces"], `${name}: must stay inside the folder of the run`);
  // What a scenario expects stands in it; a command beside it is judged as any other.
  const { exit, stdout, stderr, json, produces } = scenario === undefined || channel === "data" ? given : {};
  const expect: Partial<Expectations> = {
    ...(exit === undefined ? {} : { exit }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(json === undefined ? {} : { json }),
    ...(produces === undefined ? {} : { produces }),
  };
  const patterns: [PropertyKey, string | undefined][] = [
    ["stdout", stdout],
    ["stderr", stderr],
    ...Object.values(produces ?? {}).map((one): [PropertyKey, string] => ["produces", one]),
  ];
  try {
    for (const [key, pattern] of patterns)
      if (pattern !== undefined) guarded(() => assertPattern(pattern), [...at, key], add);
    const check = makeCheck({
      channel,
      run,
      cwd: given.cwd === undefined ? "" : inside(given.cwd),
      expect,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      files: given.files ?? null,
      covers: given.covers ?? outerCovers ?? null,
      ...(scenario === undefined ? {} : { scenario }),
    });
    const reason = vacuous(check);
    if (reason !== null) add(at, reason, "check_vacuous");
    if (
      channel === "data" &&
      scenario === undefined &&
      stdout === undefined &&
      json === undefined &&
      produces === undefined
    )
      add(at, "a check of channel data needs stdout, json or produces");
    return check;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    add(at, [error.message, error.found].filter(Boolean).join(" "), error.code);
    return null;
  }
}

/** Runs a rule that refuses by throwing, and notes what it says. */
function guarded(rule: () => unknown, at: readonly PropertyKey[], add: Add): void {
  try {
    rule();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    add(at, [error.message, error.found].filter(Boolean).join(" "));
  }
}

/** `./sub/` as `sub`, and `.` as "". */
const inside = (path: string): string =>
  normalize(path)
    .replace(/[/\\]+$/u, "")
    .replace(/^\.$/u, "");
