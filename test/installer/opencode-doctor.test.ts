/** The doctor in OpenCode: what the host keeps silent about is found, each with what mends it. */

import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testUnless } from "../hosts/host-test.ts";
import { type Home, installerMissing, makeHome, removeHomes } from "./home.ts";
import { bads, finding, putOpenCode, realOpenCode, supply, withoutCodex } from "./opencode-home.ts";

const bothTest = testUnless(await installerMissing());
const { path: binary, missing: noBinary } = await realOpenCode();
const realTest = testUnless(noBinary);
afterAll(removeHomes);
const COPY = "data/proofgate/opencode";

/** As a user's machine: OpenCode was in use there, and found its ripgrep. */
async function homeWith(path: string | null = null): Promise<Home> {
  const home = await makeHome();
  putOpenCode(home, path);
  supply(join(home.home, ".config/opencode"));
  home.write("home/.cache/opencode/bin/rg", "#!/bin/sh\n");
  chmodSync(join(home.home, ".cache/opencode/bin/rg"), 0o755);
  return home;
}

/** With the links on PATH, as in a user's shell; only OpenCode is there. */
const doctor = (home: Home, env: Record<string, string> = {}) => {
  const alone = withoutCodex(home);
  return home.run(["doctor", "--json"], {
    env: { ...alone, PATH: `${home.home}/.local/bin:${alone.PATH}`, ...env },
  });
};

describe("only OpenCode", () => {
  test("is healthy after an installation, and says before what is missing", async () => {
    const home = await homeWith();
    const none = await doctor(home);
    expect(none.exit).toBe(1);
    expect(bads(none)).toMatchObject([{ what: "OpenCode plugin", mend: "proofgate install opencode" }]);
    await home.ask("install", "opencode", "--yes");
    const said = await doctor(home);
    expect(bads(said)).toEqual([]);
    expect(said).toMatchObject({ exit: 0, json: { healthy: true } });
    expect(finding(said, "OpenCode module")?.found).toContain("loads in");
    expect(finding(said, "Codex")).toMatchObject({ status: "note" });
    expect(finding(said, "OpenCode's start")).toBeUndefined();
  });

  realTest("the module is loaded by the host's own runtime", async () => {
    const home = await homeWith(binary);
    await home.ask("install", "opencode", "--yes");
    const said = await doctor(home);
    expect(bads(said)).toEqual([]);
    expect(finding(said, "OpenCode module")?.found).toContain("the host's own runtime");
  });

  for (const [name, path] of [
    ["a stand-in", null],
    ["the real host", binary],
  ] as const)
    (name === "a stand-in" ? test : realTest)(
      `a module that does not load, one that is no plugin, one that lacks its tools: ${name}`,
      async () => {
        const home = await homeWith(path);
        await home.ask("install", "opencode", "--yes");
        const broken = [
          ['throw new Error("broken here");', "broken here"],
          ["export default { id: 1 };", "no id or no server"],
          ["import 'no-such-package';", "no-such-package"],
          ["const = 1", "it does"],
          [
            'export default { id: "x", server: async () => ({ tool: { get_goal: { execute: async () => "{}" } } }) };',
            "it lacks event",
          ],
        ] as const;
        // The real host is asked slowly, and says the same of all of them.
        for (const [text, found] of broken.slice(0, path === null ? broken.length : 2)) {
          writeFileSync(join(home.home, COPY, "index.js"), text);
          const said = await doctor(home);
          expect(said.exit).toBe(1);
          expect(finding(said, "OpenCode module")).toMatchObject({
            status: "bad",
            found: expect.stringContaining(found),
            mend: expect.stringContaining("proofgate update opencode"),
          });
        }
        await home.ask("install", "opencode", "--yes");
        expect((await doctor(home)).exit).toBe(0);
      },
    );

  test("ripgrep that is missing, a start that waits for the host's own package", async () => {
    const home = await homeWith();
    await home.ask("install", "opencode", "--yes");
    rmSync(join(home.home, ".cache/opencode/bin/rg"));
    rmSync(join(home.home, ".config/opencode/package-lock.json"));
    // The machine may have a ripgrep of its own.
    const said = await doctor(home);
    if (Bun.which("rg", { PATH: "/usr/bin:/bin" }) === null)
      expect(bads(said).map(({ what }) => what)).toEqual(["ripgrep"]);
    expect(finding(said, "OpenCode's start")).toMatchObject({
      status: "note",
      found: expect.stringContaining("over a minute at every start"),
    });
  });

  test("an entry that was taken out, a copy that is gone or changed, plugins switched off, a broken file", async () => {
    const home = await homeWith();
    await home.ask("install", "opencode", "--yes");
    const config = "home/.config/opencode/opencode.jsonc";
    const whole = home.read(config);
    expect(bads(await doctor(home, { OPENCODE_PURE: "1" })).map(({ mend }) => mend)).toEqual([
      "unset OPENCODE_PURE",
    ]);
    home.write(config, '{"plugin":[]}');
    expect(bads(await doctor(home))[0]?.found).toContain(
      "no configuration that OpenCode reads here names it",
    );
    home.write(config, "{");
    expect(bads(await doctor(home))[0]?.found).toContain("opencode.jsonc:1:2");
    home.write(config, whole);
    appendFileSync(join(home.home, COPY, "index.js"), "\n// changed\n");
    expect(bads(await doctor(home))[0]?.found).toContain("was changed since it was installed");
    rmSync(join(home.home, COPY), { recursive: true });
    expect(bads(await doctor(home))[0]?.found).toContain("is gone, and OpenCode says nothing of it");
    await home.ask("install", "opencode", "--yes");
    expect((await doctor(home)).exit).toBe(0);
  });

  test("other plugins are named: those about goals each, the others together; so is a tool of our names", async () => {
    const home = await homeWith();
    const folder = "home/.config/opencode";
    home.write(`${folder}/opencode.jsonc`, '{"plugin": ["some-goal-plugin@1", "theme"]}');
    home.write(`${folder}/plugins/ralph-loop.ts`, "export default {}");
    home.write(`${folder}/tools/update_goal.ts`, "export default {}");
    await home.ask("install", "opencode", "--yes");
    const said = await doctor(home);
    expect(said.exit).toBe(0);
    const notes = (what: string) =>
      (said.json.findings ?? []).filter((one) => one.what === what).map(({ found }) => found);
    expect(notes("another plugin")).toEqual([
      expect.stringContaining("some-goal-plugin@1"),
      expect.stringContaining("ralph-loop.ts"),
    ]);
    expect(notes("another tool")).toEqual([expect.stringContaining("update_goal.ts")]);
    expect(notes("other plugins")).toEqual([expect.stringContaining("theme")]);
  });

  test("in project scope it is healthy in that project, and missing in others", async () => {
    const home = await homeWith();
    const [repo, other] = [join(home.base, "my repo"), join(home.base, "other")];
    for (const folder of [repo, other]) mkdirSync(join(folder, ".git"), { recursive: true });
    await home.run(["install", "opencode", "--scope", "project", "--yes"], { cwd: repo });
    const env = withoutCodex(home);
    const look = (cwd: string, more: Record<string, string> = {}) =>
      home.run(["doctor", "--json"], {
        cwd,
        env: { ...env, PATH: `${home.home}/.local/bin:${env.PATH}`, ...more },
      });
    expect(bads(await look(repo))).toEqual([]);
    expect(bads(await look(other))[0]?.mend).toContain("--scope project");
    const off = await look(repo, { OPENCODE_DISABLE_PROJECT_CONFIG: "1" });
    expect(bads(off)[0]?.found).toContain("no configuration that OpenCode reads here");
  });

  test("OpenCode that went away after the installation is said", async () => {
    const home = await homeWith();
    await home.ask("install", "opencode", "--yes");
    const PATH = `${home.home}/.local/bin:${(home.env.PATH ?? "").replace(`${join(home.base, "bin")}:`, "")}`;
    const said = await home.run(["doctor", "--json"], { env: { PATH } });
    expect(said.exit).toBe(1);
    expect(bads(said)).toMatchObject([
      { what: "OpenCode", found: expect.stringContaining("no opencode on PATH") },
    ]);
  });
});

