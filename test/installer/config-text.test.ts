/** The host's configuration as text: nothing of the user's is lost, whatever form it has. */

import { describe, expect, test } from "bun:test";
import { Refusal } from "../../components/errors.ts";
import {
  oursIn,
  sameLines,
  withEnabled,
  withLineEndings,
  withoutOurs,
} from "../../scripts/installer/config-text.ts";

const HOOK = '"proofgate@proofgate:hooks/hooks.json:stop:0:0"';
const OURS = `
[marketplaces.proofgate]
source_type = "local"
source = "/a b/c"

[plugins."proofgate@proofgate"]
enabled = true

[hooks.state]

[hooks.state.${HOOK}]
trusted_hash = "sha256:1"
trusted_content_hash = "sha256:2"
`;
const MINE = '# mine\nmodel = "x" # why\n\n[tui] # and this\nnotifications = true\n';
const cut = (text: string, drop = true): string => withoutOurs(text, "config.toml", drop);

describe("withoutOurs", () => {
  test("leaves what was there, byte for byte", () => {
    for (const text of [MINE, MINE.replaceAll("\n", "\r\n")]) {
      const end = text.includes("\r\n") ? "\r\n" : "\n";
      expect(cut(text + OURS.replaceAll("\n", end))).toBe(text);
    }
    expect(cut(OURS).trim()).toBe("");
  });

  test("comments and tables between and behind ours stay", () => {
    const text = `${MINE}${OURS}\n# about the next one\n[other]\na = [ 1,\n 2 ] # c\n\n# the end\n`;
    expect(cut(text)).toBe(`${MINE}\n# about the next one\n[other]\na = [ 1,\n 2 ] # c\n\n# the end\n`);
  });

  test("other plugins, marketplaces and hook states stay; so does [hooks.state] that was there before", () => {
    const others = `[marketplaces.other]\nsource = "x"\n\n[plugins."other@other"]\nenabled = true\n\n[hooks.state]\n\n[hooks.state."other@other:h:stop:0:0"]\ntrusted_hash = "sha256:9"\n`;
    expect(cut(others + OURS.replace("[hooks.state]\n\n", ""), false)).toBe(others);
  });

  test("the user's own hooks stay", () => {
    const hooks = '\n[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "true"\n';
    expect(cut(MINE + OURS + hooks)).toBe(MINE + hooks);
  });

  test("what looks like ours inside a text is text", () => {
    const text = `note = """\n[marketplaces.proofgate]\nsource = "no"\n"""\n`;
    expect(cut(text + OURS)).toContain(text);
  });

  test("other ways to write the same are understood, or refused: never half done", () => {
    const inline = `model = "x"\nplugins = { "proofgate@proofgate" = { enabled = true }, "a@b" = { enabled = false } }\n`;
    const rest = cut(inline);
    expect(rest).not.toContain("proofgate@proofgate");
    expect(rest).toContain('"a@b" = { enabled = false }');
    const dotted = `model = "x"\nmarketplaces.proofgate.source = "/x"\n`;
    expect(cut(dotted)).toContain('model = "x"');
    expect(cut(dotted)).not.toContain("proofgate");
    expect(() => cut("model = \n")).toThrow(Refusal);
  });
});

test("what the file says about us", () => {
  expect(oursIn(null, "config.toml")).toEqual({ source: null, enabled: null, trust: {} });
  expect(oursIn(MINE + OURS, "config.toml")).toEqual({
    source: "/a b/c",
    enabled: true,
    trust: { [JSON.parse(HOOK)]: { hash: "sha256:1/sha256:2", enabled: true } },
  });
});

test("line endings come back, line by line where they were mixed", () => {
  const before = "a\r\nb\nc\r\n";
  expect(withLineEndings(before, "a\nb\nc\n\nnew\n")).toBe("a\r\nb\nc\r\n\r\nnew\r\n");
  expect(withLineEndings("a\nb\n", "a\nb\nnew\n")).toBe("a\nb\nnew\n");
  expect(sameLines("a\r\n\r\nb", "a\nb\n")).toBe(true);
  expect(sameLines("a\nb", "b\na")).toBe(false);
});

test("switching on and off keeps the rest", () => {
  const on = withEnabled("# team\r\n", "config.toml", true);
  expect(on).toBe('# team\r\n\r\n[plugins."proofgate@proofgate"]\r\nenabled = true\r\n');
  expect(withEnabled(`${on}# more\r\n`, "config.toml", false)).toBe(
    `${on.replace("true", "false")}# more\r\n`,
  );
  expect(withEnabled("", "config.toml", true)).toBe('[plugins."proofgate@proofgate"]\nenabled = true\n');
});
