/** Honest runs with checks that need something, leave something, or run in surroundings that change. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import {
  Agent,
  doSlug,
  edge,
  happy,
  implement,
  LIBRARY,
  PLAN,
  planOf,
  slugCriterion,
  slugTest,
  test,
} from "./agent.ts";

honest("a slow suite with `covers:` is not run again because the README changed", async () => {
  const world = await makeWorld(LIBRARY);
  const counter = join(world.home, "runs");
  const suite = happy("The whole suite passes: npm test exits 0.", {
    run: `echo run >> '${counter}'; npm test`,
    covers: ["src/**", "test/**", "package.json"],
  });
  const readme = edge("README.md names slug.", { run: "grep -q slug README.md", covers: ["README.md"] });
  world.write(PLAN, planOf([{ title: "slug", criteria: [suite, readme] }]));
  const agent = new Agent(world);
  const runs = async (): Promise<number> => Number((await world.sh(`wc -l < '${counter}'`)).out);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red", "C001");
  const before = await runs();
  world.write("README.md", "# texts\n\nupper and slug.\n");
  await agent.proves("red");
  world.write("README.md", "# texts\n\nupper, slug; nothing else.\n");
  await agent.proves(null);
  if ((await runs()) !== before)
    agent.count(["prove"], await world.sh(`echo ran ${before}, then more; cat '${counter}'`));
  return await agent.finishes();
});

honest("a check that needs build output: `setup:` builds it in the copies", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "package.json": LIBRARY["package.json"].replace(
      '"test": "node --test"',
      '"test": "node --test test/upper.test.js", "build": "node build.js"',
    ),
    ".gitignore": "node_modules/\ndist/\n",
    "build.js": 'import { cpSync } from "node:fs";\ncpSync("src", "dist", { recursive: true });\n',
  });
  const built = happy(
    'slug of dist/texts.js returns "big-cat" for "Big Cat".',
    "node --test test/built.test.js",
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [built] }], { setup: ["npm run build"] }));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  world.write("test/built.test.js", test("slug", '"Big Cat"', '"big-cat"', "../dist/texts.js"));
  await world.sh("npm run build");
  await agent.proves("red");
  return await agent.finishes();
});

const SETTINGS_CHECK = happy(
  'slug("Big Cat") returns "big-cat" with SEPARATOR=- of .env.test.',
  "node --env-file=.env.test --test test/slug.test.js",
);
const SETTINGS_SLUG = '(text) => text.toLowerCase().replaceAll(" ", process.env.SEPARATOR)';

honest("a check that needs an ignored file with settings: `share:` links it", async () => {
  const world = await makeWorld({ ...LIBRARY, ".gitignore": "node_modules/\n.env*\n" });
  world.write(".env.test", "SEPARATOR=-\n");
  world.write(PLAN, planOf([{ title: "slug", criteria: [SETTINGS_CHECK] }], { share: [".env.test"] }));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", SETTINGS_SLUG);
  world.write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("the same, where the plan forgot `share:`: before unclear, and the user looks at it", async () => {
  const world = await makeWorld({ ...LIBRARY, ".gitignore": "node_modules/\n.env*\n" });
  world.write(".env.test", "SEPARATOR=-\n");
  world.write(PLAN, planOf([{ title: "slug", criteria: [SETTINGS_CHECK] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", SETTINGS_SLUG);
  world.write("test/slug.test.js", slugTest());
  await agent.proves("unclear");
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("a suite that writes coverage, which Git ignores", async () => {
  const world = await makeWorld({ ...LIBRARY, ".gitignore": "node_modules/\ncoverage/\n" });
  const covered = happy(
    'slug("Big Cat") returns "big-cat"; coverage/out.json is written.',
    "mkdir -p coverage && date +%N > coverage/out.json && node --test test/slug.test.js",
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [covered] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("a suite that writes a report nobody ignored: told as moved, ignored, proven", async () => {
  const world = await makeWorld(LIBRARY);
  const reported = happy(
    'slug("Big Cat") returns "big-cat"; report.json is written.',
    "date +%N > report.json && node --test test/slug.test.js",
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [reported] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.sees("moved");
  world.write(".gitignore", "node_modules/\nreport.json\n");
  await agent.proves("red");
  return await agent.finishes();
});

const SNAPSHOT_TEST = `import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { slug } from "../src/texts.js";
const file = new URL("slug.snap", import.meta.url);
test("slug", () => {
  const got = slug("Big Cat");
  if (!existsSync(file)) writeFileSync(file, got);
  assert.equal(got, readFileSync(file, "utf8"));
});
`;

honest("a suite that writes a snapshot the first time it runs", async () => {
  const world = await makeWorld(LIBRARY);
  const snapshot = happy('slug("Big Cat") equals test/slug.snap.', "node --test test/slug.test.js");
  world.write(PLAN, planOf([{ title: "slug", criteria: [snapshot] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  world.write("test/slug.test.js", SNAPSHOT_TEST);
  await agent.proves("red");
  return await agent.finishes();
});

const EXPORT = `import { mkdirSync, writeFileSync } from "node:fs";
mkdirSync("out", { recursive: true });
writeFileSync("out/rows.json", JSON.stringify([{ id: Date.now() }]));
`;

honest("a program that has to leave a file, named in `produces:`", async () => {
  const world = await makeWorld(LIBRARY);
  const leaves = happy('sh test/export.sh leaves out/rows.json with "id".', {
    run: "sh test/export.sh",
    produces: { "out/rows.json": '"id"' },
  });
  world.write(PLAN, planOf([{ title: "export", criteria: [leaves] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("src/export.js", EXPORT);
  world.write("test/export.sh", "node src/export.js\n");
  await agent.proves("red");
  return await agent.finishes();
});

const STATS = `export const stats = (text) => ({ words: { total: text.split(" ").length } });
if (process.env.TEXT) console.log(JSON.stringify(stats(process.env.TEXT)));
`;

honest("data as JSON on standard output, and a pipe into a file whose text is looked at", async () => {
  const world = await makeWorld({ ...LIBRARY, ".gitignore": "node_modules/\nout.log\n" });
  const counts = edge("node src/stats.js prints JSON with words.total 3.", {
    run: "TEXT='a b c' node src/stats.js",
    json: { "words.total": 3 },
  });
  const piped = happy('The suite prints the line "# fail 0".', {
    run: "node --test --test-reporter=tap test/stats.test.js | tee out.log",
    stdout: "# fail 0",
  });
  world.write(PLAN, planOf([{ title: "stats", criteria: [{ ...counts, channel: "data" }, piped] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("src/stats.js", STATS);
  world.write(
    "test/stats.test.js",
    test("stats", '"a b"', "{ words: { total: 2 } }", "../src/stats.js").replace(
      "assert.equal",
      "assert.deepEqual",
    ),
  );
  await agent.proves(["not_run", "red"]);
  return await agent.finishes();
});

honest("Node is upgraded between prove and checkpoint: another program first on PATH", async () => {
  const world = await makeWorld(LIBRARY);
  // Not in a temporary folder: those come last on a run's PATH.
  const place = mkdtempSync(join(homedir(), ".proofgate-test-node-"));
  try {
    const newer = join(place, "bin");
    mkdirSync(newer);
    writeFileSync(join(newer, "node"), `#!/bin/sh\nexec '${Bun.which("node")}' "$@"\n`);
    chmodSync(join(newer, "node"), 0o755);
    world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }], { verify: ["npm test"] }));
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    doSlug(world);
    await agent.proves("red");
    const upgraded = agent.with({ env: { PATH: `${newer}:${world.env.PATH}` } });
    const { complete } = await upgraded.finishes();
    return { complete, refusals: agent.refusals };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

honest("the user's own dev server runs in the repository, and survives", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "server.js":
      'import { createServer } from "node:http";\ncreateServer((q, s) => s.end("up")).listen(0, "127.0.0.1");\n',
  });
  const server = Bun.spawn(["node", "server.js"], {
    cwd: world.root,
    env: world.env,
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }], { verify: ["npm test"] }));
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    doSlug(world);
    await agent.proves("red");
    const { complete } = await agent.finishes();
    if (server.exitCode !== null || server.signalCode !== null)
      agent.count(["prove"], await world.sh("echo the dev server was ended"));
    return { complete, refusals: agent.refusals };
  } finally {
    server.kill("SIGKILL");
    await server.exited;
  }
});

honest("a suite that leaves a server behind: it is ended, and the pass stays", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "test/start.js":
      'import { spawn } from "node:child_process";\nspawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }).unref();\n',
  });
  const leaves = happy(
    'slug("Big Cat") returns "big-cat" while a server runs.',
    "node test/start.js && node --test test/slug.test.js",
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [leaves] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  const said = await agent.proves("red");
  if ((said.json.results[0].receipt.ended ?? []).length !== 1) agent.count(["prove"], said);
  return await agent.finishes();
});

const serverTest = (port: number): string => `import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { slug } from "../src/texts.js";
test("server", async () => {
  const server = createServer((q, s) => s.end(slug("Big Cat"))).listen(${port}, "127.0.0.1");
  await once(server, "listening");
  assert.equal(await (await fetch("http://127.0.0.1:${port}/")).text(), "big-cat");
  server.closeAllConnections();
  server.close();
});
`;

honest(
  "a port in use: failing at first, then proven without being called flaky",
  async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) => {
      holder.listen(0, "127.0.0.1", () => {
        const address = holder.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const world = await makeWorld(LIBRARY);
    const listens = happy(
      `The server answers on port ${port} of 127.0.0.1 with "big-cat".`,
      "node --test test/server.test.js",
    );
    world.write(PLAN, planOf([{ title: "serve slugs", criteria: [listens] }]));
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    doSlug(world);
    world.write("test/server.test.js", serverTest(port));
    await agent.sees("fail");
    await new Promise((resolve) => holder.close(resolve));
    await agent.proves("red");
    return await agent.finishes();
  },
  { network: true },
);

honest("a suite that prints 20 MB", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "test/loud.js":
      'const line = "x".repeat(1023) + "\\n";\nfor (let n = 0; n < 20480; n++) process.stdout.write(line);\n',
  });
  const loud = happy(
    'slug("Big Cat") returns "big-cat" after a loud start.',
    "node test/loud.js && node --test test/slug.test.js",
  );
  world.write(PLAN, planOf([{ title: "slug", criteria: [loud] }], { verify: ["node test/loud.js"] }));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

/** The sandbox is played: its filter answers a bind with EPERM. */
const SOCKET_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/texts.js";
test("server", () => {
  if (process.env.CODEX_SANDBOX_NETWORK_DISABLED) throw new Error("listen EPERM: operation not permitted 127.0.0.1");
  assert.equal(slug("Big Cat"), "big-cat");
});
`;

honest(
  "a sandbox without sockets: inconclusive there, proven when the command may leave it",
  async () => {
    const world = await makeWorld(LIBRARY);
    const serves = happy(
      'GET / of the server on 127.0.0.1 answers "big-cat".',
      "node --test test/server.test.js",
    );
    world.write(PLAN, planOf([{ title: "serve slugs", criteria: [serves, slugCriterion] }]));
    const agent = new Agent(world, { env: { CODEX_SANDBOX_NETWORK_DISABLED: "1", CODEX_CI: "1" } });
    await agent.creates();
    await agent.takes();
    doSlug(world);
    world.write("test/server.test.js", SOCKET_TEST);
    const said = await agent.sees("inconclusive");
    if (said.json.results.some((r: { outcome: string }) => r.outcome === "fail"))
      agent.count(["prove"], said);
    const escalated = agent.with({ env: { CODEX_CI: "1", CODEX_SANDBOX_NETWORK_DISABLED: "" } });
    await escalated.proves("red");
    return await agent.finishes();
  },
  { not: "it plays the sandbox itself" },
);

honest("a check in a Makefile, with a pattern rule and a variable", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    Makefile: "NODE ?= node\ncheck-%:\n\t$(NODE) --test test/$*.test.js\n",
  });
  const made = happy('make check-slug exits 0: slug("Big Cat") returns "big-cat".', "make check-slug");
  world.write(PLAN, planOf([{ title: "slug", criteria: [made] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

const CLI = `import { upper } from "./src/texts.js";
console.log(upper(process.argv[2] ?? ""));
`;
const CLI_TEST = `import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
test("usage", async () => {
  const [code] = await once(spawn(process.execPath, ["cli.js"], { stdio: "ignore" }), "exit");
  assert.equal(code, 2);
});
`;

honest("a check as a list of words that wants exit 2 and a message on standard error", async () => {
  const world = await makeWorld({ ...LIBRARY, "cli.js": CLI });
  const usage = happy("Without arguments cli.js exits 2: test/cli.test.js.", {
    run: ["node", "--test", "test/cli.test.js"],
  });
  const direct = edge('node cli.js exits 2 and prints "usage:" on standard error.', {
    run: ["node", "cli.js"],
    exit: 2,
    stderr: "usage:",
  });
  world.write(PLAN, planOf([{ title: "Say how it is used", criteria: [usage, direct] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(
    "cli.js",
    CLI.replace(
      "console.log",
      'if (process.argv[2] === undefined) {\n  console.error("usage: cli TEXT");\n  process.exit(2);\n}\nconsole.log',
    ),
  );
  world.write("test/cli.test.js", CLI_TEST);
  await agent.proves(["red", "own_script"]);
  return await agent.finishes();
});
