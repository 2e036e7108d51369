/** Everything that a command works on, opened once: the root, the plan's journal, the witness, who is writing. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errno, fromSystem, Refusal } from "../errors.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import type { Decision, Loaded, Writer } from "../journal/types.ts";
import { type Anchor, openWitness, type WitnessStore } from "../witness/store.ts";
import { type Config, parseConfig } from "./config.ts";
import type { PlanEvent } from "./events.ts";
import { isComplete, type Plan } from "./model.ts";
import { type Place, placeOf } from "./place.ts";
import { ulwLoop } from "./reduce.ts";

export interface Workspace {
  readonly place: Place;
  readonly journal: Journal<Plan, PlanEvent>;
  readonly witness: WitnessStore;
  readonly writer: Writer;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
}

export function openWorkspace(options: {
  root: string;
  session: string | null;
  writer: Writer;
  env: NodeJS.ProcessEnv;
  now?: () => Date;
}): Workspace {
  const { root, writer, env } = options;
  const now = options.now ?? (() => new Date());
  const place = placeOf(root, options.session);
  return {
    place,
    writer,
    env,
    now,
    journal: openJournal(place.dir, ulwLoop, { root, writer, clock: now }),
    witness: openWitness(env),
  };
}

/** The plan, or null when there is none. @throws Refusal `state_*`, `foreign_state`, `unsafe_path` */
export function readPlan(ws: Workspace): Loaded<Plan> | null {
  const loaded = ws.journal.read();
  refuseIfBehind(ws, loaded);
  return loaded === null || loaded.state.planId === "" ? null : loaded;
}

/** @throws Refusal `no_plan` */
export function requirePlan(ws: Workspace): Loaded<Plan> {
  const loaded = readPlan(ws);
  if (loaded !== null) return loaded;
  throw noPlan();
}

const noPlan = (): Refusal =>
  new Refusal("no_plan", "There is no plan here yet.", {
    expected: "a plan that create-goals made",
    found: "none in this repository and session",
    next: [
      "proofgate ulw-loop create-goals --plan .proofgate/plan.yaml",
      'proofgate goal "Fix it" --check "npm test"',
      "proofgate ulw-loop list",
    ],
  });

/** Decides on the plan under the lock, appends, and tells the witness how far the ledger has come. @throws Refusal `no_plan` */
export function changePlan<Result>(
  ws: Workspace,
  command: string,
  decide: (plan: Plan) => Decision<PlanEvent, Result>,
): { loaded: Loaded<Plan>; result: Result } {
  // Without this look the journal would make its folder before anybody decides.
  if (!ws.journal.exists()) throw noPlan();
  return changeState(ws, command, (plan) => {
    if (plan === null) throw noPlan();
    return decide(plan);
  });
}

/** Like `changePlan`, where there may be no plan yet. */
export function changeState<Result>(
  ws: Workspace,
  command: string,
  decide: (plan: Plan | null) => Decision<PlanEvent, Result>,
): { loaded: Loaded<Plan>; result: Result } {
  const done = ws.journal.commit(command, (loaded) => {
    if (loaded !== null) refuseIfBehind(ws, loaded);
    return decide(loaded === null || loaded.state.planId === "" ? null : loaded.state);
  });
  rememberHead(ws, done.loaded);
  return done;
}

/** Best effort: inside a host's sandbox the store is out of reach. */
export function rememberHead(ws: Workspace, loaded: Loaded<Plan>): void {
  const { seq, hash } = loaded.head;
  if (seq === 0) return;
  const known = ws.witness.anchor(ws.place.dir);
  // Commands finish in any order; the store keeps the furthest head of this very plan's ledger.
  if (known !== null && known.plan === loaded.state.planId && (known.seq > seq || known.hash === hash))
    return;
  ws.witness.setAnchor(ws.place.dir, {
    seq,
    hash,
    plan: loaded.state.planId,
    title: loaded.state.title.slice(0, 80),
    open: !isComplete(loaded.state),
    at: ws.now().toISOString(),
  });
}

/**
 * A ledger that is shorter than the witness knows, or another one of the same length, was rewritten.
 * One that is longer is checked at the gates, where the whole chain is walked.
 * @throws Refusal `state_missing`
 */
function refuseIfBehind(ws: Workspace, loaded: Loaded<Plan> | null): void {
  if (loaded === null) return;
  const anchor = anchorOf(ws, loaded.state);
  if (anchor === null || anchor.seq < loaded.head.seq) return;
  if (anchor.seq === loaded.head.seq && anchor.hash === loaded.head.hash) return;
  // Another process may have committed and anchored between our read and this look.
  const again = ws.journal.read();
  if (again !== null && again.head.seq >= anchor.seq && ws.journal.lineAt(anchor.seq)?.hash === anchor.hash)
    return;
  throw new Refusal("state_missing", "The ledger is not the one that was last seen here.", {
    expected: `line ${anchor.seq} with hash ${anchor.hash.slice(0, 12)}…`,
    found: `${loaded.head.seq} lines, head ${loaded.head.hash.slice(0, 12)}…`,
    next: [
      "put the ledger back from a backup",
      "proofgate ulw-loop repair  (goes on with what is there; the user must approve)",
    ],
  });
}

/** The anchored line is still in the ledger, for ledgers that have grown since. */
export function anchorHolds(ws: Workspace, plan: Plan | null): boolean {
  const anchor = anchorOf(ws, plan);
  return anchor === null || ws.journal.lineAt(anchor.seq)?.hash === anchor.hash;
}

/**
 * The anchor as far as it speaks of this plan. A former plan of the folder that was complete, or whose loss this plan
 * carries as a weakening, has had its say; a sandboxed command could not replace its anchor.
 */
function anchorOf(ws: Workspace, plan: Plan | null): Anchor | null {
  const anchor = ws.witness.anchor(ws.place.dir);
  if (anchor === null || plan === null || anchor.plan === plan.planId) return anchor;
  const told = plan.weakenings.some(
    (w) => (w.kind === "lost_state" || w.kind === "rolled_back") && w.what.includes(anchor.plan),
  );
  return told || !anchor.open ? null : anchor;
}

/** `.proofgate.yaml` of the repository, or null. @throws Refusal `plan_invalid`, `file_unreadable` */
export async function readConfig(root: string): Promise<Config | null> {
  const path = join(root, ".proofgate.yaml");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw fromSystem(error, "read .proofgate.yaml");
  }
  return parseConfig(text);
}
