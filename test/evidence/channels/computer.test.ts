/** Channel computer with a real desktop program on a screen of its own: what is done, seen, kept, ended, and what a plan may say. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { Refusal } from "../../../components/errors.ts";
import { pictureOf } from "../../../components/evidence/channels/computer/picture.ts";
import { describeCheck } from "../../../components/evidence/channels/words.ts";
import { testUnless } from "../../hosts/host-test.ts";
import { removeFoldersAfterwards, tempFolder } from "../repo.ts";
import { MISSING, otherScreen, TODO } from "./desktop.ts";
import { checkOf, exampleOf, play, playIn } from "./play.ts";

removeFoldersAfterwards();

const testOnScreen = testUnless(MISSING === null ? null : `${MISSING} is missing`);
const FILES = { "todo.tcl": TODO };
const desktop = (steps: string, more = ""): ReturnType<typeof play> =>
  play("computer", `{ start: wish todo.tcl, size: 640x480, steps: ${steps}${more} }`, FILES);

testOnScreen(
  "keys and clicks are given to the window that is named, and what comes of them is looked at",
  async () => {
    const { verdict, log, run } = await desktop(`[
    { window: /^Todo$/ },
    { type: "buy milk", keys: [Return] },
    { window: "Todo: 1 open", type: "call Ada", keys: [ctrl+slash, ctrl+c], text: /^call Ada$/ },
    { keys: [Return, ctrl+s], prints: saved 2 },
    { window: Saved },
    { gone: Saved, within: 5s },
    { window: "Todo: 2 open", click: [60, 196] },
    { window: "Todo: empty" } ]`);
    expect([verdict, log]).toEqual([
      { kind: "met" },
      expect.stringContaining('window Todo: empty: "Todo: empty"'),
    ]);
    expect(log).toMatch(/screen :\d+, 640x480/);
    const [picture = ""] = run.captured;
    const png = readFileSync(picture);
    expect(png.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([640, 480]);
    // The program and its screen are ended with the run, and named.
    expect(run.ended.join("\n")).toMatch(/wish todo\.tcl[\s\S]*Xvfb|Xvfb[\s\S]*wish todo\.tcl/);
    expect(run.alive).toEqual([]);
  },
  60_000,
);

testOnScreen(
  "what does not hold is told with what was wanted and what was there, with a picture of it",
  async () => {
    const short = "within: 400ms";
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [`[{ window: Todo }, { window: Nowhere, ${short} }]`, "window", /^"Todo"$/],
      [`[{ window: Todo, keys: ctrl+s }, { gone: Todo, ${short} }]`, "gone", /^"Todo"/],
      [`[{ window: Todo }, { text: milk, ${short} }]`, "text", /^nothing is selected or copied$/],
      [`[{ window: Todo, keys: ctrl+s }, { prints: saved 9, within: 2s }]`, "prints", /^saved 0$/],
      [`[{ window: Todo, keys: ctrl+q }, { window: Other }]`, "window", /it ended with exit 3/],
      [`[{ window: Todo, keys: NoSuchKey }]`, "keys NoSuchKey", /^NoSuchKey$/],
      [`[{ type: x }, { window: Todo }]`, 'type "x"', /^none$/],
      [`[{ window: Todo, keys: ctrl+q }]`, "still up", /exit 3/],
    ];
    const seen = await Promise.all(cases.map(([steps]) => desktop(steps)));
    for (const [index, [, expectation, got]] of cases.entries()) {
      const verdict = seen[index]?.verdict;
      expect(verdict).toMatchObject({ kind: "unmet", expectation });
      expect(verdict?.kind === "unmet" ? verdict.got : "").toMatch(got);
      expect(seen[index]?.run.captured.length).toBe(1);
    }
    const ends = await desktop("[{ window: Todo, keys: ctrl+q }]", ", ends: 3");
    expect(ends.verdict).toEqual({ kind: "met" });
    const stays = await desktop("[{ window: Todo }]", ", ends: 0, timeout: 6s");
    expect(stays.verdict).toMatchObject({ expectation: "ends", got: "it still runs" });
  },
  90_000,
);

testOnScreen(
  "a window that comes and goes all the time hides none of the others",
  async () => {
    const flap =
      "proc flap {} { toplevel .d; wm title .d Saved; after 5 { destroy .d; after 5 flap } }\nflap\n";
    const { verdict } = await play(
      "computer",
      "{ start: wish flap.tcl, steps: [{ window: Todo }, { gone: Todo, within: 2s }] }",
      { "flap.tcl": `wm title . Todo\n${flap}` },
    );
    expect(verdict).toMatchObject({
      kind: "unmet",
      expectation: "gone",
      got: expect.stringContaining('"Todo"'),
    });
  },
  60_000,
);

testOnScreen(
  "the user's own screen is neither looked at nor used",
  async () => {
    const other = await otherScreen("Todo: 1 open");
    try {
      const env = { ...process.env, DISPLAY: other.display };
      const folder = tempFolder();
      writeFileSync(join(folder, "todo.tcl"), TODO);
      const check = checkOf(
        "computer",
        '{ start: wish todo.tcl, steps: [{ window: "Todo: 1 open", within: 600ms }] }',
      );
      const { verdict, log } = await playIn(folder, check, env);
      expect(verdict).toMatchObject({ kind: "unmet", expectation: "window", got: '"Todo"' });
      expect(log).not.toContain(`screen ${other.display},`);
    } finally {
      other.end();
    }
  },
  60_000,
);

testOnScreen(
  "a program that is not there says nothing about the tree; one that shows nothing does",
  async () => {
    const missing = await play("computer", "{ start: wish nowhere.tcl, steps: [{ window: x }] }");
    expect(missing.verdict).toEqual({ kind: "not_run", reason: "nowhere.tcl: no such script" });
    const program = await play("computer", "{ start: no-such-program, steps: [{ window: x }] }");
    expect(program.verdict).toMatchObject({ kind: "not_run", reason: expect.stringContaining("not found") });
    const blank = await play("computer", "{ start: sleep 60, steps: [{ window: x, within: 300ms }] }");
    expect(blank.verdict).toMatchObject({ kind: "unmet", got: "no window" });
    expect(blank.log).toContain("picture: it is all of one colour");
  },
  60_000,
);

testOnScreen(
  "the picture is what stood on the screen, whatever lies at its place before",
  async () => {
    const folder = tempFolder();
    // A program that finds the folder of the run, and puts a text in the picture's place.
    writeFileSync(
      join(folder, "liar.tcl"),
      `${TODO}\nforeach job [glob -nocomplain /tmp/pg-*/job.json $::env(TMPDIR)/../../pg-*/job.json] { catch { set f [open [file join [file dirname $job] screen.png] w]; puts $f "a picture"; close $f } }\n`,
    );
    const { run, verdict } = await playIn(
      folder,
      checkOf("computer", "{ start: wish liar.tcl, steps: [{ window: Todo }] }"),
    );
    expect(verdict).toEqual({ kind: "met" });
    expect(
      readFileSync(run.captured[0] ?? "")
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
  },
  60_000,
);

test("without the tools the criterion is blocked, and says what to install; in a sandbox it is neither", async () => {
  if (process.platform !== "linux") return;
  const bare = tempFolder();
  mkdirSync(join(bare, "bin"));
  const tool = (name: string, text: string): void =>
    writeFileSync(join(bare, "bin", name), text, { mode: 0o755 });
  tool("node", `#!/bin/sh\nexec ${Bun.which("node")} "$@"\n`);
  const check = checkOf("computer", "{ start: sleep 60, steps: [{ window: x }] }");
  const env = { ...process.env, PATH: join(bare, "bin") };
  expect((await playIn(bare, check, env)).verdict).toEqual({
    kind: "blocked",
    reason: "Xvfb is not installed: apt-get install xvfb xdotool (text: xclip)",
  });
  tool("Xvfb", "#!/bin/sh\necho 'Cannot establish any listening sockets' >&2\nexit 1\n");
  expect((await playIn(bare, check, env)).verdict).toMatchObject({
    kind: "blocked",
    reason: expect.stringContaining("Cannot establish any listening sockets"),
  });
  const inside = { ...env, CODEX_SANDBOX_NETWORK_DISABLED: "1" };
  expect((await playIn(bare, check, inside)).verdict).toMatchObject({
    kind: "inconclusive",
    reason: expect.stringContaining("sandbox: Xvfb gives no screen"),
  });
}, 60_000);

