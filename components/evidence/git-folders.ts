/** Finds a repository and its folders by reading files alone: most commands need no more, and starting Git costs them. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { Refusal } from "../errors.ts";

/** Where a working tree keeps its Git data. */
export interface GitFolders {
  /** Its own folder: index, HEAD. */
  readonly gitDir: string;
  /** Shared with linked worktrees: objects, refs, config. */
  readonly commonDir: string;
}

/** Resolves `.git` (folder, or the file of a submodule or linked worktree) by reading files. Null when it is no repository. */
export function gitFolders(root: string): GitFolders | null {
  const entry = join(root, ".git");
  let gitDir = entry;
  try {
    if (statSync(entry).isFile()) {
      const named = /^gitdir: (.+)$/m.exec(readFileSync(entry, "utf8"))?.[1];
      if (named === undefined) return null;
      gitDir = resolve(root, named.trim());
    }
  } catch {
    return null;
  }
  if (!existsSync(join(gitDir, "HEAD"))) return null;
  let commonDir = gitDir;
  try {
    const common = readFileSync(join(gitDir, "commondir"), "utf8").trim();
    commonDir = isAbsolute(common) ? common : resolve(gitDir, common);
  } catch {
    // Only linked worktrees have this file.
  }
  return { gitDir, commonDir };
}

export interface Root {
  /** Git's top level, or the folder itself outside Git. */
  readonly root: string;
  readonly git: boolean;
  /** HEAD's commit; null without one, and outside Git. */
  readonly commit: string | null;
  /** There is a repository, or there may be one, but no Git program to ask. */
  readonly gitMissing?: true;
}

/** A root without its commit: what the file system alone tells. */
export type FastRoot = Omit<Root, "commit" | "gitMissing">;

export function bare(folder: string): Refusal {
  return new Refusal("git_bare", "A bare repository has no working tree to check.", {
    expected: "a working tree",
    found: `a bare repository at ${folder}`,
    next: ["git worktree add ../work", "run the same command there"],
  });
}

export function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/**
 * Finds the root without starting a process: the nearest folder upwards that has a `.git`.
 * @throws Refusal `git_bare` inside a bare repository.
 */
export function findRootFast(cwd: string): FastRoot {
  const start = real(cwd);
  for (let folder = start; ; folder = dirname(folder)) {
    if (gitFolders(folder) !== null) return { root: folder, git: true };
    const looksBare = ["HEAD", "objects", "refs"].every((name) => existsSync(join(folder, name)));
    // A `.git` folder looks the same from within, and is refused for the same reason.
    if (looksBare) throw bare(folder);
    if (dirname(folder) === folder) return { root: start, git: false };
  }
}
