/** What a story of commands is made of. */

import type { World } from "../helpers/world.ts";

/** A command of the story with what it has to answer; OBJECTIVE stands for the objective of the plan. */
export interface Step {
  readonly args: string[];
  readonly stdin?: string;
  readonly exit?: number;
  readonly code?: string;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly before?: (world: World) => void;
}
