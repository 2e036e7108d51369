/**
 * The last look at a root, kept for the next one in this process: a proof takes the fingerprint before and after each run,
 * and where nothing has moved in between, Git has to list once instead of writing the tree again.
 *
 * The same means: Git lists the same entries, they are sifted alike, and each file whose content was read then has the
 * stat data that it had, its inode's own time among them, which no program can put back. A file that changed when it was
 * just being read could change once more within the same tick of the clock; it is read again.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { configFiles } from "./git-filters.ts";
import type { GitFolders } from "./git-folders.ts";
import { onDisk, SECOND_NS } from "./index-entries.ts";
import type { Sifted } from "./sift.ts";

/** What a look saw. */
export interface Look {
  /** Equal for looks that saw the same. */
  readonly key: string;
  readonly beganMs: number;
  /** When one of the files that were read changed last, in nanoseconds. */
  readonly newestNs: bigint;
}

/** What Git said of it. */
export interface Wrote {
  readonly hash: string;
  readonly files: Map<string, string>;
}

/** A look is kept for so long: settings that are not looked at here may change. */
const KEPT_MS = 60_000;
/** Ticks of file systems that count in parts of a second, and of those that do not, in milliseconds. */
const TICK_MS = 50;
const COARSE_MS = 2500;

const looks = new Map<string, { readonly look: Look; readonly wrote: Wrote }>();

/** @param beganMs when the look began, by this machine's clock */
export function lookOf(
  root: string,
  folders: GitFolders,
  listing: string,
  plan: Sifted,
  beganMs: number,
): Look {
  let newestNs = 0n;
  const statOf = (path: string | Buffer): string => {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return "none";
    if (stats.ctimeNs > newestNs) newestNs = stats.ctimeNs;
    return [stats.dev, stats.ino, stats.mode, stats.size, stats.mtimeNs, stats.ctimeNs].join(" ");
  };
  const suspects = plan.suspects.map(({ path }) => path);
  const key = [
    listing,
    ...[plan.add, plan.drop, plan.assumed, plan.skipped, suspects].map((paths) => paths.join("\0")),
    ...[...plan.add, ...suspects].map((path) => statOf(onDisk(root, path))),
    ...[...configFiles(folders), join(folders.commonDir, "info", "attributes")].map(statOf),
  ].join("\0\0");
  return { key, beganMs, newestNs };
}

/** @returns what was written at the last look, where this one saw the same; null where Git has to be asked */
export function sameAsLast(root: string, look: Look): Wrote | null {
  const last = looks.get(root);
  if (last === undefined || last.look.key !== look.key) return null;
  return look.beganMs - last.look.beganMs < KEPT_MS && settled(last.look) ? last.wrote : null;
}

/** Nothing that was read had changed so recently that it could change again unseen. */
function settled({ beganMs, newestNs }: Look): boolean {
  const tickMs = newestNs % SECOND_NS === 0n ? COARSE_MS : TICK_MS;
  return Number(newestNs / 1_000_000n) < beganMs - tickMs;
}

export function rememberLook(root: string, look: Look, wrote: Wrote): void {
  if (sameAsLast(root, look) === null) looks.set(root, { look, wrote });
}
