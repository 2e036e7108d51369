/** Channel tmux: a program in a terminal, what is typed into it, and what its screen has to show. */
import type { Check, TextPattern } from "../../types.ts";

/** Columns and rows of the terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** One step, in this order: the terminal gets another size, a text is typed, keys are pressed, the screen is looked at. */
export interface TmuxStep {
  readonly resize: Size | null;
  /** Printable text; null: none. */
  readonly type: string | null;
  /** By tmux's names for them. */
  readonly keys: readonly string[];
  /** All of these have to be on the screen at one time, */
  readonly see: readonly TextPattern[];
  /** and none of these. */
  readonly not: readonly TextPattern[];
  /** Milliseconds until the screen has to be so. */
  readonly withinMs: number | null;
}

export interface TmuxScenario {
  readonly size: Size;
  /** Exit status with which the program ends by itself after the last step; null: it has to go on. */
  readonly ends: number | null;
  readonly steps: readonly TmuxStep[];
}

/** The form is the one that `form.ts` made. */
export const tmuxScenario = (check: Check): TmuxScenario => check.scenario as unknown as TmuxScenario;
