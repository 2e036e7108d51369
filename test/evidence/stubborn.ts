/** Twenty programs that do not want to end, started by one command; and how to see who of them is still there. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Each line starts one of them; each writes `up/<name>` once it is what it is meant to be. `B` has copies of what they run. */
const PROGRAMS: Readonly<Record<string, string>> = {
  setsid: `setsid B/sh -c 'touch up/setsid; while :; do B/sleep 1000; done' &`,
  nohup: `nohup B/sh -c 'touch up/nohup; B/sleep 1001' >/dev/null 2>&1 &`,
  deaf: `B/sh -c 'trap "" TERM INT HUP; touch up/deaf; while :; do B/sleep 0.1; done' &`,
  // The end of its parent is what makes it somebody else's child.
  orphan: `(B/sh -c 'touch up/orphan; B/sleep 1002' &)`,
  doublefork: `B/perl daemon.pl doublefork &`,
  title: `B/perl -e '$0 = "x" x 4000; open F, ">", "up/title"; sleep 1000 while 1' &`,
  emptied: `env -i setsid B/sh -c 'touch up/emptied; B/sleep 1003' &`,
  // All of it at once: nothing inherited but what cannot be thrown away.
  ghost: `env -i B/perl daemon.pl ghost &`,
  hopper: `B/perl -e 'open F, ">", "up/hopper"; close F; while (1) { exit if fork; select undef, undef, undef, 0.001 }' &`,
  sessions: `env -i B/perl -MPOSIX -e 'open F, ">", "up/sessions"; close F; while (1) { exit if fork; setsid(); select undef, undef, undef, 0.02 }' &`,
  server: `B/perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; open F, ">", "up/server"; close F; 1 while $s->accept' &`,
  tmux: `B/tmux -S tmux.sock -f /dev/null new-session -d "B/sh -c 'touch up/tmux; B/sleep 1004'"`,
  stopped: `B/sh -c 'touch up/stopped; kill -STOP $$; B/sleep 1005' &`,
  terminal: `setsid B/script -qfc "B/sh -c 'trap \\"\\" HUP; touch up/terminal; B/sleep 1006'" /dev/null </dev/null >/dev/null 2>&1 &`,
  restarts: `B/sh -c 'trap "" TERM; while :; do B/sh -c "trap : TERM; touch up/restarts; B/sleep 1007"; done' &`,
  fifo: `mkfifo pipe; B/sh -c 'touch up/fifo; exec B/cat < pipe' &`,
  nowhere: `mkdir gone; (cd gone; B/sh -c 'rmdir ../gone; touch ../up/nowhere; exec B/sleep 1008' &)`,
  node: `setsid node stubborn.cjs &`,
  python: `python3 stubborn.py &`,
  pair: `B/perl pair.pl &`,
};
export const NAMES = Object.keys(PROGRAMS);

const FILES: Readonly<Record<string, string>> = {
  "daemon.pl": `use POSIX; my $name = shift; my $up = POSIX::getcwd() . "/up/$name";
exit if fork; setsid(); exit if fork; chdir "/"; POSIX::close($_) for 0 .. 63;
open F, ">", $up; close F; $SIG{TERM} = $SIG{HUP} = $SIG{INT} = "IGNORE"; sleep 1000 while 1;
`,
  // Each starts the other anew.
  "pair.pl": `$SIG{TERM} = "IGNORE"; open F, ">", "up/pair"; close F;
while (1) { my $other = fork; if ($other) { waitpid $other, 0 } else { my $parent = getppid; select(undef, undef, undef, 0.01) while getppid == $parent } }
`,
  "stubborn.cjs": `const { spawn } = require("node:child_process");
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
spawn("./bin/sleep", ["1009"], { detached: true, stdio: "ignore", env: {} }).unref();
require("node:fs").writeFileSync("up/node", ""); setInterval(() => {}, 1000);
`,
  "stubborn.py": `import os, signal, time
if os.fork(): os._exit(0)
os.setsid()
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(one, signal.SIG_IGN)
os.environ.clear()
open("up/python", "w").close()
while True: time.sleep(1000)
`,
};

/** Writes the programs into a folder. @returns the command that starts them all, and ends when all of them are there */
export function stubborn(folder: string): string {
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "up"));
  for (const name of ["sh", "sleep", "perl", "tmux", "script", "cat"]) {
    const path = Bun.which(name);
    if (path === null) throw new Error(`${name} is needed`);
    copyFileSync(realpathSync(path), join(folder, "bin", name));
    chmodSync(join(folder, "bin", name), 0o755);
  }
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const lines = Object.values(PROGRAMS).map((line) => line.replaceAll("B/", `${join(folder, "bin")}/`));
  writeFileSync(
    join(folder, "start.sh"),
    `${lines.join("\n")}\nn=0; while [ $(ls up | wc -l) -lt ${lines.length} ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done\n`,
  );
  return "sh ./start.sh; ls up | wc -l";
}

/** Command lines of all processes that have to do with a folder: by what they run, where they are, what they were given. */
export function thereIn(folder: string): readonly string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const state = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1];
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
      const text = [line, link(pid, "exe"), link(pid, "cwd")].join(" ");
      return state !== "Z" && state !== "X" && text.includes(folder) ? [`${pid} ${line.slice(0, 100)}`] : [];
    } catch {
      return [];
    }
  });
}

function link(pid: string, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return "";
  }
}
