/** Installing for OpenCode: what is shown is what happens, once, the real host loads it, and it goes without a trace. */

import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { testUnless } from "../hosts/host-test.ts";
import { everything, type Home, installerMissing, makeHome, notTheHosts, removeHomes } from "./home.ts";
import { hostConfig, putOpenCode, realOpenCode } from "./opencode-home.ts";

const missing = await installerMissing();
/** With Codex too. */
const bothTest = testUnless(missing);
const { path: binary, missing: noBinary } = await realOpenCode();
const realTest = testUnless(noBinary);
afterAll(removeHomes);

const CRLF =
  '{\r\n  // mine\r\n  "model": "x/y", // why\r\n  "plugin": [\r\n    "other" // theirs\r\n  ],\r\n}\r\n';
const CONFIG = "home/.config/opencode/opencode.json";
const install = (home: Home, ...more: string[]) => home.ask("install", "opencode", "--yes", ...more);
const uninstall = (home: Home, ...more: string[]) => home.ask("uninstall", "opencode", "--yes", ...more);

async function homeWith(config?: string, path: string | null = null): Promise<Home> {
  const home = await makeHome();
  putOpenCode(home, path);
  if (config !== undefined) home.write(CONFIG, config);
  return home;
}

function repoOf(home: Home, name = "my repo"): string {
  const repo = join(home.base, name);
  mkdirSync(join(repo, ".git"), { recursive: true });
  return repo;
}

