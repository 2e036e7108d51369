/** The complete check: the whole chain replayed, and the snapshot compared with it. */

import { Refusal } from "../errors.ts";
import { replay, walk } from "./chain.ts";
import { newer } from "./damage.ts";
import { LEDGER_NAME, LedgerFile } from "./ledger-file.ts";
import { load, type Place } from "./load.ts";
import { sha256 } from "./safe-fs.ts";
import { readSnapshot, type Snapshot, snapshotBody } from "./snapshot.ts";
import { EMPTY_HEAD, type Head, type VerifyReport } from "./types.ts";

type Problem = VerifyReport["problems"][number];

/** More than this are one and the same damage. */
const MOST_PROBLEMS = 20;

/**
 * Checks every line, and the state's digest where it is worth its price: at the last line and where the snapshot stands.
 * (A digest at each of 100,000 lines of a plan with 1,000 goals would take minutes; each line's hash covers its digest.)
 * A torn last line is no damage: the next command cuts it off.
 * @throws Refusal `state_newer`, `foreign_state`, `unsafe_path`, `io_error`
 */
export function verifyFiles<State, Event>(place: Place<State, Event>): VerifyReport {
  const { workflow } = place;
  const problems: Problem[] = [];
  const report = (where: string, message: string) => {
    if (problems.length < MOST_PROBLEMS) problems.push({ where, code: "state_damaged", message });
  };
  try {
    if (load(place, () => {}).loaded === null) return { valid: true, lines: 0, head: EMPTY_HEAD, problems };
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "state_damaged")) throw error;
    const wrong = error;
    const walked = walkAll(place, report);
    // What only the quick check sees, such as a ledger that is gone.
    if (problems.length === 0) report(workflow.snapshotName, `${wrong.message} (${wrong.found})`);
    return { valid: false, ...walked, problems };
  }
  const walked = walkAll(place, report);
  return { valid: problems.length === 0, ...walked, problems };
}

function walkAll<State, Event>(
  place: Place<State, Event>,
  report: (where: string, message: string) => void,
): { lines: number; head: Head } {
  const { workflow } = place;
  // The snapshot first, as in load(): the ledger cannot be behind it then.
  const snapshot = readSnapshot<State>(place.snapshotPath, workflow.format);
  const ledger = LedgerFile.open(place.ledgerPath);
  let lines = 0;
  let head = EMPTY_HEAD;
  let digest: string | null = null;
  /** Null after the first bad line: what comes then cannot be replayed. */
  let state: State | null = workflow.initial;
  let standsAt: string | null = null;
  try {
    for (const step of ledger === null ? [] : walk<Event>(ledger, workflow.format)) {
      lines++;
      if (step.kind === "bad") {
        report(`${LEDGER_NAME}:${lines}`, `Line ${step.seq}: ${step.why}.`);
        state = null;
        continue;
      }
      const { line } = step;
      head = { seq: line.seq, hash: line.hash };
      digest = line.state;
      if (snapshot?.kind === "own" && snapshot.head.seq === line.seq && snapshot.head.hash === line.hash)
        standsAt = line.state;
      if (state === null) continue;
      try {
        state = replay(workflow, state, line);
      } catch (error) {
        report(
          `${LEDGER_NAME}:${lines}`,
          error instanceof Refusal ? `${error.message} (${error.found})` : String(error),
        );
        state = null;
      }
    }
  } finally {
    ledger?.close();
  }
  if (state !== null && digest !== null && sha256(snapshotBody(state)) !== digest)
    report(`${LEDGER_NAME}:${lines}`, `The events lead to another state than line ${head.seq} says.`);
  const wrong = snapshotProblem(snapshot, standsAt, workflow.snapshotName);
  if (wrong !== null) report(workflow.snapshotName, wrong);
  return { lines, head };
}

/** @param standsAt the state's digest at the ledger line that the snapshot names, or null when there is no such line */
function snapshotProblem<State>(
  snapshot: Snapshot<State> | null,
  standsAt: string | null,
  name: string,
): string | null {
  if (snapshot === null) return null;
  if (snapshot.kind === "newer") throw newer(name, snapshot.v);
  if (snapshot.kind !== "own") return "The snapshot is not readable.";
  if (standsAt === null)
    return `The snapshot stands at line ${snapshot.head.seq}, which the ledger does not have so.`;
  return snapshot.isStateOf(standsAt) ? null : "The snapshot holds another state than its ledger line names.";
}
