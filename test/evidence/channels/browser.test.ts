/** Channel browser with real pages in a real browser: what is done, what is seen, what is judged, and what a plan may say. */
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../../components/errors.ts";
import { startBrowser } from "../../../components/evidence/channels/browser/drive/chrome.ts";
import { serveFolder } from "../../../components/evidence/channels/browser/drive/folder.ts";
import { library } from "../../../components/evidence/channels/browser/drive/load.ts";
import { openEyes } from "../../../components/evidence/channels/browser/drive/look.ts";
import { playPages } from "../../../components/evidence/channels/browser/drive.ts";
import { Stage, Stop } from "../../../components/evidence/channels/stage.ts";
import { describeCheck } from "../../../components/evidence/channels/words.ts";
import { runCommand } from "../../../components/evidence/runner.ts";
import type { Verdict } from "../../../components/evidence/types.ts";
import { removeFoldersAfterwards, tempFolder } from "../repo.ts";
import { browserTest, FORM, HIDDEN, HONO, page, SERVER } from "./browser-pages.ts";
import { checkOf, exampleOf, play, playIn } from "./play.ts";

removeFoldersAfterwards();

const MODULES = join(import.meta.dir, "../../../node_modules");
const APP = { "server.cjs": SERVER, "form.html": FORM, "ada.txt": "a picture of Ada" };
const start = "start: node server.cjs, ready: /help";

browserTest(
  "a page is used as a person uses it, and what is seen of it is the evidence",
  async () => {
    const { verdict, log, run } = await play(
      "browser",
      `{ ${start}, trace: true, video: true, size: 800x600, steps: [
        { open: /, see: [Sign up, { role: listitem, count: 3 }, { role: checkbox, name: I agree, checked: false }], title: Form, url: / },
        { fill: Name, with: Ada, not: Ada, value: { Name: Ada, City: "" } },
        { fill: City, with: London },
        { select: Plan, option: Paid },
        { upload: Picture, file: ada.txt },
        { click: Delete all, says: "Delete everything?", see: three },
        { click: { role: button, name: /^delete/i }, dialog: accept, says: everything, see: no rows, not: three },
        { press: Enter, in: Name, status: 422, see: Please agree. },
        { open: / },
        { fill: Name, with: Ada }, { fill: City, with: London }, { select: Plan, option: Paid },
        { upload: Picture, file: ada.txt }, { check: I agree, see: { role: checkbox, checked: true } },
        { click: Send it, url: /welcome, title: Welcome, see: ["Hello Ada", "London,p,ada.txt"] },
        { open: /nowhere, status: 404, see: No such page },
        { open: / }, { hover: Help }, { click: Help, url: /help, see: { role: heading, name: How it works, level: 1 } } ] }`,
      APP,
    );
    expect({ verdict, log: verdict.kind === "met" ? "" : log }).toEqual({
      verdict: { kind: "met" },
      log: "",
    });
    for (const line of [
      "fill Name with Ada",
      'confirm "Delete everything?": dismiss',
      'confirm "Delete everything?": accept',
      "  | Hello Ada",
      "a new tab",
      'the page at the end: /help "Help"',
    ])
      expect(log).toContain(line);
    const names = run.captured.map((path) => path.split("/").at(-1));
    expect(names).toEqual(["browser.png", "browser-trace.zip", "browser.webm"]);
    const beginnings = run.captured.map((path) => readFileSync(path).subarray(0, 4).toString("hex"));
    expect(beginnings).toEqual(["89504e47", "504b0304", "1a45dfa3"]);
    // The browser closed by itself; the server is ended with the run.
    expect(run.ended.join()).toContain("server.cjs");
    expect(run.ended.join()).not.toMatch(/chrom/i);
    expect(run.alive).toEqual([]);
  },
  60_000,
);

browserTest(
  "only what a person can see is seen, whatever the page makes of the way to look",
  async () => {
    const words = (kind: string): string => [...HIDDEN.matchAll(new RegExp(`[\\w-]+-${kind}`, "g"))].join();
    const { verdict, log } = await play(
      "browser",
      `{ serve: ., console: clean, steps: [
        { open: /, see: [bold-seen, Hello bold-seen, LOUD-SEEN, cell next-seen, ${words("seen")}], not: [${words("hid")}] },
        { see: { role: paragraph, count: 5 } } ] }`,
      { "index.html": HIDDEN },
    );
    expect({ verdict, log: verdict.kind === "met" ? "" : log }).toEqual({
      verdict: { kind: "met" },
      log: "",
    });
  },
  60_000,
);

