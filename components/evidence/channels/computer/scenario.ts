/** Channel computer: a desktop program of the plan, on a screen of its own, used with keys and clicks. */
import type { Check, TextPattern } from "../../types.ts";

/** What is done and seen in one step, in this order. */
export interface ComputerStep {
  /** Waits for a window with such a title, which then has the keys. */
  readonly window: TextPattern | null;
  /** From the window's upper left corner. */
  readonly click: readonly [number, number] | null;
  /** 1 is the left one, 3 the right one. */
  readonly button: number;
  readonly type: string | null;
  /** Keys and combinations by X's names: `Return`, `ctrl+s`. */
  readonly keys: readonly string[];
  /** Waits until what the program gave to the clipboard, or has selected, is such a text. */
  readonly text: TextPattern | null;
  /** Waits until the program has printed it. */
  readonly prints: TextPattern | null;
  /** Waits until no window has such a title. */
  readonly gone: TextPattern | null;
  /** Milliseconds for each wait of the step; null: the default. */
  readonly withinMs: number | null;
}

export interface ComputerScenario {
  readonly width: number;
  readonly height: number;
  /** Exit status with which the program ends by itself after the last step; null: it has to go on. */
  readonly ends: number | null;
  readonly steps: readonly ComputerStep[];
}

/** The form is the one that `form.ts` made. */
export const computerScenario = (check: Check): ComputerScenario =>
  check.scenario as unknown as ComputerScenario;
