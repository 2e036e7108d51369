/** The channels that a criterion can be observed through, behind one interface. What drives them is another program: see driver.ts. */
import type { Check, Command } from "../types.ts";
import { browser } from "./browser/index.ts";
import { cli } from "./cli.ts";
import { computer } from "./computer/index.ts";
import { data } from "./data/index.ts";
import { http } from "./http/index.ts";
import type { Channel } from "./names.ts";
import { tmux } from "./tmux/index.ts";

/** What a channel adds to running a command. All of it is known without running anything. */
export interface Runner {
  /** For lists and help. */
  readonly describes: string;
  /** Why a check on this channel cannot fail, or what it lacks; null when nothing. */
  fault(check: Check): string | null;
  /** The scenario in one line, as a person would tell it. Absent: the command tells it. */
  words?(check: Check): string;
  /** Files that the scenario itself consists of, as the plan writes them: from the folder that it runs in. */
  files?(check: Check): readonly string[];
  /** Commands that only look: whatever they run belongs to the check. */
  instruments?(check: Check): readonly Command[];
}

/** Every channel: one that is missing here is a type error. */
export const RUNNERS: Readonly<Record<Channel, Runner>> = {
  cli,
  data,
  http,
  tmux,
  browser,
  computer,
};