const SAVE = "<h1>Editor</h1><button onclick='save()'>Save</button><p id='out'></p>";
const saves = (body: string): string =>
  page(
    `${SAVE}<script>const say = (text) => { out.textContent = text; }; function save() { ${body} }</script>`,
  );
const click = "{ open: /, see: Editor }, { click: Save, see: Saved, within: 3s }";

/** Plays several checks in one browser: starting it takes longer than most of what is done in it. */
async function inOneBrowser(
  cases: readonly (readonly [html: string, check: string])[],
): Promise<readonly { readonly verdict: Verdict; readonly files: readonly string[] }[]> {
  const stages = cases.map(([html, check]) => {
    const folder = tempFolder();
    writeFileSync(join(folder, "index.html"), html);
    const job = { check: checkOf("browser", check), name: null, cwd: folder, root: folder };
    return new Quiet({ ...job, out: tempFolder() });
  });
  const [first] = stages;
  if (first === undefined) return [];
  const browser = await startBrowser(first);
  await openEyes(await library(first.job.out));
  try {
    const seen: { verdict: Verdict; files: readonly string[] }[] = [];
    const todo = stages.entries();
    const worker = async (): Promise<void> => {
      for (const [index, stage] of todo) {
        const place = { origin: await serveFolder(stage, "."), server: null };
        let verdict: Verdict = { kind: "met" };
        try {
          await playPages(stage, browser, place);
        } catch (error) {
          if (!(error instanceof Stop)) throw error;
          verdict = error.verdict;
        }
        seen[index] = { verdict, files: stage.files };
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    return seen;
  } finally {
    for (const stage of stages.toReversed()) await stage.end();
  }
}

class Quiet extends Stage {
  override log(): void {}
}

browserTest(
  "what does not hold is told with what was wanted and what was seen",
  async () => {
    const cases: readonly (readonly [page: string, steps: string, expectation: RegExp, got: RegExp])[] = [
      [saves("say('Not today')"), click, /^click Save: see$/, /Not today/],
      [saves("say('Saved'); console.error('no room')"), click, /^console$/, /^no room \(\/:1\)/],
      [saves("say('Saved'); missing.call()"), click, /^console$/, /uncaught missing is not defined/],
      [
        saves("say('Saved'); fetch('/api/save', { method: 'POST' })"),
        click,
        /^console$/,
        /404 .*\/api\/save/,
      ],
      [
        saves("say('Saved'); setTimeout(() => say('Could not be saved'), 250)"),
        click,
        /^click Save: (?:still )?see$/,
        /Could not be saved/,
      ],
      [
        saves("say(navigator.webdriver || /Headless/.test(navigator.userAgent) ? 'Saved' : 'Only for you')"),
        click,
        /^click Save: see$/,
        /Only for you/,
      ],
      [
        saves("import('https://cdn.example.org/save.js').then(() => say('Saved'), () => {})"),
        click,
        /^click Save: see$/,
        /the page asked cdn\.example\.org, and a check reaches nothing but this machine/,
      ],
      [page(`${SAVE}<button>Save</button>`), click, /^click Save$/, /^2 of them/],
      [
        page(`${SAVE}<div style="position:fixed;inset:0">wait</div>`),
        click,
        /^click Save$/,
        /wait<\/div> intercepts pointer events/,
      ],
      [
        page("<h1>Editor</h1><img src='data:,'><input><button></button>"),
        "{ open: /, see: Editor, a11y: { except: [label] } }",
        /^open \/: a11y$/,
        /button-name: .*image-alt: (?!.*\blabel: )/,
      ],
      [page("<p>Here</p>"), "{ open: /nowhere.html, see: /./ }", /^open \/nowhere.html: status$/, /404/],
    ];
    const seen = await inOneBrowser(cases.map(([html, steps]) => [html, `{ serve: ., steps: [${steps}] }`]));
    for (const [index, [, , expectation, got]] of cases.entries()) {
      const { verdict, files } = seen[index] ?? {};
      expect({ index, ...verdict }).toMatchObject({
        index,
        kind: "unmet",
        expectation: expect.stringMatching(expectation),
      });
      expect(verdict?.kind === "unmet" ? verdict.got : "").toMatch(got);
      // The picture is taken, whatever came of it.
      expect(files).toEqual(["browser.png"]);
    }
  },
  120_000,
);

browserTest(
  "a script of the repository gets the page, and says by an error that something is wrong",
  async () => {
    const good = await play(
      "browser",
      "{ serve: ., console: [asked for], script: e2e/save.mjs, see: Saved }",
      {
        "index.html": saves("say('Saved'); console.error('this was asked for')"),
        "e2e/save.mjs": `import assert from "node:assert";
export default async ({ page, origin, log, see }) => {
  await page.goto(origin + "/");
  await see("Editor");
  await page.getByRole("button", { name: "Save" }).click();
  log("clicked");
  assert.equal(await page.locator("#out").textContent(), "Saved");
};`,
      },
    );
    expect(good.verdict).toEqual({ kind: "met" });
    expect(good.log).toContain("clicked");
    const bad = await play("browser", "{ serve: ., script: e2e/save.mjs }", {
      "index.html": saves(""),
      "e2e/save.mjs": `import assert from "node:assert"; export default async ({ page, origin }) => { await page.goto(origin); assert.equal(1, 2, "one is not two"); };`,
    });
    expect(bad.verdict).toMatchObject({
      kind: "unmet",
      expectation: "script e2e/save.mjs",
      got: expect.stringContaining("one is not two"),
    });
  },
  60_000,
);

browserTest(
  "a server that falls over, or a page that hangs, is told, and nothing is left of the browser",
  async () => {
    const [crash, hang] = await Promise.all([
      play("browser", `{ ${start}, steps: [{ open: / }, { open: /crash, see: Hello }] }`, APP),
      play(
        "browser",
        "{ serve: ., timeout: 30s, steps: [{ open: / }, { click: Save, see: Saved, within: 1s }] }",
        {
          "index.html": saves("for (;;);"),
        },
      ),
    ]);
    expect(crash.verdict).toMatchObject({
      kind: "unmet",
      expectation: "open /crash",
      got: expect.stringContaining("exit 7"),
    });
    expect(hang.verdict).toMatchObject({ kind: "unmet", expectation: expect.stringMatching(/^click Save/) });
    for (const { run } of [crash, hang]) expect(run.alive).toEqual([]);
  },
  60_000,
);

browserTest(
  "a driver that is killed takes its browser with it",
  async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "index.html"), page("<h1>Here</h1>"));
    const out = tempFolder();
    const check = checkOf(
      "browser",
      "{ serve: ., steps: [{ open: /, see: Here }, { see: never, within: 60s }] }",
    );
    writeFileSync(
      join(out, "job.json"),
      JSON.stringify({ check, name: null, cwd: folder, root: folder, out }),
    );
    const driver = join(import.meta.dir, "../../../components/evidence/channels/driver.ts");
    const run = await runCommand(
      `${process.execPath} ${driver} ${join(out, "job.json")} & for i in $(seq 200); do grep -q 'Here' "$0" && break; sleep 0.1; done; kill -9 $!; echo killed`.replace(
        '"$0"',
        "/proc/self/fd/1",
      ),
      { cwd: folder, timeoutMs: 40_000 },
    );
    try {
      expect(readFileSync(run.stdoutPath, "utf8")).toContain("killed");
      expect(run.alive).toEqual([]);
      expect(processesWith(join(out, "home"))).toEqual([]);
    } finally {
      await run.dispose();
    }
  },
  60_000,
);

