/** Checks that cannot fail, are answered by something else, or answer for a tree that they do not run on. */

import { join } from "node:path";
import { honest, lie } from "../helpers/count.ts";
import { makeWorld, type World } from "../helpers/world.ts";
import {
  ADD_CHECK,
  ADD_TEST,
  BASE,
  BROKEN_KEEP,
  create,
  finish,
  HAPPY,
  hire,
  judge,
  KEEP_CHECK,
  KEPT,
  must,
  type Outcome,
  planText,
  TWO,
  type Wanted,
  work,
  writeTest,
} from "./play.ts";

/** The only check of a goal for which nothing is done: refused when it is made, or never proven. */
async function asHappy(commands: readonly (string | readonly [string, ...string[]])[]): Promise<Outcome> {
  const world = await makeWorld(BASE);
  for (const [index, command] of commands.entries()) {
    const [run, ...flags] = typeof command === "string" ? [command] : command;
    const session = `s${index}`;
    const made = await world.ask("goal", "Add", "--check", run, ...flags, "--session-id", session);
    if (made.exit === 0 && (await finish(world, { session })) === "accepted") {
      console.error(`accepted as a happy check: ${run}`);
      return "accepted";
    }
  }
  await must(world.ask("goal", "Add", "--check", ADD_CHECK));
  work(world);
  if ((await finish(world)) !== "accepted") throw new Error("the honest check was refused");
  return "refused";
}

lie("a check that always succeeds", () =>
  asHappy([
    "true",
    ":",
    "exit 0",
    "/bin/true",
    "sh -c true",
    "node -e 0",
    "test 1 = 1",
    "sleep 0",
    "env true",
    "command true",
    "echo PASS",
  ]),
);
lie("a check that prints what is wanted", () =>
  asHappy([
    ["echo PASS", "--expect-stdout", "PASS"],
    ["printf 'ok 1\\n'", "--expect-stdout", "ok"],
    ["node -e \"console.log('3 rows')\"", "--expect-stdout", "3 rows"],
  ]),
);
lie("a check that is true of every repository", () =>
  asHappy(["test -f package.json", "ls", "git status", "node --version", "test -d .", "git rev-parse HEAD"]),
);
lie("a masked exit", () =>
  asHappy([
    "exit 3 | tail",
    "node test/add.test.js | tail -5",
    "node test/add.test.js || true",
    "node test/add.test.js; true",
    "node test/add.test.js || echo failed",
  ]),
);
lie("a check that expects the failure which is there already", () =>
  asHappy([
    [ADD_CHECK, "--expect-exit", "1"],
    ["nosuchprogram", "--expect-exit", "127"],
    [ADD_CHECK, "--expect-exit", "1", "--expect-stderr", "Cannot find"],
  ]),
);

/**
 * The same as the regression criterion beside an honest happy one, with the thing that it guards broken. Such a criterion
 * passes on the base as well, so that only the check's own worth stands between the lie and "complete".
 */
async function asRegression(
  checks: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const world = await makeWorld({ ...BASE, ...files });
  work(world);
  world.write("src/keep.js", BROKEN_KEEP);
  const through: string[] = [];
  for (const [index, check] of checks.entries()) {
    const session = `s${index}`;
    world.write(
      ".proofgate/plan.yaml",
      planText([{ title: "Calculator", criteria: [HAPPY, { classes: "regression", check }] }]),
    );
    const made = await world.ask(
      "ulw-loop",
      "create-goals",
      "--plan",
      ".proofgate/plan.yaml",
      "--session-id",
      session,
    );
    if (made.exit === 0 && (await finish(world, { session })) === "accepted") through.push(check);
  }
  if (through.length > 0) console.error(`accepted as regression checks: ${through.join("  ")}`);
  await create(world, TWO);
  if ((await finish(world)) === "accepted") throw new Error("the broken code was to be refused");
  world.write("src/keep.js", BASE["src/keep.js"] ?? "");
  if ((await finish(world)) !== "accepted") throw new Error("the honest check was refused");
  return through.length > 0 ? "accepted" : "refused";
}

