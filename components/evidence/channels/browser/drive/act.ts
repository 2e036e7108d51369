/** Does one thing on a page, as a person does: only to what can be seen, reached and used. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Stage, Stop } from "../../stage.ts";
import type { Play } from "../drive.ts";
import type { Act } from "../scenario.ts";
import { find } from "./find.ts";
import { isSeen, read } from "./look.ts";

/** @param name of the step, for what is not met */
export async function act(play: Play, one: Act, name: string, withinMs: number): Promise<void> {
  const { stage, watch, place } = play;
  const timeout = Math.min(withinMs, stage.left);
  if (one.kind === "look") return;
  if (one.kind === "script") return runScript(play, one.file, name, withinMs);
  try {
    if (one.kind === "open") {
      await watch.page.goto(place.origin + one.path, { waitUntil: "domcontentloaded", timeout });
      return;
    }
    if (one.kind === "press" && one.target === null) return await watch.page.keyboard.press(one.key);
    const target = one.target;
    if (target === null) return;
    const found = await find(stage, () => watch.page, one.kind, target, {
      name,
      withinMs,
      onWait: () => alive(play, name),
    });
    switch (one.kind) {
      case "click":
        return await found.click({ timeout });
      case "hover":
        return await found.hover({ timeout });
      case "check":
        return await found.check({ timeout });
      case "uncheck":
        return await found.uncheck({ timeout });
      case "fill":
        return await found.fill(one.text, { timeout });
      case "press":
        return await found.press(one.key, { timeout });
      case "select":
        return void (await found.selectOption({ label: one.option }, { timeout }));
      case "upload":
        return await found.setInputFiles(fileOf(stage, one.file), { timeout });
    }
  } catch (error) {
    if (error instanceof Stop) throw error;
    alive(play, name);
    stage.unmet(name, "done as a person would", why(error) + watch.hint());
  }
}

/** Stops where the server or the page is gone. */
export function alive({ stage, watch, place }: Play, name: string): void {
  if (place.server !== null) stage.requireRunning(place.server, name, "the server goes on");
  if (watch.crashed) stage.unmet(name, "a page that works", "the page crashed");
}

function fileOf(stage: Stage, path: string): string {
  const place = join(stage.job.cwd, path);
  return existsSync(place) ? place : stage.blocked(`${path} is not there; the scenario uploads it`);
}

/** The line of the library's message that says most: what was in the way, or what was wrong with the thing. */
function why(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the library paints its messages
  const lines = text.replace(/\u001b\[[0-9;]*m/g, "").split("\n");
  const telling = lines.findLast((line) =>
    /intercepts pointer events|is not (?:visible|enabled|stable|editable)|outside of the viewport|did not find some options|not an? <|net::|Clicking the checkbox/i.test(
      line,
    ),
  );
  return (telling ?? lines[0] ?? "").replace(/^[\s-]+/, "").replace(/^\w+\.\w+: /, "");
}

/** What a script of the repository is given. */
export interface Given {
  /** playwright-core's, of the page that is open. */
  readonly page: unknown;
  readonly context: unknown;
  /** Of the server, without a slash at its end. */
  readonly origin: string;
  /** A line of the log. */
  log(line: string): void;
  /** Waits until a person can see a text, a substring or `/regex/`. */
  see(pattern: string, withinMs?: number): Promise<void>;
}

async function runScript(play: Play, file: string, name: string, withinMs: number): Promise<void> {
  const { stage, watch, place } = play;
  const path = join(stage.job.cwd, file);
  if (!existsSync(path)) throw new Stop({ kind: "not_run", reason: `${file}: no such script` });
  const given: Given = {
    page: watch.page,
    context: watch.page.context(),
    origin: place.origin,
    log: (line) => stage.step(`  ${line}`),
    async see(pattern, ms = withinMs) {
      let text = "";
      const there = await stage.until(async () => {
        const seen = await read(watch.page);
        text = seen?.text ?? text;
        return seen !== null && isSeen(pattern, seen) ? true : null;
      }, ms);
      if (there === null) stage.unmet(`${name}: see`, pattern, text + watch.hint());
    },
  };
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    const run = (module as { default?: unknown }).default;
    if (typeof run !== "function")
      throw new Stop({ kind: "not_run", reason: `${file}: exports no function as its default` });
    await run(given);
  } catch (error) {
    if (error instanceof Stop) throw error;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    stage.log(text);
    if (error instanceof SyntaxError && !/requested module|Export named/.test(text))
      throw new Stop({ kind: "not_run", reason: `${file}: ${error.message}` });
    alive(play, name);
    stage.unmet(name, "to end without an error", why(error) + watch.hint());
  }
}
