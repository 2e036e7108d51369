/** Tests when the last look at a root may stand for the next one, and that an edit in between is never overlooked. */
import { expect, test } from "bun:test";
import { chmodSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprint } from "../../components/evidence/fingerprint.ts";
import { lookOf, rememberLook, sameAsLast } from "../../components/evidence/last-look.ts";
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
  const now = statSync(join(root, "a")).ctimeMs + 1000;
  const look = (beganMs = now, plan: Partial<Sifted> = {}, listing = "a") =>
    lookOf(root, folders, listing, { ...SIFTED, ...plan }, beganMs);
  rememberLook(root, look(), WROTE);
  return { root, now, look, same: (next = look()) => sameAsLast(root, next) };
}

test("what looks the same is the same, for a minute", async () => {
  const { now, look, same } = await looked();
  expect(same()).toBe(WROTE);
  expect(same(look(now + 59_000))).toBe(WROTE);
  expect(same(look(now + 61_000))).toBeNull();
  expect(same(look(now, {}, "a b"))).toBeNull();
  for (const other of [{ add: ["a", "b"] }, { drop: ["a"] }, { assumed: ["a"] }, { skipped: ["a"] }])
    expect(same(look(now, other))).toBeNull();
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

test("a file that had just changed is read again: it may change once more within the tick", async () => {
  const { root, look } = await looked();
  const changedMs = statSync(join(root, "a")).ctimeMs;
  const fresh = look(changedMs + 10);
  const other = `${root}/fresh`;
  rememberLook(other, fresh, WROTE);
  expect(sameAsLast(other, fresh)).toBeNull();
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
