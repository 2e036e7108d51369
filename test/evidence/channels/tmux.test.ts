/** Channel tmux with real programs in a real tmux: what is typed, what is judged, what is kept and ended, and what a plan may say. */
import { expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../../../components/errors.ts";
import { onlyEchoed, typedLines } from "../../../components/evidence/channels/tmux/echo.ts";
import { describeCheck } from "../../../components/evidence/channels/words.ts";
import { makeWorld } from "../../helpers/world.ts";
import { ask } from "../../hosts/ask.ts";
import { testUnless } from "../../hosts/host-test.ts";
import { tmuxMissing } from "../../hosts/tmux.ts";
import { removeFoldersAfterwards, tempFolder } from "../repo.ts";
import { checkOf, exampleOf, play, playIn } from "./play.ts";

removeFoldersAfterwards();
const PROGRAM = process.env.PROOFGATE_PROGRAM ?? join(import.meta.dir, "../../../dist/proofgate.js");
const missing = await tmuxMissing();
const tmuxTest = testUnless(missing);

/** A to-do list that draws its whole screen, as most such programs do. */
const TODO = {
  "todo.js": `
process.stdin.setRawMode(true);
const items = [];
let line = "";
const draw = () =>
  process.stdout.write("\\x1b[?1049h\\x1b[2J\\x1b[H\\x1b[31mTodos (" + items.length + ")\\x1b[0m\\r\\n" +
    items.map((item) => "- " + item + "\\r\\n").join("") + process.stdout.columns + " columns\\r\\n> " + line);
process.stdin.on("data", (data) => {
  for (const char of data.toString()) {
    if (char === "\\x03") {
      process.stdout.write("\\x1b[?1049lBye\\r\\n");
      process.exit(items.length);
    } else if (char === "!") process.exit(7);
    // Comes when the rest has been seen already.
    else if (char === "e") setTimeout(() => process.stdout.write("disk full"), 130);
    else if (char === "\\r") {
      items.push(line);
      line = "";
    } else line += char;
  }
  draw();
});
process.stdout.on("resize", draw);
console.log("under the list");
draw();
`,
};
const start = "start: node todo.js";
const ready = '{ see: "Todos (0)" }';

tmuxTest(
  "what is typed and pressed changes a screen, which is judged; the whole pane is the evidence",
  async () => {
    const { verdict, log, run } = await play(
      "tmux",
      `{ ${start}, steps: [
      { see: ["Todos (0)", /^100 columns$/m] },
      { type: "mîlk; a 'b' #{pid};", see: "> mîlk; a 'b' #{pid};" },
      { keys: Enter, see: ['/^- mîlk; a .b. #\\{pid\\};$/m', "Todos (1)"], not: ["Todos (0)", /error/i] },
      { resize: 60x20, see: 60 columns },
      { keys: [x, Space, ";", y, Enter], see: "- x ;y" } ] }`,
      TODO,
    );
    expect(verdict).toEqual({ kind: "met" });
    expect(log).toMatch(/session ulw-qa-check, 100x30, TERM=screen-256color: node todo\.js/);
    expect(log).toMatch(
      /the whole pane[\s\S]*Todos \(2\)\n- mîlk; a 'b' #\{pid\};\n- x ;y\n[\s\S]*the screen under it[\s\S]*under the list/,
    );
    const [picture = ""] = run.captured;
    expect(basename(picture)).toBe("pane.ansi");
    expect(readFileSync(picture, "utf8")).toContain("\x1b[31mTodos (2)");
    // Server and program are ended with the run, and the receipt names them.
    expect(run.ended.join("\n")).toMatch(/^tmux -S \S+ .*new-session -d -s ulw-qa-check/m);
    expect(run.ended.join("\n")).toMatch(/^node todo\.js$/m);
    expect(run.alive).toEqual([]);
    expect(run.programs.map(({ name }) => name)).toEqual(["node"]);
  },
);

tmuxTest(
  "what does not hold is told with what was wanted and what the screen showed",
  async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [
        `steps: [${ready}, { see: Todoes, within: 300ms }]`,
        "step 2: see",
        /^Todos \(0\) \| 100 columns \| >$/,
      ],
      ["see: Todos, not: /column/, within: 2s", "see", /100 columns/],
      [`steps: [${ready}, { type: milk, see: "- milk", within: 300ms }]`, "step 2: see", /> milk$/],
      [`steps: [${ready}, { keys: e, see: Todos, not: disk full, within: 1s }]`, "step 2: see", /disk full/],
      [`steps: [${ready}, { type: "!", see: "- !" }]`, "step 2: see", /^it ended with exit 7/],
      [`steps: [${ready}, { keys: C-c }, { see: Bye }]`, "still up", /^it ended with exit 0$/],
      [
        `steps: [${ready}, { keys: [a, Enter, C-c], see: Bye }, { keys: Enter, see: Todos }], ends: 1`,
        "step 3",
        /exit 1/,
      ],
      [`steps: [${ready}, { keys: C-c }], ends: 3`, "ends", /^exit 0$/],
      ["see: Todos, ends: 0, timeout: 6s", "ends", /^it still runs$/],
    ];
    const seen = await Promise.all(cases.map(([check]) => play("tmux", `{ ${start}, ${check} }`, TODO)));
    for (const [index, [, expectation, got]] of cases.entries()) {
      const verdict = seen[index]?.verdict;
      expect(verdict).toMatchObject({ kind: "unmet", expectation: expect.stringContaining(expectation) });
      expect(verdict?.kind === "unmet" ? verdict.got : "").toMatch(got);
      // However it ended, the pane is kept.
      expect(seen[index]?.run.captured.map((file) => basename(file))).toEqual(["pane.ansi"]);
    }
    expect(seen[2]?.log).toMatch(
      /--- the screen\n\| Todos \(0\)\n\| 100 columns\n\| > milk\n\nNOT MET {2}step 2: see: wanted - milk/,
    );
  },
  60_000,
);

