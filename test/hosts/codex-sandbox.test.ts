/** What a command can and cannot do in the sandbox of the real Codex: the facts that the engine is built on. */

import { afterAll, beforeAll, expect } from "bun:test";
import { runInCodexSandbox, type SandboxReport, sandboxMissing } from "./codex.ts";
import { testUnless } from "./host-test.ts";
import { makeRepo, type TestRepo } from "./repo.ts";

const CONNECT = `
  const { readFileSync } = require("node:fs");
  const url = readFileSync(process.env.CODEX_HOME + "/config.toml", "utf8").match(/base_url = "(.*)"/)[1];
  require("node:net").connect(new URL(url).port, "127.0.0.1")
    .on("connect", function () { console.log("connected"); this.destroy(); })
    .on("error", (error) => console.log(error.code));`;
const LISTEN = `
  const server = require("node:net").createServer();
  server.on("error", (error) => console.log(error.code));
  server.listen(0, "127.0.0.1", () => { console.log("listening"); server.close(); });`;
const SYNC = `
  try { console.log(String(require("node:child_process").execFileSync("git", ["--version"]))); }
  catch (error) { console.log(error.code); }`;
const SYNC_INPUT = `
  const run = require("node:child_process").spawnSync("cat", { input: "x", timeout: 1000 });
  console.log(run.error?.code, String(run.stdout));`;
const ASYNC = `
  require("node:child_process").spawn("git", ["--version"], { stdio: ["ignore", "pipe", "pipe"] })
    .stdout.on("data", (chunk) => console.log(String(chunk)));`;
/** Its child is Node too, and asks what its standard output is. */
const MUTE = `
  require("node:child_process").execFile(process.execPath, ["-p", "1"], (error, out) => console.log(error, JSON.stringify(out)));`;
const node = (script: string): string => `node -e '${script}'`;
const FORBIDDEN = /Read-only file system|Operation not permitted/;
const COMMANDS = {
  workspace: "echo written > file.txt && cat file.txt",
  gitFile: "touch .git/probe",
  gitRef: "git update-ref refs/heads/probe HEAD",
  gitAsk: "git status --porcelain --untracked-files=no && echo asked",
  home: 'touch "$HOME/probe"',
  codexHome: 'touch "$CODEX_HOME/probe"',
  temporary: 'probe=$(mktemp) && echo temporary && rm "$probe"',
  listen: node(LISTEN),
  connect: node(CONNECT),
  curl: "curl --silent --show-error --max-time 5 http://127.0.0.1:9/",
  sync: node(SYNC),
  syncInput: node(SYNC_INPUT),
  async: node(ASYNC),
  mute: node(MUTE),
  mark: 'echo "$CODEX_SANDBOX_NETWORK_DISABLED $CODEX_SESSION_ID"',
  slow: "sleep 2; echo slept; exit 7",
  long: "seq 1 20000",
};

const missing = await sandboxMissing();
const sandboxTest = testUnless(missing);
let repo: TestRepo;
let report: SandboxReport;

beforeAll(async () => {
  if (missing !== null) return;
  repo = await makeRepo({ "README.md": "A repository.\n" });
  report = await runInCodexSandbox({ repo: repo.path, commands: Object.values(COMMANDS) });
}, 60_000);
afterAll(() => repo?.remove());

function fact(name: keyof typeof COMMANDS): { readonly output: string; readonly exit: number } {
  const index = Object.keys(COMMANDS).indexOf(name);
  const output = report.outputs[index];
  const exit = report.exits[index];
  if (output === undefined || exit === undefined) throw new Error(`${name} has no answer`);
  return { output: output.trim(), exit };
}

sandboxTest("a command can write in the workspace and in the temporary folder", () => {
  expect(fact("workspace")).toEqual({ output: "written", exit: 0 });
  expect(fact("temporary")).toEqual({ output: "temporary", exit: 0 });
});

sandboxTest("what a Node child of Node prints is lost, and no error says so", () => {
  expect(fact("mute")).toEqual({ output: 'null ""', exit: 0 });
});

sandboxTest("the .git folder can be read but not written", () => {
  expect(fact("gitFile").output).toMatch(FORBIDDEN);
  expect(fact("gitFile").exit).not.toBe(0);
  expect(fact("gitRef").output).toMatch(FORBIDDEN);
  expect(fact("gitAsk")).toEqual({ output: "asked", exit: 0 });
});

sandboxTest("the home folder and Codex's own cannot be written", () => {
  expect(fact("home").output).toMatch(FORBIDDEN);
  expect(fact("codexHome").output).toMatch(FORBIDDEN);
});

sandboxTest("a server cannot listen and a client cannot connect, not even on loopback", () => {
  expect(fact("listen").output).toBe("EPERM");
  expect(fact("connect").output).toBe("EPERM");
  expect(fact("curl").exit).toBe(7);
});

sandboxTest(
  "a synchronous child of Node fails, or hangs when it is given input, although the program ran",
  () => {
    expect(fact("sync").output).toBe("EPERM");
    expect(fact("syncInput").output).toBe("ETIMEDOUT x");
  },
);

sandboxTest("an asynchronous child of Node works", () => {
  expect(fact("async").output).toStartWith("git version");
});

sandboxTest("a command can tell that it is in the sandbox, and in which session", () => {
  expect(fact("mark").output).toMatch(/^1 [0-9a-f-]{36}$/);
});

sandboxTest("exit status and the whole output of each command come back", () => {
  expect(fact("slow")).toEqual({ output: "slept", exit: 7 });
  expect(fact("long").output.split("\n")).toHaveLength(20_000);
  expect(report.exit).toBe(0);
});
