/** One program in one pane of a tmux server of its own: nothing of the user's tmux is read, asked or ended. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { shellFor } from "../../launch.ts";
import type { Program, Stage } from "../stage.ts";
import { hasFlag } from "./echo.ts";
import type { Size } from "./scenario.ts";

const FROM = "apt-get install tmux (or brew install tmux)";
/** Every system knows it, and every tmux speaks it. */
const TERM = "screen-256color";
const SETTINGS = `set -gq default-terminal ${TERM}
set -gq status off
set -gq history-limit 20000
set -gq remain-on-exit on
set -gq remain-on-exit-format ''
`;
/** A socket's path has room for about 100 bytes (104 on macOS, with the zero at its end). */
const LONGEST_SOCKET = 100;
/** What tells where a program runs: with any of them it would draw something else. */
const NOT_HERE = "TMUX TMUX_PANE TERM_PROGRAM TERM_PROGRAM_VERSION COLORTERM COLUMNS LINES TERMCAP";
/**
 * Stands around the program: tmux may close a terminal before it read the last words in it, if the end comes right after
 * them. Signals from the keyboard are the program's; being caught here, they are as ever for it.
 */
const AROUND = `unset ${NOT_HERE}
trap : INT QUIT
"$@"
ended=$?
sleep 0.1 || sleep 1
exit $ended
`;
const FORBIDDEN = /operation not permitted|permission denied|read-only file system/i;
/** Until tmux knows how a program ended whose terminal it saw closing. */
const STATUS_MS = 1000;
const STATUS_POLL_MS = 20;

type Ended = NonNullable<ReturnType<Program["ended"]>>;

/** What is there to be seen at one moment. */
export interface Screen {
  /** As they stand there, without the space at their ends. */
  readonly rows: readonly string[];
  /** The same with wrapped rows joined to one. */
  readonly lines: readonly string[];
  readonly cursorRow: number;
  readonly ended: Ended | null;
}

export class Pane {
  private constructor(
    private readonly stage: Stage,
    private readonly server: readonly string[],
    private readonly session: string,
  ) {}

  /** Starts the program in a terminal of this size. @throws Stop blocked without tmux, inconclusive where a sandbox forbids it */
  static async open(stage: Stage, size: Size): Promise<Pane> {
    const { run } = stage.job.check;
    const version = await stage.tool("tmux", ["-V"], FROM);
    // Its name is short, for the sake of the socket's path.
    const folder = process.env.TMPDIR ?? stage.job.out;
    const socket = join(folder, "s");
    if (Buffer.byteLength(socket) > LONGEST_SOCKET)
      stage.blocked(
        `the path of tmux's socket would be too long (${socket}): set TMPDIR to a shorter folder`,
      );
    const settings = join(folder, "tmux.conf");
    const around = join(folder, "around.sh");
    writeFileSync(settings, SETTINGS);
    writeFileSync(around, AROUND);
    const session = `ulw-qa-${(stage.job.name ?? "check").replace(/[^\w-]/g, "_")}`;
    const pane = new Pane(stage, ["-S", socket, "-f", settings, "-u"], session);
    stage.step(
      `${version.stdout.trim()}, session ${session}, ${size.columns}x${size.rows}, TERM=${TERM}: ${typeof run === "string" ? run : run.join(" ")}`,
    );
    const argv = typeof run === "string" ? shellFor(run) : run;
    await pane.ask(
      [
        [
          ...["new-session", "-d", "-s", session, "-x", String(size.columns), "-y", String(size.rows)],
          ...["/bin/sh", around, ...argv],
        ],
      ],
      wideCharacters(),
    );
    return pane;
  }

  async look(): Promise<Screen> {
    const mark = "=".repeat(20);
    const fields = "#{pane_dead}|#{pane_dead_status}|#{pane_dead_signal}|#{cursor_y}";
    for (const since = performance.now(); ; ) {
      const text = await this.ask([
        this.at("display-message", "-p", fields),
        this.at("capture-pane", "-p"),
        this.at("display-message", "-p", mark),
        this.at("capture-pane", "-p", "-J"),
      ]);
      const [head = "", ...shown] = text.split("\n");
      const [dead = "", status = "", signal = "", cursor = ""] = head.split("|");
      const half = shown.indexOf(mark);
      const ended =
        dead === "1"
          ? { exit: status === "" ? null : Number(status), signal: signal || null, error: null }
          : null;
      const known = ended === null || ended.exit !== null || ended.signal !== null;
      if (!known && performance.now() - since < STATUS_MS) {
        // tmux misses the end of one child in a dozen; the end of another one makes it look for all of them.
        await this.ask([["run-shell", ":"]]);
        await sleep(STATUS_POLL_MS);
        continue;
      }
      const trimmed = (rows: readonly string[]): readonly string[] => {
        const all = rows.map((row) => row.trimEnd());
        return ended === null ? all : withoutNotice(all);
      };
      return {
        rows: trimmed(shown.slice(0, half)),
        lines: trimmed(shown.slice(half + 1)),
        cursorRow: Number(cursor),
        ended: known ? ended : { exit: null, signal: "unknown", error: null },
      };
    }
  }

