/** What a host's goal may be called that stands for a plan. */

import { storyObjective } from "../goal-mode/snapshot.ts";
import type { Plan } from "./model.ts";

/** The plan's own text, or in per-story mode that of each goal. */
export const hostObjectives = (plan: Plan): readonly string[] =>
  plan.mode === "aggregate" ? [plan.objective] : plan.goals.map(storyObjective);