tmuxTest(
  "an end is told by its status, every time",
  async () => {
    const ends = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        play("tmux", `{ start: "cat greeting; sleep 0.0${index}; exit 3", see: hello, ends: 3 }`, {
          greeting: "hello\n",
        }),
      ),
    );
    expect(ends.map(({ verdict }) => verdict.kind)).toEqual(ends.map(() => "met"));
    const killed = await play("tmux", '{ start: "cat greeting; kill -9 $$", see: hello, ends: 0 }', {
      greeting: "hello\n",
    });
    expect(killed.verdict).toMatchObject({
      kind: "unmet",
      expectation: "ends",
      got: "exit 137",
    });
  },
  60_000,
);

tmuxTest("a program that is not there says nothing about the tree, one that falls over does", async () => {
  const [script, program, words, broken] = await Promise.all([
    play(
      "tmux",
      "{ start: node a/rather/long/path/to/something/that/is/nowhere/to/be/found/in/any/of/our/folders/nowhere.js, see: hello }",
    ),
    play("tmux", "{ start: no-such-program, see: hello }"),
    play("tmux", "{ start: [no-such-program], see: hello }"),
    play("tmux", "{ start: [node, broken.js], see: hello }", {
      "broken.js": "throw new Error('no database')",
    }),
  ]);
  expect(script.verdict).toMatchObject({
    kind: "not_run",
    reason: expect.stringContaining("nowhere.js: no such script"),
  });
  for (const { verdict } of [program, words])
    expect(verdict).toEqual({ kind: "not_run", reason: "no-such-program: command not found" });
  expect(broken.verdict).toMatchObject({
    kind: "unmet",
    expectation: "see",
    got: expect.stringContaining("exit 1"),
  });
});