/** Every process of a browser names its profile or its home, in its words or in its environment. */
function processesWith(text: string): readonly string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        ["cmdline", "environ"].some((name) => readFileSync(`/proc/${pid}/${name}`, "latin1").includes(text))
      );
    } catch {
      return false;
    }
  });
}

test("without a browser the criterion is blocked, with what to install; a program of the repository is none", async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "chromium"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  const named = await play(
    "browser",
    "{ serve: ., open: /, see: Hello }",
    { "index.html": page("Hello") },
    {
      ...process.env,
      PROOFGATE_BROWSER: join(folder, "chromium"),
    },
  );
  expect(named.verdict).toMatchObject({
    kind: "blocked",
    reason: expect.stringContaining("lies in the repository or in a temporary folder"),
  });
  const nowhere = await play(
    "browser",
    "{ serve: ., open: /, see: Hello }",
    { "index.html": page("Hello") },
    {
      ...process.env,
      PROOFGATE_BROWSER: "/nowhere/chrome",
    },
  );
  expect(nowhere.verdict).toMatchObject({
    kind: "blocked",
    reason: expect.stringContaining("PROOFGATE_BROWSER names /nowhere/chrome"),
  });
  const gone = await play("browser", "{ serve: site, open: /, see: Hello }");
  expect(gone.verdict).toEqual({ kind: "not_run", reason: "site: no such folder" });
});

test("where sockets are forbidden the answer is neither yes nor no", async () => {
  const { verdict } = await play("browser", "{ start: node denied.cjs, open: /, see: Hello }", {
    "denied.cjs": "console.error('Error: listen EPERM: operation not permitted 127.0.0.1'); process.exit(1)",
  });
  expect(verdict).toMatchObject({ kind: "inconclusive", reason: expect.stringContaining("listen EPERM") });
});

