/** `revert` and `revert --undo` with the built program: nothing of anybody's is lost, and all comes back as it was. */

import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { makeWorld, type World } from "../helpers/world.ts";
import { costs, FILES, FOLDER, good, metric, pg, refused } from "./kit.ts";

const BINARY = Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256));
const STRANGE = [
  "with space.txt",
  "new\nline.txt",
  "a\ttab.txt",
  "-dash.txt",
  "über.txt",
  "[x]*?.txt",
  "'quo\"te.txt",
];

async function world(files: Record<string, string> = {}): Promise<World> {
  const made = await makeWorld({ ...FILES, ...files });
  for (const name of STRANGE) made.write(`odd/${name}`, "old\n");
  made.write("data.bin", BINARY);
  made.write("tool.sh", "true\n");
  made.write("gone.txt", "here\n");
  symlinkSync("cost.js", join(made.root, "link"));
  await made.commit("more");
  await good(made, ...metric());
  await good(made, "start");
  return made;
}

/** Every file as it lies there: kind, permission to execute, content. */
function snapshot(root: string, folder = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, folder))) {
    const path = join(folder, name);
    if (path === ".git" || path === ".omx") continue;
    const stats = lstatSync(join(root, path));
    if (stats.isDirectory()) Object.assign(found, snapshot(root, path));
    else if (stats.isSymbolicLink()) found[path] = `link ${readlinkSync(join(root, path))}`;
    else found[path] = `${stats.mode & 0o111 ? "x" : "-"} ${readFileSync(join(root, path)).toString("hex")}`;
  }
  return found;
}

test("tracked files go back, the user's own stay, and taking it back restores every byte, mode and link", async () => {
  const made = await world();
  const before = snapshot(made.root);
  const index = await made.git("ls-files", "-s");
  for (const name of STRANGE) made.write(`odd/${name}`, "new\n");
  made.write("data.bin", Buffer.concat([BINARY, BINARY]));
  chmodSync(join(made.root, "tool.sh"), 0o755);
  rmSync(join(made.root, "link"));
  symlinkSync("bench.js", join(made.root, "link"));
  rmSync(join(made.root, "gone.txt"));
  made.write("mine.txt", "the user's own\n");
  const worked = snapshot(made.root);

  const said = await good(made, "revert");
  expect(said.reverted.toSorted()).toEqual(
    [...STRANGE.map((name) => `odd/${name}`), "data.bin", "gone.txt", "link", "tool.sh"].toSorted(),
  );
  expect(said.left).toEqual(["mine.txt"]);
  expect(snapshot(made.root)).toEqual({ ...before, "mine.txt": worked["mine.txt"] ?? "" });
  const patch = made.read(`${FOLDER}/cheap/${said.rescue.path}`);
  expect(patch).toContain("GIT binary patch");
  expect(patch).toContain("new mode 100755");
  // The patch alone would do.
  await made.git("apply", "--check", `${FOLDER}/cheap/${said.rescue.path}`);

  const undone = await good(made, "revert", "--undo");
  expect(undone.restored).toHaveLength(said.reverted.length);
  expect(snapshot(made.root)).toEqual(worked);
  expect(await made.git("ls-files", "-s")).toBe(index);
  refused(await pg(made, "revert", "--undo"), "goal_not_open");
}, 30_000);

test("it goes back to what was kept last, with new files of it that Git tracks", async () => {
  const made = await world();
  made.write("cost.js", "module.exports = require('./fast.js');\n");
  made.write("fast.js", costs(60));
  await good(made, "evaluate");
  await made.git("add", "fast.js");
  made.write("fast.js", costs(65));
  made.write("cost.js", costs(99));
  made.write("odd/added.js", "1\n");
  await made.git("add", "odd/added.js");
  const said = await good(made, "revert");
  expect(said.reverted).toEqual(["cost.js", "fast.js", "odd/added.js"]);
  expect(made.read("fast.js")).toBe(costs(60));
  expect((await good(made, "evaluate")).evaluation.word).toBe("improved");
}, 30_000);

describe("never lost:", () => {
  test("a file that Git ignores now, and a folder that stands where a file was", async () => {
    const made = await world({ conf: "old\n", place: "a file\n" });
    await made.git("rm", "-q", "--cached", "conf");
    made.write(".gitignore", "conf\n*.log\n");
    made.write("conf", "my secret\n");
    rmSync(join(made.root, "place"));
    made.write("place/mine.txt", "mine\n");
    made.write("place/mine.log", "ignored\n");
    made.write("cost.js", costs(1));
    const worked = snapshot(made.root);
    const said = await good(made, "revert");
    expect(said.reverted).toEqual(["cost.js"]);
    expect(said.left).toEqual(expect.arrayContaining(["conf", "place", "place/mine.txt"]));
    expect(snapshot(made.root)).toEqual({
      ...worked,
      "cost.js": `- ${Buffer.from(costs(100)).toString("hex")}`,
    });
  }, 30_000);

  test("a change that was made after the revert", async () => {
    const made = await world();
    made.write("cost.js", costs(1));
    await good(made, "revert");
    made.write("cost.js", costs(2));
    const error = refused(await pg(made, "revert", "--undo"), "goal_not_open");
    expect(error.found).toBe("cost.js");
    expect(error.nextActions[0]).toContain("git apply ");
    expect(made.read("cost.js")).toBe(costs(2));
  });

  test("a nested repository, and what another tool keeps beside", async () => {
    const made = await world();
    mkdirSync(join(made.root, "inner"));
    await made.sh("cd inner && git init -q && echo 1 > a && git add a && git commit -qm a && echo 2 > a");
    made.write(".omx/other/state.json", "{}");
    made.write("cost.js", costs(1));
    const said = await good(made, "revert");
    expect(said.reverted).toEqual(["cost.js"]);
    expect(made.read("inner/a")).toBe("2\n");
    expect(made.read(".omx/other/state.json")).toBe("{}");
  });
});

test("where nothing differs, nothing is written", async () => {
  const made = await world();
  const { ledger } = await good(made, "status");
  const said = await good(made, "revert");
  expect(said).toMatchObject({ reverted: [], left: [], ledger });
});

test("files whose line ends Git turns around go back only where their text changed", async () => {
  const made = await world({ ".gitattributes": "*.txt text eol=crlf\n", "crlf.txt": "a\r\nb\r\n" });
  made.write("cost.js", costs(1));
  expect((await good(made, "revert")).reverted).toEqual(["cost.js"]);
  expect((await good(made, "revert", "--undo")).restored).toEqual(["cost.js"]);
  made.write("crlf.txt", "a\r\nc\r\n");
  expect((await good(made, "revert")).reverted).toEqual(["cost.js", "crlf.txt"]);
  await good(made, "revert", "--undo");
  expect(made.read("crlf.txt")).toBe("a\r\nc\r\n");
}, 30_000);
