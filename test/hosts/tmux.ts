/** A terminal for a program that wants one: tmux, on a private socket. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, lastLine } from "./ask.ts";
import { endGroup } from "./codex.ts";

const ASK_MS = 20_000;
/** For a program to end once its terminal is gone, in milliseconds. */
const END_MS = 5000;
const LOOK_MS = 100;

export interface Terminal {
  /** What a user would see now. */
  screen(): Promise<string>;
  /** What a user types, as it is. */
  type(text: string): Promise<void>;
  /** A key by tmux's name for it. */
  press(key: "Enter" | "Escape"): Promise<void>;
  /** Takes the terminal away, and waits for the program's end. */
  end(): Promise<void>;
}

/** @returns why there is no terminal to be had here; null when there is */
export async function tmuxMissing(): Promise<string | null> {
  const { exit } = await ask("tmux", ["-V"], tmpdir(), ASK_MS);
  return exit === 0 ? null : "no tmux: install it with the system's package manager";
}

/** Starts the program. The caller must `end()` it. @throws Error when tmux does not take it */
export async function startInTmux(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Terminal> {
  const folder = await mkdtemp(join(tmpdir(), "proofgate-tmux-"));
  // A tmux around the tests is none of ours, and a user's settings are for the user.
  const { TMUX: _, ...own } = env;
  const tmux = (...words: readonly string[]) =>
    ask("tmux", ["-S", join(folder, "socket"), "-f", "/dev/null", "-u", ...words], cwd, ASK_MS, own);
  const size = ["-x", "140", "-y", "50"];
  const started = await tmux(
    ...["new-session", "-d", ...size, "-P", "-F", "#{pane_pid}", "--", program],
    ...args,
  );
  const pid = Number(started.text.trim());
  const end = async (): Promise<void> => {
    await tmux("kill-server");
    if (started.exit === 0) {
      const late = Date.now() + END_MS;
      while ((await runs(pid)) && Date.now() < late)
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      endGroup(pid);
    }
    await rm(folder, { recursive: true, force: true });
  };
  if (started.exit !== 0 || !Number.isInteger(pid) || pid <= 1) {
    await end();
    throw new Error(`tmux started no program: ${lastLine(started.text)}`);
  }
  return {
    screen: async () => (await tmux("capture-pane", "-p")).text,
    type: async (text) => void (await tmux("send-keys", "-l", text)),
    press: async (key) => void (await tmux("send-keys", key)),
    end,
  };
}

/** One that ended and that nobody asked for yet runs no more. */
async function runs(pid: number): Promise<boolean> {
  const { text } = await ask("ps", ["-o", "stat=", "-p", String(pid)], "/", ASK_MS);
  return text.trim() !== "" && !text.trim().startsWith("Z");
}
