/** `npm test`: builds, checks the sources, runs every test against the built program, and prints the two counts that decide. */

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { installHosts } from "../test/hosts/codex-binary.ts";
import { openCodeMissing } from "../test/hosts/opencode.ts";

const root = join(import.meta.dir, "..");
const only = process.argv.slice(2);
/**
 * Files are run side by side, each in a world of its own: mostly they wait for programs that they started. More of them than
 * there are processors only makes each one slower, and then what has a time limit runs into it.
 */
const AT_ONCE = Math.min(availableParallelism(), 4);

async function step(
  name: string,
  command: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<boolean> {
  const started = performance.now();
  const child = Bun.spawn([...command], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await child.exited;
  console.log(
    `${code === 0 ? "ok  " : "FAIL"} ${name}  ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return code === 0;
}

const bun = process.execPath;
const bin = (name: string): string => join(root, "node_modules", ".bin", name);
let good = await step("build", [bun, "scripts/build.ts"]);
if (only.length === 0) {
  good = (await step("format and lint", [bin("biome"), "check", "."])) && good;
  good = (await step("types", [bin("tsc"), "--noEmit"])) && good;
  good = (await step("unused code", [bin("knip")])) && good;
}

const missing = await installHosts();
if (missing !== null) console.log(`skip host binaries: ${missing}`);

/** The file of the corpora that a file of the hosts' tests plays in OpenCode; null for any other. */
function playedBy(path: string): string | null {
  const [, corpus, name] = /^hosts\/opencode-(honest|lies)-(.+)$/.exec(path) ?? [];
  return name === undefined ? null : `${corpus === "lies" ? "adversarial" : "honest"}/${name}`;
}

/** All test files. What of the corpora is played in OpenCode is not played without a host as well, where OpenCode is. */
async function testFiles(): Promise<readonly string[]> {
  const all = (await readdir(join(root, "test"), { recursive: true }))
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules/"));
  const inHost = new Set((await openCodeMissing()) === null ? all.map(playedBy) : []);
  return all.filter((path) => !inHost.has(path)).map((path) => `./test/${path}`);
}

const scratch = await mkdtemp(join(tmpdir(), "proofgate-test-"));
const counts = join(scratch, "counts.jsonl");
const junit = join(scratch, "junit.xml");
const tested = await step(
  "tests",
  [
    bun,
    "test",
    "--timeout=120000",
    `--parallel=${AT_ONCE}`,
    "--reporter=junit",
    `--reporter-outfile=${junit}`,
    ...(only.length > 0 ? only : await testFiles()),
  ],
  // Certificates that a machine adds to Node's own triple the time of its start, and nothing here goes beyond loopback.
  { PROOFGATE_COUNTS: counts, NODE_EXTRA_CA_CERTS: undefined },
);

const lines = (await readFile(counts, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
const tallies: { kind: string; name: string; wrong: boolean }[] = lines.map((line) => JSON.parse(line));
const wrongOf = (kind: string): string => {
  const all = tallies.filter((t) => t.kind === kind);
  const wrong = all.filter((t) => t.wrong);
  return `${wrong.length} of ${all.length}${wrong.length > 0 ? `: ${wrong.map((t) => t.name).join("; ")}` : ""}`;
};
console.log(`\nlies accepted:         ${wrongOf("lie")}`);
console.log(`honest runs stranded:  ${wrongOf("honest")}`);

const report = await readFile(junit, "utf8").catch(() => "");
const head = /<testsuites[^>]*>/.exec(report)?.[0] ?? "";
const figure = (name: string): number => Number(new RegExp(`${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
const [total, failed, skipped] = [figure("tests"), figure("failures"), figure("skipped")];

/** Where the time of a run goes: the files that took longest, each in the whole of it. */
const files = [...report.matchAll(/<testsuite name="([^"]+\.test\.ts)"[^>]*? time="([\d.]+)"/g)]
  .map(([, name = "", seconds = "0"]) => ({ name, seconds: Number(seconds) }))
  .sort((a, b) => b.seconds - a.seconds);
console.log("\nslowest files:");
for (const { name, seconds } of files.slice(0, 12))
  console.log(`  ${seconds.toFixed(0).padStart(4)} s  ${name}`);

console.log(`\n${total - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
await rm(scratch, { recursive: true, force: true });
process.exit(good && tested && total > 0 && failed === 0 ? 0 : 1);
