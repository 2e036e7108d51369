/** The package as users get it: packed, installed into an empty project, and used with npx, Node and Bun. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeWorld, type World } from "../helpers/world.ts";
import { DONE, FILES, goal, planFile, REVIEWS } from "./kit.ts";

/** What `npm pack --json` tells. */
interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const REPO = join(import.meta.dir, "../..");
let scratch = "";
let world: World;
let packed: Packed;
let installed = "";

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const env = {
    ...process.env,
    HOME: scratch,
    npm_config_cache: join(scratch, "cache"),
    npm_config_userconfig: join(scratch, "npmrc"),
    npm_config_update_notifier: "false",
  };
  const child = Bun.spawn(["npm", ...args], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (exit !== 0) throw new Error(`npm ${args.join(" ")}: ${err}${out}`);
  return out;
}
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "pg-pack-"));
  [packed] = JSON.parse(
    await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", scratch], REPO),
  );
  world = await makeWorld({
    ...FILES,
    ".gitignore": "node_modules/\n",
    "package.json": `{"name":"empty","version":"1.0.0","private":true}\n`,
    ".proofgate/plan.yaml": planFile([goal("CSV import")], { verify: ["sh test/old.sh"] }),
  });
  await npm(["i", "-D", "--offline", "--no-audit", "--no-fund", join(scratch, packed.filename)], world.root);
  await world.commit("with proofgate");
  installed = join(world.root, "node_modules/proofgate");
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );

