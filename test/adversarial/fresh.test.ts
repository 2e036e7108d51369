/** Work that was proven and complete, and a tree that is then changed in a way that shall not show. */

import { appendFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lie } from "../helpers/count.ts";
import type { World } from "../helpers/world.ts";
import {
  ADD_TEST,
  BROKEN_KEEP,
  finish,
  finished,
  HAPPY,
  hire,
  isDone,
  judge,
  KEPT,
  must,
  type Outcome,
  planText,
  RIGHT,
  stillDone,
  TWO,
  work,
} from "./play.ts";

/** Right as it was proven, wrong now, and as long as it was. */
const WRONG = RIGHT.replace("a + b", "a * b");

const changed = (
  name: string,
  change: (world: World) => unknown,
  options: Parameters<typeof finished>[1] & { plan?: string } = {},
): void =>
  lie(name, async () => {
    const world = await finished(options.plan ?? TWO, options);
    await change(world);
    return stillDone(world);
  });

changed("the test deleted after its pass", (w) => must(w.sh("rm test/add.test.js")));
changed("the test deleted and the deletion committed", async (w) => {
  await must(w.sh("rm test/add.test.js"));
  await w.commit();
});
changed("the product deleted after its pass", (w) => must(w.sh("rm src/add.js")));
changed("test and product ignored and forgotten by Git", async (w) => {
  await w.commit();
  await must(w.sh("git rm -q -r --cached src test && printf 'src\\ntest\\n' > .git/info/exclude"));
  w.write("src/add.js", WRONG);
});
changed("the product marked assume-unchanged", async (w) => {
  await w.commit();
  await must(w.ask("prove", "--all"));
  await w.git("update-index", "--assume-unchanged", "src/add.js");
  w.write("src/add.js", WRONG);
});
changed("the product marked skip-worktree", async (w) => {
  await w.commit();
  await w.git("update-index", "--skip-worktree", "src/add.js");
  w.write("src/add.js", WRONG);
});
changed("the product changed under a sparse checkout that leaves it out", async (w) => {
  await w.commit();
  await must(
    w.sh(
      "mkdir -p .git/info && git config core.sparseCheckout true && printf '/*\\n!/src/add.js\\n' > .git/info/sparse-checkout && git update-index --skip-worktree src/add.js",
    ),
  );
  w.write("src/add.js", WRONG);
});
changed("the product removed under a sparse checkout that leaves it out", async (w) => {
  await w.commit();
  await must(
    w.sh(
      "mkdir -p .git/info && git config core.sparseCheckout true && printf '/*\\n!/src/add.js\\n' > .git/info/sparse-checkout && git update-index --skip-worktree src/add.js && rm src/add.js",
    ),
  );
});