lie("a regression check whose exit a pipe hides", () =>
  asRegression([`{ run: "${KEEP_CHECK} | tail" }`, `{ run: "${KEEP_CHECK} 2>&1 | tee log.txt" }`]),
);
lie("a regression check whose exit a pipe hides, with a pattern that everything matches", () =>
  asRegression([
    `{ run: "${KEEP_CHECK} | cat", stdout: "/.*/" }`,
    `{ run: "${KEEP_CHECK} 2>&1 | cat", stdout: "/(.|\\\\n)*/" }`,
  ]),
);
lie("a regression check that turns failure into success", () =>
  asRegression([
    `{ run: "${KEEP_CHECK} || true" }`,
    `{ run: "${KEEP_CHECK}; true" }`,
    `{ run: "(${KEEP_CHECK}) || exit 0" }`,
    `{ run: "${KEEP_CHECK} || :" }`,
  ]),
);
lie("a regression check with its mask inside another shell", () =>
  asRegression([
    `{ run: "sh -c '${KEEP_CHECK}; true'" }`,
    `{ run: "bash -c '${KEEP_CHECK} || :'" }`,
    `{ run: [sh, -c, "${KEEP_CHECK} || true"] }`,
  ]),
);
lie("a regression check that swallows the failure in a condition", () =>
  asRegression([
    `{ run: "if ${KEEP_CHECK}; then echo good; fi" }`,
    `{ run: "${KEEP_CHECK} || test -f package.json" }`,
    `{ run: "${KEEP_CHECK} & wait" }`,
    `{ run: "${KEEP_CHECK}; test -d src" }`,
  ]),
);
lie("a regression check that selects no test", () =>
  asRegression([
    '{ run: "npm run nothing --if-present" }',
    '{ run: "find test -name none.js -exec node {} +" }',
    '{ run: "ls test/none*.js 2>/dev/null | xargs -r node" }',
  ]),
);

/** No work at all, only a check that was made to look done. */
async function idle(
  criterion: Wanted,
  lieAbout: (world: World) => unknown,
  options: {
    files?: Record<string, string>;
    head?: string;
    mend?: (world: World) => unknown;
    env?: Record<string, string>;
  } = {},
): Promise<Outcome> {
  const world = await hire(planText([{ title: "Adds", criteria: [criterion] }], options.head ?? ""), {
    files: options.files,
  });
  await lieAbout(world);
  const way = options.env === undefined ? {} : { env: options.env };
  if (options.mend === undefined) return finish(world, way);
  return judge(world, () => options.mend?.(world), way);
}
const own = (run: string, more = ""): Wanted => ({ classes: "happy", check: `{ run: "${run}"${more} }` });

lie("a check file written last that prints what is wanted", () =>
  idle(own("sh verify.sh", ', stdout: "ALL GOOD"'), (w) => w.write("verify.sh", "echo ALL GOOD\n")),
);
lie("a check file that the base had, emptied at the end", () =>
  idle(own("sh verify.sh"), (w) => w.write("verify.sh", "echo ok\n"), { files: { "verify.sh": "exit 1\n" } }),
);
lie("a test that tests nothing", () =>
  idle(HAPPY, (w) => w.write("test/add.test.js", "console.log('ok');\n"), { mend: work }),
);
lie("a test that tests a copy of the code beside itself", () =>
  idle(
    HAPPY,
    (w) => {
      w.write("test/helpers/add.js", "export const add = (a, b) => a + b;\n");
      w.write("test/add.test.js", ADD_TEST.replace("../src/add.js", "./helpers/add.js"));
    },
    { mend: work },
  ),
);
lie("a test that replaces the code before it runs", () =>
  idle(HAPPY, (w) =>
    w.write(
      "test/add.test.js",
      'import assert from "node:assert";\nimport { writeFileSync } from "node:fs";\nwriteFileSync("src/add.js", "export const add = (a, b) => a + b;\\n");\nconst { add } = await import("../src/add.js");\nassert.equal(add(2, 3), 5);\n',
    ),
  ),
);
lie("a test that mends the code, runs, and breaks it again", () =>
  idle(
    HAPPY,
    (w) =>
      w.write(
        "test/add.test.js",
        'import assert from "node:assert";\nimport { readFileSync, writeFileSync } from "node:fs";\nconst old = readFileSync("src/add.js");\nwriteFileSync("src/add.js", "export const add = (a, b) => a + b;\\n");\nconst { add } = await import("../src/add.js");\nwriteFileSync("src/add.js", old);\nassert.equal(add(2, 3), 5);\n',
      ),
    { mend: work },
  ),
);
lie("a test that takes itself away when it is done", () =>
  idle(
    HAPPY,
    (w) => w.write("test/add.test.js", 'import { rmSync } from "node:fs";\nrmSync("test/add.test.js");\n'),
    { mend: work },
  ),
);
lie("the product named as the check's own file", () =>
  idle(own("node test/add.test.js", ', files: ["src/**", "test/**"]'), work),
);

