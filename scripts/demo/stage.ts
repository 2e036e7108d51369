/** The demo's stage: a throw-away folder with a home of its own, where commands are run as they are typed. */

import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Edit, edited } from "./published.ts";

/** A command that was run, for the summary. */
export interface Ran {
  readonly command: string;
  readonly exit: number;
  /** Milliseconds of wall clock. */
  readonly ms: number;
  /** Bytes that the command printed. */
  readonly bytes: number;
  /** It is part of what an honest agent needs from plan to proof. */
  readonly honest: boolean;
}

export interface Result {
  readonly exit: number;
  /** Standard output, then standard error, unaltered. */
  readonly said: string;
  readonly ms: number;
}

export interface Stage {
  /** The throw-away folder; it is kept. */
  readonly base: string;
  /** The repository in it. */
  readonly repo: string;
  /** Makes a copy of the repository, state folder included, for what must not happen in the repository itself. */
  copy(name: string): string;
  write(path: string, content: string): void;
  edit(path: string, edit: Edit, folder?: string): void;
  /** Runs a shell line in the repository or another folder. */
  run(line: string, folder?: string): Promise<Result>;
}

/**
 * @param program the built program, which is called `proofgate` on the stage's PATH
 * @param name the repository's folder, called as the package that is in it
 */
export function openStage(program: string, name: string): Stage {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "proofgate-demo-")));
  const repo = join(base, name);
  const bin = join(base, "bin");
  for (const folder of [repo, bin, join(base, "home"), join(base, "tmp")]) mkdirSync(folder);
  symlinkSync(program, join(bin, "proofgate"));
  const env = {
    PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`,
    HOME: join(base, "home"),
    XDG_STATE_HOME: join(base, "home", "state"),
    XDG_CONFIG_HOME: join(base, "home", "config"),
    TMPDIR: join(base, "tmp"),
    LANG: "C.UTF-8",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Demo",
    GIT_AUTHOR_EMAIL: "demo@example.invalid",
    GIT_COMMITTER_NAME: "Demo",
    GIT_COMMITTER_EMAIL: "demo@example.invalid",
  };
  return {
    base,
    repo,
    copy(name) {
      const to = join(base, name);
      cpSync(repo, to, { recursive: true });
      return to;
    },
    write(path, content) {
      const full = join(repo, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content);
    },
    edit(path, edit, folder = repo) {
      const full = join(folder, path);
      writeFileSync(full, edited(readFileSync(full, "utf8"), edit));
    },
    run: (line, folder = repo) => shell(line, folder, env),
  };
}

/** Something behind the scenes, which has to work. */
export async function mustRun(stage: Stage, line: string, folder?: string, content?: string): Promise<void> {
  const command = content === undefined ? line : `${line} <<'END'\n${content}END\n`;
  const { exit, said } = await stage.run(command, folder);
  if (exit !== 0) throw new Error(`${line}: ${said}`);
}

function shell(line: string, cwd: string, env: NodeJS.ProcessEnv): Promise<Result> {
  const started = performance.now();
  return new Promise((settle, fail) => {
    const child = spawn("sh", ["-c", line], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", fail);
    child.on("close", (code) =>
      settle({
        exit: code ?? -1,
        said: Buffer.concat([...out, ...err]).toString("utf8"),
        ms: performance.now() - started,
      }),
    );
  });
}
