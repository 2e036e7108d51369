/** The doctor, with the real Codex: healthy means that the gate would run; what is not, it names with what mends it. */

import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { concernsGoals } from "../../scripts/installer/matcher.ts";
import { testUnless } from "../hosts/host-test.ts";
import {
  everything,
  type Home,
  installerMissing,
  makeHome,
  notTheHosts,
  removeHomes,
  type Said,
} from "./home.ts";

const hostTest = testUnless(await installerMissing());
afterAll(removeHomes);

/** With the links on PATH, as in a user's shell. */
const doctor = (home: Home, more: readonly string[] = [], cwd?: string, env: Record<string, string> = {}) =>
  home.run(["doctor", ...more, "--json"], {
    env: { PATH: `${home.home}/.local/bin:${home.env.PATH}`, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
const bads = (said: Said) => (said.json.findings ?? []).filter(({ status }) => status === "bad");
const finding = (said: Said, what: string) => said.json.findings?.find((f) => f.what.startsWith(what));

async function installed(config?: string): Promise<Home> {
  const home = await makeHome(config);
  const said = await home.ask("install", "codex", "--yes", "--trust-hooks");
  if (said.exit !== 0) throw new Error(said.out);
  return home;
}

describe("doctor", () => {
  hostTest("is healthy after an installation with trust", async () => {
    const said = await doctor(await installed());
    expect(bads(said)).toEqual([]);
    expect(said).toMatchObject({ exit: 0, json: { ok: true, healthy: true } });
    expect(finding(said, "hook preToolUse (update_goal) runs")?.status).toBe("ok");
    expect(finding(said, "hook stop runs")?.status).toBe("ok");
  });

  hostTest("names what is missing, each with what mends it; following it makes it healthy", async () => {
    const home = await makeHome();
    const none = await doctor(home);
    expect(none).toMatchObject({ exit: 1, json: { ok: false, error: { code: "unhealthy" } } });
    expect(none.json.error?.nextActions[0]).toContain("proofgate install codex --trust-hooks");
    await home.ask("install", "codex", "--yes");
    const untrusted = await doctor(home);
    expect(bads(untrusted).map((f) => f.found)).toEqual([
      "untrusted: the host skips it in silence",
      "untrusted: the host skips it in silence",
    ]);
    for (const { mend } of bads(untrusted)) expect(mend).toContain("proofgate install codex --trust-hooks");
    await home.ask("install", "codex", "--yes", "--trust-hooks");
    expect((await doctor(home)).exit).toBe(0);
  });

  hostTest("a hook that fails, one that babbles and one that refuses what must pass are found", async () => {
    for (const [script, found] of [
      ["cat >/dev/null\necho broken >&2\nexit 1\n", "exit 1: broken"],
      ["cat >/dev/null\necho loading\necho '{}'\n", "no JSON"],
      ['cat >/dev/null\necho \'{"verdict":"deny"}\'\n', "does not know: verdict"],
      ['cat >/dev/null\necho \'{"decision":"block","reason":"no"}\'\n', "refused a call"],
    ] as const) {
      const home = await makeHome();
      writeFileSync(join(home.pack, "codex/plugins/proofgate/hooks/run.sh"), script);
      await home.ask("install", "codex", "--yes", "--trust-hooks");
      const said = await doctor(home);
      expect(said.exit).toBe(1);
      expect(finding(said, "hook stop runs")?.found).toContain(found);
    }
  });

  hostTest(
    "a gate that leaves early all right, but cannot start where there is a plan, is found",
    async () => {
      const home = await makeHome();
      const deny = `{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"Not complete: the gate could not be run (no node on PATH)."}}`;
      writeFileSync(
        join(home.pack, "codex/plugins/proofgate/hooks/run.sh"),
        `p=$(cat)\n[ -e .proofgate.yaml ] || exit 0\ncase $p in *'"complete"'*) echo '${deny}' ;; esac\n`,
      );
      await home.ask("install", "codex", "--yes", "--trust-hooks");
      expect(bads(await doctor(home)).map((f) => f.found)).toEqual(["it could not be run: no node on PATH"]);
    },
  );

  hostTest("a plugin folder that was written into is found, and installing again mends it", async () => {
    const home = await installed();
    appendFileSync(
      join(home.codexHome, "plugins/cache/proofgate/proofgate/0.1.0/hooks/run.sh"),
      "# changed\n",
    );
    const said = await doctor(home);
    expect(bads(said).map((f) => f.found)).toContain("modified: the host skips it in silence");
    await home.ask("install", "codex", "--yes", "--trust-hooks");
    expect((await doctor(home)).exit).toBe(0);
  });

  hostTest("other tools' hooks on goals and stops are named, and are no fault", async () => {
    const home = await installed();
    const hook = { hooks: [{ type: "command", command: "true" }] };
    const events = {
      Stop: [hook],
      PreToolUse: [
        { ...hook, matcher: "Bash" },
        { ...hook, matcher: ".*_goal" },
      ],
    };
    writeFileSync(join(home.codexHome, "hooks.json"), JSON.stringify({ hooks: events }));
    const said = await doctor(home);
    expect(said.exit).toBe(0);
    const rivals = (said.json.findings ?? []).filter((f) => f.what === "another tool's hook");
    expect(rivals.map((f) => f.found.split(" of ")[0])).toEqual(["preToolUse (.*_goal)", "stop"]);
    expect(rivals[0]?.found).toContain("hooks.json");
  });

  hostTest("hooks switched off in the configuration, a missing role, no name on PATH", async () => {
    const home = await installed();
    rmSync(join(home.codexHome, "agents/codex-ultrawork-reviewer.toml"));
    const said = await home.ask("doctor");
    expect(bads(said).map((f) => f.what)).toEqual(["role codex-ultrawork-reviewer", "on PATH"]);
    appendFileSync(home.config, "\n[features]\nhooks = false\n");
    expect(finding(await doctor(home), "feature hooks")?.mend).toBe("codex features enable hooks");
  });

  hostTest("a damaged state of the repository is found", async () => {
    const home = await installed();
    const repo = await planned(home, "test -f done.txt");
    expect((await doctor(home, [], repo)).json.findings?.at(-1)).toMatchObject({ status: "ok" });
    appendFileSync(join(repo, ".omo/ulw-loop/ledger.jsonl"), '{"seq":99}\n');
    const said = await doctor(home, [], repo);
    expect(said.exit).toBe(1);
    expect(said.json.findings?.at(-1)).toMatchObject({ status: "bad", mend: "proofgate ulw-loop repair" });
  });

  test("without Codex it says so", async () => {
    const home = await makeHome();
    const PATH = (home.env.PATH ?? "").replace(join(home.base, "bin"), join(home.base, "nothing"));
    const said = await home.run(["doctor", "--json"], { env: { PATH } });
    expect(said.exit).toBe(1);
    expect(bads(said)[0]?.found).toContain("no codex on PATH");
  });
});

const BUILT = join(import.meta.dir, "../../dist/codex");
const builtTest = existsSync(BUILT)
  ? hostTest
  : (name: string) => test.skip(`${name} (skipped: no dist/codex)`);

builtTest("the plugin as it is built: installed, healthy, and gone without a trace", async () => {
  const home = await makeHome("# mine\n");
  rmSync(join(home.pack, "codex"), { recursive: true });
  cpSync(BUILT, join(home.pack, "codex"), { recursive: true });
  const before = everything(home.home, notTheHosts);
  expect(await home.ask("install", "codex", "--yes", "--trust-hooks")).toMatchObject({ exit: 0 });
  const said = await doctor(home);
  expect(bads(said)).toEqual([]);
  expect(finding(said, "gate starts")?.status).toBe("ok");
  await home.ask("uninstall", "codex", "--yes");
  expect(everything(home.home, notTheHosts)).toEqual(before);
});

/** A repository with a plan of one check. */
async function planned(home: Home, check: string): Promise<string> {
  const repo = join(home.base, "repo");
  mkdirSync(repo);
  const git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid"];
  for (const args of [
    ["init", "-q"],
    ["commit", "-q", "--allow-empty", "-m", "base"],
  ])
    await Bun.spawn([...git, ...args], { cwd: repo, env: home.env }).exited;
  const said = await home.run(["goal", "One", "--check", check, "--json"], { cwd: repo });
  if (said.exit !== 0) throw new Error(said.out);
  return repo;
}

describe("preflight", () => {
  hostTest(
    "a program that is missing, sockets that are shut, the slowest check, the approval policy",
    async () => {
      const home = await installed('approval_policy = "never"\nsandbox_mode = "workspace-write"\n');
      const repo = await planned(home, "curl -sf localhost:4000 | no-such-program --count");
      await home.run(["prove"], { cwd: repo });
      const said = await doctor(home, ["--preflight"], repo);
      expect(said.exit).toBe(1);
      expect(finding(said, "program no-such-program")?.found).toContain("G001-C001");
      expect(finding(said, "sockets")).toMatchObject({ status: "bad" });
      expect(finding(said, "sockets")?.mend).toContain("network_access=true");
      expect(finding(said, "approvals")?.found).toContain(
        "approval_policy never, sandbox_mode workspace-write",
      );
      expect(home.read("home/.codex/config.toml")).not.toContain("network_access");
    },
  );

  hostTest("what is there is no finding; a recorded run tells the time", async () => {
    const home = await installed();
    const repo = await planned(home, "test -f done.txt");
    writeFileSync(join(repo, "done.txt"), "x");
    await home.run(["prove"], { cwd: repo });
    const said = await doctor(home, ["--preflight"], repo);
    expect(bads(said)).toEqual([]);
    expect(said.exit).toBe(0);
    expect(finding(said, "time")?.found).toContain("slowest check G001-C001");
  });

  hostTest("inside the sandbox the shut sockets are seen; a user who opened them is believed", async () => {
    const home = await installed("[sandbox_workspace_write]\nnetwork_access = true\n");
    const repo = await planned(home, "curl -sf localhost:4000");
    expect(finding(await doctor(home, ["--preflight"], repo), "sockets")?.status).toBe("ok");
    const inside = await doctor(home, ["--preflight"], repo, { CODEX_SANDBOX_NETWORK_DISABLED: "1" });
    expect(finding(inside, "sockets")?.status).toBe("bad");
  });

  hostTest("no plan is said", async () => {
    const home = await installed();
    const said = await doctor(home, ["--preflight"]);
    expect(bads(said).map((f) => f.what)).toEqual(["plan"]);
  });
});

test("which hooks of others have a say about goals or stopping, by the host's rules for matchers", () => {
  const rival = (matcher: string | null, event = "preToolUse") => concernsGoals({ event, matcher });
  expect([null, "", "*", "update_goal", "Bash|get_goal", ".*_goal", "^update_"].map((m) => rival(m))).toEqual(
    Array(7).fill(true),
  );
  expect(["goal", "Bash", "Update_goal", "^apply", "("].map((m) => rival(m))).toEqual(Array(5).fill(false));
  expect(rival(null, "stop")).toBe(true);
  expect(rival(null, "sessionStart")).toBe(false);
});