tmuxTest("the terminal is the same wherever the tool runs", async () => {
  const around = {
    TERM: "dumb",
    COLUMNS: "40",
    LINES: "5",
    TMUX: "/nowhere/default,1,0",
    COLORTERM: "truecolor",
    LANG: "",
    LC_ALL: "",
  };
  const { verdict } = await play(
    "tmux",
    `{ start: sh show.sh, size: 71x9, see: ["9 71 screen-256color none none none none", /^ä$/m], ends: 0 }`,
    // The last line is one character only where characters are UTF-8.
    {
      "show.sh":
        'echo "$(stty size) $TERM $' +
        "{TMUX-none} $" +
        "{COLUMNS-none} $" +
        "{COLORTERM-none} $" +
        `{TERM_PROGRAM-none}"; printf 'ä\\n'; python3 -c 'import locale; locale.setlocale(locale.LC_ALL, ""); print("aä"[1:].encode(locale.nl_langinfo(locale.CODESET)).decode())'`,
    },
    { ...process.env, ...around },
  );
  expect(verdict).toEqual({ kind: "met" });
});

/** Reads lines, which its terminal echoes. */
const SHELL = {
  "greet.sh": 'printf "Name? "\nread -r name\necho "Hello $name"\nsleep 60\n',
  "hang.sh": 'printf "Name? "\nread -r name\nsleep 60\n',
  "again.sh":
    'while :; do clear; cat list 2>/dev/null; printf "%s" "> "; read -r item || exit; echo "- $item" >> list; done\n',
};

tmuxTest(
  "what only the terminal echoes is no answer, and what a program says of it is",
  async () => {
    const typed = "{ see: Name? }, { type: Ada, see: Name? Ada }, { keys: Enter }";
    const cases: readonly (readonly [string, string, boolean])[] = [
      ["greet.sh", `[${typed}, { see: Hello Ada }]`, true],
      // A pattern may span the echo and the answer.
      ["greet.sh", `[${typed}, { see: /Name\\? Ada\\s+Hello Ada/ }]`, true],
      ["greet.sh", `[${typed}, { see: Ada }]`, true],
      ["hang.sh", `[${typed}, { see: Ada, within: 300ms }]`, false],
      ["hang.sh", `[${typed}, { see: Name? Ada, within: 300ms }]`, false],
      [
        "hang.sh",
        "[{ see: 'Name? ' }, { keys: [A, d, x, BSpace, a, Enter], see: Ada, within: 300ms }]",
        false,
      ],
      // Nothing comes after it, so that it would stand for an answer.
      ["hang.sh", "[{ see: Name? }, { type: Ada, see: Ada, within: 300ms }]", false],
      // The screen is drawn anew, with the item where the prompt was.
      [
        "again.sh",
        '[{ see: ">" }, { type: buy milk, keys: Enter, see: buy milk }, { type: eggs, keys: Enter, see: eggs }]',
        true,
      ],
    ];
    const seen = await Promise.all(
      cases.map(([script, steps]) => play("tmux", `{ start: sh ${script}, steps: ${steps} }`, SHELL)),
    );
    for (const [index, [, , met]] of cases.entries()) {
      const verdict = seen[index]?.verdict;
      if (met) expect([index, verdict]).toEqual([index, { kind: "met" }]);
      else
        expect(verdict).toMatchObject({
          kind: "unmet",
          got: expect.stringContaining("nothing but the terminal's echo"),
        });
    }
  },
  60_000,
);

test("an echo is known by the row that it was typed into", () => {
  const line = (prefix: string | null, text: string) => ({ prefix, text, sent: true });
  const step = (type: string | null, ...keys: string[]) => ({
    resize: null,
    type,
    keys,
    see: [],
    not: [],
    withinMs: null,
  });
  expect(
    typedLines(step("ab", "c", "BSpace", "Space", "d", "Enter", "x", "C-u", "y")).map(({ text, sent }) => [
      text,
      sent,
    ]),
  ).toEqual([
    ["ab d", true],
    ["y", false],
  ]);
  expect(typedLines(step("ab", "C-c", "x", "C-a")).map(({ text, sent }) => [text, sent])).toEqual([
    ["ab^C", true],
    ["x^A", false],
  ]);
  expect(onlyEchoed("milk", ["> milk"], [line(">", "milk")])).toBe(true);
  expect(onlyEchoed("milk", ["> milk", "- milk"], [line(">", "milk")])).toBe(false);
  expect(onlyEchoed("milk", ["- milk"], [line(">", "milk")])).toBe(false);
  expect(onlyEchoed("milk", ["ready", "milk"], [line("", "milk")])).toBe(true);
  expect(onlyEchoed("milk", ["cut milk short"], [line(null, "milk")])).toBe(true);
  expect(onlyEchoed("ready", ["ready", "milk"], [line("", "milk")])).toBe(false);
  expect(onlyEchoed("milk ", ["> milk"], [line(">", "milk")])).toBe(true);
  expect(onlyEchoed("/a.b/", ["$ a.b"], [line("$", "a.b")])).toBe(true);
});