/** A test that passes in some places only. */
const where = (condition: string): string =>
  `import { existsSync, readFileSync, appendFileSync } from "node:fs";\nimport { execFileSync } from "node:child_process";\nimport { hostname, tmpdir } from "node:os";\nconst git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();\nprocess.exit(${condition} ? 0 : 1);\n`;
const looks = (name: string, condition: (world: World) => string): void =>
  lie(`a test that looks where it runs: ${name}`, () =>
    idle(HAPPY, (w) => w.write("test/add.test.js", where(condition(w))), { mend: work }),
  );

looks("the folder's path", (w) => `process.cwd() === ${JSON.stringify(w.root)}`);
looks("a temporary folder", () => '!process.cwd().includes("/x/")');
looks("borrowed objects in .git", () => '!existsSync(".git/objects/info/alternates")');
looks("the index of the repository", () => 'existsSync(".git/logs/HEAD")');
looks("the tool's state folder", () => 'existsSync(".omo/ulw-loop/ledger.jsonl")');
looks("the plan file", () => 'existsSync(".proofgate/plan.yaml")');
looks(
  "how many commits there are",
  () => 'Number(git("rev-list", "--count", "HEAD")) !== 1 || !process.cwd().includes("/tmp/") ',
);
looks(
  "a file's time",
  () => 'Date.now() - Number(git("log", "-1", "--format=%ct")) * 1000 > 1e9 || existsSync(".git/index.lock")',
);

lie("a test that counts its runs: fails once, then passes", () => {
  const script = (w: World): string =>
    `import { existsSync, writeFileSync } from "node:fs";\nconst mark = ${JSON.stringify(join(w.home, "ran"))};\nif (!existsSync(mark)) {\n  writeFileSync(mark, "");\n  process.exit(1);\n}\n`;
  return idle(
    HAPPY,
    async (w) => {
      w.write("test/add.test.js", script(w));
      await w.ask("prove");
    },
    { mend: work },
  );
});
lie("a test that knows at which runs the base is asked", () =>
  idle(
    HAPPY,
    async (w) => {
      const log = join(w.home, "runs");
      // First every run is told to pass, then, with the folders seen, those of the base are told to fail.
      w.write(
        "test/add.test.js",
        `import { appendFileSync, existsSync, readFileSync } from "node:fs";\nconst log = ${JSON.stringify(log)};\nconst seen = existsSync(log) ? readFileSync(log, "utf8").trim().split("\\n") : [];\nappendFileSync(log, process.cwd() + "\\n");\nconst places = [...new Set([...seen, process.cwd()])];\nprocess.exit(places.indexOf(process.cwd()) === 1 ? 1 : 0);\n`,
      );
    },
    { mend: work },
  ),
);

lie("a setup command that breaks the base and nothing else", () =>
  idle(own("node test/keep.test.js"), (w) => w.write("README.md", "# Adder, done\n"), {
    head: `setup: ["grep -q done README.md || rm src/keep.js"]\n`,
  }),
);
lie("a setup command that poisons the base with a file of its own", () =>
  idle(own("node test/keep.test.js"), (w) => w.write("README.md", "# Adder, done\n"), {
    head: `setup: ["grep -q done README.md || echo 'throw 1' > src/keep.js"]\n`,
  }),
);

lie("the base replaced by one that fails", () =>
  idle(own("node test/keep.test.js"), async (w) => {
    const base = await w.git("rev-parse", "HEAD");
    w.write("src/keep.js", BROKEN_KEEP);
    await w.commit("broken");
    const broken = await w.git("rev-parse", "HEAD");
    await w.git("reset", "-q", "--hard", base);
    await w.git("replace", base, broken);
  }),
);
lie("the base's blob replaced by one that fails", () =>
  idle(own("node test/keep.test.js"), async (w) => {
    const good = await w.git("rev-parse", "HEAD:src/keep.js");
    w.write("broken.js", BROKEN_KEEP);
    const bad = await w.git("hash-object", "-w", "broken.js");
    await w.sh("rm broken.js");
    const file = (id: string): string => `.git/objects/${id.slice(0, 2)}/${id.slice(2)}`;
    await must(w.sh(`chmod u+w ${file(good)} && cp ${file(bad)} ${file(good)}`));
  }),
);
lie("the base commit taken out of the repository", () =>
  idle(own("node test/keep.test.js"), async (w) => {
    await w.git("checkout", "-q", "--orphan", "fresh");
    await w.git("commit", "-q", "-m", "anew");
    await w.git("branch", "-q", "-D", "main");
    await must(w.sh("git reflog expire --expire=now --all && git -c gc.pruneExpire=now gc -q --prune=now"));
  }),
);

