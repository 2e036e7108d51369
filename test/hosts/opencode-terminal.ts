/** The real OpenCode on a terminal, and its user before it: who types, reads, and sees a line come and go. */

import type { OpenCodeHome } from "./opencode.ts";
import { startInTmux } from "./tmux.ts";

const LOOK_MS = 100;
/** For the program to show what it should, in milliseconds. */
const SHOW_MS = 100_000;

export interface OpenCodeTerminal {
  /** @throws Error with what is there instead */
  shows(pattern: RegExp): Promise<void>;
  /** Types a prompt and sends it. */
  say(text: string): Promise<void>;
  /** Ends the answer that is under way. */
  interrupt(): Promise<void>;
  /** How often a line came that had not stood there before. */
  appeared(): number;
  end(): Promise<void>;
}

/**
 * @param args of the program
 * @param line that comes and goes by itself
 * @throws Error when it does not begin. The caller must `end()` it.
 */
export async function openCodeOnTerminal(
  { binary, env }: OpenCodeHome,
  args: readonly string[],
  cwd: string,
  line: RegExp,
): Promise<OpenCodeTerminal> {
  const terminal = await startInTmux(binary, args, cwd, { ...env, PWD: cwd });
  let screen = "";
  let came = 0;
  let over = false;
  // A line is there for seconds only.
  const watching = (async () => {
    for (let stood = false; !over; ) {
      screen = await terminal.screen();
      const stands = line.test(screen);
      if (stands && !stood) came++;
      stood = stands;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  const shows = async (pattern: RegExp): Promise<void> => {
    for (const late = Date.now() + SHOW_MS; !pattern.test(screen); ) {
      if (Date.now() > late) throw new Error(`no ${pattern} within ${SHOW_MS / 1000} s on\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  return {
    shows,
    async say(text) {
      await terminal.type(text);
      await shows(new RegExp(`┃ +${text}`));
      await terminal.press("Enter");
    },
    async interrupt() {
      await terminal.press("Escape");
      await shows(/again to interrupt/);
      await terminal.press("Escape");
      await shows(/interrupted/);
    },
    appeared: () => came,
    async end() {
      over = true;
      await watching;
      await terminal.end();
    },
  };
}
