/** Everything that a command works on, opened once: the root, the plan's journal, the witness, who is writing. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errno, fromSystem, Refusal } from "../errors.ts";
import type { Confine } from "../evidence/types.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import type { Decision, Head, Loaded, Writer } from "../journal/types.ts";
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
  /** The sandbox that runs are kept in, where this process itself is outside of the agent's. */
  readonly confine?: Confine | undefined;
  /** The same place, for another writer. */
  as(writer: Writer): Workspace;
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
  const witness = openWitness(env);
  const onAppend = (from: Head, to: Loaded<Plan>): void => {
    witness.noteLine(place.dir, to.head.hash);
    witnessHead(witness, place.dir, from, to, now());
  };
  // Once the line is there, the head before it is history: a ledger put back to it is noticed.
  const onAppended = (to: Loaded<Plan>): void => witnessHead(witness, place.dir, to.head, to, now());
  return {
    place,
    writer,
    env,
    now,
    witness,
    as: (other) => openWorkspace({ ...options, writer: other }),
    journal: openJournal(place.dir, ulwLoop, { root, writer, clock: now, onAppend, onAppended }),
  };
}

/** The plan, or null when there is none. @throws Refusal `state_*`, `foreign_state`, `unsafe_path` */
export function readPlan(ws: Workspace): Loaded<Plan> | null {
  const loaded = ws.journal.read();
  refuseUnwitnessed(ws, loaded);
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

/** Decides on the plan under the lock and appends. @throws Refusal `no_plan` */
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
  return ws.journal.commit(command, (loaded) => {
    if (loaded !== null) refuseUnwitnessed(ws, loaded);
    return decide(loaded === null || loaded.state.planId === "" ? null : loaded.state);
  });
}

/** Begins the witness's record anew at a head that `repair` arrived at, whatever was known before. */
export function rememberHead(ws: Workspace, loaded: Loaded<Plan>): void {
  if (loaded.head.seq > 0) witnessHead(ws.witness, ws.place.dir, loaded.head, loaded, ws.now());
}

/** Best effort: inside a host's sandbox the store is out of reach. */
function witnessHead(witness: WitnessStore, dir: string, from: Head, to: Loaded<Plan>, now: Date): void {
  const { planId, title } = to.state;
  witness.setAnchor(dir, {
    ...from,
    next: to.head,
    plan: planId,
    title: title.slice(0, 80),
    open: !isComplete(to.state),
    at: now.toISOString(),
  });
}

/** How many lines beyond the witnessed one a plain command looks at; a gate looks at all. */
const LINES_LOOKED_AT = 32;

/**
 * The ledger has to be the witnessed one: at one of the two heads that the record names, or grown from there by lines that
 * a host's sandboxed commands wrote, which cannot reach the store. Anything else was cut, replaced or added by hand.
 * @throws Refusal `state_missing`
 */
function refuseUnwitnessed(ws: Workspace, loaded: Loaded<Plan> | null): void {
  if (loaded === null || isWitnessed(ws, loaded, LINES_LOOKED_AT)) return;
  // Another process may have committed between our read and this look.
  const again = ws.journal.read();
  if (again !== null && again.head.hash !== loaded.head.hash && isWitnessed(ws, again, LINES_LOOKED_AT))
    return;
  throw unwitnessedLedger(ws, loaded);
}

function unwitnessedLedger(ws: Workspace, loaded: Loaded<Plan>): Refusal {
  const anchor = ws.witness.anchor(ws.place.dir);
  return new Refusal("state_missing", "The ledger is not the one that was last seen here.", {
    expected:
      anchor === null ? "a known ledger" : `line ${anchor.seq} with hash ${anchor.hash.slice(0, 12)}…`,
    found: `${loaded.head.seq} lines, head ${loaded.head.hash.slice(0, 12)}…`,
    next: [
      "put the ledger back from a backup",
      "proofgate ulw-loop repair  (goes on with what is there; the user must approve)",
    ],
  });
}

/** @param most how many lines beyond the witnessed head are looked at, from the newest backwards */
function isWitnessed(ws: Workspace, loaded: Loaded<Plan>, most: number): boolean {
  const anchor = anchorOf(ws, loaded.state);
  if (anchor === null) return true;
  const { head } = loaded;
  const known = [anchor, ...(anchor.next ? [anchor.next] : [])];
  if (known.some((one) => one.seq === head.seq && one.hash === head.hash)) return true;
  const from = known.filter(
    (one) => one.seq < head.seq && (one.seq === 0 || ws.journal.lineAt(one.seq)?.hash === one.hash),
  );
  const last = Math.max(-1, ...from.map((one) => one.seq));
  if (last < 0) return false;
  for (let seq = head.seq; seq > last && head.seq - seq < most; seq--) {
    const line = ws.journal.lineAt(seq);
    const { host, kind } = line?.by ?? {};
    // What the user writes reaches the store, from a terminal and from a hook.
    const sandboxed = kind === "agent" && (host === "codex" || host === "opencode");
    // A line without events (of `repair`) changes nothing.
    if (line === null || (!sandboxed && line.events.length > 0)) return false;
  }
  return true;
}

/** The whole ledger grew from the witnessed head by lines that may be there. For gates. */
export const anchorHolds = (ws: Workspace, loaded: Loaded<Plan>): boolean =>
  isWitnessed(ws, loaded, Number.MAX_SAFE_INTEGER);

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
export const readConfig = (root: string): Promise<Config | null> => configAt(join(root, ".proofgate.yaml"));

/**
 * The user's own `config.yaml` in `$XDG_CONFIG_HOME/proofgate` (XDG base directory specification: `~/.config` where unset),
 * or null. A sandboxed agent cannot write it. @throws Refusal `plan_invalid`, `file_unreadable`
 */
export const readUserConfig = (env: NodeJS.ProcessEnv): Promise<Config | null> =>
  configAt(join(env.XDG_CONFIG_HOME || join(env.HOME ?? homedir(), ".config"), "proofgate", "config.yaml"));

async function configAt(path: string): Promise<Config | null> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errno(error) === "ENOENT") return null;
    throw fromSystem(error, `read ${path}`);
  }
  return parseConfig(text);
}