/** Same size, same time of change. */
function quietly(world: World, path: string, content: string): void {
  const then = new Date("2024-05-05T05:05:05Z");
  writeFileSync(join(world.root, path), content);
  utimesSync(join(world.root, path), then, then);
}
changed("a change of the same size with the old time put back", (w) => quietly(w, "src/add.js", WRONG), {
  before: (w) => quietly(w, "src/add.js", RIGHT),
});
changed(
  "a change of the same size and time, with Git told not to look closely",
  (w) => quietly(w, "src/add.js", WRONG),
  {
    before: async (w) => {
      quietly(w, "src/add.js", RIGHT);
      await w.commit();
      for (const setting of ["core.trustctime=false", "core.checkStat=minimal", "core.ignoreStat=true"])
        await w.git("config", ...setting.split("="));
      await must(w.sh("git update-index --refresh"));
    },
  },
);
changed("a file system monitor that reports no change", (w) => w.write("src/add.js", WRONG), {
  before: async (w) => {
    await w.commit();
    w.write("../monitor", '#!/bin/sh\nprintf "now\\0"\n');
    await must(
      w.sh(
        'chmod +x ../monitor && git config core.fsmonitor "$PWD/../monitor" && git config core.fsmonitorHookVersion 2 && git status -s && git update-index --fsmonitor',
      ),
    );
  },
});
changed("a clean filter that gives Git the proven text", async (w) => {
  w.write("../proven.js", RIGHT);
  await must(
    w.sh(
      "git config filter.calm.clean \"cat $PWD/../proven.js; true\" && mkdir -p .git/info && echo 'src/add.js filter=calm' > .git/info/attributes",
    ),
  );
  w.write("src/add.js", WRONG);
});
changed("a clean filter that calls itself git-lfs", async (w) => {
  w.write("../proven.js", RIGHT);
  await must(
    w.sh(
      "git config filter.lfs.clean \"cat $PWD/../proven.js; true\" && mkdir -p .git/info && echo 'src/add.js filter=lfs' > .git/info/attributes",
    ),
  );
  w.write("src/add.js", WRONG);
});
changed("Git's settings point to another working tree", async (w) => {
  await must(w.sh('cp -r . ../good && git config core.worktree "$PWD/../good"'));
  w.write("src/add.js", WRONG);
});
changed("the work tree of Git is another folder by a .git file", async (w) => {
  await must(
    w.sh(
      'cp -r . ../good && mv .git ../moved.git && echo "gitdir: $PWD/../moved.git" > .git && git --git-dir=../moved.git config core.worktree "$PWD/../good"',
    ),
  );
  w.write("src/add.js", WRONG);
});
changed("a product folder that becomes a repository of its own", async (w) => {
  await must(w.sh("git init -q src"));
  w.write("src/add.js", WRONG);
});
changed("a product folder that becomes a repository of its own, and ignores itself", async (w) => {
  await must(w.sh("git init -q src && echo '*' > src/.git/info/exclude"));
  w.write("src/add.js", WRONG);
});
changed("a product folder with an empty .git folder", async (w) => {
  await must(
    w.sh(
      "mkdir src/.git && echo 'ref: refs/heads/main' > src/.git/HEAD && mkdir src/.git/objects src/.git/refs",
    ),
  );
  w.write("src/add.js", WRONG);
});
changed(
  "the product behind a link out of the repository, changed there",
  (w) => w.write("../real/add.js", WRONG),
  {
    before: (w) => {
      w.write("../real/add.js", RIGHT);
      return must(w.sh('rm src/add.js && ln -s "$PWD/../real/add.js" src/add.js'));
    },
  },
);
changed(
  "the product's folder behind a link out of the repository, changed there",
  (w) => w.write("../real/add.js", WRONG),
  {
    before: (w) => {
      w.write("../real/add.js", RIGHT);
      w.write("src/add.js", 'export * from "./real/add.js";\n');
      return must(w.sh('ln -s "$PWD/../real" src/real'));
    },
  },
);
changed(
  "the product imported by its absolute path outside the repository, changed there",
  (w) => w.write("../real/add.js", WRONG),
  {
    before: (w) => {
      w.write("../real/package.json", '{"type":"module"}');
      w.write("../real/add.js", RIGHT);
      w.write("src/add.js", `export * from ${JSON.stringify(join(w.root, "../real/add.js"))};\n`);
    },
  },
);
changed("an uncommitted change in a nested repository", (w) => w.write("lib/add.js", WRONG), {
  before: async (w) => {
    w.write("lib/add.js", RIGHT);
    w.write("lib/package.json", '{"type":"module"}\n');
    w.write("src/add.js", 'export * from "../lib/add.js";\n');
    await must(w.sh("cd lib && git init -q && git add -A && git commit -q -m lib"));
  },
});
changed(
  "a program's own mark to be run taken away",
  (w) => must(w.sh("chmod -x run.sh && git config core.fileMode false")),
  {
    plan: planText([
      { title: "Runs", criteria: [HAPPY, { classes: "regression", check: '{ run: "./run.sh" }' }] },
    ]),
    files: { "run.sh": "#!/bin/sh\nnode test/keep.test.js\n" },
    before: async (w) => must(w.sh("chmod +x run.sh")),
  },
);

const BIG = planText([
  {
    title: "Data",
    criteria: [HAPPY, { classes: "regression", check: '{ run: "grep -q first big.dat", timeout: 60s }' }],
  },
]);
function big(world: World, text: string): void {
  const path = join(world.root, "big.dat");
  writeFileSync(path, text);
  truncateSync(path, 52 * 1024 * 1024);
  appendFileSync(path, "\n");
  utimesSync(path, new Date("2024-05-05T05:05:05Z"), new Date("2024-05-05T05:05:05Z"));
}
changed("a file over 50 MB changed, with its size and time put back", (w) => big(w, "other\n"), {
  plan: BIG,
  before: (w) => big(w, "first\n"),
});

lie("a huge sparse file is to make the check give up", async () => {
  const world = await finished();
  await must(world.sh("truncate -s 200G huge.bin"));
  world.write("src/add.js", WRONG);
  const began = Date.now();
  const outcome = await isDone(world);
  return Date.now() - began > 20_000 ? "accepted" : outcome;
});
lie("a tree padded with thousands of files is to make the check give up", async () => {
  const world = await finished();
  await must(world.sh("mkdir pad && cd pad && seq 1 4000 | xargs touch"));
  world.write("src/add.js", WRONG);
  const began = Date.now();
  const outcome = await isDone(world);
  return Date.now() - began > 20_000 ? "accepted" : outcome;
});

