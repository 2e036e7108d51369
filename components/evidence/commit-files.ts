/** What a commit holds. */
import { git } from "./git.ts";

/** A commit never changes: the last one that was asked for is asked about once in a process. */
let last: { readonly of: string; readonly files: ReadonlyMap<string, string> } | null = null;

/**
 * Paths and blob ids of a commit.
 * @param commit its full id
 * @throws Refusal `git_failed` when there is no such commit
 */
export async function commitFiles(root: string, commit: string): Promise<ReadonlyMap<string, string>> {
  const of = `${commit} ${root}`;
  if (last?.of === of) return last.files;
  const { stdout } = await git(["ls-tree", "-r", "-z", "--full-tree", commit], { cwd: root });
  const files = new Map<string, string>();
  for (const record of stdout.split("\0")) {
    const tab = record.indexOf("\t");
    if (tab > 0) files.set(record.slice(tab + 1), record.slice(0, tab).split(" ")[2] ?? "");
  }
  last = { of, files };
  return files;
}
