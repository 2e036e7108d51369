/** The host's record of a session, read from its end. */

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newest } from "../../plugin/codex/transcript.ts";

const folder = mkdtempSync(join(tmpdir(), "pg-transcript-"));
afterAll(() => rmSync(folder, { recursive: true }));

function record(...lines: readonly (string | object)[]): string {
  const path = join(folder, `${Math.random()}.jsonl`);
  writeFileSync(
    path,
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );
  return path;
}
const turn = (cwd: string) => ({ timestamp: "t", type: "turn_context", payload: { cwd } });
const tokens = (count: number) => ({ type: "event_msg", payload: { type: "token_count", info: count } });
const output = (text: string) => ({
  type: "response_item",
  payload: { type: "function_call_output", output: text },
});

test("the newest line of a type counts", () => {
  expect(newest(record(turn("/a"), output("x"), turn("/b"), output("y")), "turn_context")).toEqual({
    cwd: "/b",
  });
});

test("of events that share a type, those of the kind", () => {
  const path = record(
    tokens(1),
    { type: "event_msg", payload: { type: "task_complete" } },
    output("token_count"),
  );
  expect(newest(path, "event_msg", "token_count")?.info).toBe(1);
});

test("a line that a tool printed is text in another line, and no line of the record", () => {
  const printed = `\n${JSON.stringify(turn("/evil"))}\n`;
  expect(newest(record(turn("/a"), output(printed)), "turn_context")).toEqual({ cwd: "/a" });
  const nested = { type: "response_item", payload: { inner: turn("/evil") } };
  expect(newest(record(turn("/a"), nested), "turn_context")).toEqual({ cwd: "/a" });
});

test("far from the end, across the pieces it is read in, and behind a line that was cut short", () => {
  const long = output("ä".repeat(700_000));
  expect(newest(record(turn("/a"), long, long, long, '{"type":"turn_context","pay'), "turn_context")).toEqual(
    { cwd: "/a" },
  );
  const big = { type: "turn_context", payload: { cwd: "/b", pad: "é".repeat(1_500_000) } };
  expect(newest(record(turn("/a"), big, long), "turn_context")?.cwd).toBe("/b");
});

test("nothing where there is none, no record, or no file", () => {
  expect(newest(record(output("x")), "turn_context")).toBeNull();
  expect(newest(record(), "turn_context")).toBeNull();
  expect(newest(join(folder, "none"), "turn_context")).toBeNull();
  expect(newest(null, "turn_context")).toBeNull();
});
