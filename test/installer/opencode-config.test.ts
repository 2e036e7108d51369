/** OpenCode's configuration as text: whatever form it has, ours goes in and out, and nothing else changes. */

import { describe, expect, test } from "bun:test";
import { parse } from "jsonc-parser";
import { Refusal } from "../../components/errors.ts";
import {
  isHollow,
  pluginsIn,
  withoutPlugin,
  withPlugin,
} from "../../scripts/installer/opencode/config-text.ts";

const OURS = "/a b/proofgate/opencode";
const FORMS: Readonly<Record<string, string>> = {
  "an empty object": "{}\n",
  "an empty object on two lines": "{\n}\n",
  "only comments": "{\n  // nothing yet\n}\n",
  "no list": '{\n  // mine\n  "model": "x/y" // why\n}\n',
  "no list, last comma": '{\n\t"model": "x/y", // why\n\t/* end\n\t of it */\n}',
  "no list, one line": '{"model":"x/y"}',
  "an empty list": '{\n  "plugin": [],\n  "model": "x/y"\n}\n',
  "an empty list with a comment": '{\n  "plugin": [\n    // none\n  ],\n  "model": "x/y"\n}\n',
  "one line": '{ "plugin": ["a", ["b", {"c": 1}]], "model": "x" }',
  "one line, last comma": '{ "plugin": ["a", "b",], }',
  "several lines with comments": '{\n    "plugin": [\n        "a", // first\n        "b" // last\n    ]\n}\n',
  "several lines, last comma":
    '{\n  "plugin": [\n    "a",\n    "b", /* over\n    lines */\n  ],\n  "z": 1,\n}\n',
  "a comma on the next line": '{\n  "plugin": [\n    "a"\n    , "b"\n    ,\n  ]\n}\n',
  "CRLF and a byte order mark": '\uFEFF{\r\n  "plugin": [\r\n    "a" // x\r\n  ]\r\n}\r\n',
};

describe("in and out", () => {
  for (const [name, before] of Object.entries(FORMS))
    test(name, () => {
      const plain = (text: string) => parse(text.replace(/^\uFEFF/, ""), [], { allowTrailingComma: true });
      const after = withPlugin(before, "opencode.json", OURS);
      const { plugin = [], ...rest } = plain(before);
      expect(plain(after)).toEqual({ ...rest, plugin: [...plugin, OURS] });
      // Every comment stands behind what it stood behind, but for commas.
      const words = (text: string) => text.replaceAll(",", "");
      for (const [comment] of words(before).matchAll(/\S+ (?:\/\/.*|\/\*[\s\S]*?\*\/)/g))
        expect(words(after)).toContain(comment);
      if (before.includes("\r\n")) expect(after.replaceAll("\r\n", "")).not.toContain("\n");
      const back = withoutPlugin(after, "opencode.json", OURS, !("plugin" in plain(before)));
      expect(plain(back)).toEqual(plain(before));
      const bare = (text: string) => text.replaceAll(/\s/g, "");
      expect(bare(back)).toBe(bare(before));
      // An empty inside is written anew; everything else comes back to the byte.
      if (!name.startsWith("an empty") && !name.startsWith("only") && !name.startsWith("a comma"))
        expect(back).toBe(before);
    });
});

test("a file of our own goes as it came; what the user wrote into it keeps it", () => {
  const made = withPlugin(null, "opencode.jsonc", OURS);
  expect(JSON.parse(made)).toEqual({ $schema: "https://opencode.ai/config.json", plugin: [OURS] });
  const left = (text: string) => withoutPlugin(text, "opencode.jsonc", OURS, true);
  expect(isHollow(left(made), "opencode.jsonc")).toBe(true);
  expect(isHollow(left(made.replace("{", "{ // mine")), "opencode.jsonc")).toBe(false);
  expect(isHollow(left(withPlugin(made, "opencode.jsonc", "other")), "opencode.jsonc")).toBe(false);
});

test("the same entry twice, and one with options, go both", () => {
  const text = `{"plugin": ["${OURS}", "a", ["${OURS}", {"x": 1}]]}`;
  expect(pluginsIn(text, "f")).toEqual([OURS, "a", OURS]);
  expect(withoutPlugin(text, "f", OURS, true)).toBe('{"plugin": ["a"]}');
});

test("a line break that ends a comment stays", () => {
  for (const text of [
    `{"plugin": [ // mine\n"${OURS}", "a"]}`,
    `{"plugin": [ "a", // mine\n"${OURS}"]}`,
    `{"plugin": [ // mine\n"${OURS}"]}`,
    `{"plugin": [ "a",\n"${OURS}" // not mine\n]}`,
  ])
    expect(parse(withoutPlugin(text, "f", OURS, false))).toEqual({
      plugin: text.includes('"a"') ? ["a"] : [],
    });
});

test("what cannot be read is refused with line and column; so are two lists, and a list that is none", () => {
  for (const [text, found] of [
    ['{\n  "model": "x"\n  "plugin": []\n}', "f.json:3:3"],
    ["{", "f.json:1:2"],
    ["[]", "no object"],
  ] as const)
    try {
      withPlugin(text, "f.json", OURS);
      throw new Error("not refused");
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect(error).toMatchObject({ code: "host_config", found: expect.stringContaining(found) });
    }
  expect(() => withPlugin('{"plugin": ["a"], "plugin": ["b"]}', "f", OURS)).toThrow(Refusal);
  expect(() => withPlugin('{"plugin": "a"}', "f", OURS)).toThrow(Refusal);
});
