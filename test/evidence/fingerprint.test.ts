/** Tests which files a tree consists of, what its id and digests depend on, and how its root is found. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { changedBetween, coveredDigest, fingerprint } from "../../components/evidence/fingerprint.ts";
import { findRoot } from "../../components/evidence/git.ts";
import { findRootFast } from "../../components/evidence/git-folders.ts";
import type { Tree } from "../../components/evidence/types.ts";
import { removeFoldersAfterwards, repo, sh, tempFolder } from "./repo.ts";

removeFoldersAfterwards();

const oracle = (root: string): Promise<string> =>
  sh(
    root,
    'export GIT_INDEX_FILE="$(mktemp -u)"; git read-tree --empty && git add -A && git write-tree; rm -f "$GIT_INDEX_FILE"',
  );

test("the id is the tree that git add -A would write, with untracked, changed and removed files", async () => {
  const { root, write } = await repo({ a: "1", "b/c": "2", "b/d": "3", ".gitignore": "ignored\n" });
  write({ a: "changed", "new/file": "4", ignored: "5" });
  rmSync(join(root, "b/d"));
  const tree = await fingerprint(root);
  expect(tree.id).toBe(await oracle(root));
  expect([...tree.files.keys()]).toEqual([".gitignore", "a", "b/c", "new/file"]);
  expect(tree.files.get("a")).toBe(await sh(root, "git hash-object a"));
  expect(tree.files.get("b/c")).toBe(await sh(root, "git hash-object b/c"));
});

test("a commit of the same content, staged or not, does not change the id", async () => {
  const { root, write, sh: run, commit } = await repo({ a: "1" });
  write({ a: "2", b: "3" });
  const working = await fingerprint(root);
  await run("git add -A");
  expect((await fingerprint(root)).id).toBe(working.id);
  await commit();
  const committed = await fingerprint(root);
  expect(committed.id).toBe(working.id);
  expect([...committed.files]).toEqual([...working.files]);
});

test("the fingerprint writes nothing into the repository's Git folder", async () => {
  const { root, write, sh: run } = await repo({ a: "1" });
  write({ a: "2", b: "3" });
  const look = () => run("find .git -type f -newer .git/HEAD -o -type f -print | sort | xargs sha256sum");
  const before = await look();
  await fingerprint(root);
  expect(await look()).toBe(before);
});

test("an edit of the same size within the clock's tick is seen", async () => {
  const { root, write } = await repo({ a: "aaaa" });
  const before = await fingerprint(root);
  for (const text of ["bbbb", "cccc", "dddd"]) {
    write({ a: text });
    expect((await fingerprint(root)).id).not.toBe(before.id);
  }
});

test("an edit of the same size, its time put back, in the second of Git's last look is seen", async () => {
  const { root, sh: run } = await repo({ 'a b"\\\nc': "aaaa", plain: "aaaa" });
  const then = new Date("2024-05-05T05:05:05Z");
  for (const name of ["plain", 'a b"\\\nc']) {
    const path = join(root, name);
    const quietly = (text: string): number => {
      writeFileSync(path, text);
      utimesSync(path, then, then);
      return Math.floor(statSync(path).ctimeMs / 1000);
    };
    for (let second = -1; second < 0; ) {
      const looked = quietly("bbbb");
      await run("git add -A");
      const before = await fingerprint(root);
      if (quietly("cccc") === looked) second = looked;
      const after = await fingerprint(root);
      expect(changedBetween(before.files, after.files)).toEqual([name]);
      expect(after.id).toBe(await oracle(root));
      await run("rm .git/index && git add -A");
    }
  }
});

test("assume-unchanged and skip-worktree flags hide nothing", async () => {
  const { root, write, sh: run } = await repo({ a: "1", b: "2", c: "3" });
  await run("git update-index --assume-unchanged a && git update-index --skip-worktree b c");
  const before = await fingerprint(root);
  write({ a: "changed", b: "changed too" });
  rmSync(join(root, "c"));
  const after = await fingerprint(root);
  expect(changedBetween(before.files, after.files)).toEqual(["a", "b", "c"]);
  expect(after.id).toBe(await oracle(root));
  expect(await run("git ls-files -v")).toContain("h a");
});

test("files that a sparse checkout leaves out are not there: no check ran with them", async () => {
  const { root, sh: run } = await repo({ "in/a": "1", "out/b": "2", top: "3" });
  const full = await fingerprint(root);
  await run("git sparse-checkout set in");
  expect(existsSync(join(root, "out/b"))).toBe(false);
  const sparse = await fingerprint(root);
  expect([...sparse.files.keys()]).toEqual(["in/a", "top"]);
  expect(sparse.id).not.toBe(full.id);
  await run("git sparse-checkout disable");
  expect((await fingerprint(root)).id).toBe(full.id);
});

test("our own folders and plan files never count, also when they are tracked", async () => {
  const { root, write } = await repo({
    a: "1",
    ".proofgate.yaml": "track: true\n",
    ".proofgate/plan.yaml": "x",
    ".omo/s.json": "{}",
    ".omx/goals/g": "g",
  });
  const before = await fingerprint(root);
  expect([...before.files.keys()]).toEqual(["a"]);
  write({
    ".proofgate.yaml": "track: false\n",
    ".proofgate/plan.yaml": "y",
    ".omo/s.json": "{1}",
    ".omx/goals/g": "h",
    ".omo/more": "m",
  });
  expect((await fingerprint(root)).id).toBe(before.id);
});

test("a change inside a nested repository changes the id, whether it is tracked as a submodule or not", async () => {
  const { root, sh: run, write } = await repo({ a: "1" });
  await run("git init -q sub && echo 1 > sub/f && git -C sub add f && git -C sub commit -q -m s");
  const ids = new Set([(await fingerprint(root)).id]);
  write({ "sub/f": "2" });
  ids.add((await fingerprint(root)).id);
  write({ "sub/untracked": "2" });
  const nested = await fingerprint(root);
  ids.add(nested.id);
  expect(ids.size).toBe(3);
  await run("git -C sub add -A && git -C sub commit -q -m t");
  expect((await fingerprint(root)).id).toBe(nested.id);
  await run("git -c advice.addEmbeddedRepo=false add sub && git commit -q -m link");
  const linked = await fingerprint(root);
  expect(linked.files.get("sub")).toBe(nested.files.get("sub"));
  write({ "sub/f": "3" });
  expect(changedBetween(linked.files, (await fingerprint(root)).files)).toEqual(["sub"]);
});

test("line endings count as Git stores them", async () => {
  const {
    root,
    write,
    sh: run,
  } = await repo({ ".gitattributes": "*.txt text\n", "a.txt": "one\ntwo\n", "b.bin": "x\r\n" });
  const before = await fingerprint(root);
  write({ "a.txt": "one\r\ntwo\r\n" });
  expect((await fingerprint(root)).id).toBe(before.id);
  await run("git config core.autocrlf true");
  write({ "a.txt": "one\r\nthree\r\n" });
  const after = await fingerprint(root);
  expect(changedBetween(before.files, after.files)).toEqual(["a.txt"]);
});

test("a huge sparse file costs no time, and its growth is seen", async () => {
  const { root } = await repo({ a: "1" });
  writeFileSync(join(root, "huge"), "");
  truncateSync(join(root, "huge"), 42949672960);
  const began = performance.now();
  const tree = await fingerprint(root);
  expect(performance.now() - began).toBeLessThan(1500);
  expect(tree.files.get("huge")).toStartWith("big:");
  expect(tree.id).toMatch(/^[0-9a-f]{40}\+[0-9a-f]{8}$/);
  truncateSync(join(root, "huge"), 44023414784);
  expect((await fingerprint(root)).id).not.toBe(tree.id);
});

test("odd file names are each a file of their own", async () => {
  const { root, sh: run } = await repo({ "\xE9 x": "1", "line\nbreak": "2" });
  await run(`printf 3 > "$(printf 'bad\\377')"; printf 4 > "$(printf 'bad\\376')"; printf 5 > '"quoted"'`);
  const tree = await fingerprint(root);
  expect(tree.files.size).toBe(5);
  expect(tree.id).toBe(await oracle(root));
});

test("links count by their target, pipes and sockets not at all", async () => {
  const { root, sh: run } = await repo({ a: "1", b: "2" });
  symlinkSync("a", join(root, "link"));
  rmSync(join(root, "b"));
  await run("mkfifo b pipe");
  const tree = await fingerprint(root);
  expect([...tree.files.keys()]).toEqual(["a", "link"]);
  rmSync(join(root, "link"));
  symlinkSync("b", join(root, "link"));
  expect((await fingerprint(root)).id).not.toBe(tree.id);
});

test("a file that became a folder, and a merge in progress, are read as they lie there", async () => {
  const { root, write, sh: run, commit } = await repo({ a: "base\n", f: "file" });
  await run("git checkout -q -b other");
  write({ a: "other\n" });
  await commit();
  await run("git checkout -q main");
  write({ a: "main\n" });
  await commit();
  await run("git merge other > /dev/null || true");
  rmSync(join(root, "f"));
  write({ "f/inner": "1" });
  expect(await run("git ls-files -u")).not.toBe("");
  const tree = await fingerprint(root);
  expect(tree.id).toBe(await oracle(root));
  expect([...tree.files.keys()]).toEqual(["a", "f/inner"]);
});

test("a repository without commit or index, a linked worktree and a read-only Git folder all work", async () => {
  const empty = await repo({});
  empty.write({ a: "1" });
  expect((await fingerprint(empty.root)).id).toBe(await oracle(empty.root));
  const { root, write, sh: run } = await repo({ a: "1" });
  const linked = join(tempFolder(), "linked");
  await run(`git worktree add -q ${linked}`);
  expect((await fingerprint(linked)).id).toBe((await fingerprint(root)).id);
  write({ a: "2" });
  await run("chmod -R a-w .git");
  expect((await fingerprint(root)).id).toMatch(/^[0-9a-f]{40}$/);
  await run("chmod -R u+w .git");
});

test("the caller's GIT_ variables lead nowhere else", async () => {
  const { root } = await repo({ a: "1" });
  const other = await repo({ b: "2" });
  const before = await fingerprint(root);
  process.env.GIT_DIR = join(other.root, ".git");
  process.env.GIT_INDEX_FILE = "/nonexistent";
  try {
    expect((await fingerprint(root)).id).toBe(before.id);
    expect((await findRoot(root)).root).toBe(root);
  } finally {
    delete process.env.GIT_DIR;
    delete process.env.GIT_INDEX_FILE;
  }
});

test("an unreadable file does not stop the fingerprint", async () => {
  const { root, write } = await repo({ a: "1" });
  write({ secret: "x" });
  chmodSync(join(root, "secret"), 0);
  expect((await fingerprint(root)).files.has("secret")).toBe(true);
});

test("6,000 clean files take less than half a second", async () => {
  const files = Object.fromEntries(Array.from({ length: 6000 }, (_, n) => [`d${n % 60}/f${n}`, `${n}`]));
  const { root, write } = await repo(files);
  await Bun.sleep(20);
  const tree = await fingerprint(root);
  expect(tree.files.size).toBe(6000);
  // Nothing is kept between them, and the fastest tells what it takes: the others waited for the rest of the machine.
  const took: number[] = [];
  for (let n = 0; n < 5; n++) {
    const began = performance.now();
    await fingerprint(root);
    took.push(performance.now() - began);
  }
  expect(Math.min(...took)).toBeLessThan(500);
  write({ "d1/f1": "x" });
  expect(changedBetween(tree.files, (await fingerprint(root)).files)).toEqual(["d1/f1"]);
});

test("outside Git every file counts by its content", async () => {
  const root = tempFolder();
  writeFileSync(join(root, "a"), "1");
  mkdirSync(join(root, "node_modules"));
  writeFileSync(join(root, "node_modules/x"), "1");
  const tree = await fingerprint(root);
  expect(tree.id).toStartWith("walk:");
  expect([...tree.files.keys()]).toEqual(["a"]);
  utimesSync(join(root, "a"), 1, 1);
  expect((await fingerprint(root)).id).toBe(tree.id);
  writeFileSync(join(root, "a"), "2");
  expect((await fingerprint(root)).id).not.toBe(tree.id);
});

test("covered files alone decide a digest, the check's own always among them", () => {
  const tree = (files: Record<string, string>): Tree => ({
    id: JSON.stringify(files),
    files: new Map(Object.entries(files)),
  });
  const one = tree({ "src/a.ts": "1", "docs/x.md": "1", "test/t.ts": "1", "app/[id]/p.ts": "1" });
  const digest = (t: Tree): string => coveredDigest(t, ["src/**", "app/[id]/p.ts"], ["test/t.ts"]);
  expect(digest(tree({ ...Object.fromEntries(one.files), "docs/x.md": "2" }))).toBe(digest(one));
  for (const path of ["src/a.ts", "test/t.ts", "app/[id]/p.ts", "src/.hidden"])
    expect(digest(tree({ ...Object.fromEntries(one.files), [path]: "2" }))).not.toBe(digest(one));
  expect(coveredDigest(one, null, [])).toBe(one.id);
  expect(coveredDigest(one, ["src"], [])).toBe(coveredDigest(one, ["src/"], []));
});

test("the root is Git's top level from any subfolder, also in a submodule's and a worktree's own", async () => {
  const { root, sh: run } = await repo({ "a/b/c": "1" });
  const commit = await run("git rev-parse HEAD");
  expect(await findRoot(join(root, "a/b"))).toEqual({ root, git: true, commit });
  expect(findRootFast(join(root, "a/b"))).toEqual({ root, git: true });
  const linked = join(tempFolder(), "linked");
  await run(`git worktree add -q ${linked}`);
  expect((await findRoot(join(linked, "a"))).root).toBe(linked);
  expect(findRootFast(join(linked, "a")).root).toBe(linked);
  const empty = await repo({});
  expect(await findRoot(empty.root)).toEqual({ root: empty.root, git: true, commit: null });
  const plain = tempFolder();
  expect(await findRoot(plain)).toEqual({ root: plain, git: false, commit: null });
});

test("a bare repository is refused, and a missing Git program is said", async () => {
  const folder = tempFolder();
  await sh(folder, "git init -q --bare");
  expect(() => findRootFast(folder)).toThrow("bare");
  await expect(findRoot(folder)).rejects.toMatchObject({ code: "git_bare" });
  const { root } = await repo({ a: "1" });
  const path = process.env.PATH;
  process.env.PATH = "/nonexistent";
  try {
    expect(await findRoot(root)).toMatchObject({ root, git: false, commit: null, gitMissing: true });
    await expect(fingerprint(root)).rejects.toMatchObject({ code: "git_missing" });
  } finally {
    process.env.PATH = path;
  }
});
