/** A toy workflow in a throw-away folder, small enough that a test can foresee every byte of its journal. */

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type Journal, type JournalOptions, openJournal } from "../../components/journal/journal.ts";
import type { Workflow, Writer } from "../../components/journal/types.ts";

interface ToyGoal {
  readonly id: string;
  readonly status: string;
}

interface ToyState {
  readonly count: number;
  readonly goals: readonly ToyGoal[];
}

export type ToyEvent =
  | { readonly type: "added"; readonly by: number; readonly note?: string }
  | ({ readonly type: "goal" } & ToyGoal);

export const toy: Workflow<ToyState, ToyEvent> = {
  format: "proofgate-toy",
  snapshotName: "goals.json",
  initial: { count: 0, goals: [] },
  reduce(state, event) {
    if (event.type === "added") return { ...state, count: state.count + event.by };
    const { id, status } = event;
    return { ...state, goals: [...state.goals.filter((goal) => goal.id !== id), { id, status }] };
  },
};

export const agent: Writer = { kind: "agent", host: "none", session: null };

/** One state folder of the toy, and the ways to it that tests need. */
export interface Box {
  readonly root: string;
  readonly dir: string;
  readonly ledger: string;
  readonly snapshot: string;
  open(options?: Partial<JournalOptions>): Journal<ToyState, ToyEvent>;
  /** Commits one `added` event. Returns the number of its line. */
  add(note?: string): number;
  /** The ledger's whole lines as text. */
  lines(): string[];
}

/** The box below a root that exists, two folders deep, as the real state folder is. Touches nothing. */
export function boxAt(root: string): Box {
  const dir = join(root, ".omo", "toy");
  const ledger = join(dir, "ledger.jsonl");
  const open = (options: Partial<JournalOptions> = {}) =>
    openJournal(dir, toy, { root, writer: agent, ...options });
  return {
    root,
    dir,
    ledger,
    snapshot: join(dir, "goals.json"),
    open,
    add: (note) =>
      open().commit("add", () => ({ events: [{ type: "added", by: 1, note }], result: null })).loaded.head
        .seq,
    lines: () => fs.readFileSync(ledger, "utf8").split("\n").slice(0, -1),
  };
}

const roots: string[] = [];

/** @param parent where the throw-away root is made, absolute; the system's temporary folder by default */
export function sandbox(parent: string = tmpdir()): Box {
  if (!isAbsolute(parent)) throw new TypeError(`A sandbox needs an absolute parent, not "${parent}".`);
  const root = fs.mkdtempSync(join(parent, "proofgate-toy-"));
  roots.push(root);
  return boxAt(root);
}

/** Removes the folders that `sandbox` made, and nothing else. */
export function removeSandboxes(): void {
  for (const root of roots.splice(0)) fs.rmSync(root, { recursive: true, force: true });
}

/** Hex SHA-256, reckoned without the code under test. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A forged ledger line without its newline: the members as given, closed with the hash that fits them. */
export function sealed(members: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...rest } = members;
  const body = JSON.stringify(rest).slice(0, -1);
  return `${body},"hash":"${digest(body)}"}`;
}
