/** Tests when the last look at a root may stand for the next one, and that an edit in between is never overlooked. */
import { expect, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import { chmodSync, renameSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprint } from "../../components/evidence/fingerprint.ts";
import { type Look, lookOf, rememberLook, sameAsLast } from "../../components/evidence/last-look.ts";
import type { Sifted } from "../../components/evidence/sift.ts";
import { removeFoldersAfterwards, repo, sh } from "./repo.ts";

removeFoldersAfterwards();

const SIFTED: Sifted = {
  files: new Map(),
  add: ["a"],
  drop: [],
  suspects: [],
  assumed: [],
  skipped: [],
  nested: [],
  marks: new Map(),
  links: new Map(),
};
const WROTE = { hash: "tree", files: new Map([["a", "blob"]]) };

async function looked() {
  const { root } = await repo({ a: "1" });
  const folders = { gitDir: join(root, ".git"), commonDir: join(root, ".git") };
  const look = (atMs = 0, plan: Partial<Sifted> = {}, listing = "a"): Look => {
    const seen = lookOf(root, folders, listing, { ...SIFTED, ...plan }, atMs);
    if (seen === null) throw new Error("too large");
    return seen;
  };
  rememberLook(root, look(), WROTE);
  return { root, look, same: (next = look()) => sameAsLast(root, next) };
}

test("what looks the same is the same, for a minute", async () => {
  const { look, same } = await looked();
  expect(same()).toBe(WROTE);
  expect(same(look(59_000))).toBe(WROTE);
  expect(same(look(61_000))).toBeNull();
  expect(same(look(0, {}, "a b"))).toBeNull();
  for (const other of [{ add: ["a", "b"] }, { drop: ["a"] }, { assumed: ["a"] }, { skipped: ["a"] }])
    expect(same(look(0, other))).toBeNull();
});

test("another root has a look of its own", async () => {
  const { look } = await looked();
  expect(sameAsLast("/nowhere", look())).toBeNull();
});

for (const [what, change] of Object.entries({
  "an edit of the same size with its time put back": (path: string) => {
    const { mtime, atime } = statSync(path);
    writeFileSync(path, "2");
    utimesSync(path, atime, mtime);
  },
  "a file moved into its place": (path: string) => {
    writeFileSync(`${path}.new`, "1");
    renameSync(`${path}.new`, path);
  },
  "its mode": (path: string) => chmodSync(path, 0o755),
}))
  test(`${what} is another look`, async () => {
    const { root, same } = await looked();
    change(join(root, "a"));
    expect(same()).toBeNull();
  });

test("settings of the repository are looked at too", async () => {
  for (const path of [".git/config", ".git/info/attributes"]) {
    const { root, same } = await looked();
    writeFileSync(join(root, path), "# changed\n");
    expect(same()).toBeNull();
  }
});

test("an edit is another look also where the file system's times say nothing", async () => {
  const { root, same } = await looked();
  const { ino, mtimeNs, ctimeNs } = statSync(join(root, "a"), { bigint: true });
  const real = fs.lstatSync;
  const lies = spyOn(fs, "lstatSync").mockImplementation(((path: string, options: fs.StatSyncOptions) => {
    const stats = real(path, options);
    return String(path) === join(root, "a") ? Object.assign(stats ?? {}, { ino, mtimeNs, ctimeNs }) : stats;
  }) as typeof fs.lstatSync);
  try {
    expect(same()).toBe(WROTE);
    writeFileSync(join(root, "a"), "2");
    expect(same()).toBeNull();
  } finally {
    lies.mockRestore();
  }
});

test("what is large is left to Git", async () => {
  const { root } = await looked();
  const folders = { gitDir: join(root, ".git"), commonDir: join(root, ".git") };
  truncateSync(join(root, "a"), 17 * 1024 * 1024);
  expect(lookOf(root, folders, "a", SIFTED, 0)).toBeNull();
});

test("edits between looks are seen, settled ones and others, and so is what is put back", async () => {
  const { root, write } = await repo({ a: "1111" });
  const oracle = () => sh(root, "git add -A && git write-tree");
  for (const text of ["2222", "3333", "1111", "22222"]) {
    write({ a: text, new: text });
    const first = (await fingerprint(root)).id;
    await Bun.sleep(60);
    expect((await fingerprint(root)).id).toBe(first);
    expect((await fingerprint(root)).id).toBe(first);
    write({ new: `${text} more` });
    const second = (await fingerprint(root)).id;
    expect(second).not.toBe(first);
    expect(second).toBe(await oracle());
  }
});
