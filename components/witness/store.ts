/**
 * The store outside the repository: how far each ledger had come, and what the user approved.
 *
 * A command inside a host's sandbox cannot write here, so an anchor is best effort: what is there is believed, and what
 * could not be written is simply not known. `docs/trust.md` says what that is worth.
 */

import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errno, Refusal } from "../errors.ts";
import { token } from "../journal/token.ts";
import type { Head } from "../journal/types.ts";

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
  /** Best effort. @returns whether it was written */
  setAnchor(stateDir: string, anchor: Anchor): boolean;
  /** @throws Refusal `no_permission` when the store cannot be written: an approval must reach it. */
  approve(plan: string, subject: string, at: string): string;
  /** Whether this very approval was given here. */
  approved(id: string, plan: string, subject: string): boolean;
}

/** `$XDG_STATE_HOME/proofgate`, by the XDG base directory specification `~/.local/state/proofgate` where that is unset. */
export function openWitness(env: NodeJS.ProcessEnv): WitnessStore {
  const home = env.HOME ?? homedir();
  const folder = join(env.XDG_STATE_HOME || join(home, ".local", "state"), "proofgate");
  const anchorFiles = new Map<string, string>();
  const anchorFile = (stateDir: string): string => {
    let file = anchorFiles.get(stateDir);
    if (file === undefined) {
      file = join(folder, "anchors", `${digest(real(stateDir)).slice(0, 32)}.json`);
      anchorFiles.set(stateDir, file);
    }
    return file;
  };
  const approvalFile = (id: string): string => join(folder, "approvals", `${id}.json`);
  return {
    folder,
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

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The folder itself may be gone; its nearest parent that is there decides where it really lies. */
function real(path: string): string {
  const parts: string[] = [];
  let at = path;
  while (!existsSync(at)) {
    const parent = join(at, "..");
    if (parent === at) return path;
    parts.unshift(at.slice(parent.length).replace(/^[/\\]/, ""));
    at = parent;
  }
  return join(realpathSync(at), ...parts);
}

function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function writeWhole(path: string, value: unknown): void {
  const temporary = `${path}.${token()}`;
  const write = (): void => writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  try {
    write();
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    write();
  }
  renameSync(temporary, path);
}
