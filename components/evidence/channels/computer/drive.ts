/** Drives channel computer: opens a screen, starts the program, plays each step, and takes a picture in whatever way it ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { patternTest } from "../../check.ts";
import type { TextPattern } from "../../types.ts";
import { type Program, type Stage, shown } from "../stage.ts";
import { type ComputerStep, computerScenario } from "./scenario.ts";
import { openScreen, type Screen, type Window } from "./screen.ts";

/** The first window of a large program takes its time. */
const WITHIN_MS = 30_000;
/** What ends because of the last step gets this long to do so. */
const SETTLE_MS = 150;

export async function driveComputer(stage: Stage): Promise<void> {
  const { check } = stage.job;
  const { width, height, steps, ends } = computerScenario(check);
  const screen = await openScreen(stage, width, height);
  let pictured = false;
  const picture = async (): Promise<void> => {
    if (pictured) return;
    pictured = true;
    const said = await screen.picture(stage.capture("screen.png"));
    stage.step(`picture${said === null ? "" : `: ${said}`}`);
  };
  stage.onEnd(picture);
  const program = stage.start(check.run, screen.env);
  let window: Window | null = null;
  for (const step of steps) window = await play(stage, screen, program, step, window);
  await sleep(SETTLE_MS);
  // Before the program ends by itself, after which there is nothing to see.
  await picture();
  await lastLook(stage, screen, program, ends);
  stage.tail(program);
}

/** @returns the window that has the keys now */
async function play(
  stage: Stage,
  screen: Screen,
  program: Program,
  step: ComputerStep,
  before: Window | null,
): Promise<Window | null> {
  const within = step.withinMs ?? WITHIN_MS;
  let window = before;
  if (step.window !== null) {
    window = await find(stage, screen, program, step.window, within);
    await screen.focus(window);
    stage.step(`window ${step.window}: ${JSON.stringify(window.title)}`);
  }
  if (step.click !== null || step.type !== null || step.keys.length > 0)
    await act(stage, screen, program, step, window);
  const { text, prints, gone } = step;
  if (text !== null) {
    let seen: readonly string[] = [];
    await wait(
      stage,
      program,
      "text",
      text,
      within,
      async () => {
        seen = await screen.texts();
        return seen.some(patternTest(text));
      },
      () => seen.find((one) => one.trim() !== "") ?? "nothing is selected or copied",
    );
    stage.step(`text ${text}: ${JSON.stringify(seen.find(patternTest(text)) ?? "")}`);
  }
  if (prints !== null) {
    await wait(
      stage,
      program,
      "prints",
      prints,
      within,
      () => patternTest(prints)(program.output()),
      () => shown(program.output()),
    );
    stage.step(`prints ${prints}`);
  }
  if (gone !== null) {
    let titles: readonly string[] = [];
    await wait(
      stage,
      program,
      "gone",
      `no window ${gone}`,
      within,
      async () => {
        titles = (await screen.windows()).map(({ title }) => title);
        return !titles.some(patternTest(gone));
      },
      () => listed(titles),
      true,
    );
    stage.step(`gone ${gone}`);
  }
  return window;
}

async function find(
  stage: Stage,
  screen: Screen,
  program: Program,
  pattern: TextPattern,
  within: number,
): Promise<Window> {
  const test = patternTest(pattern);
  let seen: readonly Window[] = [];
  await wait(
    stage,
    program,
    "window",
    pattern,
    within,
    async () => {
      seen = await screen.windows();
      return seen.some(({ title }) => test(title));
    },
    () => listed(seen.map(({ title }) => title)),
  );
  return seen.find(({ title }) => test(title)) ?? stage.unmet("window", pattern, "it went away");
}

async function act(
  stage: Stage,
  screen: Screen,
  program: Program,
  step: ComputerStep,
  window: Window | null,
): Promise<void> {
  const { click, button, type, keys } = step;
  const doing = [
    click === null ? "" : `click ${click.join(", ")}`,
    type === null ? "" : `type ${JSON.stringify(type)}`,
    ...keys,
  ]
    .filter((one) => one !== "")
    .join(", ");
  stage.step(doing);
  if (program.ended()?.exit !== 0) stage.requireRunning(program, doing, "the program runs");
  const there = window === null ? null : (await screen.windows()).find(({ id }) => id === window.id);
  if (!there) return stage.unmet(doing, "a window to do it in; a step with window comes first", "none");
  if (click !== null) await screen.click(there, click, button);
  if (type !== null) await screen.type(type);
  if (keys.length > 0) await screen.keys(keys);
}

/** @param ended a program that ended by itself is no failure */
async function wait(
  stage: Stage,
  program: Program,
  what: string,
  wanted: string,
  within: number,
  ask: () => Promise<boolean> | boolean,
  got: () => string,
  ended = false,
): Promise<void> {
  const met = await stage.until(async () => {
    if (await ask()) return true;
    // A launcher that ends well may have left the program itself running.
    if (!ended && program.ended()?.exit !== 0) stage.requireRunning(program, what, wanted);
    return null;
  }, within);
  if (met !== null) return;
  stage.tail(program);
  stage.unmet(what, wanted, got());
}

async function lastLook(stage: Stage, screen: Screen, program: Program, ends: number | null): Promise<void> {
  if (ends === null) {
    if (program.ended()?.exit === 0 && (await screen.windows()).length > 0) return;
    return stage.requireRunning(
      program,
      "still up",
      "the program goes on after the last step (or say `ends:`)",
    );
  }
  const end = await stage.until(() => program.ended());
  if (end?.exit !== ends)
    stage.unmet(
      "ends",
      `exit ${ends} by itself`,
      end === null ? "it still runs" : `exit ${end.exit ?? end.signal}`,
    );
  stage.step(`the program ended with ${ends}`);
}

const listed = (titles: readonly string[]): string =>
  titles.length === 0 ? "no window" : titles.map((title) => JSON.stringify(title)).join(", ");