tmuxTest(
  "the user's own tmux is neither asked nor ended",
  async () => {
    const folder = tempFolder();
    const env = { ...process.env, TMUX_TMPDIR: folder };
    const own = (...words: readonly string[]) =>
      ask("tmux", ["-f", "/dev/null", ...words], folder, 10_000, env);
    expect((await own("new-session", "-d", "-s", "ulw-qa-check", "sleep", "600")).exit).toBe(0);
    try {
      const form = "#{pid} #{session_name} #{pane_pid} #{pane_dead}";
      const before = await own("list-panes", "-a", "-F", form);
      const tmux = `${(await own("display-message", "-p", "#{socket_path}")).text.trim()},1,0`;
      const { verdict, run } = await play(
        "tmux",
        // The program under test uses tmux itself, and ends what it takes for its server.
        `{ start: "sh own.sh", see: done }`,
        {
          "own.sh":
            "tmux new-session -d -s mine sleep 900; tmux kill-server\nuntil tmux new-session -d -s mine sleep 901; do sleep 0.1; done\necho done; sleep 60\n",
        },
        { ...env, TMUX: tmux, TMUX_PANE: "%0" },
      );
      expect(verdict).toEqual({ kind: "met" });
      expect(run.ended.join("\n")).toContain("sleep 901");
      expect(await own("list-panes", "-a", "-F", form)).toEqual(before);
    } finally {
      await own("kill-server");
    }
  },
  30_000,
);

test("a tmux that is missing is asked for, and one that a sandbox forbids says neither yes nor no", async () => {
  const empty = tempFolder();
  const absent = await play("tmux", "{ start: sleep 9, see: hello }", {}, { ...process.env, PATH: empty });
  expect(absent.verdict).toEqual({
    kind: "blocked",
    reason: "tmux is not installed: apt-get install tmux (or brew install tmux)",
  });
  const fake = async (says: string, env = {}): Promise<unknown> => {
    const bin = tempFolder();
    writeFileSync(
      join(bin, "tmux"),
      `#!/bin/sh\ncase "$1" in -V) echo tmux 3.3a;; *) echo '${says}' >&2; exit 1;; esac\n`,
    );
    chmodSync(join(bin, "tmux"), 0o755);
    return (await play("tmux", "{ start: sleep 9, see: hello }", {}, { ...process.env, PATH: bin, ...env }))
      .verdict;
  };
  for (const says of [
    "error creating /x/s (Operation not permitted)",
    "create window failed: fork failed: Permission denied",
  ])
    expect(await fake(says)).toEqual({
      kind: "inconclusive",
      reason: `sandbox: tmux needs a socket and a terminal of its own here (${says})`,
    });
  expect(await fake("no server running", { CODEX_SANDBOX_NETWORK_DISABLED: "1" })).toMatchObject({
    kind: "inconclusive",
  });
  expect(await fake("server exited unexpectedly")).toMatchObject({
    kind: "blocked",
    reason: expect.stringContaining("server exited unexpectedly"),
  });
});

