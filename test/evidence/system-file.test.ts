/** Tests that what the system tells of processes is read whole, also where it is long, and that what is gone is empty. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { systemFile } from "../../components/evidence/system-file.ts";
import { testUnless } from "../hosts/host-test.ts";

const linux = testUnless(process.platform === "linux" ? null : "only Linux has /proc");

linux("an environment of any length, read whole", async () => {
  for (const length of [1, 16 * 1024, 100_000, 3]) {
    const child = Bun.spawn(["sleep", "10"], { env: { LONG: "é".repeat(length / 2), LAST: "end" } });
    try {
      const path = `/proc/${child.pid}/environ`;
      // Empty for a moment, while the program takes its place.
      for (let tries = 0; tries < 100 && systemFile(path) === ""; tries++) await Bun.sleep(5);
      expect(systemFile(path)).toBe(readFileSync(path, "latin1"));
      expect(systemFile(path)).toContain("LAST=end");
    } finally {
      child.kill();
      await child.exited;
    }
  }
});

test("what is not there, or a folder, is empty", () => {
  expect(systemFile("/proc/nobody/stat")).toBe("");
  expect(systemFile("/")).toBe("");
});