test("a frame buffer becomes a picture with the same pixels", () => {
  const header = Buffer.alloc(100);
  for (const [at, value] of [
    [0, 100],
    [16, 2],
    [20, 1],
    [44, 32],
    [48, 8],
  ] as const)
    header.writeUInt32BE(value, at);
  // Blue, green, red, nothing.
  const { png, plain } = pictureOf(Buffer.concat([header, Buffer.from([3, 2, 1, 0, 6, 5, 4, 0])]));
  const size = png.readUInt32BE(33);
  expect([...inflateSync(png.subarray(41, 41 + size))]).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(plain).toBe(false);
  // The end of every PNG, with its well-known sum.
  expect(png.subarray(-12).toString("hex")).toBe("0000000049454e44ae426082");
});

test("a plan is told everything that is wrong with it", () => {
  const wrong = (check: string): string => {
    try {
      checkOf("computer", check);
      return "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.problems.map(({ where, message }) => `${where}: ${message}`).join("\n");
    }
  };
  const steps = (text: string): string => wrong(`{ start: ./gui, steps: [${text}] }`);
  expect(wrong("{ steps: [{ window: x }] }")).toContain("check.start: is missing");
  expect(wrong("{ start: ./gui }")).toContain("steps");
  expect(wrong("{ start: ./gui, steps: [{ window: x }], size: big }")).toContain("like 1024x768");
  expect(steps("{ windw: x }")).toContain('unknown key "windw"; did you mean "window"?');
  expect(steps("{ within: 3s }")).toContain("does and expects nothing");
  expect(steps("{ window: '' }")).toContain("must not be empty");
  expect(steps("{ window: /(/ }")).toContain("not a regular expression");
  expect(steps("{ window: x, keys: [ctrl s] }")).toContain("must be a key by its X name");
  expect(steps("{ window: x, click: 5 }")).toContain("must be a place in the window, like [120, 40]");
  expect(steps("{ window: x, button: 3 }")).toContain("a button without a click");
  expect(steps("{ type: x }")).toContain("nothing is expected to be seen");
  expect(wrong("{ run: ./gui, steps: [{ window: x }] }")).toContain("belongs to channel cli or data");
});

test("boards tell a scenario in one line", () => {
  expect(
    describeCheck(checkOf("computer", "{ start: ./gui, steps: [{ window: Todo }, { gone: Saved }] }")),
  ).toBe("no Saved of ./gui after 2 steps");
});

testOnScreen(
  "the example of the docs works, with the program that it names",
  async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "todo.tcl"), TODO);
    expect((await playIn(folder, exampleOf("computer"))).verdict).toEqual({ kind: "met" });
  },
  60_000,
);
