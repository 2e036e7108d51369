import { describe, expect, test } from "bun:test";
import { runsOnce } from "../../plugin/codex/runs-once.ts";

describe("a host that ends after its turn", () => {
  test.each([
    "codex exec do it",
    "codex e do it",
    "/opt/codex/bin/codex exec",
    "/Users/a b/codex-cli/bin/codex exec resume --last",
    "codex --dangerously-bypass-hook-trust -m gpt exec do it",
    'codex -c notify=["a", "b c"] --config x={ y = 1 } exec do it',
    "codex --model=gpt exec",
  ])("%s", (args) => expect(runsOnce(args)).toBe(true));
});

describe("a host that goes on", () => {
  test.each([
    "",
    "codex",
    "codex please exec it",
    "codex --no-daemon please exec it",
    "codex -m exec fix it",
    "codex resume --last then exec it",
    "codex app-server",
    "/home/u/.codex/packages/app-server-daemon/releases/1/bin/codex app-server --listen unix:// --managed-daemon",
  ])("%s", (args) => expect(runsOnce(args)).toBe(false));
});