tmuxTest("only the driver itself can say that everything was met", async () => {
  // A program that looks for the driver's report, writes a better one, and ends the driver. It knows it by the run's mark.
  const { verdict, run } = await play("tmux", "{ start: node liar.js, see: never, timeout: 10s }", {
    "liar.js": `
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
for (const pid of readdirSync("/proc").filter((name) => /^\\d+$/.test(name))) {
  try {
    if (!readFileSync("/proc/" + pid + "/environ", "utf8").includes(process.env.PROOFGATE_RUN)) continue;
    const job = readFileSync("/proc/" + pid + "/cmdline", "utf8").split("\\0").find((one) => one.endsWith("job.json"));
    if (job === undefined) continue;
    writeFileSync(join(dirname(job), "report.json"), JSON.stringify({ verdict: { kind: "met" }, files: [] }));
    process.kill(Number(pid), "SIGKILL");
  } catch {}
}
process.on("SIGHUP", () => {});
setInterval(() => {}, 1000);
`,
  });
  expect(verdict.kind).toBe("blocked");
  // Without the driver, too, nothing is left: not even what does not mind that its terminal is gone.
  expect(run.ended.join("\n")).toMatch(/^tmux /m);
  expect(run.ended.join("\n")).toMatch(/^node liar\.js$/m);
  expect(run.alive).toEqual([]);
});

const commandLines = (): readonly string[] =>
  readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")] : [];
    } catch {
      return [];
    }
  });

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (what()) return;
    await sleep(50);
  }
  throw new Error("it never came");
}

tmuxTest(
  "a criterion names its session and its evidence, and a proof that is broken off leaves no server",
  async () => {
    const world = await makeWorld({ "a.txt": "a\n" });
    // A number of seconds that nothing else sleeps.
    const nap = String(1000 + Math.floor(Math.random() * 1_000_000));
    world.write("show.sh", "cat a.txt; sleep 60\n");
    const made = await world.ask(
      ...["goal", "Show a", "--channel", "tmux", "--start", "sh show.sh", "--check", "{ see: /^a$/m }"],
    );
    expect([made.exit, made.out]).toEqual([0, made.out]);
    const proved = await world.ask("prove");
    expect(proved.json.results[0]).toMatchObject({ outcome: "pass", before: "not_run" });
    const evidence = join(world.root, ".omo/ulw-loop/evidence");
    expect(readFileSync(join(evidence, "G001-C001.ansi"), "utf8")).toMatch(/^a\n/);
    expect(readFileSync(join(evidence, "G001-C001.txt"), "utf8")).toContain(
      "session ulw-qa-G001-C001, 100x30",
    );

    world.write("show.sh", `sleep ${nap}\n`);
    const child = Bun.spawn(["node", PROGRAM, "prove"], {
      cwd: world.root,
      env: world.env,
      stdout: "ignore",
      stderr: "ignore",
    });
    await until(() => commandLines().some((line) => line.includes(`sleep ${nap}`)));
    const servers = (): readonly string[] =>
      commandLines().filter((line) => line.includes("new-session") && line.includes("sh show.sh"));
    const [server = ""] = servers();
    expect(server).toContain("-s ulw-qa-G001-C001 ");
    child.kill("SIGTERM");
    await child.exited;
    await until(() => !commandLines().some((line) => line.includes(nap) || line === server));
  },
  60_000,
);

test("a plan is told everything that is wrong with it", () => {
  const wrong = (check: string): string => {
    try {
      checkOf("tmux", check);
      return "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.problems.map(({ where, message }) => `${where}: ${message}`).join("\n");
    }
  };
  const at = "goals[0].criteria[0].check";
  const steps = (more: string): string => wrong(`{ ${start}, steps: [${ready}, ${more}] }`);
  expect(wrong("{ see: x1 }")).toContain(`${at}.start: is missing`);
  expect(wrong(`{ ${start} }`)).toContain("nothing is looked at: give see: a text, or steps");
  expect(wrong(`{ ${start}, see: Todos, steps: [${ready}] }`)).toContain("beside steps");
  expect(wrong(`{ ${start}, not: error }`)).toContain("nothing is expected on the screen");
  expect(wrong(`{ ${start}, see: Todos, sise: 10x3 }`)).toContain('unknown key "sise"; did you mean "size"?');
  expect(steps("{ tpye: x }")).toContain('unknown key "tpye"; did you mean "type"?');
  for (const size of ["80", "1x1", "9999x30"])
    expect(wrong(`{ ${start}, see: Todos, size: ${size} }`)).toMatch(
      /size: must be (?:a text|columns and rows like 100x30)/,
    );
  expect(steps("{ keys: enter, see: x1 }")).toBe("");
  expect(steps("{ keys: Entr, see: x1 }")).toContain(
    `${at}.steps[1].keys[0]: "Entr" is no key that tmux knows; they are called`,
  );
  for (const [given, meant] of [
    ["Return", "Enter"],
    ["Esc", "Escape"],
    ["Ctrl-C", "C-C"],
    ["ctrl+alt+x", "C-M-x"],
    ["Shift-Tab", "BTab"],
    ["ArrowDown", "Down"],
  ])
    expect(steps(`{ keys: [${given}] }`)).toContain(
      `"${given}" is no key that tmux knows; did you mean ${meant}?`,
    );
  expect(steps('{ type: "a\\nb" }')).toContain("printable characters only: give others as keys");
  expect(steps("{ within: 3s }")).toContain("has within, and nothing to wait for");
  expect(steps("{ }")).toContain("does nothing: give type, keys, resize, see or not");
  expect(steps("{ see: /(/ }")).toContain("not a regular expression");
  expect(wrong("{ run: node todo.js, see: x1 }")).toContain("belongs to channel cli or data");
});