test("a plan is told everything that is wrong with it", () => {
  const wrong = (check: string): string => {
    try {
      checkOf("browser", check);
      return "";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.problems.map(({ where, message }) => `${where}: ${message}`).join("\n");
    }
  };
  const at = "goals[0].criteria[0].check";
  expect(wrong("{ open: /, see: Hello }")).toContain(`${at}: needs the server: start`);
  expect(wrong("{ start: node a.js, serve: ., open: /, see: Hello }")).toContain("has both start and serve");
  expect(wrong("{ serve: ., open: / }")).toContain("nothing is expected of the page");
  expect(wrong("{ serve: ., open: /, console: clean }")).toBe("");
  expect(wrong("{ serve: ., open: 'https://example.org/', see: Hello }")).toContain(
    "no page of another machine is opened",
  );
  expect(wrong("{ serve: ../site, open: /, see: Hello }")).toContain(
    "must be a folder inside the repository",
  );
  expect(wrong("{ serve: ., open: /, se: Hello }")).toContain('unknown key "se"; did you mean "see"?');
  expect(wrong("{ serve: ., open: /, see: '' }")).toContain("must not be a pattern that an empty page meets");
  expect(wrong("{ serve: ., open: /, see: '/.*/' }")).toContain(
    "must not be a pattern that an empty page meets",
  );
  expect(wrong("{ serve: ., open: /, see: '/(/' }")).toContain("not a regular expression");
  expect(wrong("{ serve: ., steps: [{ click: Save, see: Saved }] }")).toContain(
    "no page is open yet: begin with open",
  );
  expect(wrong("{ serve: ., steps: [{ open: /, click: Save, see: Saved }] }")).toContain(
    "has open and click: one act a step",
  );
  expect(wrong("{ serve: ., steps: [{ open: / }, { fill: Name }, { look: Hello }] }")).toContain(
    "fill needs with beside it",
  );
  expect(wrong("{ serve: ., open: /, see: { name: Save } }")).toContain("role");
  expect(wrong("{ serve: ., open: /, steps: [{ open: /, see: Hello }] }")).toContain("beside steps");
  expect(wrong("{ run: npm test, open: /, see: Hello }")).toContain("belongs to channel cli or data");
});

test("boards tell a scenario in one line", () => {
  expect(describeCheck(checkOf("browser", "{ serve: site, open: /a, see: Hello }"))).toBe(
    "open /a in a browser, files of site",
  );
  expect(
    describeCheck(
      checkOf("browser", "{ start: node a.js, steps: [{ open: /, see: Hi }, { click: Save, see: Saved }] }"),
    ),
  ).toBe("open / and 1 more in a browser, node a.js");
});

browserTest(
  "the example of the docs works, with the framework that it names",
  async () => {
    const folder = tempFolder();
    for (const name of ["hono", "@hono/node-server"])
      cpSync(join(MODULES, name), join(folder, "node_modules", name), { recursive: true });
    mkdirSync(join(folder, "src"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "src/index.js"), HONO);
    const { verdict, log } = await playIn(folder, exampleOf("browser"));
    expect({ verdict, log: verdict.kind === "met" ? "" : log }).toEqual({
      verdict: { kind: "met" },
      log: "",
    });
  },
  60_000,
);

browserTest(
  "the built driver works from wherever it is copied to, with nothing beside it",
  async () => {
    const folder = tempFolder();
    const out = join(folder, "out");
    mkdirSync(out);
    cpSync(join(MODULES, "../dist/channels"), join(folder, "copied"), { recursive: true });
    writeFileSync(join(folder, "index.html"), page("<h1>Here</h1>"));
    const check = checkOf("browser", "{ serve: ., open: /, see: Here, a11y: clean }");
    writeFileSync(
      join(out, "job.json"),
      JSON.stringify({ check, name: null, cwd: folder, root: folder, out }),
    );
    const run = await runCommand(["node", join(folder, "copied/driver.mjs"), join(out, "job.json")], {
      cwd: folder,
      timeoutMs: 60_000,
    });
    try {
      expect({ exit: run.exit, said: run.exit === 0 ? "" : run.stdout.head + run.stderr.head }).toEqual({
        exit: 0,
        said: "",
      });
      expect(readFileSync(join(out, "browser.png")).subarray(1, 4).toString()).toBe("PNG");
    } finally {
      await run.dispose();
    }
  },
  60_000,
);