/** The user asks in a shell whose environment the agent has made. */
const asked = (name: string, prepare: (world: World) => Promise<Record<string, string>>): void =>
  lie(name, async () => {
    const world = await finished();
    await must(world.sh("cp -r . ../good"));
    world.write("src/add.js", WRONG);
    const env = await prepare(world);
    const said = await world.run(["check"], { json: true, env });
    return said.exit === 0 ? "accepted" : "refused";
  });
asked("GIT_WORK_TREE of a good copy", async (w) => ({
  GIT_WORK_TREE: join(w.root, "../good"),
  GIT_DIR: join(w.root, "../good/.git"),
}));
asked("GIT_INDEX_FILE of a good copy", async (w) => ({ GIT_INDEX_FILE: join(w.root, "../good/.git/index") }));
asked("Git settings in the environment", async (w) => ({
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "core.worktree",
  GIT_CONFIG_VALUE_0: join(w.root, "../good"),
}));
asked("a fake git first on PATH that answers for a good copy", async (w) => {
  w.write("../evil/git", `#!/bin/sh\ncd "${join(w.root, "../good")}" && exec ${Bun.which("git")} "$@"\n`);
  await must(w.sh("chmod +x ../evil/git"));
  return { PATH: `${join(w.root, "../evil")}:${process.env.PATH}` };
});
asked("a fake git in the repository, first on PATH", async (w) => {
  w.write("bin/git", `#!/bin/sh\ncd "${join(w.root, "../good")}" && exec ${Bun.which("git")} "$@"\n`);
  await must(w.sh("chmod +x bin/git"));
  return { PATH: `${join(w.root, "bin")}:${process.env.PATH}` };
});

lie("`covers` that matches no file at all", () => uncovered('["no/such/folder/**"]'));
lie("`covers` that leaves the code out", () => uncovered('["README.md"]'));
async function uncovered(covers: string): Promise<Outcome> {
  const world = await hire(planText([{ title: "Adds", criteria: [{ ...HAPPY, covers }] }]));
  work(world);
  if ((await finish(world)) === "refused") return "refused";
  world.write("src/add.js", WRONG);
  return isDone(world);
}

/** What was never in the tree: the proof has to fail, since a clean copy lacks it. */
const hidden = (
  name: string,
  hide: (world: World) => unknown,
  { mend = work, not }: { readonly mend?: (world: World) => unknown; readonly not?: string } = {},
): void =>
  lie(
    name,
    async () => {
      const world = await hire(planText([{ title: "Adds", criteria: [HAPPY, KEPT] }]));
      world.write("test/add.test.js", ADD_TEST);
      await hide(world);
      return judge(world, () => mend(world));
    },
    { not },
  );
hidden("the product in a file that Git ignores", (w) => {
  w.write(".gitignore", "local.js\n");
  w.write("src/local.js", RIGHT);
  w.write("src/add.js", 'export * from "./local.js";\n');
});
hidden("the product in a file that only this clone ignores", async (w) => {
  await must(w.sh("mkdir -p .git/info && echo local.js > .git/info/exclude"));
  w.write("src/local.js", RIGHT);
  w.write("src/add.js", 'export * from "./local.js";\n');
});
hidden(
  "the product in a file that only this home ignores",
  async (w) => {
    await must(w.sh("git config --global core.excludesFile $HOME/ignored && echo local.js > $HOME/ignored"));
    w.write("src/local.js", RIGHT);
    w.write("src/add.js", 'export * from "./local.js";\n');
  },
  { not: "the tests' host has a home of its own" },
);
hidden("the product in a nested repository that ignores it", async (w) => {
  w.write("lib/add.js", RIGHT);
  w.write("lib/README", "vendored\n");
  w.write("lib/package.json", '{"type":"module"}\n');
  w.write("src/add.js", 'export * from "../lib/add.js";\n');
  await must(
    w.sh("cd lib && git init -q && echo add.js > .git/info/exclude && git add -A && git commit -q -m lib"),
  );
});
hidden("the product in the tool's own folder", (w) => {
  w.write(".omo/add.mjs", RIGHT);
  w.write("src/add.js", 'export * from "../.omo/add.mjs";\n');
});
hidden(
  "the product in a clean filter, and not in the file that Git has",
  async (w) => {
    await must(
      w.sh(
        "git config filter.calm.clean 'echo not here' && mkdir -p .git/info && echo 'src/add.js filter=calm' > .git/info/attributes",
      ),
    );
    w.write("src/add.js", RIGHT);
  },
  { mend: (w) => must(w.sh("rm .git/info/attributes")) },
);

lie("the regression broken by a commit of which the tree shows nothing", async () => {
  const world = await finished();
  await world.commit();
  world.write("src/keep.js", BROKEN_KEEP);
  await world.commit("broken");
  return stillDone(world);
});
