/** Files beside the ledger: captured output under `evidence/`, and the file lists of trees that passes belong to. */

import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, extname, join, normalize } from "node:path";
import { Refusal } from "../errors.ts";
import type { Tree } from "../evidence/types.ts";
import { checkDir, checkFile, ensureDir, sha256, writeFileAtomic } from "../journal/safe-fs.ts";
import { type Artifact, type Criterion, criterionRef, type Goal, type Plan } from "./model.ts";
import type { Place } from "./place.ts";

/** Of one artifact (design: bounds). */
const MAX_ARTIFACT_BYTES = 10 * 1024 * 1024;
/** A log is text, whatever the criterion's artifact is: a screenshot's lies beside it. */
const PICTURE = /\.(?:png|jpe?g|webp|webm|mp4|gif|zip|ansi)$/i;

/** Where the log of a criterion's run goes. */
export const logPath = (goal: Goal, criterion: Criterion): string =>
  artifactPath(goal, criterion).replace(PICTURE, ".txt");

/**
 * Saves what a channel's driver captured, named after the criterion: `G001-C001.png`, further ones with their own name in it.
 * What is over the bound of artifacts is left out; the log says what happened all the same.
 */
export function saveCaptured(
  place: Place,
  goal: Goal,
  criterion: Criterion,
  files: readonly string[],
): readonly Artifact[] {
  const stem = artifactPath(goal, criterion).replace(/\.[A-Za-z0-9]+$/, "");
  const taken = new Set<string>([logPath(goal, criterion)]);
  return files.flatMap((file) => {
    if (statSync(file).size > MAX_ARTIFACT_BYTES) return [];
    const ending = extname(file);
    const plain = `${stem}${ending}`;
    const path = taken.has(plain) ? `${stem}-${basename(file)}` : plain;
    taken.add(path);
    return [saveArtifact(place, path, readFileSync(file))];
  });
}

/** Where the criterion's captured output goes: the declared path when it lies under `evidence/`, else the usual name. */
export function artifactPath(goal: Goal, criterion: Criterion): string {
  const declared = normalize(criterion.expectedEvidence).replaceAll("\\", "/");
  return /^evidence\/[^/]+$/.test(declared) ? declared : `evidence/${criterionRef(goal, criterion)}.txt`;
}

/**
 * Writes a file under the state folder, whole or not at all.
 * @throws Refusal `unsafe_path` when a folder on the way is a symbolic link; `no_permission`, `disk_full`, `io_error`
 */
export function saveArtifact(place: Place, path: string, data: string | Buffer): Artifact {
  const target = join(place.dir, path);
  checkDir(place.root, dirname(target));
  ensureDir(dirname(target));
  checkFile(target);
  writeFileAtomic(target, data);
  return { path, sha256: sha256(data) };
}

/** Whether the artifact is still the regular file that was recorded. */
export function isIntact(place: Place, artifact: Artifact): boolean {
  try {
    const path = join(place.dir, artifact.path);
    return lstatSync(path).isFile() && sha256(readFileSync(path)) === artifact.sha256;
  } catch {
    return false;
  }
}

const treeFile = (place: Place, treeId: string): string =>
  join(place.dir, "trees", `${treeId.replace(/[^0-9a-zA-Z+]/g, "_")}.json`);

/** Remembers the file list of a tree, so that a stale pass can say what changed. A cache: losing it loses only names. */
export function rememberTree(place: Place, tree: Tree, plan: Plan): void {
  const wanted = new Set([
    tree.id,
    ...plan.goals.flatMap((g) =>
      g.successCriteria.flatMap((c) => (c.status === "pass" ? [c.proof.tree] : [])),
    ),
  ]);
  const keep = new Set([...wanted].map((id) => treeFile(place, id)));
  try {
    const folder = join(place.dir, "trees");
    // Tidying through a link would remove somebody's files.
    checkDir(place.root, folder);
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder))
      if (!keep.has(join(folder, name))) rmSync(join(folder, name), { force: true });
    writeFileAtomic(treeFile(place, tree.id), JSON.stringify([...tree.files]));
  } catch {
    // A full disk must not turn a recorded pass into an error.
  }
}

export function recallTree(place: Place, treeId: string): ReadonlyMap<string, string> | null {
  try {
    const entries: [string, string][] = JSON.parse(readFileSync(treeFile(place, treeId), "utf8"));
    return new Map(entries);
  } catch {
    return null;
  }
}

/** First bytes of the formats that a claim may name by their ending. */
const MAGIC: Readonly<Record<string, readonly string[]>> = {
  png: ["89504e470d0a1a0a"],
  jpg: ["ffd8ff"],
  jpeg: ["ffd8ff"],
  gif: ["474946383761", "474946383961"],
  webp: ["52494646"],
  pdf: ["255044462d"],
  webm: ["1a45dfa3"],
  zip: ["504b0304"],
};

/**
 * Reads a file that a claim rests on: inside the repository, real, not empty, newer than `since`, and what its ending says.
 * @param since ISO time before which a file is an old one
 * @throws Refusal `evidence_insufficient`, `unsafe_path`
 */
export function readClaimed(place: Place, named: string, since: string): Buffer {
  const wrong = (expected: string, found: string): Refusal =>
    new Refusal(
      "evidence_insufficient",
      `The artifact ${JSON.stringify(named.slice(0, 120))} cannot support the claim.`,
      {
        expected,
        found,
        next: ["capture the artifact anew from the real surface, then name its path"],
      },
    );
  const path = [join(place.dir, named), join(place.root, named)].find((p) => exists(p));
  if (path === undefined) throw wrong("an existing file inside the repository", "no such file");
  checkDir(place.root, dirname(path));
  const stat = lstatSync(path);
  if (!stat.isFile()) throw wrong("a regular file", stat.isDirectory() ? "a folder" : "something else");
  if (stat.size === 0) throw wrong("a file with content", "an empty file");
  if (stat.size > 50 * 1024 * 1024) throw wrong("50 MB at most", `${stat.size} bytes`);
  if (stat.mtimeMs < Date.parse(since))
    throw wrong(`a file made since the goal was taken up (${since})`, `one of ${stat.mtime.toISOString()}`);
  const data = readFileSync(path);
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const magic = MAGIC[ending];
  if (magic !== undefined && !magic.some((bytes) => data.subarray(0, 16).toString("hex").startsWith(bytes)))
    throw wrong(`content of a .${ending} file`, "other content under that name");
  return data;
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
