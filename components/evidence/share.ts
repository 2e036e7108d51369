/**
 * Links installed dependencies into an export, without letting today's code in by the back door.
 *
 * Only folders that Git ignores are shared: what is tracked comes from the export itself. A `node_modules` is not linked
 * as one, because package managers put links to the repository's own packages (workspaces) into it, and through one link
 * for the whole these would lead to today's code. It becomes a real folder with a link for each entry; the links to own
 * packages are made anew, relative, so that they end in the export.
 */
import {
  type Dirent,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { Tree } from "./types.ts";

const USUAL = ["node_modules", ".venv", "venv", "vendor", ".yarn", "Pods"];
const MANIFESTS =
  /(^|\/)(package\.json|pyproject\.toml|setup\.py|requirements[^/]*\.txt|composer\.json|Gemfile|go\.mod|Podfile|Cargo\.toml|Pipfile|mix\.exs|build\.gradle(\.kts)?|pom\.xml)$/;
/** Folders deeper than this are searched for no dependencies. */
const MAX_DEPTH = 3;
/** Caches in node_modules that programs write to. */
const CACHES = new Set([".cache", ".vite", ".vite-temp", ".vitest", ".tmp", ".turbo", ".nyc_output"]);

/** Links dependency folders, and `names` beside them. Returns the paths that were shared, relative to the root. */
export function shareFolders(
  root: string,
  dir: string,
  options: { readonly today: Tree; readonly names: readonly string[] },
): string[] {
  const counted = countedFolders(options.today);
  const shared: string[] = [];
  for (const folder of manifestFolders(options.today))
    for (const name of USUAL) share(folder === "" ? name : `${folder}/${name}`);
  for (const name of options.names) share(name.replace(/^\.\//, "").replace(/\/+$/, ""));
  return shared;

  function share(path: string): void {
    if (
      path === "" ||
      path.startsWith("..") ||
      isAbsolute(path) ||
      counted.has(path) ||
      options.today.files.has(path) ||
      shared.includes(path)
    )
      return;
    const from = join(root, path);
    const to = join(dir, path);
    // What the export has by itself is not replaced; and a package that came later has no place for its dependencies.
    if (!existsSync(from) || isThere(to) || !existsSync(join(dir, dirname(path)))) return;
    if (path.endsWith("node_modules") && lstatSync(from).isDirectory()) linkModules(root, dir, from, to);
    else symlinkSync(from, to);
    shared.push(path);
  }
}

/** Every folder that holds something that counts. */
function countedFolders(tree: Tree): Set<string> {
  const folders = new Set<string>();
  for (const path of tree.files.keys())
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  return folders;
}

function manifestFolders(tree: Tree): string[] {
  const folders = new Set([""]);
  for (const path of tree.files.keys())
    if (MANIFESTS.test(path) && path.split("/").length - 1 <= MAX_DEPTH)
      folders.add(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
  return [...folders].sort();
}

function linkModules(root: string, dir: string, from: string, to: string): void {
  mkdirSync(to);
  for (const entry of entries(from)) {
    const { name } = entry;
    if (CACHES.has(name)) continue;
    // `.bin` holds relative links, which must start from the export; a scope holds packages like the folder itself.
    const inner = entry.isDirectory() && (name === ".bin" || name.startsWith("@"));
    if (!inner) linkEntry(root, dir, join(from, name), join(to, name));
    else {
      mkdirSync(join(to, name));
      for (const below of entries(join(from, name)))
        linkEntry(root, dir, join(from, name, below.name), join(to, name, below.name));
    }
  }
}

/** A link to the entry itself, or, for a link into the repository's own folders, one to the same place in the export. */
function linkEntry(root: string, dir: string, from: string, to: string): void {
  if (lstatSync(from).isSymbolicLink()) {
    const target = resolve(dirname(from), readlinkSync(from));
    const inside = relative(root, target);
    const own = inside !== "" && !inside.startsWith("..") && !isAbsolute(inside);
    const installed = inside.split("/").includes("node_modules");
    if (own && !installed) {
      symlinkSync(relative(dirname(to), join(dir, inside)), to);
      return;
    }
    // A program's link (`.bin/tool`) goes through the package's entry, which may be one of the own packages.
    if (own && dirname(from).endsWith(".bin")) {
      symlinkSync(readlinkSync(from), to);
      return;
    }
  }
  symlinkSync(realOr(from), to);
}

function realOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function entries(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true });
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
