/** The fingerprint of a folder that is not in Git: every file's SHA-256. */
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { isOurs } from "./ours.ts";
import { outsideLink, statMark } from "./outside-links.ts";
import type { Tree } from "./types.ts";

/** Without Git nothing says which files count, so a home folder taken for a project must end soon and clearly. */
const MAX_FILES = 50_000;
const BIG_BYTES = 50 * 1024 * 1024;
const LEFT_OUT = new Set(["node_modules", ".venv", ".git"]);

/** @throws Refusal `io_error` above 50,000 files */
export function walkTree(root: string): Tree {
  const files: [string, string][] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of entriesOf(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (LEFT_OUT.has(entry.name) || isOurs(path)) continue;
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        const id = contentId(root, join(root, path), entry.isSymbolicLink());
        if (id !== null) files.push([path, id]);
      }
      if (files.length > MAX_FILES) throw tooMany(root);
    }
  }
  files.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const hash = createHash("sha256");
  for (const [path, id] of files) hash.update(`${path}\0${id}\n`);
  return { id: `walk:${hash.digest("hex")}`, files: new Map(files) };
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // Unreadable, or gone since it was listed.
  }
}

/** Null when the file went away meanwhile. */
function contentId(root: string, path: string, link: boolean): string | null {
  try {
    if (link) {
      const text = createHash("sha256").update(readlinkSync(path));
      return `link:${text.update(outsideLink(root, path) ?? "").digest("hex")}`;
    }
    const stats = lstatSync(path);
    if (stats.size > BIG_BYTES) return `big:${statMark(stats)}`;
    const executable = (stats.mode & 0o100) !== 0 ? "x:" : "";
    return executable + fileSha256(path);
  } catch {
    return null;
  }
}

function fileSha256(path: string): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(256 * 1024);
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer))
      hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(fd);
  }
  return hash.digest("hex");
}

function tooMany(root: string): Refusal {
  return new Refusal(
    "io_error",
    `More than ${MAX_FILES.toLocaleString("en")} files and no Git repository: the tree cannot be compared.`,
    {
      expected: "a Git repository, or a folder of moderate size",
      found: root,
      next: ["git init && git add -A && git commit -m start", "run the command in the project's own folder"],
    },
  );
}
