/** Throw-away folders and Git repositories for the tests of this room, and a shell to work in them. */
import { afterAll } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A repository on branch `main`. Its functions need no receiver, so they can be taken apart. */
export interface TestRepo {
  /** Absolute, without links. */
  readonly root: string;
  /** Writes files by their path from the root; folders are made as needed. What starts with `#!` is made executable. */
  write(files: Readonly<Record<string, string>>): void;
  /** Runs a shell line in the root. */
  sh(command: string): Promise<string>;
  /** Commits everything as it lies there, also when nothing changed. Returns the commit. */
  commit(): Promise<string>;
}

/** Only what `mkdtempSync` returned is ever in here, and so only that is ever removed. */
const folders: string[] = [];

/** Call once in a test file: its folders are gone when its last test is over. */
export function removeFoldersAfterwards(): void {
  afterAll(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 2 });
  });
}

/** A new empty folder outside any repository, by its real path, as Git names it. */
export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "evidence-test-")));
  folders.push(folder);
  return folder;
}

/**
 * A new repository with the given files in its first commit; without files it has no commit.
 * @throws Error when Git fails.
 */
export async function repo(files: Readonly<Record<string, string>>): Promise<TestRepo> {
  const root = tempFolder();
  const made: TestRepo = {
    root,
    write(more) {
      for (const [path, text] of Object.entries(more)) {
        const full = join(root, path);
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, text);
        if (text.startsWith("#!")) chmodSync(full, 0o755);
      }
    },
    sh: (command) => sh(root, command),
    commit: () => sh(root, "git add -A && git commit -q --allow-empty -m work && git rev-parse HEAD"),
  };
  await made.sh("git init -q -b main");
  made.write(files);
  if (Object.keys(files).length > 0) await made.commit();
  return made;
}

/**
 * Runs a line in `/bin/sh` and returns its standard output without the white space around it.
 * @throws Error with standard error when the line does not exit with 0.
 */
export function sh(cwd: string, command: string): Promise<string> {
  return new Promise((settle, fail) => {
    const child = spawn("/bin/sh", ["-c", command], {
      cwd,
      env: shellEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.once("error", fail);
    child.once("close", (code, signal) => {
      if (code === 0) settle(Buffer.concat(out).toString().trim());
      else fail(new Error(`${command}: ${signal ?? `exit ${code}`}\n${Buffer.concat(err).toString()}`));
    });
  });
}

/** The caller's `GIT_*` would lead elsewhere; a name to commit by must not depend on the machine, nor a key to sign with. */
function shellEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) if (!name.startsWith("GIT_")) env[name] = value;
  return {
    ...env,
    LC_ALL: "C.UTF-8",
    GIT_AUTHOR_NAME: "Tester",
    GIT_AUTHOR_EMAIL: "tester@example.invalid",
    GIT_COMMITTER_NAME: "Tester",
    GIT_COMMITTER_EMAIL: "tester@example.invalid",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "commit.gpgsign",
    GIT_CONFIG_VALUE_0: "false",
  };
}
