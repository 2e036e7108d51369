/** A small desktop program in Tk, and screens beside the run's own. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Null: everything that is needed is there. */
export const MISSING =
  process.platform !== "linux"
    ? "an X server is started on Linux"
    : (["Xvfb", "xdotool", "xclip", "wish"].find((name) => Bun.which(name) === null) ?? null);

/** A list of things to do: Return adds one, Control-s saves them, Control-q ends it. */
export const TODO = `wm title . "Todo"
entry .new -width 40
listbox .list -height 8
button .clear -text Clear -command { .list delete 0 end; wm title . "Todo: empty" }
pack .new .list .clear -fill both -expand 1
focus .new
bind . <Return> {
  .list insert end [.new get]
  .new delete 0 end
  wm title . "Todo: [.list size] open"
}
bind . <Control-s> {
  puts "saved [.list size]"; flush stdout
  toplevel .done; wm title .done "Saved"; pack [label .done.text -text "All saved."]
  after 400 { destroy .done }
}
bind . <Control-q> { exit 3 }
`;

/** Another screen with a window on it: the user's own. @returns its display, and how to end it */
export async function otherScreen(title: string): Promise<{ display: string; end(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "screen-"));
  const number = join(folder, "n");
  const to = openSync(number, "a");
  const server = spawn(
    "Xvfb",
    ["-displayfd", "3", "-screen", "0", "320x240x24", "-nolisten", "tcp", "-noreset"],
    {
      stdio: ["ignore", "ignore", "ignore", to],
    },
  );
  closeSync(to);
  const said = (): string => (existsSync(number) ? readFileSync(number, "utf8").trim() : "");
  for (let tries = 0; tries < 400 && said() === ""; tries++) await Bun.sleep(25);
  const display = `:${said()}`;
  const program = spawn("wish", ["-"], {
    env: { ...process.env, DISPLAY: display },
    stdio: ["pipe", "ignore", "ignore"],
  });
  program.stdin?.write(`wm title . "${title}"\n`);
  return {
    display,
    end() {
      program.kill("SIGKILL");
      server.kill("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