describe("install", () => {
  test("the dry run changes nothing at all, and lists what then happens; twice is once", async () => {
    const home = await homeWith(CRLF);
    const before = everything(home.base);
    const dry = await home.ask("install", "opencode", "--dry-run");
    expect(dry).toMatchObject({ exit: 0, json: { done: false } });
    expect(dry.json.actions?.map(({ kind }) => kind)).toEqual([
      "record",
      "copy",
      "config",
      "link",
      "link",
      "link",
    ]);
    expect(everything(home.base)).toEqual(before);
    const real = await install(home);
    expect(real).toMatchObject({ exit: 0, json: { done: true, actions: dry.json.actions ?? [] } });
    const named = (dry.json.actions ?? []).map(({ where }) => where);
    const unnamed = Object.entries(everything(home.base))
      .filter(([path, what]) => what !== "folder" && before[path] !== what)
      .map(([path]) => join(home.base, path))
      .filter((path) => !named.some((where) => path.startsWith(where.replace(/\.json$/, ""))));
    expect(unnamed).toEqual([]);
    const once = everything(home.base);
    expect(await install(home)).toMatchObject({ exit: 0, json: { actions: [] } });
    expect(everything(home.base)).toEqual(once);
  });

  test("comments, order, line endings and mode of the configuration stay", async () => {
    const home = await homeWith(CRLF);
    chmodSync(join(home.base, CONFIG), 0o640);
    await install(home);
    const copy = join(home.home, "data/proofgate/opencode");
    expect(home.read(CONFIG)).toBe(
      CRLF.replace('"other" // theirs\r\n', `"other", // theirs\r\n    ${JSON.stringify(copy)}\r\n`),
    );
    expect(everything(home.base)[CONFIG]).toStartWith("640 ");
  });

  test("the copy works by itself: the package may go, and the links lead to the program in it", async () => {
    const home = await homeWith();
    await install(home);
    renameSync(home.pack, `${home.pack} gone`);
    const omo = join(home.home, ".local/bin/omo");
    expect(readlinkSync(omo)).toBe(join(home.home, "data/proofgate/opencode/bin/proofgate.js"));
    for (const args of [["--version"], ["update", "opencode", "--yes"]])
      expect(await Bun.spawn([omo, ...args], { env: home.env, cwd: home.base }).exited).toBe(0);
    const skill = join(home.home, "data/proofgate/opencode/skills/ulw-loop/scripts/proofgate.sh");
    const ran = Bun.spawn(["sh", skill, "--version"], { env: home.env, cwd: home.base, stdout: "pipe" });
    expect(await new Response(ran.stdout).text()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("the user's file is the one that the host would take: .jsonc before .json; made where there is none", async () => {
    const none = await homeWith();
    await install(none);
    expect(JSON.parse(none.read("home/.config/opencode/opencode.jsonc")).plugin).toHaveLength(1);
    const both = await homeWith("{}\n");
    both.write("home/.config/opencode/opencode.jsonc", "// mine\n{}\n");
    await install(both);
    expect(both.read(CONFIG)).toBe("{}\n");
    expect(both.read("home/.config/opencode/opencode.jsonc")).toStartWith("// mine\n{\n");
    const elsewhere = await homeWith();
    const folder = join(elsewhere.base, "con fig");
    const env = { XDG_CONFIG_HOME: folder, OPENCODE_CONFIG: join(elsewhere.base, "more.json") };
    const said = await elsewhere.run(["install", "opencode", "--yes", "--json"], { env });
    expect(said.json.notes?.join("\n")).toContain("OPENCODE_CONFIG is set");
    expect(existsSync(join(folder, "opencode/opencode.jsonc"))).toBe(true);
    expect(existsSync(join(elsewhere.base, "more.json"))).toBe(false);
  });

  test("what is no JSON is refused with line and column before anything is done", async () => {
    const home = await homeWith('{\n  "model": \n}\n');
    const before = everything(home.base);
    const said = await install(home);
    expect(said).toMatchObject({ exit: 1, json: { error: { code: "host_config" } } });
    expect(said.out).toContain("opencode.json:3:1");
    expect(everything(home.base)).toEqual(before);
  });

  test("Proofgate from another place is not loaded a second time", async () => {
    const home = await homeWith();
    home.write("other/package.json", '{"name":"proofgate-opencode"}');
    for (const spec of ["proofgate@1.0.0", join(home.base, "other")]) {
      home.write(CONFIG, JSON.stringify({ plugin: [spec] }));
      expect(await install(home)).toMatchObject({ exit: 1, json: { error: { code: "install_conflict" } } });
    }
  });

  test("nobody to ask, no OpenCode, no plugin, no such host: said, and nothing changed", async () => {
    const home = await homeWith(CRLF);
    const before = everything(home.base);
    const code = async (...args: string[]) => (await home.ask(...args)).json.error?.code;
    expect(await code("install", "opencode")).toBe("confirmation_needed");
    expect(await code("install", "emacs", "--yes")).toBe("usage_bad_value");
    expect(await code("update", "opencode", "--yes")).toBe("not_installed");
    expect(await code("uninstall", "opencode", "--yes")).toBe("not_installed");
    const PATH = (home.env.PATH ?? "").replace(join(home.base, "bin"), join(home.base, "nothing"));
    const said = await home.run(["install", "opencode", "--yes", "--json"], { env: { PATH } });
    expect(said).toMatchObject({ exit: 1, json: { error: { code: "host_missing" } } });
    expect(everything(home.base)).toEqual(before);
    rmSync(join(home.pack, "opencode"), { recursive: true });
    expect(await code("install", "opencode", "--yes")).toBe("plugin_missing");
  });

  test("at a terminal it asks: no changes nothing, yes does it", async () => {
    const home = await homeWith(CRLF);
    const before = everything(home.base);
    const no = await home.talk(["install", "opencode"], ["n"]);
    expect(no.out).toContain("Nothing was changed.");
    expect(everything(home.base)).toEqual(before);
    const yes = await home.talk(["install", "opencode"], ["y"]);
    expect(yes.out).toContain("Done, for OpenCode");
  });
});

describe("the real host", () => {
  realTest("loads it from the user's configuration, beside what is there", async () => {
    const home = await homeWith('{\n  // mine\n  "username": "me"\n}\n', binary);
    await install(home);
    const config = await hostConfig(home, repoOf(home));
    expect(config).toMatchObject({ username: "me", command: { "ulw-loop": {} } });
    expect(config.skills).toEqual({ paths: [join(home.home, "data/proofgate/opencode/skills")] });
    // The host writes its schema into files that lack it: that is a change of the user's file, and stays.
    await uninstall(home);
    expect(home.read(CONFIG)).toContain('"username": "me"');
    expect(home.read(CONFIG)).toContain("// mine");
    expect(home.read(CONFIG)).not.toContain("plugin");
    expect(await hostConfig(home, repoOf(home))).not.toHaveProperty("command.ulw-loop");
  });

  realTest(
    "loads it in the project that has it, through a path that is anybody's, and in no other",
    async () => {
      const home = await homeWith(undefined, binary);
      const [repo, other] = [repoOf(home), repoOf(home, "other")];
      await home.run(["install", "opencode", "--scope", "project", "--yes"], { cwd: repo });
      expect(home.read("my repo/opencode.json")).toContain('"{env:HOME}/data/proofgate/opencode"');
      expect(await hostConfig(home, repo)).toHaveProperty("command.ulw-loop");
      expect(await hostConfig(home, other)).not.toHaveProperty("command.ulw-loop");
    },
  );
});

describe("uninstall", () => {
  for (const [name, config] of Object.entries({
    "CRLF and comments": CRLF,
    "no file": undefined,
    "one line": '{"plugin":[]}',
    "an empty file": "",
  }))
    test(`byte for byte as before: ${name}`, async () => {
      const home = await homeWith(config);
      const before = everything(home.home);
      await install(home);
      const dry = await home.ask("uninstall", "opencode", "--dry-run");
      expect(await uninstall(home)).toMatchObject({ exit: 0, json: { actions: dry.json.actions ?? [] } });
      expect(everything(home.home)).toEqual(before);
    });

  test("what the user wrote since stays; only what is ours goes, also when OpenCode is gone", async () => {
    const home = await homeWith(CRLF);
    await install(home);
    home.write(CONFIG, home.read(CONFIG).replace("// mine", "// mine, and more"));
    rmSync(join(home.base, "bin", "opencode"));
    expect((await uninstall(home)).json.actions?.map(({ kind }) => kind)).toContain("cut");
    expect(home.read(CONFIG)).toBe(CRLF.replace("// mine", "// mine, and more"));
    const made = await homeWith();
    await install(made);
    const path = "home/.config/opencode/opencode.jsonc";
    made.write(path, made.read(path).replace("{", '{\n  "model": "x/y",'));
    await uninstall(made);
    expect(JSON.parse(made.read(path))).toEqual({ model: "x/y", $schema: expect.any(String) });
  });

  test("a change before an update counts as one: the old copy never comes back", async () => {
    const home = await homeWith(CRLF);
    await install(home);
    const mine = CRLF.replace("// mine", "// mine now");
    home.write(CONFIG, mine);
    await install(home);
    await uninstall(home);
    expect(home.read(CONFIG)).toBe(mine);
  });

  test("what one that was ended by force left of its turn goes with the next; a living one's stays", async () => {
    const home = await homeWith(CRLF);
    const before = everything(home.home);
    const left = "home/state/proofgate/install/install.turn.";
    const dead = Bun.spawn(["true"]);
    await dead.exited;
    for (const whose of [`${dead.pid}`, `${dead.pid}.dead`, `${process.pid}`]) home.write(left + whose, "{}");
    await install(home);
    await uninstall(home);
    expect(readdirSync(home.state)).toEqual([`install.turn.${process.pid}`]);
    rmSync(join(home.base, left + process.pid));
    await uninstall(home);
    expect(everything(home.home)).toEqual(before);
  });

  for (const killAfterMs of [60, 90, 120, 160, 220])
    test(`ended by force after ${killAfterMs} ms: installing completes it, uninstalling leaves no trace`, async () => {
      const home = await homeWith(CRLF);
      const before = everything(home.home);
      await home.run(["install", "opencode", "--yes"], { killAfterMs });
      await uninstall(home); // Nothing to do where it was ended before its record.
      expect(everything(home.home)).toEqual(before);
      await home.run(["install", "opencode", "--yes"], { killAfterMs });
      expect(await install(home)).toMatchObject({ exit: 0 });
      await home.run(["uninstall", "opencode", "--yes"], { killAfterMs });
      await uninstall(home);
      expect(everything(home.home)).toEqual(before);
    });
});

describe("update", () => {
  test("a new version replaces the copy; the configuration is not touched", async () => {
    const home = await homeWith(CRLF);
    const before = everything(home.home);
    await install(home);
    const config = home.read(CONFIG);
    const manifest = join(home.pack, "opencode/package.json");
    writeFileSync(
      manifest,
      '{"name":"proofgate-opencode","version":"9.9.9","exports":{"./server":"./index.js"}}',
    );
    const said = await home.ask("update", "opencode", "--yes");
    expect(said.json.actions?.map(({ kind }) => kind)).toEqual(["record", "copy"]);
    expect(home.read("home/data/proofgate/opencode/package.json")).toContain("9.9.9");
    expect(home.read(CONFIG)).toBe(config);
    await uninstall(home);
    expect(everything(home.home)).toEqual(before);
  });

  test("a copy that was written into, and one that is gone, are put back", async () => {
    const home = await homeWith();
    await install(home);
    const whole = everything(join(home.home, "data"));
    appendFileSync(join(home.home, "data/proofgate/opencode/index.js"), "// changed");
    const omo = ["node", join(home.home, "data/proofgate/opencode/bin/proofgate.js")];
    const itself = Bun.spawn([...omo, "update", "opencode", "--yes", "--json"], {
      env: home.env,
      stdout: "pipe",
    });
    expect(await new Response(itself.stdout).text()).toContain('"plugin_missing"');
    await home.ask("update", "opencode", "--yes");
    expect(everything(join(home.home, "data"))).toEqual(whole);
    rmSync(join(home.home, "data/proofgate/opencode"), { recursive: true });
    await home.ask("update", "opencode", "--yes");
    expect(everything(join(home.home, "data"))).toEqual(whole);
  });
});

describe("project scope", () => {
  test("the file that the repository has, else opencode.json in its root; gone again without a trace", async () => {
    const home = await homeWith();
    const flags = ["opencode", "--scope", "project", "--yes", "--json"];
    for (const [name, file] of [
      ["one", "opencode.json"],
      ["two", ".opencode/opencode.jsonc"],
      ["three", "opencode.jsonc"],
    ] as const) {
      const repo = repoOf(home, name);
      if (name !== "one") home.write(`${name}/${file}`, '{\n  // the team\'s\n  "plugin": ["x"],\n}\n');
      const before = everything(home.base);
      expect(await home.run(["install", ...flags], { cwd: repo })).toMatchObject({ exit: 0 });
      expect(home.read(`${name}/${file}`)).toContain("{env:HOME}/data/proofgate/opencode");
      expect((await home.run(["install", ...flags], { cwd: repo })).json.actions).toEqual([]);
      expect(await home.run(["uninstall", ...flags], { cwd: repo })).toMatchObject({ exit: 0 });
      expect(everything(home.base)).toEqual(before);
    }
  });

  test("leaving one of two projects leaves the other on", async () => {
    const home = await homeWith();
    const before = everything(home.home);
    const flags = ["opencode", "--scope", "project", "--yes", "--json"];
    const [one, two] = [repoOf(home, "one"), repoOf(home, "two")];
    for (const cwd of [one, two]) await home.run(["install", ...flags], { cwd });
    await home.run(["uninstall", ...flags], { cwd: one });
    expect(readdirSync(one)).toEqual([".git"]);
    expect(home.read("two/opencode.json")).toContain("proofgate");
    expect(existsSync(join(home.home, "data/proofgate/opencode"))).toBe(true);
    await home.run(["uninstall", ...flags], { cwd: two });
    expect(readdirSync(two)).toEqual([".git"]);
    expect(everything(home.home)).toEqual(before);
  });

  test("not beside an installation for everything, and not in the home folder", async () => {
    const home = await homeWith();
    const flags = ["opencode", "--scope", "project", "--yes", "--json"];
    const conflict = { exit: 1, json: { error: { code: "install_conflict" } } };
    expect(await home.run(["install", ...flags], { cwd: home.home })).toMatchObject(conflict);
    await install(home);
    expect(await home.run(["install", ...flags], { cwd: repoOf(home) })).toMatchObject(conflict);
  });
});

describe("beside Codex", () => {
  for (const first of ["codex", "opencode"])
    bothTest(`the links stay as long as one of them needs them: ${first} goes first`, async () => {
      const home = await homeWith();
      const before = everything(home.home, notTheHosts);
      const last = first === "codex" ? "opencode" : "codex";
      for (const host of [first, last]) await home.ask("install", host, "--yes");
      const omo = join(home.home, ".local/bin/omo");
      const runs = async () => (await Bun.spawn([omo, "--version"], { env: home.env }).exited) === 0;
      expect(readlinkSync(omo)).toContain(`/proofgate/${first}/`);
      const gone = await home.ask("uninstall", first, "--yes");
      expect(gone.json.actions?.filter(({ kind }) => kind === "relink")).toHaveLength(3);
      expect(readlinkSync(omo)).toContain(`/proofgate/${last}/`);
      expect(await runs()).toBe(true);
      expect((await home.ask("install", last, "--yes")).json.actions).toEqual([]);
      await home.ask("uninstall", last, "--yes");
      expect(everything(home.home, notTheHosts)).toEqual(before);
    });

  bothTest("installers of both take turns, and so do those of one", async () => {
    const home = await homeWith(CRLF);
    const before = everything(home.home, notTheHosts);
    const hosts = ["opencode", "codex", "opencode"];
    const all = await Promise.all(hosts.map((host) => home.ask("install", host, "--yes")));
    expect(all.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    expect(all.filter(({ json }) => (json.actions ?? []).length > 0)).toHaveLength(2);
    const gone = await Promise.all(hosts.map((host) => home.ask("uninstall", host, "--yes")));
    expect(gone.map(({ exit }) => exit).sort()).toEqual([0, 0, 1]);
    expect(everything(home.home, notTheHosts)).toEqual(before);
  });

  bothTest("who has no links takes none away", async () => {
    const home = await homeWith();
    await home.ask("install", "codex", "--yes");
    const links = everything(join(home.home, ".local/bin"));
    const said = await install(home);
    expect(said.json.actions?.map(({ kind }) => kind)).toEqual(["record", "copy", "config"]);
    expect(said.json.notes?.join("\n")).not.toContain("another program");
    await uninstall(home);
    expect(everything(join(home.home, ".local/bin"))).toEqual(links);
  });
});
