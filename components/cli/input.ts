/** Reading what a command is given: files, standard input and JSON arguments, all bounded before they are read. */

import { closeSync, fstatSync, lstatSync, openSync, readFileSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { errno, Refusal } from "../errors.ts";
import { pauseSync } from "../journal/clock.ts";
import { isTerminal } from "./terminal.ts";

/** A brief or plan may have this many bytes (design: bounds). */
const BRIEF_BYTES = 1024 * 1024;

/** @throws Refusal `file_unreadable`, `brief_too_large` */
export function readBounded(path: string, cwd: string, limit = BRIEF_BYTES): Buffer {
  const full = resolve(cwd, path);
  try {
    const stat = lstatSync(full).isSymbolicLink() ? null : lstatSync(full);
    if (stat?.isDirectory()) throw unreadable(path, "a folder");
    if (stat !== null && stat.size > limit) throw tooLarge(path, stat.size, limit);
    const file = openSync(full, "r");
    try {
      const opened = fstatSync(file);
      if (opened.size > limit) throw tooLarge(path, opened.size, limit);
      return opened.isFile() ? readFileSync(file) : readUpTo(file, limit, path);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw unreadable(path, errno(error) ?? String(error));
  }
}

/** @throws Refusal `brief_too_large`, `file_unreadable` */
export function readStdin(limit = BRIEF_BYTES): Buffer {
  if (isTerminal(0)) throw unreadable("standard input", "a terminal: nothing is piped in");
  return readUpTo(0, limit, "standard input");
}

/** Pipes hand out what they have, and EAGAIN while they have nothing. */
function readUpTo(file: number, limit: number, name: string): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  const chunk = Buffer.alloc(64 * 1024);
  for (;;) {
    let count: number;
    try {
      count = readSync(file, chunk, 0, chunk.length, null);
    } catch (error) {
      if (errno(error) === "EAGAIN") {
        pauseSync(5);
        continue;
      }
      if (errno(error) === "EOF") break;
      throw error;
    }
    if (count === 0) break;
    total += count;
    if (total > limit) throw tooLarge(name, total, limit);
    parts.push(Buffer.from(chunk.subarray(0, count)));
  }
  return Buffer.concat(parts);
}

/** Inline JSON, a path, or `-` (contract: a J argument). @throws Refusal `json_invalid`, `file_unreadable`, `brief_too_large` */
export function readJsonArgument(flag: string, value: string, cwd: string): unknown {
  const inline = /^\s*[[{"]|^\s*(null|true|false|-?\d)/.test(value) && value !== "-";
  const text =
    value === "-" ? readStdin().toString("utf8") : inline ? value : readBounded(value, cwd).toString("utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal("json_invalid", `--${flag} is not valid JSON.`, {
      expected: "inline JSON, the path of a JSON file, or - for standard input",
      found: error instanceof Error ? error.message : "text that does not parse",
      next: [`give --${flag} one JSON value`],
    });
  }
}

const unreadable = (path: string, found: string): Refusal =>
  new Refusal("file_unreadable", `${path} cannot be read.`, {
    expected: "a readable file",
    found,
    next: ["check the path"],
  });

const tooLarge = (path: string, size: number, limit: number): Refusal =>
  new Refusal("brief_too_large", `${path} is too large.`, {
    expected: `${Math.round(limit / 1024)} KiB at most`,
    found: `${Math.round(size / 1024)} KiB${size > limit ? "" : " or more"}`,
    next: ["shorten it, and point to long material by path"],
  });
