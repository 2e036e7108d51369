/**
 * The store outside the repository: how far each ledger had come, and what the user approved.
 *
 * A command inside a host's sandbox cannot write here, so an anchor is best effort: what is there is believed, and what
 * could not be written is simply not known. `docs/trust.md` says what that is worth.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import type { Head } from "../journal/types.ts";
import {
  appendWhole,
  digest,
  fileName,
  readJson,
  readText,
  realFolder,
  storeFolder,
  writeWhole,
} from "./files.ts";

/** How far a ledger had come: the head that a command began from, and the one it was about to write. */
export interface Anchor extends Head {
  readonly next: Head | null;
  readonly plan: string;
  readonly title: string;
  /** The plan was not complete then. */
  readonly open: boolean;
  readonly at: string;
}

interface ApprovalRecord {
  readonly id: string;
  readonly plan: string;
  /** SHA-256 over what was approved, so that an approval cannot be stretched afterwards. */
  readonly subject: string;
  readonly at: string;
}

export interface WitnessStore {
  readonly folder: string;
  /** False once the store turned out to be out of reach: what it would have known is then unknown, not false. */
  anchor(stateDir: string): Anchor | null;
  /** Hashes of the lines that commands wrote which could reach this store: nobody made them up. */
  lines(stateDir: string): ReadonlySet<string>;
  /** Best effort, before the line is there: a line of that hash can only be this one. */
  noteLine(stateDir: string, hash: string): void;
  /** Best effort. @returns whether it was written */
  setAnchor(stateDir: string, anchor: Anchor): boolean;
  /** @throws Refusal `no_permission` when the store cannot be written: an approval must reach it. */
  approve(plan: string, subject: string, at: string): string;
  /** Whether this very approval was given here. */
  approved(id: string, plan: string, subject: string): boolean;
}

export function openWitness(env: NodeJS.ProcessEnv): WitnessStore {
  const folder = storeFolder(env);
  const anchorFiles = new Map<string, string>();
  const anchorFile = (stateDir: string): string => {
    let file = anchorFiles.get(stateDir);
    if (file === undefined) {
      file = join(folder, "anchors", `${fileName(realFolder(stateDir))}.json`);
      anchorFiles.set(stateDir, file);
    }
    return file;
  };
  const linesFile = (stateDir: string): string => join(folder, "lines", fileName(realFolder(stateDir)));
  const approvalFile = (id: string): string => join(folder, "approvals", `${id}.json`);
  return {
    folder,
    lines: (stateDir) => new Set((readText(linesFile(stateDir)) ?? "").split("\n")),
    noteLine(stateDir, hash) {
      try {
        appendWhole(linesFile(stateDir), `${hash}\n`);
      } catch {
        // Inside a sandbox: whoever judges the line runs its check again.
      }
    },
    anchor: (stateDir) => readJson<Anchor>(anchorFile(stateDir)),
    setAnchor(stateDir, anchor) {
      try {
        writeWhole(anchorFile(stateDir), anchor);
        return true;
      } catch {
        return false;
      }
    },
    approve(plan, subject, at) {
      const record: ApprovalRecord = {
        id: randomBytes(12).toString("hex"),
        plan,
        subject: digest(subject),
        at,
      };
      try {
        writeWhole(approvalFile(record.id), record);
      } catch (error) {
        throw new Refusal("no_permission", "The approval could not be stored outside the repository.", {
          expected: `a writable folder ${folder}`,
          found: error instanceof Error ? error.message : String(error),
          next: ["run proofgate approve in your own terminal, outside the agent's sandbox"],
        });
      }
      return record.id;
    },
    approved(id, plan, subject) {
      if (!/^[0-9a-f]{24}$/.test(id)) return false;
      const record = readJson<ApprovalRecord>(approvalFile(id));
      return (
        record !== null && record.id === id && record.plan === plan && record.subject === digest(subject)
      );
    },
  };
}