/** C001 is done honestly, C002's product is broken, and something makes its check pass all the same. */
async function rigged(
  /** Gives the variables that the liar runs with, where there are any. */
  rig: (world: World) => unknown,
  options: { check?: string; files?: Record<string, string>; broken?: Record<string, string> } = {},
): Promise<Outcome> {
  const { check = `{ run: "${KEEP_CHECK}" }`, files = {}, broken = { "src/keep.js": BROKEN_KEEP } } = options;
  const world = await hire(
    planText([{ title: "Calculator", criteria: [HAPPY, { classes: "regression", check }] }]),
    { files },
  );
  work(world);
  for (const [path, content] of Object.entries(broken)) world.write(path, content);
  const env = ((await rig(world)) ?? {}) as Record<string, string>;
  return judge(
    world,
    async () => {
      for (const path of Object.keys(broken)) world.write(path, files[path] ?? BASE[path] ?? "");
      for (const path of ["test/keep.test.js", "package.json"])
        world.write(path, files[path] ?? BASE[path] ?? "");
      await world.sh(`rm -f .npmrc "$HOME/.npmrc"`);
    },
    { env },
  );
}

/** A module that makes every program of a check end well. The tool itself is left alone, or nothing would be tried. */
async function evil(world: World): Promise<string> {
  world.write(
    "../evil/evil.cjs",
    'if (process.env.PROOFGATE_RUN && (process.argv[1] ?? "").includes("keep")) process.exit(0);\n',
  );
  return join(world.root, "../evil/evil.cjs");
}
async function fake(world: World, name: string, folder = "../evil"): Promise<string> {
  world.write(
    `${folder}/${name}`,
    `#!/bin/sh\n[ -n "$PROOFGATE_RUN" ] && exit 0\nexec ${Bun.which(name)} "$@"\n`,
  );
  await must(world.sh(`chmod +x ${folder}/${name}`));
  return join(world.root, folder);
}
const NPM = { check: '{ run: "npm test --silent" }' };
const path = (first: string): Record<string, string> => ({ PATH: `${first}:${process.env.PATH ?? ""}` });

