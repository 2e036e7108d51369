/** What a run's processes took: CPU time, exact, by a small program that waits for them; the peak of their memory. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { getSystemErrorName } from "node:util";
import { resolveProgram } from "./environment.ts";
import type { Ended } from "./launch.ts";
import { watchPeak } from "./peak.ts";

/** What a run took. A member is null where the platform cannot tell. */
export interface Usage {
  /**
   * User and system time of the program and of all its descendants that were waited for, in milliseconds. Exact to a
   * microsecond where there is Perl, else to what the shell prints: 1 ms (Bash) or 10 ms each of user and system time.
   */
  readonly cpuMs: number | null;
  /** The most that all processes held in memory at one time, in bytes. Linux only. */
  readonly peakBytes: number | null;
}

/** A run's meter, made before the run is started. */
interface Meter {
  /** What to start in the program's place. */
  readonly argv: readonly string[];
  /** Folder that it writes to, which a sandbox has to leave open. */
  readonly folder: string;
  /** To be called as soon as the run's first process is there. */
  begin(leader: number): void;
  /**
   * To be called once, when the first process has ended. @returns how the program itself ended; what it took; its time from
   * start to end in milliseconds, without the meter's own, where that is known
   */
  finish(ended: Ended): { readonly ended: Ended; readonly usage: Usage; readonly wallMs: number | null };
}

/**
 * Puts itself between a run and its program: starts it, passes no signal on (the group has them all), waits for it alone,
 * and writes the raw wait status, what `getrusage` says of its children, and the time from before to after. It leaves the
 * environment as it was. What cannot be started is written as its errno. It loads no module: that would take longer than
 * all the rest.
 */
const PERL = `my ($report, $getrusage, $form, $clock, $quiet, @argv) = @ARGV;
delete $ENV{PERL_BADLANG} if $quiet;
open(my $to, '>', $report) or exec { $argv[0] } @argv or exit 127;
sub now { my $t = "\\0" x 16; return $clock && eval { syscall($clock + 0, 1, $t) } == 0 ? unpack('q2', $t) : (0, 0) }
my @signals = grep { ($SIG{$_} || '') ne 'IGNORE' } qw(HUP INT QUIT TERM USR1 USR2);
$SIG{$_} = sub {} for @signals;
my @began = now();
my $pid = fork;
exit 127 if !defined $pid;
if (!$pid) {
  $SIG{$_} = 'DEFAULT' for @signals;
  exec { $argv[0] } @argv;
  syswrite $to, 'errno ' . ($! + 0) . "\\n";
  exit 127;
}
waitpid $pid, 0;
my $status = $?;
my @ended = now();
my $use = "\\0" x 256;
my @use = $getrusage && eval { syscall($getrusage + 0, -1, $use) } == 0 ? unpack($form, $use) : ();
if (!@use) { my (undef, undef, $user, $system) = times; @use = ($user, 0, $system, 0, 0) }
my $wall = ($ended[0] - $began[0]) * 1e3 + ($ended[1] - $began[1]) / 1e6;
my $cpu = ($use[0] + $use[2]) * 1e3 + ($use[1] + $use[3]) / 1e3;
syswrite $to, "status $status\\ncpu $cpu\\nlargest $use[4]\\nwall $wall\\n";
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);`;

/** The same with what every system has. `times` says in its second line what the children took. */
const SHELL = `report=$1; shift; trap : HUP INT QUIT TERM USR1 USR2
"$@"; status=$?
{ echo "shell $status"; times; } > "$report"
exit $status`;

/** Numbers of system calls: `getrusage` (and how its answer is laid out), `clock_gettime`. Where none is known, coarser ones do. */
const CALLS: Readonly<Record<string, readonly [number, string, number]>> = {
  "linux x64": [98, "q5", 228],
  "linux arm64": [165, "q5", 113],
  "linux riscv64": [165, "q5", 113],
  "darwin x64": [117, "q l x4 q l x4 q", 0],
  "darwin arm64": [117, "q l x4 q l x4 q", 0],
};

/** Fixed places: a program that a repository brings along is not asked. */
const PERL_PATH = "/usr/bin/perl";
const SHELL_PATHS = ["/bin/bash", "/bin/sh"];

/**
 * The kernel counts the memory of the process that started a program as the program's, and that is the meter. Below this,
 * only what was seen by looking is told.
 */
const METER_BYTES = 16 * 1024 * 1024;

