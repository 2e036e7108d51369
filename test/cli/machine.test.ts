/** Links, full disks, missing programs, odd repositories, pipes and many commands at once: what the machine does to it. */

import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  DONE,
  expectNoTrace,
  expectRefusal,
  expectRefusalText,
  FILES,
  goal,
  good,
  ledgerLines,
  PROGRAM,
  peak,
  planFile,
  planned,
  stateBytes,
  steer,
} from "./kit.ts";

const STATE = ".omo/ulw-loop";
const root = process.platform === "linux" && process.getuid?.() === 0;
if (!root && process.env.CI === "true")
  throw new Error("CI must run these tests as root on Linux, to mount file systems");
const asRoot = test.skipIf(!root);

async function must(...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0)
    throw new Error(`${command.join(" ")}: ${await new Response(child.stderr).text()}`);
}

async function mounted(at: string, options: readonly string[], use: () => Promise<void>): Promise<void> {
  await must("mount", ...options, at);
  try {
    if (options[0] === "--bind") await must("mount", "-o", "remount,ro,bind", at);
    await use();
  } finally {
    await must("umount", "-l", at);
  }
}

async function refusedAll(
  world: World,
  commands: readonly string[][],
  code: string,
  exit: number,
): Promise<void> {
  const before = stateBytes(world.root);
  for (const args of commands) {
    const [json, text] = await Promise.all([world.ask(...args), world.run(args)]);
    expectRefusal(json, code, exit);
    expectRefusalText(text, code, exit);
  }
  expect(stateBytes(world.root)).toEqual(before);
}
const why = ["--evidence", "seen in app.sh", "--rationale", "needed"];
const NOTE = ["steer", "--kind", "annotate_ledger", ...why];
const MANY = [
  ["status"],
  ["next"],
  ["prove", "C002"],
  NOTE,
  ["checkpoint", "--status", "failed", "--evidence", "x"],
];

function linkAway(world: World, path: string): string {
  const target = join(world.home, path.replaceAll("/", "_"));
  renameSync(join(world.root, path), target);
  symlinkSync(target, join(world.root, path));
  return target;
}

for (const path of [".omo", STATE, `${STATE}/ledger.jsonl`, `${STATE}/goals.json`])
  test(`a symbolic link in place of ${path} is refused, and what it points to stays`, async () => {
    const world = await planned();
    linkAway(world, path);
    const before = stateBytes(world.home);
    await refusedAll(world, MANY, "unsafe_path", 1);
    expect(stateBytes(world.home)).toEqual(before);
  });

test("a state folder that is a link from the start is refused by create-goals", async () => {
  const world = await makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile([goal("One")]) });
  mkdirSync(join(world.home, "elsewhere"));
  symlinkSync(join(world.home, "elsewhere"), join(world.root, ".omo"));
  await refusedAll(
    world,
    [
      ["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"],
      ["ulw-loop", "import"],
      ["goal", "Fix", "--check", "sh test/rows.sh"],
    ],
    "unsafe_path",
    1,
  );
  expect(readdirSync(join(world.home, "elsewhere"))).toEqual([]);
});

test("an evidence folder or artifact that is a link is refused, and nothing is written through it", async () => {
  const world = await planned();
  const outside = join(world.home, "evidence");
  mkdirSync(outside);
  symlinkSync(outside, join(world.root, STATE, "evidence"));
  await refusedAll(
    world,
    [
      ["prove", "C002"],
      ["ulw-loop", "record-evidence", "--criterion-id", "C002", "--status", "pass", "--evidence", "x"],
    ],
    "unsafe_path",
    1,
  );
  expect(readdirSync(outside)).toEqual([]);
  rmSync(join(world.root, STATE, "evidence"));
  mkdirSync(join(world.root, STATE, "evidence"));
  writeFileSync(join(outside, "target.txt"), "mine");
  symlinkSync(join(outside, "target.txt"), join(world.root, STATE, "evidence/G001-C002.txt"));
  await refusedAll(world, [["prove", "C002"]], "unsafe_path", 1);
  expect(await Bun.file(join(outside, "target.txt")).text()).toBe("mine");
});

test("a folder of remembered trees that is a link loses no file to the tool's tidying", async () => {
  const world = await planned();
  const precious = join(world.home, "precious");
  mkdirSync(precious);
  writeFileSync(join(precious, "thesis.txt"), "years of work");
  symlinkSync(precious, join(world.root, STATE, "trees"));
  await world.ask("prove", "C002");
  expect(readdirSync(precious)).toEqual(["thesis.txt"]);
});

