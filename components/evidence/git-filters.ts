/** Finds the clean filters that a repository's settings name: a filter may tell Git anything, so its word is not taken. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { GitResult } from "./git.ts";
import type { GitFolders } from "./git-folders.ts";

/** What `git lfs install` writes. Its pointers hold a digest of the content, which is as good as the content. */
const LFS =
  /^[ \t]*\[filter "lfs"\][ \t]*\r?\n(?:[ \t]*(?:clean = git-lfs clean -- %f|smudge = git-lfs smudge (?:--skip )?-- %f|process = git-lfs filter-process(?: --skip)?|required = (?:true|false))[ \t]*\r?(?:\n|$(?![\s\S])))*(?=[ \t\r\n]*(?:\[|$(?![\s\S])))/gm;
export const LFS_COMMAND = /^git-lfs (?:clean -- %f|smudge (?:--skip )?-- %f|filter-process(?: --skip)?)$/;

/**
 * Names of the filters whose clean command is not the standard one of git-lfs. The files are read first, because most
 * repositories have none and starting Git to say so costs time.
 * @param run runs Git in the repository
 */
export async function foreignFilters(
  folders: GitFolders,
  run: (args: readonly string[]) => Promise<GitResult>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (!configFiles(folders).some(mayFilter)) return found;
  const { stdout } = await run(["config", "-z", "--get-regexp", "^filter\\..*\\.(clean|process)$"]);
  const values = new Map<string, string>();
  for (const record of stdout.split("\0")) {
    const end = record.indexOf("\n");
    if (end > 0) values.set(record.slice(0, end), record.slice(end + 1));
  }
  for (const [key, value] of values) {
    const name = key.slice("filter.".length, key.lastIndexOf("."));
    if (value !== "" && !(name === "lfs" && LFS_COMMAND.test(value))) found.add(name);
  }
  return found;
}

/** The files that Git reads its settings from, as far as they are in their usual places. */
export function configFiles({ commonDir, gitDir }: GitFolders): string[] {
  const home = process.env.HOME ?? homedir();
  return [
    join(commonDir, "config"),
    join(gitDir, "config.worktree"),
    join(home, ".gitconfig"),
    join(process.env.XDG_CONFIG_HOME ?? join(home, ".config"), "git", "config"),
    "/etc/gitconfig",
    "/usr/local/etc/gitconfig",
    "/opt/homebrew/etc/gitconfig",
  ];
}

/** An included file may name a filter too; which one that is, Git knows best. */
function mayFilter(file: string): boolean {
  try {
    return /\[\s*(?:filter|include)/i.test(readFileSync(file, "utf8").replace(LFS, ""));
  } catch {
    return false;
  }
}
