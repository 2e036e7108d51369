/** A screen to use a program on: what is on it, what can be done there, what it looks like. */
import type { Stage } from "../stage.ts";
import { openMac } from "./macos.ts";
import { openX } from "./x11.ts";

export interface Window {
  readonly id: string;
  readonly title: string;
}

export interface Screen {
  /** What the program needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** The windows that can be seen and have a title; on a screen that others use, those of the run's own programs. */
  windows(): Promise<readonly Window[]>;
  /** Gives a window the keys. */
  focus(window: Window): Promise<void>;
  click(window: Window, place: readonly [number, number], button: number): Promise<void>;
  type(text: string): Promise<void>;
  keys(keys: readonly string[]): Promise<void>;
  /** What was copied, and what is selected; those that are not there are left out. */
  texts(): Promise<readonly string[]>;
  /** Writes a PNG. @returns what there is to say of it; null: nothing */
  picture(path: string): Promise<string | null>;
}

/** Stops as blocked where the tools for it are missing. */
export const openScreen = (stage: Stage, width: number, height: number): Promise<Screen> =>
  process.platform === "darwin" ? openMac(stage) : openX(stage, width, height);
