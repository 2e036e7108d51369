/** The forms in which a plan file gives the scenarios of the channels that have a driver. Loaded only where a plan is read. */
import type { z } from "zod";
import type { Command, Scenario } from "../types.ts";
import { browserForm } from "./browser/form.ts";
import { computerForm } from "./computer/form.ts";
import { dataForm } from "./data/form.ts";
import { httpForm } from "./http/form.ts";
import type { Channel } from "./names.ts";
import { tmuxForm } from "./tmux/form.ts";

/** What a form makes of the keys of a check. */
export interface Formed {
  /** The program that the scenario starts; `[]` where it starts none. */
  readonly run: Command;
  readonly scenario: Scenario;
}

/** One channel's form. */
export interface Form {
  /** Every key of a check on this channel. */
  readonly keys: readonly string[];
  /** Keys of what stands in a list under one of them, where those are others. */
  readonly inner?: Readonly<Record<string, readonly string[]>>;
  /** A strict object of those keys, transformed into what the check is made of. */
  readonly schema: z.ZodType<Formed>;
}

/** Every channel but `cli`: a command alone needs no form of its own. */
export const FORMS: Readonly<Record<Exclude<Channel, "cli">, Form>> = {
  computer: computerForm,
  data: dataForm,
  http: httpForm,
  tmux: tmuxForm,
  browser: browserForm,
};
