/**
 * Every way in which the real OpenCode loads the plugin, with nothing else installed: from each the gate answers, and program,
 * skills and roles are there.
 */

import { afterAll, beforeAll, expect } from "bun:test";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "./ask.ts";
import { type GatedOpenCode, gatedOpenCode } from "./gated-opencode.ts";
import { testUnless } from "./host-test.ts";
import { openCodeMissing } from "./opencode.ts";
import { heard, refused } from "./opencode-scripts.ts";
import { createGoal, sh, updateGoal } from "./steps.ts";
import { CREATE, FILES, OBJECTIVE } from "./stories.ts";

const REPO = join(import.meta.dirname, "..", "..");
const DIST = join(REPO, "dist", "opencode");
const NPM_MS = 60_000;

const missing = await openCodeMissing();
const loadingTest = testUnless(missing);
const scratch = mkdtempSync(join(tmpdir(), "pg-loading-"));
const made: GatedOpenCode[] = [];
/** The package as it is published. */
let tarball = "";
let version = "";
let server: Server | null = null;

beforeAll(async () => {
  if (missing !== null) return;
  const env = { ...process.env, HOME: scratch, npm_config_cache: join(scratch, "cache") };
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", scratch];
  const { exit, text } = await ask("npm", args, REPO, NPM_MS, env);
  const [packed] = exit === 0 ? JSON.parse(text.slice(text.indexOf("["))) : [];
  if (packed === undefined) throw new Error(`npm pack: ${text}`);
  ({ version } = packed);
  tarball = join(scratch, packed.filename);
});
afterAll(async () => {
  for (const one of made) await one.remove();
  server?.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function loaded(
  plugin: readonly unknown[],
  files: Readonly<Record<string, string>> = {},
): Promise<GatedOpenCode> {
  const one = await gatedOpenCode({ ...FILES, ...files }, { config: { plugin } });
  made.push(one);
  return one;
}

const task = {
  tool: "task",
  args: { description: "look", prompt: "THE-LOOK", subagent_type: "codex-ultrawork-reviewer" },
};
const child = { mark: "THE-LOOK", steps: [] };

/** The least that shows all of it: a refusal, a skill, a role. @returns how often the model was asked */
async function expectAtWork(host: GatedOpenCode): Promise<number> {
  const steps = [
    sh(CREATE),
    createGoal(OBJECTIVE),
    updateGoal("complete"),
    { tool: "skill", args: { name: "ulw-loop" } },
    task,
  ];
  const { outputs, exit, requests } = await host.play(steps, { child });
  expect(outputs[0]).toContain("gate armed");
  expect(outputs[2]).toMatch(refused);
  expect(outputs[3]).toContain("proofgate next");
  expect(outputs[4]).toContain('state="completed"');
  expect(exit).toBe(0);
  expect(heard(requests)).toContain("Go on.");
  return requests.length;
}

loadingTest("a folder, by its path; and named twice, from two places, only one of them acts", async () => {
  const once = await expectAtWork(await loaded([DIST]));
  const other = join(scratch, "copy");
  cpSync(DIST, other, { recursive: true });
  expect(await expectAtWork(await loaded([DIST, other]))).toBe(once);
});

loadingTest("a tarball", async () => {
  await expectAtWork(await loaded([`proofgate@file:${tarball}`]));
});

loadingTest("the package of the repository, by one line in .opencode/plugins", async () => {
  // As if the host had installed what it installs into each such folder: it would wait for that in vain.
  const marks = { dependencies: { "@opencode-ai/plugin": "*" } };
  const host = await loaded([], {
    ".gitignore": "node_modules/\n",
    ".opencode/package.json": JSON.stringify(marks),
    ".opencode/package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: { "": marks } }),
    ".opencode/plugins/proofgate.js": 'export { default } from "proofgate/server";\n',
  });
  mkdirSync(join(host.repo, ".opencode", "node_modules"));
  const to = join(host.repo, "node_modules", "proofgate");
  mkdirSync(to, { recursive: true });
  const { exit, text } = await ask("tar", ["-xzf", tarball, "--strip-components=1", "-C", to], to, NPM_MS);
  expect(exit === 0 ? "unpacked" : text).toBe("unpacked");
  await expectAtWork(host);
});

loadingTest("npm, by its name", async () => {
  const host = await loaded(["proofgate"]);
  const registry = await serveRegistry();
  host.home.env.npm_config_registry = registry.url;
  await expectAtWork(host);
  expect(registry.asked).toContain("/proofgate.tgz");
});

loadingTest(
  "where there is no Node, the host's own binary runs the program, and drives a channel",
  async () => {
    const host = await loaded([DIST]);
    const bin = join(host.home.path, "few");
    mkdirSync(bin);
    for (const tool of ["sh", "env", "dirname", "git"]) symlinkSync(Bun.which(tool) ?? tool, join(bin, tool));
    // What is on PATH may be a script that chooses one, and wants a whole PATH for it.
    const which = "import os; print(os.path.realpath('/proc/self/exe'))";
    const python = await ask("python3", ["-c", which], bin, NPM_MS);
    symlinkSync(python.text.trim(), join(bin, "python3"));
    host.home.env.PATH = bin;
    const server = "{ start: python3 -m http.server $PORT --bind 127.0.0.1, get: /new.txt, status: 200 }";
    const { outputs } = await host.play([
      sh("command -v node || echo no node"),
      sh(`proofgate goal "Serve it" --channel http --check '${server}' && proofgate ulw-loop complete-goals`),
      sh("echo new > new.txt; proofgate prove"),
    ]);
    expect(outputs[0]).toContain("no node");
    expect(outputs[2]).toMatch(/G001-C001 {2}proven/);
  },
);

/** A package registry with one package in it. */
async function serveRegistry() {
  const asked: string[] = [];
  const data = readFileSync(tarball);
  const integrity = `sha512-${createHash("sha512").update(data).digest("base64")}`;
  const listening = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url?.endsWith(".tgz")) return void response.end(data);
    if (request.url !== "/proofgate") {
      response.statusCode = 404;
      return void response.end("{}");
    }
    const manifest = JSON.parse(readFileSync(join(REPO, "package.json"), "utf8"));
    const dist = { tarball: `http://${request.headers.host}/proofgate.tgz`, integrity };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        name: "proofgate",
        "dist-tags": { latest: version },
        versions: { [version]: { ...manifest, dist } },
      }),
    );
  });
  await new Promise<void>((ready) => listening.listen(0, "127.0.0.1", ready));
  server = listening;
  const address = listening.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`, asked };
}