test("the package holds the program and its documents, no sources, no tests", () => {
  const paths = packed.files.map((f) => f.path);
  for (const path of [
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "dist/proofgate.js",
    "dist/codex/.agents/plugins/marketplace.json",
    "dist/codex/plugins/proofgate/.codex-plugin/plugin.json",
    "dist/codex/plugins/proofgate/hooks/hooks.json",
    "dist/codex/plugins/proofgate/hooks/run.sh",
    "dist/codex/plugins/proofgate/hook/hook.js",
    "dist/codex/plugins/proofgate/bin/proofgate.js",
    "dist/codex/plugins/proofgate/skills/ulw-loop/SKILL.md",
    "dist/codex/plugins/proofgate/skills/performance-goal/SKILL.md",
    "dist/codex/plugins/proofgate/agents/worker.toml",
    "dist/channels/driver.mjs",
    "dist/channels/library.mjs.br",
    "dist/opencode/index.js",
    "dist/opencode/agents/worker.json",
    "dist/opencode/skills/ulw-loop/SKILL.md",
    "docs/checks.md",
    "docs/plan.md",
    "docs/errors.md",
    "docs/ledger.md",
    "docs/performance.md",
    "docs/trust.md",
    "examples/plan.yaml",
    "examples/github-actions.yml",
  ])
    expect(paths).toContain(path);
  expect(
    paths.filter(
      (path) =>
        !/^dist\/(codex|opencode)\//.test(path) &&
        /\.ts$|(^|\/)(test|components|scripts|node_modules|\.[^/]+)\/|tsconfig|biome|knip|lock/.test(path),
    ),
  ).toEqual([]);
  expect(
    paths.filter(
      (path) =>
        !/^(dist\/(proofgate|chunk-\w+)\.js|dist\/package\.json|dist\/(codex|opencode)\/.+|dist\/channels\/((driver|chunk-\w+)\.mjs|library\.mjs\.br|licenses\/.+)|docs\/[\w-]+\.md|examples\/[\w-]+\.ya?ml|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(
          path,
        ),
    ),
  ).toEqual([]);
  // A third of it is the remote control of a browser, packed, once for the package and once for each host.
  expect(packed.unpackedSize).toBeLessThan(12 * 1024 * 1024);
});

test("nothing in the package names a folder of the machine it was made on", () => {
  const home = process.env.HOME ?? "/root";
  const strings = [REPO, `${home}/`, "node_modules/.bun"].filter((s) => s.length > 2);
  for (const path of filesBelow(installed)) {
    const text = readFileSync(join(installed, path), "utf8");
    for (const string of strings)
      expect({ path, string, at: text.indexOf(string) }).toEqual({ path, string, at: -1 });
    expect({ path, map: text.includes("sourceMappingURL=") }).toEqual({ path, map: false });
  }
});

test("it needs no other package and runs no script at installation", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(manifest.dependencies ?? {}).toEqual({});
  expect(manifest.peerDependencies ?? {}).toEqual({});
  expect(manifest.bin).toEqual({ proofgate: "dist/proofgate.js" });
  expect(Object.keys(manifest.scripts ?? {}).filter((name) => /install|prepare/.test(name))).toEqual([]);
  expect(readdirSync(join(world.root, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
    "proofgate",
  ]);
});

test("links of the README lead somewhere in the package", () => {
  const links = [...readFileSync(join(installed, "README.md"), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)]
    .map(([, path]) => path ?? "")
    .filter((path) => path !== "CONTRIBUTING.md");
  expect(links.length).toBeGreaterThan(4);
  const have = new Set(filesBelow(installed));
  expect(links.filter((path) => !have.has(path))).toEqual([]);
});

const runners = [
  ["npx", "npx --no-install proofgate"],
  ["node", "node node_modules/proofgate/dist/proofgate.js"],
  ["bun", `'${process.execPath}' node_modules/proofgate/dist/proofgate.js`],
  ["the link itself", "node_modules/.bin/proofgate"],
] as const;

for (const [name, command] of runners)
  test(`a whole plan with ${name}, from create-goals to check`, async () => {
    const session = `--session-id s-${name.replaceAll(" ", "-")}`;
    const run = (args: string) => world.sh(`${command} ${args}`);
    const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect((await run("--version")).out).toBe(`${version}\n`);
    world.write("app.sh", FILES["app.sh"] ?? "");
    const steps: [args: string, exit: number][] = [
      ["ulw-loop create-goals --plan .proofgate/plan.yaml", 0],
      ["ulw-loop complete-goals", 0],
      ["prove", 1],
      ["check", 1],
    ];
    for (const [args, exit] of steps) {
      const said = await run(`${args} ${session}`);
      expect({ args, exit: said.exit, err: said.err }).toEqual({ args, exit, err: "" });
    }
    world.write("app.sh", DONE);
    const proved = await run(`prove --json ${session}`);
    expect(proved.json.results).toMatchObject([
      { status: "pass", before: "red" },
      { status: "pass", before: "pinned" },
    ]);
    const last = await run(
      `checkpoint --status complete --evidence 'see receipts' --quality-gate-json '${JSON.stringify(REVIEWS)}' ${session}`,
    );
    expect({ exit: last.exit, err: last.err }).toEqual({ exit: 0, err: "" });
    expect((await run(`check ${session}`)).out).toStartWith("ok: 2 criteria proven");
    expect((await run(`verify --json ${session}`)).json.valid).toBeTrue();
  }, 60000);

test("the form of a ledger written by Node is read by Bun, and the other way round", async () => {
  const [, node] = runners[1];
  const [, bun] = runners[2];
  await world.sh(`${node} ulw-loop create-goals --brief 'Ship it.' --session-id mixed`);
  await world.sh(`${bun} steer --kind annotate_ledger --evidence e --rationale ü --session-id mixed`);
  await world.sh(`${node} steer --kind annotate_ledger --evidence e --rationale 🚀 --session-id mixed`);
  const [a, b] = [
    await world.sh(`${node} status --json --session-id mixed`),
    await world.sh(`${bun} status --json --session-id mixed`),
  ];
  expect(a.out).toBe(b.out);
  expect(a.json.ledger.seq).toBe(3);
  for (const runner of [node, bun])
    expect((await world.sh(`${runner} verify --json --session-id mixed`)).json.valid).toBeTrue();
});

test("npx finds the program from a subfolder, and the example plan is accepted as it is", async () => {
  mkdirSync(join(world.root, "deep/er"), { recursive: true });
  const status = await world.sh("cd deep/er && npx --no-install proofgate list");
  expect(status.exit).toBe(0);
  const example = await world.sh(
    "npx --no-install proofgate ulw-loop create-goals --plan node_modules/proofgate/examples/plan.yaml --session-id example",
  );
  expect({ exit: example.exit, err: example.err }).toEqual({ exit: 0, err: "" });
});
