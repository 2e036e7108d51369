/** Everything that a command on one performance goal works on, opened once. */

import { Refusal } from "../errors.ts";
import type { Confine } from "../evidence/types.ts";
import { type Journal, openJournal } from "../journal/journal.ts";
import type { Decision, Loaded, Writer } from "../journal/types.ts";
import { watch } from "../witness/ledger.ts";
import { openWitness, type WitnessStore } from "../witness/store.ts";
import type { GoalEvent } from "./events.ts";
import { isSettled, type PerformanceGoal } from "./model.ts";
import { type Place, placeOf, slugFrom, slugsOf } from "./place.ts";
import { performanceGoal } from "./reduce.ts";

export interface Workspace {
  readonly place: Place;
  readonly journal: Journal<PerformanceGoal, GoalEvent>;
  readonly witness: WitnessStore;
  readonly writer: Writer;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  /** The sandbox that runs are kept in, where this process itself is outside of the agent's. */
  readonly confine?: Confine | undefined;
  /** The same place, for another writer. */
  as(writer: Writer): Workspace;
}

interface Options {
  readonly root: string;
  readonly slug: string;
  readonly writer: Writer;
  readonly env: NodeJS.ProcessEnv;
  readonly now?: () => Date;
}

/** @throws Refusal `invalid_id` */
export function openGoal(options: Options): Workspace {
  const { root, writer, env } = options;
  const now = options.now ?? (() => new Date());
  const place = placeOf(root, options.slug);
  const journal: Journal<PerformanceGoal, GoalEvent> = openJournal(place.dir, performanceGoal, {
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
    journal,
    witness: openWitness(env),
    as: (other) => openGoal({ ...options, writer: other }),
  };
  return ws;
}

/** What the witness has to know of a goal. */
const watched = (ws: Workspace, journal: Workspace["journal"]) =>
  watch(ws.witness, ws.place.dir, journal, {
    about: (goal) => ({ id: goal.goalId, title: goal.title, open: !isSettled(goal) }),
    tellsOf: (goal, id) => goal.weakenings.some((w) => w.kind === "lost_state" && w.what.includes(id)),
    now: ws.now,
    repair: repairCommand(ws.place),
  });

const repairCommand = ({ slug }: Place): string => `proofgate performance-goal repair --slug ${slug}`;

/** The journal knows no workflow, and names another one's command. */
function named<Result>(ws: Workspace, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw error.withNext((next) =>
      next
        .replace(/^proofgate ulw-loop repair/, repairCommand(ws.place))
        .replace(/^proofgate ulw-loop import/, "move those files away, then run the same command again"),
    );
  }
}

/** The goal, or null when there is none. @throws Refusal `state_*`, `foreign_state`, `unsafe_path` */
export function readGoal(ws: Workspace): Loaded<PerformanceGoal> | null {
  return named(ws, () => {
    const loaded = ws.journal.read();
    watched(ws, ws.journal).require(loaded);
    return loaded === null || loaded.state.goalId === "" ? null : loaded;
  });
}

/** @throws Refusal `no_plan` */
export function requireGoal(ws: Workspace): Loaded<PerformanceGoal> {
  const loaded = readGoal(ws);
  if (loaded !== null) return loaded;
  throw noGoal(ws.place.root, ws.place.slug);
}

/** Decides on the goal under the lock and appends. @throws Refusal `no_plan` */
export function changeGoal<Result>(
  ws: Workspace,
  command: string,
  decide: (goal: PerformanceGoal) => Decision<GoalEvent, Result>,
): { loaded: Loaded<PerformanceGoal>; result: Result } {
  // Without this look the journal would make its folder before anybody decides.
  if (!ws.journal.exists()) throw noGoal(ws.place.root, ws.place.slug);
  return changeState(ws, command, (goal) => {
    if (goal === null) throw noGoal(ws.place.root, ws.place.slug);
    return decide(goal);
  });
}

/** Like `changeGoal`, where there may be no goal yet. */
export function changeState<Result>(
  ws: Workspace,
  command: string,
  decide: (goal: PerformanceGoal | null) => Decision<GoalEvent, Result>,
): { loaded: Loaded<PerformanceGoal>; result: Result } {
  return named(ws, () =>
    ws.journal.commit(`performance-goal ${command}`, (loaded) => {
      if (loaded !== null) watched(ws, ws.journal).require(loaded);
      return decide(loaded === null || loaded.state.goalId === "" ? null : loaded.state);
    }),
  );
}

/** Begins the witness's record anew at a head that `repair` arrived at, or that a hook saw. */
export function rememberHead(ws: Workspace, loaded: Loaded<PerformanceGoal>): void {
  if (loaded.head.seq > 0) watched(ws, ws.journal).appended(loaded);
}

/** The whole ledger grew from the witnessed head by lines that may be there. For gates. */
export const anchorHolds = (ws: Workspace, loaded: Loaded<PerformanceGoal>): boolean =>
  watched(ws, ws.journal).holds(loaded);

/** At a gate the whole chain is walked and replayed. @throws Refusal `state_damaged`, `state_missing` */
export function requireWholeLedger(ws: Workspace, loaded: Loaded<PerformanceGoal>): void {
  const report = ws.journal.verify();
  if (!report.valid)
    throw new Refusal("state_damaged", "The ledger does not hold.", {
      expected: "an unbroken chain that folds to state.json",
      found: report.problems.map((p) => `${p.where}: ${p.message}`).join("; "),
      problems: report.problems,
      next: [repairCommand(ws.place)],
    });
  if (anchorHolds(ws, loaded)) return;
  throw new Refusal(
    "state_missing",
    "The ledger was rewritten: the line that the witness store knows is another one.",
    {
      expected: "the anchored line",
      found: "another hash",
      next: ["put the ledger back from a backup", repairCommand(ws.place)],
    },
  );
}

/**
 * The slug that a command means: the one given, or the only goal there is, or the only open one.
 * @param isOpen tells of a slug whether its goal is still open
 * @throws Refusal `no_plan`, `unknown_goal`
 */
export function chooseSlug(
  root: string,
  given: string | undefined,
  isOpen: (slug: string) => boolean,
): string {
  const slugs = slugsOf(root);
  if (given !== undefined) {
    const { slug } = placeOf(root, slugFrom(given));
    if (slugs.includes(slug)) return slug;
    throw noGoal(root, slug);
  }
  const open = slugs.length > 1 ? slugs.filter(isOpen) : slugs;
  const [only, ...more] = open;
  if (only !== undefined && more.length === 0) return only;
  if (slugs.length === 0) throw noGoal(root, null);
  throw new Refusal("unknown_goal", "There are several performance goals here.", {
    expected: `--slug, one of ${slugs.join(", ")}`,
    found: "no --slug",
    next: ["proofgate performance-goal list"],
  });
}

function noGoal(root: string, slug: string | null): Refusal {
  const slugs = slugsOf(root);
  return new Refusal(
    "no_plan",
    slug === null
      ? "There is no performance goal here yet."
      : `There is no performance goal ${JSON.stringify(slug)} here.`,
    {
      expected:
        slugs.length === 0 ? "a goal that performance-goal create made" : `one of ${slugs.join(", ")}`,
      found: "none",
      next: [
        'proofgate performance-goal create --objective "…" --evaluator-command "node bench.js" --evaluator-contract "…" --target -20%',
        "proofgate performance-goal list",
      ],
    },
  );
}
