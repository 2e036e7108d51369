/** The channels that a criterion can be observed through, behind one interface. */
import type { Check } from "../types.ts";
import { cli } from "./cli.ts";
import { data } from "./data.ts";

/** What a channel adds to running a command. */
export interface Runner {
  /** For lists and help. */
  readonly describes: string;
  /** What a check lacks on this channel; null when nothing. */
  fault(check: Check): string | null;
}

export type ChannelName = "cli" | "data" | "http" | "tmux" | "browser" | "computer";

/** Null: known, but without a runner in this version, so that its criteria stay drafts or claims. */
export const RUNNERS: Readonly<Record<ChannelName, Runner | null>> = {
  cli,
  data,
  http: null,
  tmux: null,
  browser: null,
  computer: null,
};