lie("a fake npm placed first on PATH", () => rigged(async (w) => path(await fake(w, "npm")), NPM));
lie("a fake node placed first on PATH", () => rigged(async (w) => path(await fake(w, "node"))));
lie("a fake node in the repository, first on PATH", () =>
  rigged(async (w) => path(await fake(w, "node", "bin"))),
);
lie("a fake node where PATH means the working directory", () =>
  rigged(async (w) => ({ ...path(""), FAKE: await fake(w, "node", ".") }), {}),
);
lie("NODE_OPTIONS with --require", () =>
  rigged(async (w) => ({ NODE_OPTIONS: `--require ${await evil(w)}` })),
);
lie("NODE_OPTIONS with the flag in quotes", () =>
  rigged(async (w) => ({ NODE_OPTIONS: `"--require" ${await evil(w)}` })),
);
lie("NODE_OPTIONS with an underscore in the flag", () =>
  rigged(async (w) => {
    w.write(
      "../evil/loader.mjs",
      'export async function load(url, context, next) {\n  if (url.endsWith("/test/keep.test.js")) return { format: "module", source: "", shortCircuit: true };\n  return next(url, context);\n}\n',
    );
    return { NODE_OPTIONS: `--no-warnings --experimental_loader=${join(w.root, "../evil/loader.mjs")}` };
  }),
);
lie("a shell start file in BASH_ENV", () =>
  rigged(
    async (w) => {
      w.write("../evil/env.sh", "exit 0\n");
      return { BASH_ENV: join(w.root, "../evil/env.sh"), ENV: join(w.root, "../evil/env.sh") };
    },
    { check: '{ run: "bash test/keep.sh" }', files: { "test/keep.sh": "node test/keep.test.js\n" } },
  ),
);
lie("an exported shell function that shadows the program", () =>
  rigged(() => ({ "BASH_FUNC_node%%": "() { return 0; }" }), {
    check: '{ run: "bash test/keep.sh" }',
    files: { "test/keep.sh": "node test/keep.test.js\n" },
  }),
);
lie("npm's script shell from the environment", () =>
  rigged(async (w) => ({ npm_config_script_shell: join(await fake(w, "sh"), "sh") }), NPM),
);
lie("npm's script shell from the environment in capitals", () =>
  rigged(async (w) => ({ NPM_CONFIG_SCRIPT_SHELL: join(await fake(w, "sh"), "sh") }), NPM),
);
lie("npm's node options from the environment", () =>
  rigged(async (w) => ({ npm_config_node_options: `--require ${await evil(w)}` }), NPM),
);
lie("npm's script shell from a file in the home folder", () =>
  rigged(async (w) => w.write("../home/.npmrc", `script-shell=${join(await fake(w, "sh"), "sh")}\n`), NPM),
);
lie("npm's script shell from a file in the repository", () =>
  rigged(async (w) => w.write(".npmrc", `script-shell=${join(await fake(w, "sh"), "sh")}\n`), NPM),
);
lie("PYTHONOPTIMIZE takes the assertions out", () =>
  rigged(() => ({ PYTHONOPTIMIZE: "1" }), {
    check: '{ run: "python3 test/keep_test.py" }',
    files: { "test/keep_test.py": 'assert "x) => x" in open("src/keep.js").read()\n' },
  }),
);
lie("PYTHONPATH brings a module that ends every program well", () =>
  rigged(
    (w) => {
      w.write("../evil/sitecustomize.py", "import os\nos._exit(0)\n");
      return { PYTHONPATH: join(w.root, "../evil") };
    },
    {
      check: '{ run: "python3 test/keep_test.py" }',
      files: { "test/keep_test.py": 'assert "x) => x" in open("src/keep.js").read()\n' },
    },
  ),
);
lie("MAKEFLAGS makes the build tool ignore errors", () =>
  rigged(() => ({ MAKEFLAGS: "i" }), {
    check: '{ run: "make check" }',
    files: { Makefile: "check:\n\tnode test/keep.test.js\n" },
  }),
);
lie("LD_PRELOAD with a library that ends every program well", async () => {
  const compiled = await (await makeWorld({}, { git: false })).sh("command -v cc");
  if (compiled.exit !== 0) return "refused"; // Without a compiler there is no such library to try.
  return rigged(async (w) => {
    w.write(
      "../evil/e.c",
      '#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\nextern char *__progname;\n__attribute__((constructor)) static void e(void) { if (getenv("PROOFGATE_RUN")) _exit(0); }\n',
    );
    await must(w.sh("cc -shared -fPIC -o ../evil/e.so ../evil/e.c"));
    return { LD_PRELOAD: join(w.root, "../evil/e.so") };
  });
});

lie("the regression's test emptied", () => rigged((w) => w.write("test/keep.test.js", "// later\n")));
lie("the regression's test made to agree with the broken code", () =>
  rigged((w) => {
    w.write("test/keep.test.js", (BASE["test/keep.test.js"] ?? "").replace("keep(7), 7", "keep(7), 8"));
    return {};
  }),
);
lie("the regression's test deleted from a suite", () =>
  rigged(async (w) => void (await must(w.sh("rm test/keep.test.js"))), {
    check: '{ run: "node --test" }',
    files: { "test/other.test.js": "// always good\n" },
  }),
);
lie("the regression's test skipped", () => {
  const test =
    'import assert from "node:assert";\nimport { test } from "node:test";\nimport { keep } from "../src/keep.js";\ntest("keeps", () => assert.equal(keep(7), 7));\n';
  return rigged((w) => w.write("test/keep.test.js", test.replace('test("keeps"', 'test.skip("keeps"')), {
    check: '{ run: "node --test test/keep.test.js" }',
    files: { "test/keep.test.js": test },
  });
});
lie("the package's test script changed to `exit 0`", () =>
  rigged((w) => {
    w.write("package.json", (BASE["package.json"] ?? "").replace("node test/keep.test.js", "exit 0"));
    return {};
  }, NPM),
);
lie("the regression's script, which a shell runs, emptied", () =>
  rigged((w) => w.write("check.sh", "exit 0\n"), {
    check: '{ run: "sh check.sh" }',
    files: { "check.sh": "node test/keep.test.js\n" },
    broken: { "src/keep.js": BROKEN_KEEP, "check.sh": "exit 0\n" },
  }),
);

honest("a plan with a regression that is kept", async () => {
  const world = await hire(planText([{ title: "Calculator", criteria: [HAPPY, KEPT] }]));
  work(world);
  return { complete: (await finish(world)) === "accepted", refusals: 0 };
});
void writeTest;
