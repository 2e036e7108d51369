/** Git's own share of a fingerprint: the same Git commands on a copied index, from the smallest possible Node program. */

import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const temp = mkdtempSync(join(tmpdir(), "git-alone-"));
const objects = join(temp, "objects");
mkdirSync(objects);
copyFileSync(join(".git", "index"), join(temp, "index"));
const env = {
  ...process.env,
  GIT_OPTIONAL_LOCKS: "0",
  GIT_INDEX_FILE: join(temp, "index"),
  GIT_OBJECT_DIRECTORY: objects,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: join(process.cwd(), ".git", "objects"),
};

const git = (args, stdin = "ignore") =>
  new Promise((settle, fail) => {
    const child = spawn("git", args, { env, stdio: [stdin, "pipe", "inherit"] });
    const out = [];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.on("error", fail);
    child.on("close", () => settle(Buffer.concat(out).toString("latin1")));
  });

const listed = await git(["ls-files", "-z", "-v", "-s", "-c", "-o", "-m", "--exclude-standard"]);
const changed = new Set();
for (const record of listed.split("\0"))
  if (/^[?CR] /.test(record))
    changed.add(record.startsWith("?") ? record.slice(2) : record.slice(record.indexOf("\t") + 1));
if (changed.size > 0) {
  const paths = join(temp, "paths");
  writeFileSync(paths, [...changed].map((path) => `${path}\0`).join(""), "latin1");
  await git(["update-index", "--add", "--remove", "-z", "--stdin"], openSync(paths, "r"));
  await Promise.all([git(["write-tree", "--missing-ok"]), git(["ls-files", "-z", "-v", "-s"])]);
} else await git(["write-tree", "--missing-ok"]);
rmSync(temp, { recursive: true });
