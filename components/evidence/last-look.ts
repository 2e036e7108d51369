/**
 * The last look at a root, kept for the next one in this process: a proof takes the fingerprint before and after each run,
 * and where nothing has moved in between, Git has to list once instead of writing the tree again.
 *
 * The same means: Git lists the same entries, they are sifted alike, and each file whose content Git read then has the
 * content that it had, and the same stat data, its inode's own time among them, which no program puts back.
 */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { configFiles } from "./git-filters.ts";
import type { GitFolders } from "./git-folders.ts";
import { onDisk } from "./index-entries.ts";
import type { Sifted } from "./sift.ts";

/** What a look saw. */
export interface Look {
  /** Equal for looks that saw the same. */
  readonly key: string;
  readonly atMs: number;
}

/** What Git said of it. */
export interface Wrote {
  readonly hash: string;
  readonly files: Map<string, string>;
}

/** A look is kept for so long: settings that are not looked at here may change. */
const KEPT_MS = 60_000;
/** Files that are larger together are left to Git, which reads them once and not twice. */
const MOST_BYTES = 16 * 1024 * 1024;

const looks = new Map<string, { readonly look: Look; readonly wrote: Wrote }>();

/**
 * To be taken before Git reads the files: what changes in between has another time at the next look.
 * @param atMs when, in milliseconds
 * @returns null where comparing costs more than asking Git
 */
export function lookOf(
  root: string,
  folders: GitFolders,
  listing: string,
  plan: Sifted,
  atMs: number,
): Look | null {
  const suspects = plan.suspects.map(({ path }) => path);
  const hash = createHash("sha256").update(listing);
  for (const paths of [plan.add, plan.drop, plan.assumed, plan.skipped, suspects])
    hash.update(`\0\0${paths.join("\0")}`, "latin1");
  for (const path of [...configFiles(folders), join(folders.commonDir, "info", "attributes")])
    hash.update(statOf(path).text);
  let bytes = 0;
  try {
    for (const path of [...plan.add, ...suspects]) {
      const place = onDisk(root, path);
      const { text, kind, size } = statOf(place);
      bytes += size;
      if (bytes > MOST_BYTES) return null;
      hash.update(text);
      if (kind === "link") hash.update(readlinkSync(place, "buffer"));
      if (kind === "file") hash.update(readFileSync(place));
    }
  } catch {
    // It went, or was closed to us, at this moment.
    return null;
  }
  return { key: hash.digest("hex"), atMs };
}

function statOf(path: string | Buffer): {
  readonly text: string;
  readonly kind: "file" | "link" | "none";
  readonly size: number;
} {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return { text: "\0none", kind: "none", size: 0 };
  const { dev, ino, mode, size, mtimeNs, ctimeNs } = stats;
  return {
    text: `\0${[dev, ino, mode, size, mtimeNs, ctimeNs].join(" ")}\0`,
    kind: stats.isSymbolicLink() ? "link" : stats.isFile() ? "file" : "none",
    size: Number(size),
  };
}

/** @returns what was written at the last look, where this one saw the same; null where Git has to be asked */
export function sameAsLast(root: string, look: Look): Wrote | null {
  const last = looks.get(root);
  if (last === undefined || last.look.key !== look.key) return null;
  return look.atMs - last.look.atMs < KEPT_MS ? last.wrote : null;
}

export function rememberLook(root: string, look: Look, wrote: Wrote): void {
  if (sameAsLast(root, look) === null) looks.set(root, { look, wrote });
}
