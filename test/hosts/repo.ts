/** A throw-away Git repository for a host to work in. */

import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ask } from "./ask.ts";

const GIT_MS = 20_000;

export interface TestRepo {
  /** Its folder, without symbolic links. */
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Makes a repository with one commit that holds the files. The caller must `remove()` it.
 * @param files content by path
 * @throws Error when Git fails
 */
export async function makeRepo(files: Readonly<Record<string, string>>): Promise<TestRepo> {
  const parent = await realpath(tmpdir());
  const path = await mkdtemp(join(parent, "proofgate-host-"));
  const remove = async (): Promise<void> => {
    // A test once removed an empty path: nothing but the folder made above may ever go.
    if (!path.startsWith(join(parent, "proofgate-host-")))
      throw new Error(`not a test's repository: ${path}`);
    await rm(path, { recursive: true, force: true });
  };
  const env = {
    ...process.env,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "Tester",
    GIT_AUTHOR_EMAIL: "tester@example.invalid",
    GIT_COMMITTER_NAME: "Tester",
    GIT_COMMITTER_EMAIL: "tester@example.invalid",
  };
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), content);
    }
    for (const args of [
      ["init", "-q", "-b", "main"],
      ["add", "-A"],
      ["commit", "-q", "-m", "base"],
    ]) {
      const { exit, text } = await ask("git", args, path, GIT_MS, env);
      if (exit !== 0) throw new Error(`git ${args.join(" ")}: ${text}`);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, remove };
}
