/** Compares a page with what a step expects of it: all of it has to hold at once. */
import type { Page } from "playwright-core";
import { patternTest } from "../../../check.ts";
import { shown } from "../../stage.ts";
import type { Play } from "../drive.ts";
import { type BrowserStep, type Role, targetWords } from "../scenario.ts";
import { violations } from "./a11y.ts";
import { alive } from "./act.ts";
import { soon } from "./chrome.ts";
import { find } from "./find.ts";
import { byRole, isSeen, read } from "./look.ts";

interface Fault {
  readonly expectation: string;
  readonly wanted: string;
  readonly got: string;
}

/** Waits until everything holds; stops with what does not. */
export async function expectAll(
  play: Play,
  step: BrowserStep,
  name: string,
  withinMs: number,
): Promise<void> {
  const { stage, watch } = play;
  let fault: Fault | null = null;
  const met = await stage.until(async () => {
    alive(play, name);
    fault = await missing(play, step);
    return fault === null ? true : null;
  }, withinMs);
  const { a11y, value } = step.expect;
  if (met === null && fault !== null) {
    const { expectation, wanted, got }: Fault = fault;
    await tellTree(play, watch.page);
    stage.unmet(`${name}: ${expectation}`, wanted, got + watch.hint());
  }
  for (const [field, pattern] of Object.entries(value ?? {}))
    await expectValue(play, name, field, pattern, withinMs);
  if (a11y === undefined) return;
  const found = await violations(stage, watch.page, a11y.except);
  if (found === null) stage.unmet(`${name}: a11y`, "a page that can be examined", "no answer");
  for (const line of found ?? []) stage.log(`  a11y ${line}`);
  if (found !== null && found.length > 0)
    stage.unmet(`${name}: a11y`, "no violation of WCAG A and AA", found.join(" | ").slice(0, 280));
}

/** The first thing that does not hold now; null when everything does. */
export async function missing(play: Play, { act, expect }: BrowserStep): Promise<Fault | null> {
  const { watch } = play;
  const { see = [], not = [], url, title, status, says } = expect;
  const { page } = watch;
  if (says !== undefined && !watch.dialogs.some(patternTest(says)))
    return { expectation: "says", wanted: says, got: watch.dialogs.join(" | ") || "no dialog" };
  const got = watch.status;
  if (status !== undefined) {
    if (got === null || !status.some((one) => isStatus(one, got)))
      return { expectation: "status", wanted: status.join(" or "), got: String(got ?? "none") };
    watch.excuse(page.url());
  } else if (act.kind === "open" && got !== null && got >= 400)
    return { expectation: "status", wanted: "a page, with a status below 400", got: String(got) };
  const at = watch.short(page.url());
  if (url !== undefined && !isUrl(url, at)) return { expectation: "url", wanted: url, got: at };
  if (title !== undefined) {
    const now = (await soon(page.title().catch(() => ""))) ?? "";
    if (!patternTest(title)(now)) return { expectation: "title", wanted: title, got: now || "none" };
  }
  const roles = see.filter((one): one is Role => typeof one !== "string");
  if (see.length > roles.length || not.length > 0) {
    const seen = await read(page);
    if (seen === null)
      return { expectation: "see", wanted: describe(see, not), got: "the page does not answer" };
    for (const one of see)
      if (typeof one === "string" && !isSeen(one, seen))
        return { expectation: "see", wanted: one, got: shown(seen.text) };
    for (const one of not)
      if (isSeen(one, seen)) return { expectation: "not", wanted: `no ${one}`, got: shown(seen.text) };
  }
  for (const role of roles) {
    const count =
      (await soon(
        byRole(page, role)
          .count()
          .catch(() => 0),
      )) ?? 0;
    if (role.count === undefined ? count === 0 : count !== role.count)
      return {
        expectation: "see",
        wanted: targetWords(role),
        got: count === 0 ? "none that can be seen" : `${count} of them`,
      };
  }
  return null;
}

const describe = (see: readonly (string | Role)[], not: readonly string[]): string =>
  [...see.map(targetWords), ...not.map((one) => `no ${one}`)].join(", ");

const isStatus = (wanted: number | string, got: number): boolean =>
  typeof wanted === "number" ? wanted === got : wanted.charAt(0) === String(got).charAt(0);

/** A path is the whole path, with its query where that is said; a regular expression sees all of it. */
function isUrl(wanted: string, at: string): boolean {
  const plain = at.replace(/#.*$/, "");
  return (
    [at, plain, plain.replace(/\?.*$/, "")].includes(wanted) ||
    (/^\/.+\/[a-z]*$/.test(wanted) && patternTest(wanted)(at))
  );
}

async function expectValue(
  play: Play,
  name: string,
  field: string,
  pattern: string,
  withinMs: number,
): Promise<void> {
  const { stage, watch } = play;
  const onWait = (): void => alive(play, name);
  const found = await find(stage, () => watch.page, "fill", field, {
    name: `${name}: value`,
    withinMs,
    onWait,
  });
  let got = "";
  const met = await stage.until(async () => {
    got = await found.inputValue({ timeout: 1000 }).catch(() => got);
    return patternTest(pattern)(got) && (pattern !== "" || got === "") ? true : null;
  }, withinMs);
  if (met === null) stage.unmet(`${name}: value ${field}`, pattern || "an empty field", got);
}

/** What there is by role and name, for whoever has to mend the page or the plan. */
async function tellTree({ stage }: Play, page: Page): Promise<void> {
  const tree = await soon(
    page
      .locator("body")
      .ariaSnapshot({ timeout: 3000 })
      .catch(() => null),
  );
  if (tree !== null) stage.log(`--- what the page has, by role and name\n${tree.slice(0, 8000)}\n---`);
}