test("a link named brief.md is replaced, never written through", async () => {
  const world = await makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile([goal("One")]) });
  writeFileSync(join(world.home, "mine.md"), "mine");
  mkdirSync(join(world.root, STATE), { recursive: true });
  symlinkSync(join(world.home, "mine.md"), join(world.root, STATE, "brief.md"));
  await world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
  expect(await Bun.file(join(world.home, "mine.md")).text()).toBe("mine");
});

asRoot("a state folder without write permission: refused, unchanged, and readable all the same", async () => {
  const world = await planned();
  const at = join(world.root, ".omo");
  await mounted(at, ["--bind", at], async () => {
    await refusedAll(
      world,
      [
        NOTE,
        ["prove", "C002"],
        ["ulw-loop", "add-goal", "--title", "T", "--objective", "O"],
        ["ulw-loop", "cancel"],
      ],
      "no_permission",
      1,
    );
    for (const args of [["status"], ["next"], ["verify"], ["list"]])
      expect({ args, exit: (await world.run(args)).exit }).toEqual({ args, exit: 0 });
  });
  await good(world, ...NOTE);
});

asRoot("a repository without write permission refuses create-goals", async () => {
  const world = await makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile([goal("One")]) });
  await mounted(world.root, ["--bind", world.root], () =>
    refusedAll(
      world,
      [
        ["ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml"],
        ["goal", "Fix", "--check", "sh test/rows.sh"],
      ],
      "no_permission",
      1,
    ),
  );
});

asRoot("a full disk: refused, the state as before, and everything goes on after space is freed", async () => {
  const world = await makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile([goal("One")]) });
  const at = join(world.root, ".omo");
  mkdirSync(at);
  await mounted(at, ["-t", "tmpfs", "-o", "size=256k", "tmpfs"], async () => {
    await good(world, "ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml");
    await world.sh("cat /dev/zero > .omo/filler; true");
    const before = stateBytes(world.root);
    for (const args of [
      NOTE,
      ["prove", "C002"],
      ["ulw-loop", "add-goal", "--title", "T", "--objective", "O"],
    ]) {
      expectRefusal(await world.ask(...args), "disk_full", 1);
      expectRefusalText(await world.run(args), "disk_full", 1);
    }
    const files = stateBytes(world.root);
    for (const name of ["goals.json", "ledger.jsonl", "brief.md"])
      expect(files[`${STATE}/${name}`]).toBe(before[`${STATE}/${name}`] ?? "");
    expect(Object.keys(files).filter((path) => path.endsWith(".tmp"))).toEqual([]);
    expect((await world.run(["status"])).exit).toBe(0);
    rmSync(join(at, "filler"));
    await good(world, ...NOTE);
    expect((await good(world, "verify")).valid).toBeTrue();
  });
});

test("without Git on PATH a repository is refused as git_missing, and a plain folder works", async () => {
  const world = await planned();
  const bin = join(world.home, "bin");
  mkdirSync(bin);
  for (const name of ["node", "sh", "grep", "cat"]) symlinkSync(Bun.which(name) ?? "", join(bin, name));
  const before = stateBytes(world.root);
  for (const args of [
    ["prove", "C002"],
    ["check"],
    ["ulw-loop", "create-goals", "--brief", "Ship.", "--session-id", "s2"],
    ["ci", "--base", "main"],
  ]) {
    expectRefusal(await world.run(args, { env: { PATH: bin }, json: true }), "git_missing", 1);
    expectRefusalText(await world.run(args, { env: { PATH: bin } }), "git_missing", 1);
  }
  expect(stateBytes(world.root)).toEqual(before);
  const plain = await makeWorld(FILES, { git: false });
  expect(
    (await plain.run(["goal", "Fix", "--check", "sh test/rows.sh"], { env: { PATH: bin }, json: true })).exit,
  ).toBe(0);
  const proved = await plain.run(["prove"], { env: { PATH: bin }, json: true });
  expect(proved.json.results).toMatchObject([{ status: "fail" }]);
});

test("a bare repository, and the folder .git itself, are refused as git_bare", async () => {
  const world = await planned();
  await world.git("clone", "-q", "--bare", ".", join(world.home, "bare.git"));
  for (const cwd of [join(world.home, "bare.git"), join(world.root, ".git")]) {
    expectRefusal(await world.run(["status"], { cwd, json: true }), "git_bare", 1);
    expectRefusalText(
      await world.run(["ulw-loop", "create-goals", "--brief", "Ship."], { cwd }),
      "git_bare",
      1,
    );
  }
});