describe("beside Codex", () => {
  const both = (home: Home) =>
    home.run(["doctor", "--json"], { env: { PATH: `${home.home}/.local/bin:${home.env.PATH}` } });

  bothTest("set up for one of them: the other is a note, and no fault", async () => {
    const codex = await homeWith();
    await codex.ask("install", "codex", "--yes", "--trust-hooks");
    const first = await both(codex);
    expect(bads(first)).toEqual([]);
    expect(finding(first, "OpenCode plugin")).toMatchObject({
      status: "note",
      found: "not set up for OpenCode: proofgate install opencode",
    });
    const second = await homeWith();
    await second.ask("install", "opencode", "--yes");
    const said = await both(second);
    expect(bads(said)).toEqual([]);
    expect(finding(said, "Codex")).toMatchObject({ status: "note" });
  });

  bothTest("set up for both: both are looked at, and what they share is said once", async () => {
    const home = await homeWith();
    await home.ask("install", "codex", "--yes", "--trust-hooks");
    await home.ask("install", "opencode", "--yes");
    const said = await both(home);
    expect(bads(said)).toEqual([]);
    expect(finding(said, "hook stop runs")?.status).toBe("ok");
    expect(finding(said, "OpenCode module")?.status).toBe("ok");
    expect((said.json.findings ?? []).filter(({ what }) => what === "on PATH")).toHaveLength(1);
  });

  bothTest("set up for neither: both say so", async () => {
    const said = await both(await homeWith());
    expect(bads(said).map(({ mend }) => mend)).toEqual([
      "proofgate install codex --trust-hooks",
      "proofgate install opencode",
    ]);
  });
});