  /** Types a text and presses keys, in one go. */
  async send(text: string | null, keys: readonly string[]): Promise<void> {
    const commands = [
      ...(text === null ? [] : [this.at("send-keys", "-l", "--", text)]),
      ...(keys.length === 0 ? [] : [this.at("send-keys", "--", ...keys)]),
    ];
    if (commands.length > 0) await this.ask(commands);
  }

  async resize({ columns, rows }: Size): Promise<void> {
    await this.ask([this.at("resize-window", "-x", String(columns), "-y", String(rows))]);
  }

  /**
   * Whether the terminal shows what is typed, and keeps it from the program until the line is sent. Both are as a terminal is
   * at its start; a program that draws by itself switches them off.
   */
  async terminal(): Promise<{ readonly echoes: boolean; readonly byLine: boolean }> {
    const tty = (await this.ask([this.at("display-message", "-p", "#{pane_tty}")])).trim();
    const { exit, stdout } = await this.stage.tool("/bin/sh", ["-c", 'stty -a < "$0"', tty], "");
    // Unknown is taken for the worse: an echo is no answer.
    if (exit !== 0) return { echoes: true, byLine: true };
    return { echoes: hasFlag(stdout, "echo"), byLine: hasFlag(stdout, "icanon") };
  }

  /** Everything that the pane holds, from its first line to its last. @param how further words for tmux, `-e` for colours */
  whole(...how: readonly string[]): Promise<string> {
    return this.ask([this.at("capture-pane", "-p", ...how, "-S", "-", "-E", "-")]);
  }

  /** The screen that lies under a full-screen program's; null when there is none. */
  async under(): Promise<string | null> {
    const on = (await this.ask([this.at("display-message", "-p", "#{alternate_on}")])).trim() === "1";
    return on ? this.ask([this.at("capture-pane", "-p", "-a")]) : null;
  }

  /** Ends server and program. Where somebody is left who ends and names what this run started, that is left to them. */
  async close(): Promise<void> {
    await this.stage.tool("tmux", [...this.server, "kill-server"], FROM);
  }

  /** The words of a command, aimed at this pane. */
  private at(command: string, ...words: readonly string[]): readonly string[] {
    return [command, "-t", `=${this.session}:`, ...words];
  }

  /** Has commands done one after the other. */
  private async ask(
    commands: readonly (readonly string[])[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const words = commands.flatMap((one, at) => [...(at === 0 ? [] : [";"]), ...one.map(literal)]);
    const { exit, stdout, stderr } = await this.stage.tool("tmux", [...this.server, ...words], FROM, env);
    if (exit === 0) return stdout;
    const said = stderr.trim().split("\n").at(-1) ?? "";
    if (this.stage.sandboxed || FORBIDDEN.test(said))
      this.stage.inconclusive(
        `tmux needs a socket and a terminal of its own here (${said || `exit ${exit}`})`,
      );
    return this.stage.blocked(`tmux did not do as it was told (${said || `exit ${exit}`}): ${words[0]}`);
  }
}

/** tmux ends a command at a word that ends in a semicolon. */
const literal = (word: string): string => word.replace(/;$/, "\\;");

/** Before 3.3 tmux writes it into the pane, whatever the settings say. */
const withoutNotice = (rows: readonly string[]): readonly string[] => {
  const at = rows.findLastIndex((row) => row !== "");
  return /^Pane is dead(?: \(.*\))?$/.test(rows[at] ?? "") ? rows.toSpliced(at, 1, "") : rows;
};

/** A terminal's characters are UTF-8, also where the tool runs without a language; a language that is set is kept. */
function wideCharacters(): Readonly<Record<string, string>> {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  const given = LC_ALL || LC_CTYPE || LANG || "";
  return LC_ALL || /utf-?8/i.test(given)
    ? {}
    : { LC_CTYPE: process.platform === "darwin" ? "UTF-8" : "C.UTF-8" };
}