test("a repository without a commit: the plan says so, and a pass is pinned", async () => {
  const world = await makeWorld(FILES, { git: "empty" });
  const said = await world.run(["goal", "Fix", "--check", "sh test/rows.sh"]);
  expect(said.out).toContain("no commit");
  world.write("app.sh", DONE);
  const proved = await good(world, "prove");
  expect(proved.results).toMatchObject([{ status: "pass", before: "no_base" }]);
  expectRefusal(await world.ask("check"), "not_proven", 1);
});

test("a subfolder finds the plan of its repository", async () => {
  const world = await planned();
  const said = await world.run(["status"], { cwd: join(world.root, "test"), json: true });
  expect(said.json.goals).toHaveLength(1);
});

test("a submodule and a linked worktree have plans of their own, proven against their own base", async () => {
  const inner = await makeWorld(FILES);
  const outer = await makeWorld({ "readme.txt": "outer\n" });
  await outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.root, "lib");
  await outer.commit("with a submodule");
  await outer.git("worktree", "add", "-q", "../tree");
  await inner.git("worktree", "add", "-q", "../tree");
  for (const { world, cwd } of [
    { world: outer, cwd: join(outer.root, "lib") },
    { world: inner, cwd: join(inner.root, "../tree") },
  ]) {
    const ask = (...args: string[]) => world.run(args, { cwd, json: true });
    expect((await ask("goal", "Fix", "--check", "sh test/rows.sh")).exit).toBe(0);
    expect(existsSync(join(cwd, STATE, "goals.json"))).toBeTrue();
    writeFileSync(join(cwd, "app.sh"), DONE);
    expect((await ask("prove")).json.results).toMatchObject([{ status: "pass", before: "red" }]);
  }
  expect((await outer.ask("status")).json.error.code).toBe("no_plan");
  expect((await outer.git("status", "--short")).trim()).toBe("m lib");
});

test("two plans created at the same instant: one is made, the other is refused", async () => {
  const world = await makeWorld({ ...FILES, ".proofgate/plan.yaml": planFile([goal("One")]) });
  const said = await Promise.all(
    [1, 2, 3].map(() => world.ask("ulw-loop", "create-goals", "--plan", ".proofgate/plan.yaml")),
  );
  expect(said.map((s) => s.exit).sort()).toEqual([0, 1, 1]);
  expect(said.filter((s) => s.exit === 1).map((s) => s.json.error.code)).toEqual([
    "plan_exists",
    "plan_exists",
  ]);
  expect((await good(world, "verify")).valid).toBeTrue();
  expect(ledgerLines(world)).toHaveLength(1);
});

test("commands at the same instant are all recorded, each once", async () => {
  const world = await planned();
  const said = await Promise.all([
    ...Array.from({ length: 5 }, (_, i) =>
      world.ask("ulw-loop", "add-goal", "--title", `Goal ${i}`, "--objective", "O"),
    ),
    world.ask("prove", "C002"),
    world.ask("prove", "C001"),
    world.ask("status"),
    world.ask(...NOTE),
  ]);
  expect(said.map((s) => s.exit)).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0]);
  expect(said.filter((s) => s.err !== "")).toEqual([]);
  const status = await good(world, "status");
  expect(status.goals.map((g: { id: string }) => g.id)).toEqual([
    "G001",
    "G002",
    "G003",
    "G004",
    "G005",
    "G006",
  ]);
  expect(ledgerLines(world)).toHaveLength(9);
  expect((await good(world, "verify")).valid).toBeTrue();
});

test("a ledger or snapshot from a newer version is refused with exit 3 and left alone", async () => {
  for (const file of ["ledger.jsonl", "goals.json"]) {
    const world = await planned();
    const path = `${STATE}/${file}`;
    const text = world.read(path);
    expect(text).toContain('"v":1');
    world.write(path, text.replace('"v":1', '"v":2'));
    await refusedAll(
      world,
      [...MANY, ["repair"], ["check"], ["ulw-loop", "create-goals", "--brief", "Ship.", "--force"]],
      "state_newer",
      3,
    );
    expect((await world.ask("verify")).exit).toBe(3);
  }
});

