/** Drives channel browser: opens the page, does what a person would, and sees what a person sees. */
import { writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { describeCommand } from "../../check.ts";
import { type Program, type Stage, Stop } from "../stage.ts";
import { act } from "./drive/act.ts";
import { soon, startBrowser, userAgent } from "./drive/chrome.ts";
import { expectAll, missing } from "./drive/expect.ts";
import { serveFolder } from "./drive/folder.ts";
import { library } from "./drive/load.ts";
import { openEyes, read } from "./drive/look.ts";
import { record } from "./drive/video.ts";
import { Watch } from "./drive/watch.ts";
import { actWords, type BrowserScenario, type BrowserStep, browserScenario } from "./scenario.ts";

const WITHIN_MS = 10_000;
/** What is done takes its time on a busy machine; a short `within` is about what is expected after it. */
const LEAST_ACT_MS = 5000;
/** A page that asks for nothing more has come to rest after so long; one that always asks is looked at in the end. */
const QUIET_MS = 400;
const SETTLE_MS = 2000;
const PICTURE_MS = 10_000;
/** Pages beyond this are pictured as far as the window shows them. CSS pixels. */
const TALLEST = 6000;
const LOGGED = 16_000;

export async function driveBrowser(stage: Stage): Promise<void> {
  const { check } = stage.job;
  const { serve, ready, port } = browserScenario(check);
  const place: Place =
    serve === null
      ? await stage.serve(check.run, ready, port)
      : { origin: await serveFolder(stage, serve), server: null };
  const browser = await startBrowser(stage);
  await openEyes(await library(stage.job.out));
  await playPages(stage, browser, place);
}

/** Plays the scenario in a window of its own. */
export async function playPages(stage: Stage, browser: Browser, place: Place): Promise<void> {
  const scenario = browserScenario(stage.job.check);
  const { size, trace, video } = scenario;
  const context = await browser.newContext({
    viewport: size,
    locale: "en-US",
    userAgent: await userAgent(browser),
  });
  const watch = new Watch(stage, context, () => place.origin);
  if (trace) await context.tracing.start({ screenshots: true, snapshots: true });
  const page = await context.newPage();
  const endVideo = video ? await record(stage, browser, page, size) : null;
  const play: Play = { stage, watch, place, scenario };
  try {
    for (const step of scenario.steps) await playStep(play, step);
    await lastLook(play);
  } finally {
    await picture(stage, watch);
    if (trace) await soon(context.tracing.stop({ path: stage.capture("browser-trace.zip") }), PICTURE_MS);
    await endVideo?.();
  }
}

/** One scenario as it is played. */
export interface Play {
  readonly stage: Stage;
  readonly watch: Watch;
  readonly place: Place;
  readonly scenario: BrowserScenario;
}

/** Where the pages come from. */
export interface Place {
  readonly origin: string;
  /** Null where the tool itself serves a folder. */
  readonly server: Program | null;
}

async function playStep(play: Play, step: BrowserStep): Promise<void> {
  const { stage, watch } = play;
  const name = actWords(step.act);
  const withinMs = step.withinMs ?? WITHIN_MS;
  watch.answer = step.dialog;
  watch.forget();
  stage.step(name);
  await act(play, step.act, name, Math.max(withinMs, LEAST_ACT_MS));
  await expectAll(play, step, name, withinMs);
  await tellSeen(stage, watch.page);
}

/** What is wanted in the end has to hold once the page has come to rest, and nothing may have gone wrong behind it. */
async function lastLook(play: Play): Promise<void> {
  const { stage, watch, place, scenario } = play;
  const began = performance.now();
  await stage.until(
    () => (Math.min(watch.quietMs, performance.now() - began) >= QUIET_MS ? true : null),
    SETTLE_MS,
  );
  const last = scenario.steps.at(-1);
  if (last !== undefined) {
    const fault = await missing(play, last);
    if (fault !== null)
      stage.unmet(
        `${actWords(last.act)}: still ${fault.expectation}`,
        fault.wanted,
        fault.got + watch.hint(),
      );
  }
  const wrong = watch.wrong(scenario.console);
  if (wrong.length > 0)
    stage.unmet(
      "console",
      "no errors (the plan may allow some: console: [patterns])",
      `${wrong.length === 1 ? "" : `${wrong.length}: `}${wrong.join(" | ").slice(0, 250)}`,
    );
  if (place.server === null) return;
  stage.requireRunning(place.server, "still up", "the server goes on after the last step");
  if ((await stage.until(() => stage.takesConnections(place.origin), 2000)) === null)
    stage.unmet(
      "still up",
      `${describeCommand(stage.job.check)} takes connections after the last step`,
      "none",
    );
}

const told = new WeakMap<Stage, string>();

/** The text of the page into the log, where it changed. @returns whether the page answers */
async function tellSeen(stage: Stage, page: Page): Promise<boolean> {
  const seen = await read(page);
  if (seen === null || told.get(stage) === seen.text) return seen !== null;
  told.set(stage, seen.text);
  stage.log(
    seen.text
      .slice(0, LOGGED)
      .split("\n")
      .map((line) => `  | ${line}`)
      .join("\n"),
  );
  return true;
}

/** What the page looks like now, whatever came of the scenario: taken in this run, from this page. */
async function picture(stage: Stage, watch: Watch): Promise<void> {
  try {
    const { page } = watch;
    if (!(await tellSeen(stage, page))) {
      stage.log("no picture: the page does not answer");
      return;
    }
    stage.step(
      `the page at the end: ${watch.short(page.url())} ${JSON.stringify((await soon(page.title())) ?? "")}`,
    );
    const height = await soon(page.locator("html").evaluate((html) => html.scrollHeight));
    const bytes = await page.screenshot({
      fullPage: height !== null && height <= TALLEST,
      animations: "disabled",
      timeout: PICTURE_MS,
    });
    writeFileSync(stage.capture("browser.png"), bytes);
  } catch (error) {
    if (error instanceof Stop) throw error;
    stage.log(`no picture: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  }
}
