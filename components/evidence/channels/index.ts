/** The channels that a criterion can be observed through, behind one interface. What drives them is another program: see driver.ts. */
import type { Check, Command } from "../types.ts";
import { cli } from "./cli.ts";
import { computer } from "./computer/index.ts";
import { data } from "./data/index.ts";
import { http } from "./http/index.ts";
import type { Channel } from "./names.ts";

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

/** Null: known, but without a runner in this version, so that its criteria stay drafts or claims. */
export const RUNNERS: Readonly<Record<Channel, Runner | null>> = {
  cli,
  data,
  http,
  tmux: null,
  browser: null,
  computer,
};
