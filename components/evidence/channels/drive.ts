/** What drives a channel, in the driver's process. */
import type { Stage } from "./stage.ts";

/**
 * Plays the check's scenario on the stage, step by step.
 * Returns when every expectation held; otherwise it ends by one of the stage's ways to stop.
 */
export type Drive = (stage: Stage) => Promise<void>;
