/** Tests that need a host's binary: skipped with a visible reason where it is missing, failing in CI, where it must not be. */

import { test } from "bun:test";

type Body = (() => void) | (() => Promise<unknown>);

/** Declares one test. `timeoutMs` as Bun's. */
type HostTest = (name: string, body: Body, timeoutMs?: number) => void;

/** @param reason why these tests cannot run; null when they can */
export function testUnless(reason: string | null): HostTest {
  if (reason === null) return (name, body, timeoutMs) => test(name, body, timeoutMs);
  if (process.env.CI === "true")
    return (name) =>
      test(name, () => {
        throw new Error(`this test must not be skipped in CI: ${reason}`);
      });
  return (name, body) => test.skip(`${name} (skipped: ${reason})`, body);
}
