/** The forms in which a plan file gives the scenarios of the channels that have a driver. Loaded only where a plan is read. */
import type { z } from "zod";
import type { Command, Scenario } from "../types.ts";
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
  /** Every key of one of its `steps`; absent where they are the same. */
  readonly stepKeys?: readonly string[];
  /** A strict object of those keys, transformed into what the check is made of. */
  readonly schema: z.ZodType<Formed>;
}

export const FORMS: Readonly<Partial<Record<Channel, Form>>> = {
  http: httpForm,
  tmux: tmuxForm,
};