test("another tool's state is refused as foreign_state and left untouched", async () => {
  const goals = JSON.stringify({
    version: 1,
    goals: [
      {
        id: "G001",
        title: "Theirs",
        status: "complete",
        successCriteria: [{ id: "C001", scenario: "x", status: "pass" }],
      },
    ],
  });
  for (const files of [
    { "goals.json": goals },
    { "goals.json": goals, "ledger.jsonl": `{"event":"goal_created","at":"2026"}\n` },
    { "ledger.jsonl": `{"event":"goal_created"}\n` },
    { "goals.json": "not even JSON" },
  ]) {
    const world = await makeWorld({
      ...FILES,
      ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`${STATE}/${name}`, text])),
    });
    await refusedAll(
      world,
      [
        ["status"],
        ["repair"],
        ["check"],
        NOTE,
        ["ulw-loop", "create-goals", "--brief", "Ship."],
        ["goal", "Fix", "--check", "sh test/rows.sh"],
      ],
      "foreign_state",
      1,
    );
    expect((await world.run(["list"])).exit).toBe(0);
  }
});

test("a working directory that was removed is said, without a stack trace", async () => {
  const world = await planned();
  const gone = (flag: string) =>
    world.sh(`mkdir gone && cd gone && rmdir ../gone && node '${PROGRAM}' status ${flag}`);
  const text = await gone("");
  expect({ exit: text.exit, says: text.err.includes("[file_unreadable]") }).toEqual({ exit: 2, says: true });
  expectNoTrace(text);
  expect((await gone("--json")).json.error?.code).toBe("file_unreadable");
});
const many = planned(
  Array.from({ length: 400 }, (_, i) => goal(`Goal number ${i + 1} with a title of a usual length`)),
);

test("an answer of more than 64 KiB reaches a pipe whole, also a slow one", async () => {
  const world = await many;
  const fast = await world.ask("status");
  expect(fast.json.goals).toHaveLength(400);
  expect(fast.out.length).toBeGreaterThan(65536);
  const slow = await world.sh(`node '${PROGRAM}' status --json | { sleep 0.4; cat; }`);
  expect(slow.json.goals).toHaveLength(400);
});

test("a reader that leaves early ends the command quietly", async () => {
  const world = await many;
  for (const args of ["status --json", "status", "help", "ulw-loop criteria"]) {
    const said = await world.sh(`node '${PROGRAM}' ${args} | head -c 10`);
    expect({ args, exit: said.exit, err: said.err, length: said.out.length }).toEqual({
      args,
      exit: 0,
      err: "",
      length: 10,
    });
    const closed = await world.sh(`node '${PROGRAM}' ${args} | true; node '${PROGRAM}' ${args} >&-`);
    expect({ args, trace: /\n\s+at |node:internal|EPIPE|EBADF/.test(closed.err) }).toEqual({
      args,
      trace: false,
    });
  }
  const refused = await world.sh(
    `node '${PROGRAM}' nothing-like-it 2>&1 >/dev/null | true; node '${PROGRAM}' nothing-like-it 2>&-`,
  );
  expect(refused.exit).toBe(2);
});

test("a change whose answer nobody reads is recorded all the same", async () => {
  const world = await planned();
  await world.sh(`node '${PROGRAM}' steer --kind annotate_ledger --evidence e --rationale unread | true`);
  expect(ledgerLines(world)).toHaveLength(2);
  expect((await steer(world, "--kind", "annotate_ledger")).exit).toBe(0);
});

test("standard input that stays open is not waited for", async () => {
  const world = await planned();
  const child = Bun.spawn(["node", PROGRAM, "status", "--json"], {
    cwd: world.root,
    env: world.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const ended = await Promise.race([child.exited, Bun.sleep(1e4).then(() => "still running")]);
  child.kill();
  expect(ended).toBe(0);
});

test("a check that floods its output is cut to 10 MiB and judged, without filling memory", async () => {
  const world = await makeWorld(FILES);
  await good(world, "goal", "Flood", "--check", "sh app.sh");
  world.write("app.sh", "head -c 30000000 /dev/zero | tr '\\0' x; exit 4\n");
  const said = await peak(world, ["prove"]);
  const { results } = said.json;
  expect(results).toMatchObject([{ status: "fail", receipt: { exit: 4, stdout: { size: 30000000 } } }]);
  expect(Bun.file(join(world.root, STATE, "evidence/G001-C001.txt")).size).toBeLessThan(10590617.6);
  expect(said.mb).toBeLessThan(200);
});

test("temporary folders are gone when a command ends", async () => {
  const world = await planned();
  const scratch = mkdtempSync(join(tmpdir(), "pg-tmp-"));
  world.write("app.sh", DONE);
  await world.run(["prove"], { env: { TMPDIR: scratch } });
  await world.run(["ci", "--base", "HEAD"], { env: { TMPDIR: scratch } });
  await world.run(["prove", "--before"], { env: { TMPDIR: scratch } });
  expect(readdirSync(scratch)).toEqual([]);
  rmSync(scratch, { recursive: true });
});
