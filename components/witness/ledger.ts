/** A ledger held against what the store outside the repository knows of it. */

import { Refusal } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import type { Head, Loaded } from "../journal/types.ts";
import type { Anchor, WitnessStore } from "./store.ts";

/** What the store keeps of a state, whatever workflow it is of. */
interface About {
  readonly id: string;
  readonly title: string;
  readonly open: boolean;
}

interface Watching<State> {
  about(state: State): About;
  /** The state says by itself that the one with this id was lost. */
  tellsOf(state: State, id: string): boolean;
  now(): Date;
  /** Command that mends the state of this workflow. */
  readonly repair: string;
}

export interface Watch<State> {
  /** Before a line is there: it is this command's. Best effort: inside a host's sandbox the store is out of reach. */
  appending(from: Head, to: Loaded<State>): void;
  /** Once the line is there, the head before it is history: a ledger put back to it is noticed. */
  appended(to: Loaded<State>): void;
  /**
   * The ledger has to be the witnessed one: at one of the two heads that the record names, or grown from there by lines that
   * a host's sandboxed commands wrote, which cannot reach the store. Anything else was cut, replaced or added by hand.
   * @throws Refusal `state_missing`
   */
  require(loaded: Loaded<State> | null): void;
  /** The same of the whole ledger, as a gate wants to know it. */
  holds(loaded: Loaded<State>): boolean;
}

/** How many lines beyond the witnessed one a plain command looks at; a gate looks at all. */
const LINES_LOOKED_AT = 32;

export function watch<State, Event>(
  witness: WitnessStore,
  dir: string,
  journal: Pick<Journal<State, Event>, "read" | "lineAt">,
  watching: Watching<State>,
): Watch<State> {
  const note = (from: Head, to: Loaded<State>): void => {
    const { id, title, open } = watching.about(to.state);
    witness.setAnchor(dir, {
      ...from,
      next: to.head,
      plan: id,
      title: title.slice(0, 80),
      open,
      at: watching.now().toISOString(),
    });
  };

  /** The anchor as far as it speaks of this state: a former one of the folder that was complete has had its say. */
  const anchorOf = (state: State): Anchor | null => {
    const anchor = witness.anchor(dir);
    if (anchor === null || anchor.plan === watching.about(state).id) return anchor;
    return watching.tellsOf(state, anchor.plan) || !anchor.open ? null : anchor;
  };

  /** @param most how many lines beyond the witnessed head are looked at, from the newest backwards */
  const isWitnessed = (loaded: Loaded<State>, most: number): boolean => {
    const anchor = anchorOf(loaded.state);
    if (anchor === null) return true;
    const { head } = loaded;
    const known = [anchor, ...(anchor.next ? [anchor.next] : [])];
    if (known.some((one) => one.seq === head.seq && one.hash === head.hash)) return true;
    const from = known.filter(
      (one) => one.seq < head.seq && (one.seq === 0 || journal.lineAt(one.seq)?.hash === one.hash),
    );
    const last = Math.max(-1, ...from.map((one) => one.seq));
    if (last < 0) return false;
    for (let seq = head.seq; seq > last && head.seq - seq < most; seq--) {
      const line = journal.lineAt(seq);
      const { host, kind } = line?.by ?? {};
      // What the user writes reaches the store, from a terminal and from a hook.
      const sandboxed = kind === "agent" && (host === "codex" || host === "opencode");
      // A line without events (of `repair`) changes nothing.
      if (line === null || (!sandboxed && line.events.length > 0)) return false;
    }
    return true;
  };

  return {
    appending(from, to) {
      witness.noteLine(dir, to.head.hash);
      note(from, to);
    },
    appended: (to) => note(to.head, to),
    require(loaded) {
      if (loaded === null || isWitnessed(loaded, LINES_LOOKED_AT)) return;
      // Another process may have committed between our read and this look.
      const again = journal.read();
      if (again !== null && again.head.hash !== loaded.head.hash && isWitnessed(again, LINES_LOOKED_AT))
        return;
      throw unwitnessed(witness.anchor(dir), loaded.head, watching.repair);
    },
    holds: (loaded) => isWitnessed(loaded, Number.MAX_SAFE_INTEGER),
  };
}

const unwitnessed = (anchor: Anchor | null, head: Head, repair: string): Refusal =>
  new Refusal("state_missing", "The ledger is not the one that was last seen here.", {
    expected:
      anchor === null ? "a known ledger" : `line ${anchor.seq} with hash ${anchor.hash.slice(0, 12)}…`,
    found: `${head.seq} lines, head ${head.hash.slice(0, 12)}…`,
    next: [
      "put the ledger back from a backup",
      `${repair}  (goes on with what is there; the user must approve)`,
    ],
  });
