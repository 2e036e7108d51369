/** What every command of performance-goal begins and ends with: which goal is meant, and the keys that scripts rely on. */

import { Refusal } from "../../errors.ts";
import type { Head } from "../../journal/types.ts";
import { type Present, staleness } from "../../performance-goal/fresh.ts";
import { isClosed, type PerformanceGoal } from "../../performance-goal/model.ts";
import { slugFrom, slugsOf } from "../../performance-goal/place.ts";
import { type Next, nextStep } from "../../performance-goal/steps.ts";
import { chooseSlug, openGoal, readGoal, type Workspace } from "../../performance-goal/workspace.ts";
import { openSessions } from "../../witness/sessions.ts";
import type { Context } from "../context.ts";

/** @throws Refusal `no_plan`, `unknown_goal`, `invalid_id` */
export function goalOf(context: Context): Workspace {
  const root = context.root();
  const given = context.value("slug");
  if (given !== undefined && !slugsOf(root).includes(slugFrom(given)))
    requireNotLost(workspaceOf(context, slugFrom(given)));
  const slug = chooseSlug(root, context.value("slug"), (one) => {
    try {
      const loaded = readGoal(workspaceOf(context, one));
      return loaded !== null && !isClosed(loaded.state);
    } catch {
      // A damaged goal is open until it is mended.
      return true;
    }
  });
  return workspaceOf(context, slug);
}

/** A goal that the store outside knows as open, and whose files are not there, is not one that never was. */
function requireNotLost({ place, witness }: Workspace): void {
  const anchor = witness.anchor(place.dir);
  if (anchor === null || !anchor.open) return;
  throw new Refusal("state_missing", `The performance goal ${place.slug} is gone.`, {
    expected: `${place.ledgerPath}, ${anchor.seq} lines`,
    found: "no state files",
    next: [`proofgate performance-goal repair --slug ${place.slug}`],
  });
}

export const workspaceOf = (context: Context, slug: string): Workspace =>
  openGoal({ root: context.root(), slug, writer: context.writer, env: context.env });

/** When a host's hook was last seen in the goal's session or in this one; milliseconds since the epoch, null for never. */
export function armedAt(context: Context, goal: PerformanceGoal | null): number | null {
  const store = openSessions(context.env);
  const times = [goal?.owner.session ?? null, context.writer.session].flatMap((one) =>
    one === null ? [] : (store.seen(one) ?? []),
  );
  return times.length === 0 ? null : Math.max(...times);
}

/** The keys that each command answers with (docs/performance.md). */
export function goalJson(
  goal: PerformanceGoal,
  head: Head,
  present: Present | null,
  next: Next = nextStep(goal, present),
): Readonly<Record<string, unknown>> {
  const { lastValidation, passed, latest } = goal;
  const stale = present === null || passed === null ? null : staleness(goal, passed, present);
  return {
    slug: goal.slug,
    status: goal.status,
    objective: goal.objective,
    hostObjective: goal.hostObjective,
    lastValidation:
      lastValidation === null
        ? null
        : {
            ...lastValidation,
            fresh: present === null || passed === null ? null : stale === null,
          },
    verdict:
      latest === null
        ? null
        : {
            word: latest.word,
            met: latest.met,
            reason: latest.reason,
            first: latest.first,
            again: latest.again,
            guards: latest.guards,
            fresh: present === null ? null : staleness(goal, latest, present) === null,
          },
    ledger: head,
    next,
  };
}
