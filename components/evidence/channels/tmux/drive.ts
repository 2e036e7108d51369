/** Drives channel tmux: starts the program in a terminal, types, and looks at the screen. The whole pane is the evidence. */
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { TextPattern } from "../../types.ts";
import type { Program, Stage } from "../stage.ts";
import { isOn, onlyEchoed, type TypedLine, typedLines } from "./echo.ts";
import { Pane, type Screen } from "./pane.ts";
import { type TmuxStep, tmuxScenario } from "./scenario.ts";

/** For a look, where it says nothing itself; */
const WITHIN_MS = 10_000;
/** a program may take longer to be there. */
const FIRST_WITHIN_MS = 30_000;
/** What is drawn over gets this long to be so, */
const SETTLE_MS = 150;
/** and what ends because of the last key, with what stands around it (see pane.ts). */
const END_MS = 400;
/** For a terminal to show what is typed into it. */
const ECHO_MS = 300;
/** Of the scenario's time, for the capture at its end. */
const CAPTURE_MS = 500;

export async function driveTmux(stage: Stage): Promise<void> {
  const { size, steps, ends } = tmuxScenario(stage.job.check);
  const parent = process.ppid;
  const pane = await Pane.open(stage, size);
  stage.onEnd(async () => {
    await keep(stage, pane);
    // Whoever was to end what this run started is gone.
    if (process.ppid !== parent) await pane.close();
  });
  const played = new Played(stage, pane, steps);
  for (const index of steps.keys()) await played.step(index);
  await lastLook(stage, pane, ends);
}

/** A scenario while it is played. */
class Played {
  /** What the terminal echoed so far. */
  private echoed: readonly TypedLine[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly pane: Pane,
    private readonly steps: readonly TmuxStep[],
  ) {}

  async step(index: number): Promise<void> {
    const step = this.steps[index];
    if (step === undefined) return;
    const name = `step ${index + 1}`;
    if (step.resize !== null) {
      this.stage.step(`resize ${step.resize.columns}x${step.resize.rows}`);
      await this.pane.resize(step.resize);
    }
    if (step.type !== null || step.keys.length > 0) await this.type(step, name);
    if (step.see.length + step.not.length > 0) {
      const more = this.steps.slice(index + 1).some(({ see }) => see.length > 0);
      await this.see(step, this.steps.length === 1 ? "see" : `${name}: see`, more);
    }
  }

  private async type(step: TmuxStep, name: string): Promise<void> {
    const { type, keys } = step;
    this.stage.step(
      [type === null ? null : `type ${type}`, keys.length === 0 ? null : `keys ${keys.join(" ")}`]
        .filter((one) => one !== null)
        .join(", "),
    );
    const [before, terminal] = [await this.pane.look(), await this.pane.terminal()];
    if (before.ended !== null) this.gone(before, name, "the program takes keys");
    if (!terminal.echoes) return this.pane.send(type, keys);
    await this.pane.send(type, []);
    const row = type === null ? rowOf(before) : ((await this.echo(type)) ?? rowOf(before));
    await this.pane.send(null, keys);
    // A program that switches the echo off meanwhile draws by itself.
    if (!(await this.pane.terminal()).echoes) return;
    const open = this.echoed.filter(({ sent }) => !sent).at(-1);
    const typed = typedLines(step, open?.text).map((line, at) => ({
      ...line,
      prefix: at > 0 ? null : open === undefined ? row : open.prefix,
      sent: line.sent || !terminal.byLine,
    }));
    this.echoed = [...this.echoed.filter(({ sent }) => sent), ...typed].filter(({ text }) => text !== "");
  }

  /** What stands before a text on its row, once the terminal shows it; null when it does not, or not in one row. */
  private echo(text: string): Promise<string | null> {
    return this.stage.until(async () => {
      const row = rowOf(await this.pane.look());
      const at = row.lastIndexOf(text.trimEnd());
      return at < 0 ? null : row.slice(0, at).trimEnd();
    }, ECHO_MS);
  }

