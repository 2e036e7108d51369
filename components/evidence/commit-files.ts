/** What a commit holds. */
import { git } from "./git.ts";

/** Paths and blob ids of a commit. @throws Refusal `git_failed` when there is no such commit */
export async function commitFiles(root: string, commit: string): Promise<Map<string, string>> {
  const { stdout } = await git(["ls-tree", "-r", "-z", "--full-tree", commit], { cwd: root });
  const files = new Map<string, string>();
  for (const record of stdout.split("\0")) {
    const tab = record.indexOf("\t");
    if (tab > 0) files.set(record.slice(tab + 1), record.slice(0, tab).split(" ")[2] ?? "");
  }
  return files;
}
