/** How a skill finds the program: ours on PATH, ours in a bin folder, the plugin's copy, or a note and a way out. */

import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PROGRAM } from "../cli/kit.ts";
import { inlineCode, read, SKILLS } from "./kit.ts";
import { shim } from "./stage.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What the script needs besides a shell. No node, no bun, no timeout. */
const TOOLS = ["sh", "mkdir", "date", "git", "sleep"];
/** Answers as our program does, and tells its name and words. */
const OURS = (name: string): string =>
  `case "$1 $2" in "ulw-loop help") echo "proofgate: a goal is done when …" ;; *) echo "${name}: $*" ;; esac`;

let base = "";
let bin = "";
let home = "";
let repo = "";
let plugin = "";

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "pg-finder-"));
  made.push(base);
  bin = join(base, "bin");
  home = join(base, "home");
  repo = join(base, "repo");
  plugin = join(base, "the plugin");
  for (const folder of [bin, home, repo]) mkdirSync(folder);
  mkdirSync(join(plugin, "skills"), { recursive: true });
  cpSync(join(SKILLS, "ulw-loop"), join(plugin, "skills/ulw-loop"), { recursive: true });
  for (const tool of TOOLS) {
    const found = Bun.which(tool);
    if (found === null) throw new Error(`no ${tool} on this machine`);
    symlinkSync(found, join(bin, tool));
  }
});