  private async see(step: TmuxStep, name: string, more: boolean): Promise<void> {
    const { see, not } = step;
    const usual = step === this.steps.find((one) => one.see.length > 0) ? FIRST_WITHIN_MS : WITHIN_MS;
    const withinMs = Math.min(step.withinMs ?? usual, Math.max(1, this.stage.left - CAPTURE_MS));
    let screen = await this.pane.look();
    const met = async (): Promise<boolean> => {
      screen = await this.pane.look();
      return this.fault(screen, step, more) === null;
    };
    const settled = await this.stage.until(async () => {
      if (!(await met())) return screen.ended === null ? null : false;
      if (not.length === 0) return true;
      // What must not be there may come a moment later than what is waited for.
      await sleep(SETTLE_MS);
      return (await met()) ? true : null;
    }, withinMs);
    const wanted = [...see, ...not.map((one) => `not ${one}`)].join(", ");
    if (settled === true) return this.stage.step(`seen: ${wanted}`);
    const fault = this.fault(screen, step, more);
    this.stage.log(`--- the screen\n${framed(screen)}`);
    if (screen.ended !== null) this.gone(screen, name, wanted);
    this.stage.unmet(name, fault?.wanted ?? wanted, fault?.got ?? inOneLine(screen));
  }

  /** What is not as it has to be on a screen; null when all is. */
  private fault(
    { rows, lines }: Screen,
    { see, not }: TmuxStep,
    more: boolean,
  ): { wanted: string; got: string } | null {
    const shows = (pattern: TextPattern): boolean => isOn(pattern, rows) || isOn(pattern, lines);
    const there = not.find(shows);
    if (there !== undefined) return { wanted: `not ${there}`, got: inOneLine({ rows }) };
    for (const pattern of see) {
      if (!shows(pattern)) return { wanted: pattern, got: inOneLine({ rows }) };
      // Until its line is sent a program cannot answer. Then the echo is waited for, and a later look is what counts.
      const typed = more ? this.echoed.filter(({ sent }) => sent) : this.echoed;
      if (onlyEchoed(pattern, lines, typed))
        return {
          wanted: pattern,
          got: "nothing but the terminal's echo of what was typed; look for what the program adds",
        };
    }
    return null;
  }

  /** The program ended and should not have. */
  private gone(screen: Screen, name: string, wanted: string): never {
    const program: Program = {
      command: this.stage.job.check.run,
      output: () => screen.lines.join("\n"),
      ended: () => screen.ended,
    };
    this.stage.requireRunning(program, name, wanted);
    throw new Error("the program still runs");
  }
}

async function lastLook(stage: Stage, pane: Pane, ends: number | null): Promise<void> {
  if (ends === null) {
    await sleep(END_MS);
    const { ended } = await pane.look();
    if (ended !== null)
      stage.unmet(
        "still up",
        "the program goes on after the last step (or say `ends:`)",
        `it ended with ${how(ended)}`,
      );
    return;
  }
  const end = await stage.until(
    async () => (await pane.look()).ended,
    Math.min(WITHIN_MS, Math.max(1, stage.left - CAPTURE_MS)),
  );
  if (end?.exit !== ends)
    stage.unmet("ends", `exit ${ends} by itself`, end === null ? "it still runs" : how(end));
  stage.step(`the program ended with ${ends}`);
}

/** The whole pane into the log, and with its colours beside it. */
async function keep(stage: Stage, pane: Pane): Promise<void> {
  writeFileSync(stage.capture("pane.ansi"), await pane.whole("-e"));
  stage.log(`\n--- the whole pane (tmux capture-pane -pS - -E -)\n${(await pane.whole()).trimEnd()}\n---`);
  const under = await pane.under();
  if (under !== null && under.trim() !== "") stage.log(`--- the screen under it\n${under.trimEnd()}\n---`);
}

const rowOf = ({ rows, cursorRow }: Screen): string => rows[cursorRow] ?? "";

const how = ({ exit, signal }: NonNullable<Screen["ended"]>): string =>
  exit === null ? `signal ${signal}` : `exit ${exit}`;

const framed = ({ rows }: Screen): string => {
  const last = rows.findLastIndex((row) => row !== "");
  return rows
    .slice(0, last + 1)
    .map((row) => `| ${row}`)
    .join("\n");
};

/** What a screen says, for a message. */
const inOneLine = ({ rows }: Pick<Screen, "rows">): string =>
  rows
    .map((row) => row.replace(/\s+/g, " ").trim())
    .filter((row) => row !== "")
    .join(" | ");
