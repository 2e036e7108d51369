/**
 * What a host's hooks saw: which plan a session works on, the host's own goal of each thread, when a gate last looked, and a
 * copy of each ledger. Hooks run outside the sandbox that an agent's commands run in, so these files are theirs alone.
 */

import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { token } from "../journal/token.ts";
import { fileName, idName, readJson, realFolder, storeFolder, writeWhole } from "./files.ts";

/** A plan that a root session was seen to work on. It binds also when the plan's files are gone. */
export interface Binding {
  readonly root: string;
  readonly stateDir: string;
  /** Absent for a plan of ulw-loop. */
  readonly workflow?: "performance-goal";
  /** Name of the state below the root's state folder; null for the unnamed one. */
  readonly scope: string | null;
  readonly plan: string;
  readonly title: string;
  readonly objective: string;
  readonly at: string;
}

/** A host goal as a hook was told of it. */
export interface HostRecord {
  readonly goal: { readonly objective: string; readonly status: string } | null;
  readonly at: string;
}

/** A completion that the gate let pass. */
export interface Allowance {
  /** The host's id of the very call that was allowed: no other one is covered by it. */
  readonly call: string;
  /** Ids of the plans that had a say. */
  readonly plans: readonly string[];
}

/**
 * What a stop left behind, when the user spoke last, what was said at the start, a reviewer's verdict, what the user ordered;
 * a plan's first sight, its cost, which of its goals a gate found complete, and when it was first seen closed; the
 * strictest policies that a session saw, and what a reviewer was asked.
 */
type NoteKind =
  | "stops"
  | "prompts"
  | "given"
  | "verdicts"
  | "intents"
  | "plans"
  | "usage"
  | "done"
  | "closed"
  | "policies"
  | "reviews";

export interface SessionStore {
  bindings(session: string): readonly Binding[];
  /** @throws system errors: a gate that cannot remember must not allow */
  bind(session: string, binding: Binding): void;
  unbind(session: string, plan: string): void;
  /** Host goal of a thread: the root session's own, or a subagent's. */
  hostGoal(thread: string): HostRecord | null;
  setHostGoal(thread: string, record: HostRecord): void;
  allowance(thread: string): Allowance | null;
  setAllowance(thread: string, allowance: Allowance | null): void;
  /** When a gate hook last ran in the session, in milliseconds; null when none did. */
  seen(session: string): number | null;
  setSeen(session: string): void;
  /** A host's hooks ran on this machine at some time. */
  anySeen(): boolean;
  /** Repository gates that were seen in force in a root since the session began. */
  gates(session: string, root: string): readonly unknown[];
  setGates(session: string, root: string, gates: readonly unknown[]): void;
  /** A small JSON value that a policy wants kept for a thread or session; null when there is none. */
  note(kind: NoteKind, id: string): unknown;
  /** Null takes it away. */
  setNote(kind: NoteKind, id: string, value: unknown): void;
  /** What the gate ran itself for the plan of a state folder. */
  ownRuns(stateDir: string): unknown;
  setOwnRuns(stateDir: string, runs: unknown): void;
  /** Path of the copy of a state folder's ledger, whether it is there or not. */
  ledgerCopy(stateDir: string): string;
  /** Copies a ledger that was just found sound. */
  keepLedger(stateDir: string, ledger: string): void;
}

export function openSessions(env: NodeJS.ProcessEnv): SessionStore {
  const folder = storeFolder(env);
  const file = (kind: string, id: string): string => join(folder, kind, `${idName(id)}.json`);
  const seenFile = (session: string): string => join(folder, "seen", idName(session));
  const gatesOf = (session: string): Readonly<Record<string, readonly unknown[]>> =>
    readJson<{ roots: Record<string, readonly unknown[]> }>(file("gates", session))?.roots ?? {};
  const bindings = (session: string): readonly Binding[] =>
    readJson<{ bindings: readonly Binding[] }>(file("bindings", session))?.bindings ?? [];
  const copy = (stateDir: string): string =>
    join(folder, "ledgers", `${fileName(realFolder(stateDir))}.jsonl`);
  return {
    bindings,
    bind(session, binding) {
      const others = bindings(session).filter((one) => one.plan !== binding.plan);
      writeWhole(file("bindings", session), { session, bindings: [...others, binding] });
    },
    unbind(session, plan) {
      const others = bindings(session).filter((one) => one.plan !== plan);
      writeWhole(file("bindings", session), { session, bindings: others });
    },
    hostGoal: (thread) => readJson<HostRecord>(file("hosts", thread)),
    setHostGoal: (thread, record) => writeWhole(file("hosts", thread), record),
    allowance: (thread) => readJson<Allowance | null>(file("allowed", thread)),
    setAllowance: (thread, allowance) => writeWhole(file("allowed", thread), allowance),
    // Plain files that the hook's shell part touches as well.
    seen: (session) => statSync(seenFile(session), { throwIfNoEntry: false })?.mtimeMs ?? null,
    setSeen(session) {
      mkdirSync(join(folder, "seen"), { recursive: true, mode: 0o700 });
      writeFileSync(seenFile(session), "");
    },
    anySeen: () => existsSync(join(folder, "seen")),
    gates: (session, root) => gatesOf(session)[realFolder(root)] ?? [],
    setGates: (session, root, gates) =>
      writeWhole(file("gates", session), { roots: { ...gatesOf(session), [realFolder(root)]: gates } }),
    note: (kind, id) => readJson<unknown>(file(kind, id)),
    setNote(kind, id, value) {
      if (value === null) rmSync(file(kind, id), { force: true });
      else writeWhole(file(kind, id), value);
    },
    ownRuns: (stateDir) => readJson<unknown>(file("runs", realFolder(stateDir))),
    setOwnRuns: (stateDir, runs) => writeWhole(file("runs", realFolder(stateDir)), runs),
    ledgerCopy: copy,
    keepLedger(stateDir, ledger) {
      const to = copy(stateDir);
      // A ledger only grows, so one of the same size is the same.
      if (existsSync(to) && statSync(to).size === statSync(ledger).size) return;
      mkdirSync(join(folder, "ledgers"), { recursive: true, mode: 0o700 });
      const temporary = `${to}.${token()}`;
      copyFileSync(ledger, temporary, constants.COPYFILE_FICLONE);
      renameSync(temporary, to);
    },
  };
}
