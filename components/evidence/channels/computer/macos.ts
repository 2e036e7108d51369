/** The user's own screen on macOS, through System Events: it has no other. Not tried yet; see docs/channels.md. */
import type { Stage } from "../stage.ts";
import type { Screen, Window } from "./screen.ts";

const FROM = "it is part of macOS";
const ALLOW =
  "allow the terminal under System Settings, Privacy & Security, Accessibility and Screen Recording, then run it again";

/** Key codes of keys that are no characters. */
const CODES: Readonly<Record<string, number>> = {
  return: 36,
  tab: 48,
  space: 49,
  backspace: 51,
  escape: 53,
  delete: 117,
  home: 115,
  end: 119,
  left: 123,
  right: 124,
  down: 125,
  up: 126,
};
const MODIFIERS: Readonly<Record<string, string>> = {
  ctrl: "control down",
  alt: "option down",
  shift: "shift down",
  super: "command down",
  cmd: "command down",
};

export async function openMac(stage: Stage): Promise<Screen> {
  const tell = async (script: string): Promise<string> => {
    const { exit, stdout, stderr } = await stage.tool("osascript", ["-e", script], FROM);
    if (exit === 0) return stdout;
    return /not allowed|assistive|-1719|-1743|-25211/i.test(stderr)
      ? stage.blocked(`System Events may not be used (${stderr.trim().slice(0, 120)}): ${ALLOW}`)
      : "";
  };
  const events = (line: string): Promise<string> => tell(`tell application "System Events" to ${line}`);
  stage.step("screen: the user's own");
  return {
    env: {},
    async windows() {
      const found: Window[] = [];
      for (const pid of await descendants(stage)) {
        const titles = await events(
          `if exists (first process whose unix id is ${pid}) then get name of every window of (first process whose unix id is ${pid})`,
        );
        for (const [index, title] of titles.trim().split(", ").entries())
          if (title !== "") found.push({ id: `${pid} ${index + 1}`, title });
      }
      return found;
    },
    async focus({ id }) {
      await events(`set frontmost of (first process whose unix id is ${id.split(" ")[0]}) to true`);
    },
    async click({ id }, [x, y]) {
      const [pid, index] = id.split(" ");
      const at = await events(`get position of window ${index} of (first process whose unix id is ${pid})`);
      const [left = 0, top = 0] = at.split(",").map(Number);
      await events(`click at {${left + x}, ${top + y}}`);
    },
    async type(text) {
      await events(`keystroke ${JSON.stringify(text)}`);
    },
    async keys(keys) {
      for (const combination of keys) {
        const parts = combination.split("+");
        const name = parts.pop() ?? "";
        const held = parts.flatMap((one) => MODIFIERS[one.toLowerCase()] ?? []);
        const code = CODES[name.toLowerCase()];
        const press = code === undefined ? `keystroke ${JSON.stringify(name)}` : `key code ${code}`;
        await events(held.length === 0 ? press : `${press} using {${held.join(", ")}}`);
      }
    },
    texts: async () =>
      stage.blocked("text cannot be read here: the clipboard is the user's own; look at window or prints"),
    async picture(path) {
      const { exit, stderr } = await stage.tool("screencapture", ["-x", path], FROM);
      return exit === 0 ? null : `no picture: ${stderr.trim().slice(0, 200)}: ${ALLOW}`;
    },
  };
}

/** The run's own programs: nobody else's window is looked at. */
async function descendants(stage: Stage): Promise<readonly number[]> {
  const { stdout } = await stage.tool("ps", ["-axo", "pid=,ppid="], FROM);
  const pairs = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [process.pid];
  for (const one of found) for (const [pid, parent] of pairs) if (parent === one && pid) found.push(pid);
  return found.slice(1);
}