/**
 * Makes a run's meter. On Windows it measures nothing.
 * @param argv the program as it would be started without
 * @param env of the run; is changed so that Perl starts silently, which the program does not see
 * @param temp an existing private folder, outside what the program takes for its own
 * @param perl where Perl is looked for; without it a shell measures, more coarsely
 */
export function makeMeter(
  argv: readonly string[],
  env: Record<string, string>,
  cwd: string,
  temp: string,
  perl: string = PERL_PATH,
): Meter {
  const folder = join(temp, "u");
  mkdirSync(folder, { mode: 0o700 });
  const report = join(folder, "usage");
  const watch = watchPeak(report);
  return {
    argv: metered(argv, env, cwd, report, perl),
    folder,
    begin: (leader) => watch?.begin(leader),
    finish(ended) {
      const seen = watch?.end() ?? null;
      const said = readReport(report);
      const largest = watch === null ? 0 : said.largestBytes;
      const peakBytes =
        seen === null ? largest || null : largest > METER_BYTES ? Math.max(seen, largest) : seen;
      return { ended: said.ended ?? ended, usage: { cpuMs: said.cpuMs, peakBytes }, wallMs: said.wallMs };
    },
  };
}

function metered(
  argv: readonly string[],
  env: Record<string, string>,
  cwd: string,
  report: string,
  perl: string,
): readonly string[] {
  if (process.platform === "win32") return argv;
  if (existsSync(perl)) {
    const [getrusage, form, clock] = CALLS[`${process.platform} ${process.arch}`] ?? [0, "", 0];
    // A locale that is not installed makes Perl complain on the program's standard error.
    const quiet = env.PERL_BADLANG === undefined;
    if (quiet) env.PERL_BADLANG = "0";
    const settings = [report, getrusage, form, clock, quiet ? 1 : 0].map(String);
    return [perl, "-f", "-e", PERL, ...settings, ...argv];
  }
  const shell = SHELL_PATHS.find((path) => existsSync(path));
  // A shell would tell of a missing program in its own words; started by itself it is told as ever. By its path, since the
  // shell has commands of its own by some programs' names.
  const program = resolveProgram(argv[0] ?? "", env.PATH ?? "", cwd);
  return shell === undefined || program === null
    ? argv
    : [shell, "-c", SHELL, "sh", report, program, ...argv.slice(1)];
}

interface Report {
  /** Null: the meter did not come to say it. */
  readonly ended: Ended | null;
  readonly cpuMs: number | null;
  /** Of the largest single process; 0 where it is not told. */
  readonly largestBytes: number;
  readonly wallMs: number | null;
}

function readReport(path: string): Report {
  const text = existsSync(path) ? readFileSync(path, "latin1") : "";
  const number = (name: string): number | null => {
    const [, digits] = new RegExp(`^${name} (\\d[\\d.e+-]*)$`, "m").exec(text) ?? [];
    return digits === undefined ? null : Number(digits);
  };
  const errno = number("errno");
  if (errno !== null) {
    const spawnError = getSystemErrorName(-errno);
    return { ended: { exit: null, signal: null, spawnError }, cpuMs: null, largestBytes: 0, wallMs: null };
  }
  const status = number("status");
  const wallMs = number("wall");
  return {
    ended: status !== null ? endedBy(status >> 8, status & 127) : shellEnded(number("shell")),
    cpuMs: number("cpu") ?? childTimes(text),
    largestBytes: (number("largest") ?? 0) * 1024,
    wallMs: wallMs === null || wallMs <= 0 ? null : wallMs,
  };
}

/** A shell says 128 and the number both of a death by a signal and of such an exit; the first is what is taken. */
function shellEnded(status: number | null): Ended | null {
  if (status === null) return null;
  return signalName(status - 128) === null ? endedBy(status, 0) : endedBy(0, status - 128);
}

function endedBy(exit: number, signal: number): Ended {
  return signal === 0
    ? { exit, signal: null, spawnError: null }
    : { exit: null, signal: signalName(signal) ?? `signal ${signal}`, spawnError: null };
}

function signalName(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}

/** `0m0.012s 0m0.003s`, the last line of what `times` prints; some shells print a comma for the point. */
function childTimes(text: string): number | null {
  const [, userMin, user = "", systemMin, system = ""] =
    /^(\d+)m([\d.,]+)s (\d+)m([\d.,]+)s\s*$/.exec(text.trimEnd().split("\n").at(-1) ?? "") ?? [];
  if (userMin === undefined) return null;
  const seconds = (digits: string): number => Number(digits.replace(",", "."));
  return (Number(userMin) + Number(systemMin)) * 60_000 + (seconds(user) + seconds(system)) * 1000;
}