interface Found {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

const find = (...words: string[]): Promise<Found> => findIn(repo, ...words);

async function findIn(cwd: string, ...words: string[]): Promise<Found> {
  const child = Bun.spawn([join(bin, "sh"), join(plugin, "skills/ulw-loop/scripts/proofgate.sh"), ...words], {
    cwd,
    env: { PATH: bin, HOME: home },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, out: out.trim(), err };
}

const put = (path: string, line: string): void => {
  mkdirSync(join(path, ".."), { recursive: true });
  shim(path, line);
};
/** The plugin's copy, and a `node` that says what it was asked to run. */
function putCopy(folder = "bin", version = "v20.1.0"): void {
  put(join(plugin, folder, "proofgate.js"), "");
  put(join(bin, "node"), `case $1 in --version) echo ${version} ;; *) echo "node: $*" ;; esac`);
}
const notepad = (): string => readFileSync(join(repo, ".omo/ulw-loop/bootstrap-notepad.md"), "utf8");

test("ours on PATH under the name omo is taken, words and exit status unchanged", async () => {
  put(join(bin, "omo"), `${OURS("omo")}; [ "$1" != fail ] || exit 3`);
  putCopy();
  expect(await find("prove", "--try", "a  b")).toEqual({ exit: 0, out: "omo: prove --try a  b", err: "" });
  expect((await find("fail")).exit).toBe(3);
  expect(existsSync(join(repo, ".omo"))).toBe(false);
});

test("a foreign omo is passed over: one that fails, and one that answers something else with success", async () => {
  putCopy();
  const entry = join(plugin, "bin/proofgate.js");
  for (const foreign of ["echo 'unknown command' >&2; exit 2", "echo 'omo ulw-loop: usage'", "cat"]) {
    put(join(bin, "omo"), foreign);
    expect(await find("next")).toEqual({ exit: 0, out: `node: ${entry} next`, err: "" });
  }
});

test("an omo that hangs is given up where there is a timeout", async () => {
  put(join(bin, "omo"), "exec sleep 60");
  put(join(bin, "timeout"), `[ "$1" = 10 ] && exit 124`);
  putCopy();
  expect((await find("next")).out).toStartWith("node: ");
});

test("a foreign omo, and ours beside it under its own name", async () => {
  put(join(bin, "omo"), "exit 1");
  put(join(bin, "proofgate"), OURS("proofgate"));
  expect((await find("status")).out).toBe("proofgate: status");
});

test("not on PATH: the folders that the installer links into", async () => {
  putCopy();
  put(join(home, ".local/share/proofgate/bin/proofgate"), OURS("share"));
  expect((await find("status")).out).toBe("share: status");
  put(join(home, ".local/bin/proofgate"), OURS("local"));
  expect((await find("status")).out).toBe("local: status");
});

test("the plugin's copy alone, from any folder and through a link", async () => {
  putCopy();
  expect((await find("prove", "C001")).out).toBe(`node: ${join(plugin, "bin/proofgate.js")} prove C001`);
  const link = join(base, "linked");
  symlinkSync(plugin, link);
  const child = Bun.spawn([join(bin, "sh"), "scripts/proofgate.sh", "next"], {
    cwd: join(link, "skills/ulw-loop"),
    env: { PATH: bin, HOME: home },
    stdin: "ignore",
    stdout: "pipe",
  });
  expect((await new Response(child.stdout).text()).trim()).toEndWith("/bin/proofgate.js next");
});

test("a skill without a finder of its own names this one, from its own folder", async () => {
  putCopy();
  cpSync(join(SKILLS, "performance-goal"), join(plugin, "skills/performance-goal"), { recursive: true });
  const line = inlineCode(read("performance-goal/SKILL.md")).find((code) => code.startsWith("sh ")) ?? "";
  const child = Bun.spawn([join(bin, "sh"), "-c", `${line} performance-goal list`], {
    cwd: join(plugin, "skills/performance-goal"),
    env: { PATH: bin, HOME: home },
    stdin: "ignore",
    stdout: "pipe",
  });
  expect((await new Response(child.stdout).text()).trim()).toBe(
    `node: ${join(plugin, "bin/proofgate.js")} performance-goal list`,
  );
});

test("the npm package's own layout", async () => {
  putCopy("dist");
  expect((await find("next")).out).toBe(`node: ${join(plugin, "dist/proofgate.js")} next`);
});

test("the built program itself, run by the node that is there", async () => {
  symlinkSync(dirname(PROGRAM), join(plugin, "bin"));
  symlinkSync(Bun.which("node") ?? "", join(bin, "node"));
  const { exit, out, err } = await find("help", "checkpoint");
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  expect(out).toStartWith("proofgate ulw-loop checkpoint: ");
});

test("a node that is too old is passed over for another one, or for Bun", async () => {
  putCopy("bin", "v18.20.0");
  put(
    join(home, ".nvm/versions/node/v22.1.0/bin/node"),
    `case $1 in --version) echo v22.1.0 ;; *) echo "nvm: $*" ;; esac`,
  );
  expect((await find("next")).out).toStartWith("nvm: ");
});

test("nothing found: a line in the notepad, the installer's name, exit 127", async () => {
  const { exit, out, err } = await find("ulw-loop", "complete-goals");
  expect({ exit, out }).toEqual({ exit: 127, out: "" });
  expect(err).toContain("npx proofgate install codex");
  expect(err).toContain(".omo/ulw-loop/bootstrap-notepad.md");
  expect(notepad()).toMatch(
    /^- \d{4}-\d\d-\d\dT[\d:]+Z no Proofgate program found for: ulw-loop complete-goals\n$/,
  );
  await find("next");
  expect(notepad().trimEnd().split("\n")).toHaveLength(2);
  expect(readFileSync(join(repo, ".omo/ulw-loop/.gitignore"), "utf8")).toBe("*\n");
});

test("nothing found: nothing is written through a link, and the message comes all the same", async () => {
  const elsewhere = join(base, "elsewhere");
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(repo, ".omo"));
  const { exit, err } = await find("next");
  expect(exit).toBe(127);
  expect(err).toContain("npx proofgate install codex");
  expect(existsSync(join(elsewhere, "ulw-loop"))).toBe(false);
});

test("nothing found and no folder to write to: the message, and nothing else on standard error", async () => {
  writeFileSync(join(repo, ".omo"), "");
  const { exit, err } = await find("next");
  expect(exit).toBe(127);
  expect(err.trimEnd().split("\n")).toHaveLength(2);
});

test("in the repository's subfolder the note lies at the root", async () => {
  await Bun.spawn([join(bin, "git"), "init", "-q"], { cwd: repo, env: { PATH: bin, HOME: home } }).exited;
  mkdirSync(join(repo, "sub"));
  expect((await findIn(join(repo, "sub"), "next")).exit).toBe(127);
  expect(notepad()).toContain("found for: next");
});
