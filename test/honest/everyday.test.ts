/** Honest days at work: features, fixes, refactorings, documents, from the plan to `check`. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { honest } from "../helpers/count.ts";
import { makeWorld } from "../helpers/world.ts";
import {
  Agent,
  doSlug,
  doTitle,
  edge,
  happy,
  implement,
  LIBRARY,
  npmTest,
  PLAN,
  planOf,
  regression,
  SLUG,
  slugCriterion,
  slugTest,
  test,
  titleCriterion,
} from "./agent.ts";

const suiteStays = happy("npm test exits 0 before and after: upper stays what it is.", "npm test");

honest("a test written first drives the work", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(
    PLAN,
    planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }], { verify: ["npm test"] }),
  );
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("test/slug.test.js", slugTest());
  await agent.sees("fail", "C001");
  implement(world, "slug", "(text) => text.toLowerCase()");
  await agent.sees("fail");
  world.write("src/texts.js", world.read("src/texts.js").replace("(text) => text.toLowerCase()", SLUG));
  await agent.proves("red");
  return await agent.finishes();
});

honest("a test written after the work counts as well", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("work is committed as it goes, on a branch, and a commit is amended", async () => {
  const world = await makeWorld(LIBRARY);
  const agent = new Agent(world);
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  await world.commit("the plan");
  await agent.creates();
  await agent.takes();
  await world.git("switch", "-q", "-c", "slug");
  world.write("test/slug.test.js", slugTest());
  await world.commit("test");
  implement(world, "slug", SLUG);
  await world.commit("slug");
  await world.git("commit", "-q", "--amend", "-m", "slug, with its test");
  await agent.proves("red");
  await world.git("switch", "-q", "main");
  await world.git("merge", "-q", "slug");
  return await agent.finishes();
});

honest("a refactoring: only pins, which the user approved in the evening", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([{ title: "Move upper into its own file", criteria: [suiteStays] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.asksTheUser();
  await agent.takes();
  world.write("src/upper.js", world.read("src/texts.js"));
  world.write("src/texts.js", 'export { upper } from "./upper.js";\n');
  await agent.proves("pinned");
  return await agent.finishes();
});

honest("a refactoring that nobody approved in the evening is approved in the morning", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(PLAN, planOf([{ title: "Move upper into its own file", criteria: [suiteStays] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("src/upper.js", world.read("src/texts.js"));
  world.write("src/texts.js", 'export { upper } from "./upper.js";\n');
  const said = await agent.proves("pinned");
  if (agent.next !== "proofgate approve") agent.count(["next"], said);
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("a renaming that must leave no trace of the old name", async () => {
  const world = await makeWorld(LIBRARY);
  const gone = happy("No file under src defines `upper =` any more; grep finds nothing and exits 1.", {
    run: "grep -rn 'upper =' src",
    exit: 1,
  });
  world.write(PLAN, planOf([{ title: "Rename upper to shout", criteria: [gone, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("src/texts.js", world.read("src/texts.js").replace("upper", "shout"));
  world.write("test/upper.test.js", test("shout", '"a"', '"A"'));
  await agent.proves("red");
  // The old name's test went with it, so the user has a look at the regression.
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("documents only: a section of the README and a new file", async () => {
  const world = await makeWorld(LIBRARY);
  const readme = happy(
    'README.md has a section "## Install" with the line npm install texts.',
    'grep -q "npm install texts" README.md',
  );
  const usage = happy("docs/usage.md exists and shows upper at work.", "grep -q 'upper(' docs/usage.md");
  const link = edge("README.md links to docs/usage.md.", "grep -qF '(docs/usage.md)' README.md");
  world.write(PLAN, planOf([{ title: "Document it", criteria: [readme, usage, link] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("README.md", "# texts\n\n## Install\n\nnpm install texts\n\n[Usage](docs/usage.md)\n");
  world.write("docs/usage.md", 'upper("a") // "A"\n');
  await agent.proves("red");
  return await agent.finishes();
});

honest("greenfield: nothing but a README in the base commit", async () => {
  const world = await makeWorld({ "README.md": "# texts\n" });
  world.write(
    PLAN,
    planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }], { verify: ["npm test"] }),
  );
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  for (const [path, content] of Object.entries(LIBRARY)) if (path !== "README.md") world.write(path, content);
  doSlug(world);
  await agent.proves(null);
  return await agent.finishes();
});

honest("greenfield without any commit: every pass is pinned, and the user approves", async () => {
  const world = await makeWorld({}, { git: "empty" });
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.asksTheUser();
  await agent.takes();
  for (const [path, content] of Object.entries(LIBRARY)) world.write(path, content);
  doSlug(world);
  await agent.proves("no_base");
  await world.commit("everything");
  return await agent.finishes();
});

honest("a folder without Git", async () => {
  const world = await makeWorld(LIBRARY, { git: false });
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.asksTheUser();
  await agent.takes();
  doSlug(world);
  await agent.proves("no_base");
  return await agent.finishes();
});

honest("a goal that was reached before the plan was made", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "test/slug.test.js": slugTest(),
    "src/texts.js": `${LIBRARY["src/texts.js"]}export const slug = ${SLUG};\n`,
  });
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  await agent.proves("pinned");
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("one criterion of a goal already held", async () => {
  const world = await makeWorld(LIBRARY);
  const already = happy('upper("a") returns "A".', "node --test test/upper.test.js");
  world.write(PLAN, planOf([{ title: "slug and upper", criteria: [already, slugCriterion] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves(["pinned", "red"]);
  return await agent.finishes();
});

honest("the first goal makes the second one green", async () => {
  const world = await makeWorld(LIBRARY);
  world.write(
    PLAN,
    planOf([
      { title: "slug", criteria: [slugCriterion] },
      { title: "title", criteria: [titleCriterion] },
    ]),
  );
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  doTitle(world);
  await agent.proves("red");
  await agent.closes();
  await agent.takes();
  await agent.proves("red");
  return await agent.finishes();
});

honest("the plan is made when half of the work is already in the tree, uncommitted", async () => {
  const world = await makeWorld(LIBRARY);
  implement(world, "slug", "(text) => text.toLowerCase()");
  world.write("notes.txt", "half done\n");
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("src/texts.js", world.read("src/texts.js").replace("(text) => text.toLowerCase()", SLUG));
  world.write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("a dirty tree: somebody's edits, a staged file and a deleted one", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "src/old.js": "export {};\n",
    "src/other.js": "export const a = 1;\n",
  });
  world.write("src/other.js", "export const a = 2;\n");
  world.write("src/staged.js", "export const b = 1;\n");
  await world.git("add", "src/staged.js");
  rmSync(join(world.root, "src/old.js"));
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("`proofgate goal` in one line, taken up by `complete-goals`", async () => {
  const world = await makeWorld(LIBRARY);
  const agent = new Agent(world);
  await agent.does("goal", "Add slug", "--check", "npm test");
  await agent.takes();
  doSlug(world);
  await agent.proves("red");
  return await agent.finishes();
});

honest("`proofgate goal`, then prove at once as the README shows", async () => {
  const world = await makeWorld(LIBRARY);
  const agent = new Agent(world);
  await agent.does("goal", "Add slug", "--check", "npm test");
  doSlug(world);
  await agent.proves("red");
  await agent.does("status");
  return await agent.finishes();
});

honest("tests that live beside the code, and a suite that only package.json names", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "src/texts.test.js": test("upper", '"b"', '"B"', "./texts.js"),
  });
  const suite = happy('slug("Big Cat") returns "big-cat"; npm test exits 0.', "npm test");
  const alone = regression("node --test src/texts.test.js exits 0.", "node --test src/texts.test.js");
  world.write(PLAN, planOf([{ title: "slug", criteria: [suite, alone] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  implement(world, "slug", SLUG);
  world.write("src/slug.test.js", test("slug", '"Big Cat"', '"big-cat"', "./texts.js"));
  await agent.proves(["red", "pinned"]);
  return await agent.finishes();
});

const COUNT_TEST = `const { test } = require("node:test");
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
test("two lines", (t, done) => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "c-")), "two.txt");
  fs.writeFileSync(file, "a\\nb\\n");
  execFile(process.execPath, ["count.js", file], (error, out) => {
    assert.equal(error, null);
    assert.equal(out, "2\\n");
    done();
  });
});
`;

honest(
  "a program in one file, mended under a test that drives it",
  async () => {
    const program =
      'console.log(require("node:fs").readFileSync(process.argv[2], "utf8").split("\\n").length);\n';
    const world = await makeWorld({ "count.js": program });
    const drives = happy("node count.js of a file with two lines prints 2.", "node --test count.test.js");
    world.write(PLAN, planOf([{ title: "Count lines, not newlines", criteria: [drives] }]));
    const agent = new Agent(world);
    await agent.creates();
    await agent.takes();
    world.write("count.test.js", COUNT_TEST);
    await agent.sees("fail");
    world.write("count.js", program.replace(".length", ".filter(Boolean).length"));
    await agent.proves("red");
    return await agent.finishes();
  },
  { network: true },
);

honest("a fix checked by the program itself, which the user approves", async () => {
  const world = await makeWorld({ "hello.js": 'console.log("Helo");\n' });
  const says = happy('node hello.js prints "Hello".', { run: "node hello.js", stdout: "Hello" });
  world.write(PLAN, planOf([{ title: "Spell it right", criteria: [says] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write("hello.js", 'console.log("Hello");\n');
  await agent.proves("own_script");
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("a new dependency: package.json, the lockfile and node_modules change", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "package-lock.json": '{"name":"texts","lockfileVersion":3,"packages":{}}\n',
  });
  world.write(PLAN, planOf([{ title: "slug", criteria: [slugCriterion, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(
    "node_modules/dasher/package.json",
    '{"name":"dasher","version":"1.0.0","type":"module","main":"index.js"}',
  );
  world.write("node_modules/dasher/index.js", 'export default (text) => text.replaceAll(" ", "-");\n');
  world.write(
    "package.json",
    LIBRARY["package.json"].replace('"type"', '"dependencies": { "dasher": "^1.0.0" },\n  "type"'),
  );
  world.write(
    "package-lock.json",
    '{"name":"texts","lockfileVersion":3,"packages":{"node_modules/dasher":{"version":"1.0.0"}}}\n',
  );
  world.write("src/texts.js", `import dash from "dasher";\n${LIBRARY["src/texts.js"]}`);
  implement(world, "slug", "(text) => dash(text.toLowerCase())");
  world.write("test/slug.test.js", slugTest());
  await agent.proves("red");
  return await agent.finishes();
});

honest("a feature removed with its test", async () => {
  const world = await makeWorld({
    ...LIBRARY,
    "src/legacy.js": "export const old = () => 1;\n",
    "test/legacy.test.js": test("old", "", "1", "../src/legacy.js"),
  });
  const gone = happy("src/legacy.js is gone and nothing imports it.", "test ! -e src/legacy.js");
  world.write(PLAN, planOf([{ title: "Remove the legacy module", criteria: [gone, npmTest] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  rmSync(join(world.root, "src/legacy.js"));
  rmSync(join(world.root, "test/legacy.test.js"));
  await agent.proves(["red", "hollowed"]);
  // A test was deleted on purpose: the base's own would fail now, and the user says that this is meant.
  await agent.asksTheUser();
  return await agent.finishes();
});

honest("a program that has to refuse bad input with exit 1 and a message", async () => {
  const world = await makeWorld({ "bin/sum.sh": "#!/bin/sh\necho $(($1 + $2))\n" });
  await world.sh("chmod +x bin/sum.sh");
  await world.commit("executable");
  const refuses = happy('bin/sum.sh x 1 exits 1 and says "not a number: x".', "sh tests/bad.sh");
  const adds = regression("bin/sum.sh 1 2 prints 3.", { run: "bin/sum.sh 1 2", stdout: "/^3$/m" });
  world.write(PLAN, planOf([{ title: "Refuse what is no number", criteria: [refuses, adds] }]));
  const agent = new Agent(world);
  await agent.creates();
  await agent.takes();
  world.write(
    "tests/bad.sh",
    'out=$(bin/sum.sh x 1 2>&1)\n[ $? -eq 1 ] || exit 1\n[ "$out" = "not a number: x" ]\n',
  );
  world.write(
    "bin/sum.sh",
    '#!/bin/sh\nfor n in "$1" "$2"; do\n  case $n in *[!0-9]*) echo "not a number: $n" >&2; exit 1 ;; esac\ndone\necho $(($1 + $2))\n',
  );
  await agent.proves(["red", "pinned"]);
  return await agent.finishes();
});
