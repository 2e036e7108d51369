/** A disk that is full or read-only: commands are refused, the state stays as it was, and work goes on afterwards. */

import { afterAll, expect, test } from "bun:test";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../../components/errors.ts";
import { type Box, sandbox } from "../journal/toy.ts";
import { start } from "./processes.ts";

const mounts: string[] = [];

async function run(program: string, ...args: string[]): Promise<boolean> {
  return (await start(program, args).ended) === 0;
}

async function smallDisk(): Promise<string | null> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return null;
  const at = fs.mkdtempSync(join(tmpdir(), "proofgate-disk-"));
  if (!(await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", at))) {
    fs.rmdirSync(at);
    return null;
  }
  mounts.push(at);
  return at;
}

afterAll(async () => {
  for (const at of mounts) {
    await run("umount", at);
    fs.rmdirSync(at);
  }
});
const disk = await smallDisk();
if (disk === null && process.env.CI === "true")
  throw Error("CI must be able to mount a tmpfs: run these tests as root on Linux");
const onDisk = test.skipIf(disk === null);
const where = disk === null ? " (SKIPPED: needs root on Linux to mount a small disk)" : "";

function refusedCode(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "not refused";
}

function files(box: Box): string[] {
  return [fs.readFileSync(box.ledger, "utf8"), fs.readFileSync(box.snapshot, "utf8")];
}

function fill(at: string): string {
  const path = join(at, "filler");
  const fd = fs.openSync(path, "a");
  try {
    for (let size = 65536; size > 0; size = Math.floor(size / 2))
      try {
        for (;;) if (fs.writeSync(fd, Buffer.alloc(size)) < size) break;
      } catch (error) {
        if (!(error instanceof Error && error.message.includes("ENOSPC"))) throw error;
      }
  } finally {
    fs.closeSync(fd);
  }
  return path;
}

onDisk(
  `commits until the disk is full: refused, the state as before, and going on after space is freed${where}`,
  () => {
    const box = sandbox(disk ?? "");
    const ballast = join(disk ?? "", "ballast");
    fs.writeFileSync(ballast, Buffer.alloc(200000));
    box.add();
    let commits = 1;
    let before = files(box);
    let code = "not refused";
    for (; commits < 1000 && code === "not refused"; ) {
      before = files(box);
      code = refusedCode(() => box.add("x".repeat(7001)));
      if (code === "not refused") commits++;
    }
    expect(code).toBe("disk_full");
    expect(commits).toBeGreaterThan(20);
    expect(files(box)).toEqual(before);
    expect(box.open().read()).toMatchObject({ state: { count: commits }, head: { seq: commits } });
    expect(box.open().verify().valid).toBe(true);
    expect(fs.readdirSync(box.dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    fs.rmSync(ballast);
    expect(box.add()).toBe(commits + 1);
    expect(box.open().verify()).toMatchObject({ valid: true, lines: commits + 1 });
    fs.rmSync(box.root, { recursive: true });
  },
);

onDisk(`a disk without one free block: refused at once, and the lock is free afterwards${where}`, () => {
  const box = sandbox(disk ?? "");
  box.add();
  const before = files(box);
  const filler = fill(disk ?? "");
  expect(refusedCode(() => box.add())).toBe("disk_full");
  expect(refusedCode(() => box.open().commit("torn", () => ({ events: [], result: 0 })))).toBe("disk_full");
  expect(files(box)).toEqual(before);
  expect(box.open().read()).toMatchObject({ state: { count: 1 } });
  fs.rmSync(filler);
  const start = performance.now();
  expect(box.add()).toBe(2);
  expect(performance.now() - start).toBeLessThan(1000);
  fs.rmSync(box.root, { recursive: true });
});

onDisk(`room for the snapshot but not for the line: the half-written line is taken back${where}`, () => {
  const box = sandbox(disk ?? "");
  box.add();
  const before = files(box);
  const filler = fill(disk ?? "");
  fs.truncateSync(filler, fs.statSync(filler).size - 16384);
  expect(refusedCode(() => box.add("y".repeat(40000)))).toBe("disk_full");
  expect(files(box)).toEqual(before);
  fs.rmSync(filler);
  expect(box.add()).toBe(2);
  expect(JSON.parse(box.lines()[1] ?? "").healed).toBeUndefined();
  fs.rmSync(box.root, { recursive: true });
});

onDisk(`a read-only disk: reading works, writing is refused, and nothing changes${where}`, async () => {
  const box = sandbox(disk ?? "");
  box.add();
  const before = files(box);
  expect(await run("mount", "-o", "remount,ro", disk ?? "")).toBe(true);
  try {
    expect(refusedCode(() => box.add())).toBe("no_permission");
    expect(refusedCode(() => box.open().repair())).toBe("no_permission");
    expect(box.open().read()).toMatchObject({ state: { count: 1 } });
    expect(box.open().verify().valid).toBe(true);
    expect(files(box)).toEqual(before);
  } finally {
    await run("mount", "-o", "remount,rw", disk ?? "");
  }
  expect(box.add()).toBe(2);
});
