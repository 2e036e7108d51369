/** Everything that a command works on, opened once: the root, the plan's journal, the witness, who is writing. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errno, fromSystem, Refusal } from "../errors.ts";
import type { Confine } from "../evidence/types.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import type { Decision, Loaded, Writer } from "../journal/types.ts";
import { watch } from "../witness/ledger.ts";
import { openWitness, type WitnessStore } from "../witness/store.ts";
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
  const journal: Journal<Plan, PlanEvent> = openJournal(place.dir, ulwLoop, {
    root,
    writer,
    clock: now,
    onAppend: (from, to) => watched(ws, journal).appending(from, to),
    onAppended: (to) => watched(ws, journal).appended(to),
  });
  const ws: Workspace = {
    place,
    writer,
    env,
    now,
    witness,
    as: (other) => openWorkspace({ ...options, writer: other }),
    journal,
  };
  return ws;
}

/** The plan, or null when there is none. @throws Refusal `state_*`, `foreign_state`, `unsafe_path` */
export function readPlan(ws: Workspace): Loaded<Plan> | null {
  const loaded = ws.journal.read();
  watched(ws, ws.journal).require(loaded);
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
    if (loaded !== null) watched(ws, ws.journal).require(loaded);
    return decide(loaded === null || loaded.state.planId === "" ? null : loaded.state);
  });
}

/** Begins the witness's record anew at a head that `repair` arrived at, whatever was known before. */
export function rememberHead(ws: Workspace, loaded: Loaded<Plan>): void {
  if (loaded.head.seq > 0) watched(ws, ws.journal).appended(loaded);
}

/** What the witness has to know of a plan. */
const watched = (ws: Pick<Workspace, "place" | "witness" | "now">, journal: Journal<Plan, PlanEvent>) =>
  watch(ws.witness, ws.place.dir, journal, {
    about: (plan) => ({ id: plan.planId, title: plan.title, open: !isComplete(plan) }),
    // A former plan's loss that this plan carries as a weakening.
    tellsOf: (plan, id) =>
      plan.weakenings.some(
        (w) => (w.kind === "lost_state" || w.kind === "rolled_back") && w.what.includes(id),
      ),
    now: ws.now,
    repair: "proofgate ulw-loop repair",
  });

/** The whole ledger grew from the witnessed head by lines that may be there. For gates. */
export const anchorHolds = (ws: Workspace, loaded: Loaded<Plan>): boolean =>
  watched(ws, ws.journal).holds(loaded);

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
