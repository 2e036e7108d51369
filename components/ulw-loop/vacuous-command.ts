/** Whether a bare command (a gate, a verify command) could ever fail. */

import { makeCheck } from "../evidence/check.ts";
import type { Command } from "../evidence/types.ts";
import { vacuous } from "../evidence/vacuity.ts";

/** @returns why the command proves nothing, or null when it can fail */
export const vacuousCommand = (run: Command): string | null => vacuous(makeCheck({ run }));
