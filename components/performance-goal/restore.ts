/** Mends the files of a goal: from the copy that a host's hooks keep, and from what the ledger itself holds. */

import { Refusal } from "../errors.ts";
import { restoreFromCopy } from "../witness/restore.ts";
import { anchorHolds, rememberHead, type Workspace } from "./workspace.ts";

export interface Restored {
  /** What was put back from the hooks' copy, in words; null when nothing. */
  readonly restored: string | null;
  readonly actions: readonly string[];
  readonly lost: readonly string[];
  /** Folder with a copy of what was replaced, from the state folder. */
  readonly copies: string | null;
}

/** @throws Refusal `state_missing` where there is nothing to mend it from */
export function restoreGoal(ws: Workspace): Restored {
  const anchor = ws.witness.anchor(ws.place.dir);
  const restored = restoreFromCopy(ws, "state.json", (loaded) => anchorHolds(ws, loaded));
  const report = ws.journal.repair();
  const loaded = ws.journal.read();
  const behind = anchor !== null && (loaded === null || !anchorHolds(ws, loaded));
  if (loaded === null && behind && anchor !== null)
    throw new Refusal("state_missing", "The ledger is gone and there is nothing to rebuild it from.", {
      expected: `the ledger of "${anchor.title}", ${anchor.seq} lines`,
      found: "no state files",
      next: [
        `put ${ws.place.ledgerPath} back from a backup`,
        `proofgate performance-goal create … --slug ${ws.place.slug}  (a new goal; the loss is recorded)`,
      ],
    });
  const lost = [
    ...report.lost,
    ...(behind && anchor !== null
      ? [`lines up to ${anchor.seq} that the witness store knew (${anchor.plan})`]
      : []),
  ];
  if (loaded !== null && (behind || report.lost.length > 0)) {
    const what = `ledger repaired; lost ${lost.join("; ")}`.slice(0, 300);
    const { loaded: now } = ws.journal.commit("performance-goal repair", (before) => ({
      events:
        before === null
          ? []
          : [
              {
                type: "goal_weakened",
                id: `W${String(before.state.weakenings.length + 1).padStart(3, "0")}`,
                kind: "lost_state",
                what,
              },
            ],
      result: null,
    }));
    rememberHead(ws, now);
  } else if (loaded !== null && report.repaired) rememberHead(ws, loaded);
  return { restored, actions: report.actions, lost, copies: report.copies };
}