test("a scenario that proves nothing is refused when the plan is made", () => {
  const refused = (check: string): string => {
    try {
      checkOf("tmux", check);
      return "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.problems.map(({ message }) => message).join("\n");
    }
  };
  const own = "stands in the start line or is typed";
  expect(refused("{ start: 'echo expected; sleep 100', see: expected }")).toContain(own);
  expect(
    refused(
      `{ start: "printf 'Todos'; cat", steps: [{ see: Todos }, { type: milk, keys: Enter, see: milk }] }`,
    ),
  ).toContain(own);
  expect(refused("{ start: [sh, -c, 'echo one two; cat'], see: /one t/ }")).toContain(own);
  for (const every of ["''", "/.*/", "/^/m", "/./", "/\\S/"])
    expect(refused(`{ ${start}, see: ${every} }`)).toMatch(/is met by every screen/);
  expect(refused(`{ ${start}, steps: [{ type: milk }, { see: "Todos (1)" }] }`)).toContain(
    "let the first step see",
  );
  // What most people write.
  expect(refused(`{ ${start}, steps: [${ready}, { type: milk, keys: Enter, see: milk }] }`)).toBe("");
  expect(refused("{ start: node greet.js Ada, see: Hello Ada }")).toBe("");
  expect(refused(`{ ${start}, steps: [{ resize: 60x20 }, ${ready}] }`)).toBe("");
});

test("boards tell a scenario in one line", () => {
  expect(describeCheck(checkOf("tmux", `{ ${start}, see: Todos }`))).toBe(
    "Todos on the screen of node todo.js",
  );
  expect(
    describeCheck(
      checkOf("tmux", `{ ${start}, steps: [${ready}, { type: a, keys: Enter, see: [b1, c1] }] }`),
    ),
  ).toBe("Todos (0) and 2 more on the screen of node todo.js");
});

/** What the docs' setup.sh may look like. */
const SETUP = `#!/bin/sh
set -e
exec 3>&1
db=$(dialog --title Setup --menu "Which database?" 12 40 2 postgres PostgreSQL sqlite SQLite 2>&1 >&3)
name=$(dialog --inputbox "Name of the database" 8 40 2>&1 >&3)
dialog --yesno "Create the SQLite database $name?" 8 50
clear
mkdir -p data && touch "data/$name.$db"
echo "SQLite database $name is ready"
`;
const dialogMissing =
  (await ask("dialog", ["--version"], "/", 10_000)).exit === 0 ? null : "no dialog: install it";

testUnless(missing ?? dialogMissing)(
  "the example of the docs works, with the program that it names",
  async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "setup.sh"), SETUP);
    const { verdict, log } = await playIn(folder, exampleOf("tmux"));
    expect([verdict, log.includes("┌")]).toEqual([{ kind: "met" }, true]);
    expect(readFileSync(join(folder, "data/shop.sqlite"), "utf8")).toBe("");
  },
);
